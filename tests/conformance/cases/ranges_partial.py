"""RFC 9111, sections 3.3 and 3.4: parts, stored and put together."""

from __future__ import annotations

from conformance.case import Table, either, get, hit, miss, origin, says

case = Table()
FRESH = "Cache-Control: max-age=100"


def part(first: int, last: int, *fields: str, tag: str = '"a"', total: str = "10"):
    """What the application answers for these bytes of ten digits."""
    validator = (f"ETag: {tag}",) if tag else ()
    return says(
        FRESH, f"Content-Range: bytes {first}-{last}/{total}", *validator, *fields,
        status=206, body="0123456789"[first : last + 1],
    )  # fmt: skip


def asks(ranges: str) -> tuple[str, ...]:
    return (f"Range: bytes={ranges}",)


case(
    "9111-3.3-a-part-answers-for-itself",
    get(part(0, 4), sends=asks("0-4"), expect=origin(status=206, body="01234", seen="Range: bytes=0-4")),
    get(sends=asks("0-4"), expect=hit(status=206, body="01234", has="Content-Range: bytes 0-4/10")),
)
case(
    "9111-3.3-a-suffix-answers-for-itself",
    get(part(5, 9), sends=asks("-5"), expect=origin(status=206, body="56789")),
    get(sends=asks("-5"), expect=hit(status=206, body="56789", has="Content-Range: bytes 5-9/10")),
)
case(
    "9111-3.3-a-part-answers-for-less",
    get(part(2, 8), sends=asks("2-8"), expect=origin(status=206)),
    get(sends=asks("4-6"), expect=hit(status=206, body="456", has="Content-Range: bytes 4-6/10")),
)
case(
    "9111-3.3-the-end-answers-for-an-open-range",
    get(part(4, 9), sends=asks("4-"), expect=origin(status=206)),
    get(sends=asks("6-"), expect=hit(status=206, body="6789")),
    get(sends=asks("-1"), expect=hit(status=206, body="9")),
)
case(
    "9111-3.3-a-part-does-not-answer-for-more",
    get(part(0, 4), sends=asks("0-4"), expect=origin(status=206)),
    get(part(3, 7), sends=asks("3-7"), expect=origin(status=206, body="34567")),
)
case(
    "9111-3.3-a-part-is-not-the-whole",
    get(part(0, 4), sends=asks("0-4"), expect=origin(status=206)),
    get(
        says(FRESH, 'ETag: "a"', body="0123456789"),
        expect=either(status=200, body="0123456789", calls=(1, 2)),
    ),
    get(expect=hit(body="0123456789", status=200)),
)
case(
    "9111-3.3-a-part-grows-stale",
    get(part(0, 4), sends=asks("0-4"), expect=origin(status=206)),
    get(part(0, 4), sends=asks("0-4"), expect=origin(status=206, body="01234"), wait=150),
)
case(
    "9111-3.4-two-parts-make-the-whole",
    get(part(0, 4), sends=asks("0-4"), expect=origin(status=206)),
    get(part(5, 9), sends=asks("5-9"), expect=origin(status=206)),
    get(expect=hit(status=200, body="0123456789", lacks="Content-Range")),
)
case(
    "9111-3.4-two-parts-in-the-other-order",
    get(part(5, 9), sends=asks("5-9"), expect=origin(status=206)),
    get(part(0, 4), sends=asks("0-4"), expect=origin(status=206)),
    get(expect=hit(status=200, body="0123456789")),
)
case(
    "9111-3.4-overlapping-parts",
    get(part(0, 6), sends=asks("0-6"), expect=origin(status=206)),
    get(part(4, 9), sends=asks("4-9"), expect=origin(status=206)),
    get(sends=asks("1-8"), expect=hit(status=206, body="12345678")),
)
case(
    "9111-3.4-parts-with-a-gap-are-not-the-whole",
    get(part(0, 3), sends=asks("0-3"), expect=origin(status=206)),
    get(part(6, 9), sends=asks("6-9"), expect=origin(status=206)),
    get(says(FRESH, 'ETag: "a"', body="0123456789"), expect=origin(status=200, body="0123456789")),
)
OTHERS = {
    "another-etag": (part(0, 4), part(5, 9, tag='"b"')),
    "weak-etags": (part(0, 4, tag='W/"a"'), part(5, 9, tag='W/"a"')),
    "no-validators": (part(0, 4, tag=""), part(5, 9, tag="")),
    "another-length": (part(0, 4), part(5, 9, total="20")),
    "another-last-modified": (
        part(0, 4, "Last-Modified: {t-9000}", tag=""), part(5, 9, "Last-Modified: {t-8000}", tag=""),
    ),
}  # fmt: skip
for name, (one, two) in OTHERS.items():
    case(
        f"9111-3.4-never-combined-{name}",
        get(one, sends=asks("0-4"), expect=origin(status=206)),
        get(two, sends=asks("5-9"), expect=origin(status=206)),
        get(says(FRESH, body="abcdefghij"), expect=origin(status=200, body="abcdefghij")),
    )
