"""RFC 9110, section 14: ranges, cut from a whole stored response."""

from __future__ import annotations

from conformance.case import Table, get, hit, origin, post, says

case = Table()
DIGITS = "0123456789"
WHOLE = says("Cache-Control: max-age=100", 'ETag: "a"', "Last-Modified: {t-9000}", "X-Is: one", body=DIGITS)
WEAK = says("Cache-Control: max-age=100", 'ETag: W/"a"', body=DIGITS)


def cut(name: str, asked: str, first: int, last: int, answer=WHOLE, *sends: str) -> None:
    part = DIGITS[first : last + 1]
    fields = (f"Content-Range: bytes {first}-{last}/10", f"Content-Length: {len(part)}")
    case(
        f"9110-14.2-{name}",
        get(answer),
        get(sends=(f"Range: {asked}", *sends), expect=hit(status=206, body=part, has=fields)),
    )


def whole(name: str, *sends: str, answer=WHOLE) -> None:
    case(
        f"9110-14.2-{name}",
        get(answer),
        get(sends=sends, expect=hit(status=200, body=DIGITS, lacks="Content-Range")),
    )


cut("first-two", "bytes=0-1", 0, 1)
cut("first-byte", "bytes=0-0", 0, 0)
cut("last-byte", "bytes=9-9", 9, 9)
cut("middle", "bytes=3-6", 3, 6)
cut("from-somewhere", "bytes=2-", 2, 9)
cut("from-the-start", "bytes=0-", 0, 9)
cut("suffix", "bytes=-3", 7, 9)
cut("suffix-longer-than-all", "bytes=-100", 0, 9)
cut("end-beyond-the-end", "bytes=5-100", 5, 9)
cut("end-far-beyond-the-end", f"bytes=5-{10**30}", 5, 9)
cut("upper-case-unit", "Bytes=0-1", 0, 1)
cut("space-around-commas", "bytes= 0-1 ", 0, 1)
cut("of-a-stream", "bytes=0-1", 0, 1, says("Cache-Control: max-age=100", body=DIGITS, manner="stream"))
cut("without-validators", "bytes=0-1", 0, 1, says("Cache-Control: max-age=100", body=DIGITS))
cut("of-a-weakly-tagged", "bytes=0-1", 0, 1, WEAK)

# What is no range set is as if there were no Range.
whole("other-unit", "Range: items=0-1")
whole("backwards", "Range: bytes=5-2")
whole("letters", "Range: bytes=a-b")
whole("no-number", "Range: bytes=-")
whole("empty-set", "Range: bytes=")
whole("no-equals", "Range: bytes 0-1")
whole("empty", "Range:")
whole("negative", "Range: bytes=--1")
whole("decimal", "Range: bytes=0.5-1")
whole("plus", "Range: bytes=+0-+1")
whole("other-digits", "Range: bytes=\xb2-\xb3")
whole("garbage-after", "Range: bytes=0-1, x")

UNSATISFIABLE = {
    "at-the-end": "10-",
    "beyond": "100-200",
    "far-beyond": f"{10**30}-",
    "no-suffix": "-0",
    "all-beyond": "10-11,20-21",
}
for name, ranges in UNSATISFIABLE.items():
    case(
        f"9110-14.2-unsatisfiable-{name}",
        get(WHOLE),
        get(sends=(f"Range: bytes={ranges}",), expect=hit(status=416, has="Content-Range: bytes */10")),
        get(expect=hit()),
    )
case(
    "9110-14.2-of-an-empty-body",
    get(says("Cache-Control: max-age=100", body="")),
    get(sends=("Range: bytes=0-1",), expect=hit(status=(200, 416))),
)

# -- several ranges (14.6)

case(
    "9110-14.6-two-ranges",
    get(WHOLE),
    get(
        sends=("Range: bytes=0-1,4-5",),
        expect=hit(
            status=206,
            contains=("bytes 0-1/10\r\n", "bytes 4-5/10\r\n", "\r\n\r\n01\r\n", "\r\n\r\n45\r\n", "--\r\n"),
            lacks="Content-Range",
        ),
    ),
)
case(
    "9110-14.6-parts-name-their-type",
    get(WHOLE),
    get(
        sends=("Range: bytes=0-1, -2",),
        expect=hit(status=206, contains=("ontent-", "text/plain", "bytes 8-9/10", "\r\n\r\n89\r\n")),
    ),
)
case(
    "9110-14.6-one-of-two-satisfiable",
    get(WHOLE),
    get(sends=("Range: bytes=0-1,50-60",), expect=hit(status=206, contains="01")),
)
case(
    "9110-14.2-many-overlapping-ranges-are-no-attack",
    get(WHOLE),
    get(sends=("Range: bytes=" + ",".join(["0-"] * 500),), expect=hit(status=(200, 206, 416), contains="")),
    get(expect=hit()),
)

