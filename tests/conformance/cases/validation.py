"""RFC 9111, section 4.3: validating what is stored, and what the answer does to it."""

from __future__ import annotations

from conformance.case import Table, either, get, hit, miss, origin, says, validated

case = Table()
TAGGED = says("Cache-Control: max-age=100", 'ETag: "a"')
AGED = 150


def updated(name: str, before: tuple[str, ...], after: tuple[str, ...], **expected) -> None:
    """A 304 with the fields `after` comes for a response with the fields `before`."""
    case(
        name,
        get(says("Cache-Control: max-age=100", 'ETag: "a"', *before)),
        get(
            says('ETag: "a"', *after, status=304),
            expect=validated('If-None-Match: "a"', **expected),
            wait=AGED,
        ),
        get(expect=hit(1, **expected), wait=50),
    )


# -- what is sent (4.3.1)

TAGS = {
    "strong": '"a"',
    "weak": 'W/"a"',
    "empty": '""',
    "comma": '"a,b"',
    "latin-1": '"caf\xe9"',
    "long": f'"{"x" * 500}"',
}
for name, tag in TAGS.items():
    case(
        f"9111-4.3.1-etag-{name}",
        get(says("Cache-Control: max-age=100", f"ETag: {tag}")),
        get(says(f"ETag: {tag}", status=304), expect=validated(f"If-None-Match: {tag}"), wait=AGED),
        get(expect=hit(1), wait=50),
    )
for name, form in {"plain": "{t-9000}", "rfc850": "{t-9000:850}", "asctime": "{t-9000:asctime}"}.items():
    case(
        f"9111-4.3.1-last-modified-{name}",
        get(says("Cache-Control: max-age=100", f"Last-Modified: {form}")),
        get(says(status=304), expect=validated("If-Modified-Since"), wait=AGED),
        get(expect=hit(1), wait=50),
    )
case(
    "9111-4.3.1-last-modified-word-for-word",
    get(says("Cache-Control: max-age=100", "Last-Modified: {t-9000}")),
    get(says(status=304), expect=validated("If-Modified-Since: {t-9000}"), wait=AGED),
)
case(
    "9111-4.3.1-both-validators",
    get(says("Cache-Control: max-age=100", 'ETag: "a"', "Last-Modified: {t-9000}")),
    get(says(status=304), expect=validated('If-None-Match: "a"', "If-Modified-Since: {t-9000}"), wait=AGED),
)
case(
    "9111-4.3.1-no-validator-no-condition",
    get(says("Cache-Control: max-age=100")),
    get(says("Cache-Control: max-age=100"), expect=miss(), wait=AGED),
    get(expect=hit(of=2)),
)
case(
    "9111-4.3.1-other-fields-of-the-request-go-along",
    get(TAGGED),
    get(
        says(status=304), sends=("X-Mine: 1",), expect=validated('If-None-Match: "a"', "X-Mine: 1"), wait=AGED
    ),
)
case(
    "9111-4.3.1-the-right-variant-is-validated",
    get(says("Cache-Control: max-age=100", "Vary: X-A", 'ETag: "one"'), sends=("X-A: 1",)),
    get(says("Cache-Control: max-age=100", "Vary: X-A", 'ETag: "two"'), sends=("X-A: 2",)),
    get(
        says('ETag: "one"', status=304),
        sends=("X-A: 1",),
        expect=origin(seen="X-A: 1", status=200),
        wait=AGED,
    ),
    get(sends=("X-A: 1",), expect=hit(1, has='ETag: "one"')),
)

# -- 304: the stored response is fresh again, with the new fields (3.2, 4.3.4)

