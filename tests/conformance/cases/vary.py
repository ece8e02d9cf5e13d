"""RFC 9111, section 4.1: one URL, several responses."""

from __future__ import annotations

from conformance.case import Table, get, head, hit, miss, says

case = Table()


def varies(*fields: str):
    return says("Cache-Control: max-age=100", *fields)


def same(name: str, vary: str, first: tuple[str, ...], second: tuple[str, ...]) -> None:
    case(f"9111-4.1-{name}", get(varies(f"Vary: {vary}"), sends=first), get(sends=second, expect=hit()))


def other(name: str, vary: str, first: tuple[str, ...], second: tuple[str, ...]) -> None:
    """Another response, and the first one stays."""
    case(
        f"9111-4.1-{name}",
        get(varies(f"Vary: {vary}"), sends=first),
        get(varies(f"Vary: {vary}"), sends=second, expect=miss()),
        get(sends=first, expect=hit(1)),
        get(sends=second, expect=hit(2)),
    )


same("same-value", "X-A", ("X-A: 1",), ("X-A: 1",))
same("both-without", "X-A", (), ())
same("other-fields-do-not-matter", "X-A", ("X-A: 1", "X-B: 2"), ("X-A: 1", "X-B: 3", "User-Agent: x"))
same("two-fields", "X-A, X-B", ("X-A: 1", "X-B: 2"), ("X-B: 2", "X-A: 1"))
same("three-fields-one-absent", "X-A, X-B, X-C", ("X-A: 1", "X-C: 3"), ("X-A: 1", "X-C: 3"))
same("field-name-case", "x-A", ("X-A: 1",), ("x-a: 1",))
same("lines-are-joined", "X-A", ("X-A: 1, 2",), ("X-A: 1", "X-A: 2"))
same("space-around", "X-A", ("X-A: 1",), ("X-A:   1  ",))
same("space-after-commas", "X-A", ("X-A: 1,2",), ("X-A: 1, 2",))
same("empty-members-in-vary", ", X-A ,,", ("X-A: 1",), ("X-A: 1",))
same("empty-vary", "", ("X-A: 1",), ("X-A: 2",))
other("other-value", "X-A", ("X-A: 1",), ("X-A: 2",))
other("value-case-matters-in-general", "X-A", ("X-A: a",), ("X-A: A",))
other("absent-then-present", "X-A", (), ("X-A: 1",))
other("present-then-absent", "X-A", ("X-A: 1",), ())
other("second-of-two", "X-A, X-B", ("X-A: 1", "X-B: 1"), ("X-A: 1", "X-B: 2"))
other("first-of-three", "X-A, X-B, X-C", ("X-A: 1", "X-B: 1", "X-C: 1"), ("X-A: 2", "X-B: 1", "X-C: 1"))
other("values-change-places", "X-A, X-B", ("X-A: 1", "X-B: 2"), ("X-A: 2", "X-B: 1"))
other("one-is-part-of-the-other", "X-A", ("X-A: ab",), ("X-A: a",))
other("upper-case-in-vary", "X-UPPER", ("X-Upper: 1",), ("X-Upper: 2",))
other("cookie", "Cookie", ("Cookie: a=1",), ("Cookie: a=2",))
other("user-agent", "User-Agent", ("User-Agent: one",), ("User-Agent: two",))
other("origin", "Origin", ("Origin: http://a.test",), ("Origin: http://b.test",))
other("separators-cannot-be-forged", "X-A, X-B", ("X-A: 1", "X-B: 2,3"), ("X-A: 1, 2", "X-B: 3"))
other("newlines-cannot-be-forged", "X-A, X-B", ("X-A: 1\\n2", "X-B: 3"), ("X-A: 1", "X-B: 2\\n3"))
other("accept-language-other", "Accept-Language", ("Accept-Language: de",), ("Accept-Language: en",))
other("accept-language-more", "Accept-Language", ("Accept-Language: de",), ("Accept-Language: de, en",))
other("accept-other", "Accept", ("Accept: text/html",), ("Accept: application/json",))
other(
    "accept-language-weights",
    "Accept-Language",
    ("Accept-Language: de, en;q=0.5",),
    ("Accept-Language: de;q=0.5, en",),
)

