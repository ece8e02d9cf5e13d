"""One representation, many encodings: our compression around it (RFC 9110, sections 8.4 and 12.5.3)."""

from __future__ import annotations

from conformance.case import Table, either, get, head, hit, miss, says

case = Table()
PAGE = "<p>A page of some length, and rather repetitive.</p>\n" * 60
HTML = ("Cache-Control: max-age=100", "Content-Type: text/html; charset=utf-8")


def page(*fields: str, **answer):
    return says(*HTML, *fields, body=PAGE, **answer)


def accepts(coding: str) -> tuple[str, ...]:
    return (f"Accept-Encoding: {coding}",)


def compressed(name: str, *exchanges) -> None:
    case(f"9110-12.5.3-{name}", *exchanges, options="compressed")


for first in ("gzip", "br", "zstd", "identity"):
    compressed(
        f"asked-once-after-{first}",
        get(page(), sends=accepts(first)),
        get(sends=accepts("gzip"), expect=hit(body=PAGE, has="Content-Encoding: gzip")),
        get(sends=accepts("br"), expect=hit(body=PAGE, has="Content-Encoding: br")),
        get(sends=accepts("identity"), expect=hit(body=PAGE, lacks="Content-Encoding")),
        get(sends=accepts("gzip, br"), expect=hit(body=PAGE, has="Content-Encoding")),
        get(expect=hit(body=PAGE, lacks="Content-Encoding")),
    )
compressed(
    "vary-is-told",
    get(page(), sends=accepts("gzip"), expect=miss(has="Vary: Accept-Encoding")),
    get(sends=accepts("identity"), expect=hit(has="Vary: Accept-Encoding", body=PAGE)),
)
compressed(
    "the-application's-vary-on-accept-encoding-splits-nothing-twice",
    get(page("Vary: Accept-Encoding"), sends=accepts("gzip")),
    get(sends=accepts("gzip"), expect=hit(body=PAGE)),
)
compressed(
    "etag-of-an-encoding-is-understood",
    get(page('ETag: "a"'), sends=accepts("gzip")),
    get(sends=accepts("gzip"), expect=hit(body=PAGE, has=("ETag", "Content-Encoding: gzip"))),
    get(sends=("Accept-Encoding: gzip", "If-None-Match: {got:2:ETag}"), expect=hit(status=304, body="")),
    get(sends=("Accept-Encoding: gzip", 'If-None-Match: "other"'), expect=hit(body=PAGE)),
)
compressed(
    "etag-without-encoding-is-understood",
    get(page('ETag: "a"'), sends=accepts("identity")),
    get(sends=("Accept-Encoding: identity", 'If-None-Match: "a"'), expect=hit(status=304, body="")),
)
compressed(
    "range-of-the-identity",
    get(page('ETag: "a"'), sends=accepts("gzip")),
    get(sends=("Accept-Encoding: identity", "Range: bytes=0-9"), expect=hit(status=206, body=PAGE[:10])),
)
compressed(
    "head-says-what-get-would",
    get(page(), sends=accepts("gzip")),
    head(sends=accepts("gzip"), expect=hit(has="Content-Type: text/html; charset=utf-8")),
)
compressed(
    "small-bodies-stay", get(says(*HTML)), get(sends=accepts("gzip"), expect=hit(lacks="Content-Encoding"))
)
compressed(
    "stale-is-fetched-once-for-all",
    get(page(), sends=accepts("gzip")),
    get(page("X-Is: new"), sends=accepts("br"), expect=miss(has="Content-Encoding: br"), wait=150),
    get(sends=accepts("gzip"), expect=hit(of=2, body=PAGE, has=("X-Is: new", "Content-Encoding: gzip"))),
)
for options in ("default", "compressed"):
    case(
        f"9110-8.4-what-the-application-encoded-is-for-those-who-take-it-{options}",
        get(page("Vary: Accept-Encoding", manner="gzip"), sends=accepts("gzip"), expect=miss(body=PAGE)),
        get(page("Vary: Accept-Encoding"), sends=accepts("identity"), expect=miss(lacks="Content-Encoding")),
        get(page(), sends=accepts("gzip"), expect=either(status=200, body=PAGE)),
        get(
            page(), sends=accepts("identity"), expect=either(status=200, body=PAGE, lacks="Content-Encoding")
        ),
        options=options,
    )
case(
    "9110-8.4-without-vary-the-encoding-is-the-application's-business",
    get(page(manner="gzip"), sends=accepts("gzip")),
    get(sends=accepts("gzip"), expect=hit(has="Content-Encoding: gzip", body=PAGE)),
)
