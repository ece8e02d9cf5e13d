"""RFC 9111, section 4.3.2, and RFC 9110, section 13: the client's conditions, answered from the store."""

from __future__ import annotations

from conformance.case import Table, either, get, head, hit, miss, origin, says

case = Table()
KEPT = ("Cache-Control: max-age=100", "Vary: X-A", "Content-Location: /here")
STRONG = says(*KEPT, 'ETag: "a"')
WEAK = says(*KEPT, 'ETag: W/"a"')
DATED = says(*KEPT, "Last-Modified: {t-9000}")
BOTH = says(*KEPT, 'ETag: "a"', "Last-Modified: {t-9000}")


def matches(name: str, answer, *sends: str, **expected) -> None:
    """The client has it already: a 304 without body, and without the application."""
    case(name, get(answer), get(sends=sends, expect=hit(status=304, body="", **expected)))


def differs(name: str, answer, *sends: str, **expected) -> None:
    """The client has something else: the stored response, without the application."""
    case(name, get(answer), get(sends=sends, expect=hit(**expected)))


# -- If-None-Match (13.1.2): weak comparison

matches("9110-13.1.2-same", STRONG, 'If-None-Match: "a"', has=('ETag: "a"', *KEPT))
matches("9110-13.1.2-same-weak", WEAK, 'If-None-Match: W/"a"', has='ETag: W/"a"')
matches("9110-13.1.2-stored-weak-asked-strong", WEAK, 'If-None-Match: "a"')
matches("9110-13.1.2-stored-strong-asked-weak", STRONG, 'If-None-Match: W/"a"')
matches("9110-13.1.2-star", STRONG, "If-None-Match: *")
matches("9110-13.1.2-first-of-several", STRONG, 'If-None-Match: "a", "b", "c"')
matches("9110-13.1.2-second-of-several", STRONG, 'If-None-Match: "b", "a", "c"')
matches("9110-13.1.2-last-of-several", STRONG, 'If-None-Match: "b", "c", "a"')
matches("9110-13.1.2-no-spaces", STRONG, 'If-None-Match: "b","a","c"')
matches("9110-13.1.2-many-spaces", STRONG, 'If-None-Match:   "b" ,\t"a"  ')
matches("9110-13.1.2-empty-members", STRONG, 'If-None-Match: , ,"a",')
matches("9110-13.1.2-mixed-weak-and-strong", STRONG, 'If-None-Match: W/"b", W/"a"')
matches("9110-13.1.2-several-lines", STRONG, 'If-None-Match: "b"', 'If-None-Match: "a"')
matches("9110-13.1.2-comma-inside", says(*KEPT, 'ETag: "a,b"'), 'If-None-Match: "a,b"')
matches("9110-13.1.2-comma-inside-among-others", says(*KEPT, 'ETag: "a,b"'), 'If-None-Match: "x", "a,b"')
matches("9110-13.1.2-empty-tag", says(*KEPT, 'ETag: ""'), 'If-None-Match: ""')
matches("9110-13.1.2-latin-1", says(*KEPT, 'ETag: "caf\xe9"'), 'If-None-Match: "caf\xe9"')
matches(
    "9110-13.1.2-among-a-thousand",
    STRONG,
    "If-None-Match: " + ", ".join(f'"{n}"' for n in range(600)) + ', "a"',
)
differs("9110-13.1.2-other", STRONG, 'If-None-Match: "b"')
differs("9110-13.1.2-case-matters", STRONG, 'If-None-Match: "A"')
differs("9110-13.1.2-part-of-it", says(*KEPT, 'ETag: "abc"'), 'If-None-Match: "ab"')
differs("9110-13.1.2-half-of-a-comma-tag", says(*KEPT, 'ETag: "a"'), 'If-None-Match: "a,b"')
differs("9110-13.1.2-no-etag-stored", DATED, 'If-None-Match: "a"')
differs("9110-13.1.2-quoted-star-is-a-tag", STRONG, 'If-None-Match: "*"')

# -- If-Modified-Since (13.1.3)

matches("9110-13.1.3-same-date", DATED, "If-Modified-Since: {t-9000}")
matches("9110-13.1.3-later-date", DATED, "If-Modified-Since: {t-1000}")
matches("9110-13.1.3-rfc850", DATED, "If-Modified-Since: {t-9000:850}")
matches("9110-13.1.3-asctime", DATED, "If-Modified-Since: {t-9000:asctime}")
matches(
    "9110-13.1.3-stored-rfc850", says(*KEPT, "Last-Modified: {t-9000:850}"), "If-Modified-Since: {t-9000}"
)
differs("9110-13.1.3-earlier-date", DATED, "If-Modified-Since: {t-9001}")
differs("9110-13.1.3-invalid-date", DATED, "If-Modified-Since: yesterday")
differs("9110-13.1.3-empty-date", DATED, "If-Modified-Since:")
differs("9110-13.1.3-impossible-date", DATED, "If-Modified-Since: Thu, 32 Foo 2050 99:99:99 GMT")

# -- precedence (13.2.2)