LANGUAGE = "Accept-Language"
same("accept-language-order", LANGUAGE, ("Accept-Language: en, de",), ("Accept-Language: de, en",))
same("accept-language-case", LANGUAGE, ("Accept-Language: en, de",), ("Accept-Language: eN, De",))
same("accept-language-space", LANGUAGE, ("Accept-Language: en, de",), ("Accept-Language:  en ,   de",))
same("accept-language-no-space", LANGUAGE, ("Accept-Language: en, de",), ("Accept-Language: en,de",))
same("accept-space", "Accept", ("Accept: text/html, text/plain",), ("Accept: text/html,text/plain",))
same("accept-order", "Accept", ("Accept: text/html, text/plain",), ("Accept: text/plain, text/html",))

# -- several variants, and their ends

case(
    "9111-4.1-many-variants-live-side-by-side",
    *[get(varies("Vary: X-A"), sends=(f"X-A: {number}",)) for number in range(1, 7)],
    *[get(sends=(f"X-A: {number}",), expect=hit(number)) for number in (3, 1, 6, 2, 5, 4)],
)
case(
    "9111-4.1-one-variant-grows-stale-alone",
    get(varies("Vary: X-A"), sends=("X-A: 1",)),
    get(says("Cache-Control: max-age=1000", "Vary: X-A"), sends=("X-A: 2",)),
    get(varies("Vary: X-A"), sends=("X-A: 1",), expect=miss(), wait=150),
    get(sends=("X-A: 2",), expect=hit(2)),
    get(sends=("X-A: 1",), expect=hit(3)),
)
case(
    "9111-4.1-head-of-a-variant",
    get(varies("Vary: X-A", "X-Which: one"), sends=("X-A: 1",)),
    get(varies("Vary: X-A", "X-Which: two"), sends=("X-A: 2",)),
    head(sends=("X-A: 1",), expect=hit(1, has="X-Which: one")),
    head(sends=("X-A: 2",), expect=hit(2, has="X-Which: two")),
)
case(
    "9111-4.1-two-vary-lines",
    get(varies("Vary: X-A", "Vary: X-B"), sends=("X-A: 1", "X-B: 1")),
    get(varies("Vary: X-A", "Vary: X-B"), sends=("X-A: 1", "X-B: 2"), expect=miss()),
    get(sends=("X-A: 1", "X-B: 1"), expect=hit(1)),
)
case(
    "9111-4.1-vary-is-sent-with-what-is-stored",
    get(varies("Vary: X-A, X-B"), sends=("X-A: 1",)),
    get(sends=("X-A: 1",), expect=hit(has="Vary: X-A, X-B")),
)
case(
    "9111-4.1-vary-comes-to-name-another-field",
    get(varies("Vary: X-A"), sends=("X-A: 1", "X-B: 1")),
    get(varies("Vary: X-B"), sends=("X-A: 2", "X-B: 1"), expect=miss()),
    get(sends=("X-A: 2", "X-B: 1"), expect=hit(2)),
    get(sends=("X-A: 9", "X-B: 9"), expect=miss()),
)
case(
    "9111-4.1-vary-comes-to-name-one-more",
    get(varies("Vary: X-A"), sends=("X-A: 1", "X-B: 1")),
    get(varies("Vary: X-A, X-B"), sends=("X-A: 2", "X-B: 1"), expect=miss()),
    get(sends=("X-A: 2", "X-B: 2"), expect=miss()),
)

STARS = {
    "alone": ("Vary: *",),
    "twice": ("Vary: *, *",),
    "two-lines": ("Vary: *", "Vary: *"),
    "after-empty": ("Vary: , *",),
    "after-empty-line": ("Vary:", "Vary: *"),
    "before-a-name": ("Vary: *, X-A",),
    "after-a-name": ("Vary: X-A, *",),
    "after-a-name-line": ("Vary: X-A", "Vary: *"),
    "spaces": ("Vary:   *  ",),
}
for name, fields in STARS.items():
    case(
        f"9111-4.1-star-{name}",
        get(varies(*fields), sends=("X-A: 1",)),
        get(varies(*fields), sends=("X-A: 1",), expect=miss()),
    )