# -- what else is in the answer (15.3.7)

case(
    "9110-15.3.7-fields-of-the-stored-response",
    get(WHOLE),
    get(
        sends=("Range: bytes=0-1",),
        expect=hit(
            status=206,
            body="01",
            has=(
                'ETag: "a"',
                "Cache-Control: max-age=100",
                "Last-Modified",
                "X-Is: one",
                "Content-Type: text/plain",
            ),
            age=(30, 30),
        ),
        wait=30,
    ),
)
case(
    "9110-14.2-afterwards-whole",
    get(WHOLE),
    get(sends=("Range: bytes=0-1",), expect=hit(status=206, body="01")),
    get(expect=hit()),
)
case(
    "9110-14.2-of-a-404",
    get(says("Cache-Control: max-age=100", status=404, body=DIGITS)),
    get(sends=("Range: bytes=0-1",), expect=hit()),
)
case(
    "9110-14.2-of-a-variant",
    get(says("Cache-Control: max-age=100", "Vary: X-A", body=DIGITS), sends=("X-A: 1",)),
    get(says("Cache-Control: max-age=100", "Vary: X-A", body="abcdefghij"), sends=("X-A: 2",)),
    get(sends=("X-A: 1", "Range: bytes=2-4"), expect=hit(status=206, body="234")),
    get(sends=("X-A: 2", "Range: bytes=2-4"), expect=hit(status=206, body="cde")),
)
case(
    "9110-14.2-stale-is-validated-whole",
    get(WHOLE),
    get(
        says('ETag: "a"', "Cache-Control: max-age=100", body=DIGITS, manner="conditional"),
        sends=("Range: bytes=2-4",),
        expect=origin(status=(200, 206), contains="234"),
        wait=150,
    ),
)
case(
    "9110-14.2-range-of-a-post-is-the-application's",
    post(
        says(body=DIGITS),
        sends=("Range: bytes=0-1",),
        expect=origin(status=200, body=DIGITS, seen="Range: bytes=0-1"),
    ),
    get(says("Cache-Control: max-age=100", body=DIGITS)),
    get(sends=("Range: bytes=0-1",), expect=hit(status=206, body="01")),
)

# -- If-Range (13.1.5)

cut("if-range-same-etag", "bytes=0-1", 0, 1, WHOLE, 'If-Range: "a"')
DATED = says("Cache-Control: max-age=100", "Last-Modified: {t-9000}", "Date: {t}", body=DIGITS)
cut("if-range-same-date", "bytes=0-1", 0, 1, DATED, "If-Range: {t-9000}")
whole("if-range-other-date", "Range: bytes=0-1", "If-Range: {t-8999}", answer=DATED)
whole("if-range-other-etag", "Range: bytes=0-1", 'If-Range: "b"')
whole("if-range-weak-asked", "Range: bytes=0-1", 'If-Range: W/"a"')
whole("if-range-weak-stored", "Range: bytes=0-1", 'If-Range: W/"a"', answer=WEAK)
whole("if-range-strong-asked-weak-stored", "Range: bytes=0-1", 'If-Range: "a"', answer=WEAK)
whole("if-range-later-date", "Range: bytes=0-1", "If-Range: {t-8000}")
whole("if-range-earlier-date", "Range: bytes=0-1", "If-Range: {t-9900}")
whole("if-range-garbage", "Range: bytes=0-1", "If-Range: something")
whole("if-range-without-range", 'If-Range: "a"')
whole("if-range-other-etag-unsatisfiable", "Range: bytes=50-", 'If-Range: "b"')
case(
    "9110-13.2.2-if-none-match-other-then-range",
    get(WHOLE),
    get(sends=('If-None-Match: "b"', "Range: bytes=0-1"), expect=hit(status=206, body="01")),
)