matches("9110-13.2.2-tag-same-date-earlier", BOTH, 'If-None-Match: "a"', "If-Modified-Since: {t-90000}")
matches("9110-13.2.2-tag-same-date-same", BOTH, 'If-None-Match: "a"', "If-Modified-Since: {t-9000}")
differs("9110-13.2.2-tag-other-date-same", BOTH, 'If-None-Match: "b"', "If-Modified-Since: {t-9000}")
differs("9110-13.2.2-tag-other-date-later", BOTH, 'If-None-Match: "b"', "If-Modified-Since: {t}")
matches("9110-13.2.2-not-modified-before-range", BOTH, 'If-None-Match: "a"', "Range: bytes=0-1")

# -- only where the response without condition were a success (13.2.1)

for status in (404, 410, 301, 503):
    case(
        f"9110-13.2.1-no-304-for-a-stored-{status}",
        get(says(*KEPT, 'ETag: "a"', "Last-Modified: {t-9000}", status=status)),
        get(sends=('If-None-Match: "a"',), expect=hit()),
        get(sends=("If-Modified-Since: {t-9000}",), expect=hit()),
    )

# -- HEAD

case(
    "9110-13.1.2-head",
    get(STRONG),
    head(sends=('If-None-Match: "a"',), expect=hit(status=304, has='ETag: "a"')),
    head(sends=('If-None-Match: "b"',), expect=hit()),
)

# -- what a 304 leaves out, and the stored response is whole afterwards (15.4.5)

matches(
    "9110-15.4.5-no-content-of-its-own",
    STRONG,
    'If-None-Match: "a"',
    lacks=("Content-Length", "Content-Encoding"),
)
case(
    "9111-4.3.2-afterwards-whole",
    get(STRONG),
    get(sends=('If-None-Match: "a"',), expect=hit(status=304)),
    get(expect=hit(has="Content-Type: text/plain")),
)

# -- with something stale

case(
    "9111-4.3.2-stale-client-has-the-same",
    get(STRONG),
    get(
        says('ETag: "a"', status=304), sends=('If-None-Match: "a"',), wait=150,
        expect=origin(status=304, seen='If-None-Match: "a"'),
    ),
    get(expect=hit(1), wait=50),
)  # fmt: skip
case(
    "9111-4.3.2-stale-client-has-something-older",
    get(says(*KEPT, 'ETag: "new"')),
    get(
        says('ETag: "new"', *KEPT, body="whole", manner="conditional"),
        sends=('If-None-Match: "old"',),
        wait=150,
        expect=origin(status=200, seen="If-None-Match", calls=(1, 1)),
    ),
    get(sends=('If-None-Match: "new"',), expect=hit(status=304)),
)
case(
    "9111-4.3.2-stale-dates-client-has-the-same",
    get(DATED),
    get(
        says(status=304), sends=("If-Modified-Since: {t-9000}",), wait=150,
        expect=origin(status=304, seen="If-Modified-Since: {t-9000}"),
    ),
    get(expect=hit(1), wait=50),
)  # fmt: skip
case(
    "9111-4.3.2-stale-200-is-the-client's-304-or-200",
    get(STRONG),
    get(says(*KEPT, 'ETag: "b"'), sends=('If-None-Match: "a"',), wait=150, expect=origin(status=200)),
    get(expect=hit(of=2)),
)

# -- with nothing stored: the condition is the application's business

case(
    "9111-4.3.2-nothing-stored-304-is-the-client's",
    get(
        says('ETag: "a"', "Cache-Control: max-age=100", status=304),
        sends=('If-None-Match: "a"',),
        expect=origin(status=304),
    ),
    get(says("Cache-Control: max-age=100"), expect=miss(status=200)),
    get(expect=hit(of=2)),
)
case(
    "9111-4.3.2-nothing-stored-200-is-stored",
    get(STRONG, sends=('If-None-Match: "b"',), expect=origin(status=200)),
    get(expect=hit(1)),
)

# -- If-Match and If-Unmodified-Since are for the application (4.3.2)

for name, line in {
    "if-match": 'If-Match: "b"',
    "if-match-star": "If-Match: *",
    "if-unmodified-since": "If-Unmodified-Since: {t-90000}",
}.items():
    case(
        f"9111-4.3.2-{name}-is-passed-on",
        get(BOTH),
        get(says(status=412), sends=(line,), expect=origin(status=412, seen=line)),
        get(expect=hit(1)),
    )
case(
    "9111-4.3.2-a-412-is-not-stored",
    get(says("Cache-Control: max-age=100", status=412), sends=('If-Match: "b"',), expect=origin(status=412)),
    get(says(), expect=miss(status=200)),
)
case(
    "9110-13.1.2-several-variants",
    get(says(*KEPT, 'ETag: "one"'), sends=("X-A: 1",)),
    get(says(*KEPT, 'ETag: "two"'), sends=("X-A: 2",)),
    get(sends=("X-A: 1", 'If-None-Match: "one"'), expect=hit(1, status=304)),
    get(sends=("X-A: 2", 'If-None-Match: "one"'), expect=hit(2)),
    get(sends=("X-A: 2", 'If-None-Match: "one", "two"'), expect=hit(2, status=304, has='ETag: "two"')),
)
case(
    "9110-13.1.2-garbage-is-harmless",
    get(STRONG),
    get(sends=("If-None-Match: " + '"' * 999,), expect=either(status=200)),
    get(sends=('If-None-Match: "a',), expect=either(status=200)),
    get(expect=hit(1)),
)