case(
    "9111-3.4-the-whole-after-a-part",
    get(part(0, 4), sends=asks("0-4"), expect=origin(status=206)),
    get(
        says(FRESH, 'ETag: "a"', body="0123456789", manner="ranges"),
        expect=either(status=200, body="0123456789", calls=(1, 1)),
    ),
    get(expect=hit(status=200, body="0123456789", lacks="Content-Range")),
)
BAD = {
    "no-content-range": says(FRESH, 'ETag: "a"', status=206, body="01234"),
    "malformed-content-range": says(
        FRESH, 'ETag: "a"', "Content-Range: bytes x-y/z", status=206, body="01234"
    ),
    "other-unit": says(FRESH, 'ETag: "a"', "Content-Range: items 0-4/10", status=206, body="01234"),
    "longer-than-it-says": says(FRESH, 'ETag: "a"', "Content-Range: bytes 0-1/10", status=206, body="01234"),
    "shorter-than-it-says": says(FRESH, 'ETag: "a"', "Content-Range: bytes 0-8/10", status=206, body="01234"),
    "beyond-its-length": says(FRESH, 'ETag: "a"', "Content-Range: bytes 8-12/10", status=206, body="01234"),
    "no-store": part(0, 4, "Cache-Control: no-store"),
    "private": part(0, 4, "Cache-Control: private"),
    "set-cookie": part(0, 4, "Set-Cookie: a=b"),
    "multipart": says(
        FRESH,
        'ETag: "a"',
        "Content-Type: multipart/byteranges; boundary=x",
        status=206,
        body="--x\r\n\r\n01234\r\n--x--",
    ),
}
for name, answer in BAD.items():
    case(
        f"9111-3.3-part-not-stored-{name}",
        get(answer, sends=asks("0-4"), expect=origin(status=206)),
        get(part(0, 4), sends=asks("0-4"), expect=origin(status=206, body="01234")),
        get(says(FRESH, body="abcdefghij"), path="/other", expect=miss()),
    )
case(
    "9111-3.3-a-cut-part-is-not-stored",
    get(
        says(FRESH, 'ETag: "a"', "Content-Range: bytes 0-4/10", status=206, body="01234", manner="cut"),
        sends=asks("0-4"), expect=origin(complete=False),
    ),
    get(part(0, 4), sends=asks("0-4"), expect=origin(status=206, body="01234")),
)  # fmt: skip
case(
    "9110-14.2-an-application-without-ranges",
    get(says(FRESH, 'ETag: "a"', body="0123456789"), sends=asks("0-1"), expect=origin(status=(200, 206))),
    get(sends=asks("4-5"), expect=hit(status=206, body="45")),
    get(expect=hit(status=200, body="0123456789")),
)
case(
    "9110-14.2-an-application's-416-is-nobody-else's",
    get(says(FRESH, "Content-Range: bytes */10", status=416), sends=asks("50-"), expect=origin(status=416)),
    get(says(FRESH, body="0123456789"), expect=origin(status=200, body="0123456789")),
)
case(
    "9111-3.3-parts-of-variants-stay-apart",
    get(part(0, 4, "Vary: X-A"), sends=("X-A: 1", *asks("0-4")), expect=origin(status=206)),
    get(part(0, 4, "Vary: X-A", tag='"b"'), sends=("X-A: 2", *asks("0-4")), expect=origin(status=206)),
)
case(
    "9111-3.3-the-whole-replaces-a-part",
    get(part(0, 4), sends=asks("0-4"), expect=origin(status=206)),
    get(
        says(FRESH, 'ETag: "b"', body="abcdefghij"), sends=("Cache-Control: no-cache",),
        expect=origin(status=200, body="abcdefghij", calls=(1, 2)),
    ),
    get(sends=asks("0-4"), expect=hit(status=206, body="abcde")),
)  # fmt: skip