updated("9111-3.2-304-adds-a-field", (), ("X-New: 1",), has="X-New: 1")
updated("9111-3.2-304-replaces-a-field", ("X-Old: 1",), ("X-Old: 2",), has="X-Old: 2", lacks="X-Old: 1")
updated("9111-3.2-304-replaces-by-any-case", ("X-Old: 1",), ("x-oLD: 2",), has="X-Old: 2", lacks="X-Old: 1")
updated(
    "9111-3.2-304-replaces-all-of-a-name",
    ("X-Old: 1", "X-Old: 2"),
    ("X-Old: 3",),
    has="X-Old: 3",
    lacks=("X-Old: 1", "X-Old: 2"),
)
updated(
    "9111-3.2-304-replaces-by-several",
    ("X-Old: 1",),
    ("X-Old: 2", "X-Old: 3"),
    has=("X-Old: 2", "X-Old: 3"),
    lacks="X-Old: 1",
)
updated(
    "9111-3.2-304-keeps-what-it-does-not-name",
    ("X-Kept: 1", "Content-Language: de"),
    (),
    has=("X-Kept: 1", "Content-Language: de"),
)
updated(
    "9111-3.2-304-new-expires",
    ("Expires: {t+10}",),
    ("Expires: {t+9000}",),
    has="Expires: {t+9000}",
    lacks="Expires: {t+10}",
)
updated(
    "9111-3.2-304-new-content-type",
    ("Content-Type: text/plain",),
    ("Content-Type: text/plain;charset=utf-8",),
    has="Content-Type: text/plain;charset=utf-8",
)
updated(
    "9111-3.2-304-new-policy",
    ("Content-Security-Policy: default-src 'self'",),
    ("Content-Security-Policy: default-src *",),
    has="Content-Security-Policy: default-src *",
)
updated(
    "9111-3.2-304-keeps-content-encoding",
    ("Content-Language: a", "X-Encoding: 1"),
    ("Content-Length: 999",),
    lacks="Content-Length: 999",
)
updated("9111-3.2-304-keeps-content-range", (), ("Content-Range: bytes 0-1/2",), lacks="Content-Range")
updated(
    "9111-3.1-304-hop-by-hop-is-not-stored",
    (),
    ("Connection: X-Mine", "X-Mine: 1", "Keep-Alive: timeout=1"),
    lacks=("X-Mine", "Hop-Keep-Alive"),
)
case(
    "9111-3.2-304-new-cache-control-prolongs",
    get(TAGGED),
    get(
        says("Cache-Control: max-age=1000", 'ETag: "a"', status=304),
        expect=validated('If-None-Match: "a"'),
        wait=AGED,
    ),
    get(expect=hit(1, has="Cache-Control: max-age=1000"), wait=900),
)
case(
    "9111-3.2-304-new-cache-control-shortens",
    get(TAGGED),
    get(
        says("Cache-Control: max-age=10", 'ETag: "a"', status=304),
        expect=validated('If-None-Match: "a"'),
        wait=AGED,
    ),
    get(says('ETag: "a"', status=304), expect=validated('If-None-Match: "a"'), wait=50),
)
case(
    "9111-3.2-304-with-no-store-ends-it",
    get(TAGGED),
    get(
        says("Cache-Control: no-store", 'ETag: "a"', status=304),
        expect=validated('If-None-Match: "a"'),
        wait=AGED,
    ),
    get(expect=origin()),
)
case(
    "9111-3.2-304-with-private-ends-it",
    get(TAGGED),
    get(
        says("Cache-Control: private", 'ETag: "a"', status=304),
        expect=validated('If-None-Match: "a"'),
        wait=AGED,
    ),
    get(expect=origin()),
)
case(
    "9111-7.3-304-with-set-cookie-is-for-its-own-visitor",
    get(TAGGED),
    get(says('ETag: "a"', "Set-Cookie: a=b", status=304), expect=validated('If-None-Match: "a"'), wait=AGED),
    get(expect=either(lacks="Set-Cookie", status=(200, 304))),
)
case(
    "9111-4.3.4-304-without-validator",
    get(TAGGED),
    get(says(status=304), expect=validated('If-None-Match: "a"'), wait=AGED),
    get(expect=hit(1, has='ETag: "a"'), wait=50),
)
case(
    "9111-4.3.4-304-by-date-alone",
    get(says("Cache-Control: max-age=100", "Last-Modified: {t-9000}", "X-Kept: 1")),
    get(
        says("Last-Modified: {t-9000}", status=304),
        expect=validated("If-Modified-Since", has="X-Kept: 1"),
        wait=AGED,
    ),
    get(expect=hit(1, has="X-Kept: 1"), wait=50),
)
case(
    "9111-4.3.4-304-with-another-strong-etag-proves-nothing",
    get(TAGGED),
    get(
        says('ETag: "b"', "Cache-Control: max-age=100", body="the new one", manner="conditional"),
        expect=origin(status=200, body="the new one", calls=(1, 2)),
        wait=AGED,
    ),
)

# -- anything else replaces it, or not (4.3.3)

case(
    "9111-4.3.3-200-replaces",
    get(TAGGED),
    get(says("Cache-Control: max-age=100", 'ETag: "b"'), expect=validated('If-None-Match: "a"'), wait=AGED),
    get(expect=hit(of=2, has='ETag: "b"')),
)
case(
    "9111-4.3.3-200-with-the-same-etag-replaces",
    get(TAGGED),
    get(
        says("Cache-Control: max-age=100", 'ETag: "a"', "X-New: 1"),
        expect=validated('If-None-Match: "a"'),
        wait=AGED,
    ),
    get(expect=hit(of=2, has="X-New: 1")),
)
case(
    "9111-4.3.3-200-takes-no-field-from-the-old-one",
    get(says("Cache-Control: max-age=100", 'ETag: "a"', "X-Old: 1")),
    get(
        says("Cache-Control: max-age=100"),
        expect=validated('If-None-Match: "a"', lacks=("X-Old", "ETag")),
        wait=AGED,
    ),
    get(expect=hit(of=2, lacks=("X-Old", "ETag"))),
)
case(
    "9111-4.3.3-404-is-the-answer",
    get(TAGGED),
    get(says(status=404), expect=validated('If-None-Match: "a"', status=404), wait=AGED),
    get(says("Cache-Control: max-age=100"), expect=origin(status=200)),
)
case(
    "9111-4.3.3-200-no-store-leaves-nothing-fresh",
    get(TAGGED),
    get(says("Cache-Control: no-store"), expect=validated('If-None-Match: "a"'), wait=AGED),
    get(says("Cache-Control: no-store"), expect=origin(status=200)),
)
for status in (500, 502, 503, 504):
    case(
        f"9111-4.3.3-{status}-is-passed-on",
        get(TAGGED),
        get(says(status=status), expect=validated('If-None-Match: "a"', status=status), wait=AGED),
        get(says('ETag: "a"', status=304), expect=validated('If-None-Match: "a"')),
        get(expect=hit(1)),
    )
case(
    "9111-4.3.3-incomplete-200-replaces-nothing",
    get(TAGGED),
    get(says("Cache-Control: max-age=100", manner="cut"), expect=origin(complete=False), wait=AGED),
    get(says("Cache-Control: max-age=100"), expect=origin(status=200)),
    get(expect=hit(of=3)),
)
