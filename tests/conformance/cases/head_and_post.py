"""HEAD (RFC 9110 9.3.2, RFC 9111 4.3.5) and POST (RFC 9110 9.3.3)."""

from __future__ import annotations

from conformance.case import FRESH, Table, either, get, head, hit, miss, origin, post, says

case = Table()
TAGGED = says("Cache-Control: max-age=100", 'ETag: "a"', "X-Is: one", body="0123456789")


# -- HEAD from what a GET left

case(
    "9110-9.3.2-head-from-a-stored-get",
    get(TAGGED),
    head(expect=hit(has=('ETag: "a"', "X-Is: one", "Content-Length: 10", "Content-Type: text/plain"))),
)
case("9110-9.3.2-head-has-an-age", get(TAGGED), head(expect=hit(age=(30, 30)), wait=30))
case(
    "9110-9.3.2-head-of-a-stored-stream",
    get(says("Cache-Control: max-age=100", manner="stream")),
    head(expect=hit()),
)
case(
    "9110-9.3.2-head-of-a-stored-404", get(says("Cache-Control: max-age=100", status=404)), head(expect=hit())
)
case(
    "9110-9.3.2-range-means-nothing-to-head",
    get(TAGGED),
    head(sends=("Range: bytes=0-1",), expect=hit(status=200)),
)
case("9110-9.3.2-get-after-head-is-whole", get(TAGGED), head(expect=hit()), get(expect=hit()))
case(
    "9110-9.3.2-head-is-passed-on-as-head",
    head(says("Cache-Control: no-store", "X-Is: one"), expect=miss(method="HEAD", has="X-Is: one")),
    head(says("Cache-Control: no-store", "X-Is: two"), expect=miss(method="HEAD", has="X-Is: two")),
)
case(
    "9110-9.3.2-a-head-response-is-no-answer-to-get",
    head(TAGGED),
    get(TAGGED, expect=miss(method="GET")),
    get(expect=hit(of=2)),
)
case(
    "9110-9.3.2-head-with-no-cache-is-passed-on",
    get(TAGGED),
    head(says('ETag: "a"', "Content-Length: 10"), sends=("Cache-Control: no-cache",), expect=origin()),
)

# -- a HEAD that was passed on freshens or ends what is stored (4.3.5)

case(
    "9111-4.3.5-head-freshens",
    get(TAGGED),
    head(
        says("Cache-Control: max-age=1000", 'ETag: "a"', "Content-Length: 10"),
        expect=origin(status=200),
        wait=150,
    ),
    get(expect=hit(1), wait=50),
)
case(
    "9111-4.3.5-head-updates-fields",
    get(TAGGED),
    head(
        says("Cache-Control: max-age=1000", 'ETag: "a"', "Content-Length: 10", "X-Is: two"), wait=150,
        expect=origin(status=200, has="X-Is: two"),
    ),
    get(expect=hit(1, has="X-Is: two", lacks="X-Is: one")),
)  # fmt: skip
CHANGED = {
    "etag": ('ETag: "b"', "Content-Length: 10"),
    "content-length": ('ETag: "a"', "Content-Length: 11"),
    "last-modified": ("Last-Modified: {t-100}", "Content-Length: 10"),
}
for name, fields in CHANGED.items():
    stored = says("Cache-Control: max-age=1000", 'ETag: "a"', "Last-Modified: {t-9000}", body="0123456789")
    case(
        f"9111-4.3.5-head-with-another-{name}-makes-it-stale",
        get(stored),
        head(
            says("Cache-Control: max-age=1000", *fields), sends=("Cache-Control: no-cache",), expect=origin()
        ),
        get(says("Cache-Control: max-age=1000"), expect=origin(status=200)),
        get(expect=hit(of=3)),
    )
for status in (404, 410, 500, 503):
    case(
        f"9111-4.3.5-head-{status}-updates-nothing",
        get(TAGGED),
        head(
            says("X-Is: two", 'ETag: "a"', status=status), sends=("Cache-Control: no-cache",), expect=origin()
        ),
        get(FRESH, expect=either(lacks="X-Is: two", status=200)),
    )

# -- POST

CACHEABLE = ("Cache-Control: max-age=100", "Content-Location: {url}")
case("9110-9.3.3-post-is-not-stored", post(FRESH), get(FRESH, expect=miss()))
case("9110-9.3.3-post-with-expires-alone", post(says("Expires: {t+100}")), get(expect=miss()))
case("9110-9.3.3-post-with-content-location-alone", post(says("Content-Location: {url}")), get(expect=miss()))
case(
    "9110-9.3.3-post-with-both-answers-get",
    post(says(*CACHEABLE)),
    get(expect=hit(1, has="Content-Location")),
)
case(
    "9110-9.3.3-post-with-expires-and-content-location",
    post(says("Expires: {t+100}", "Content-Location: {url}")),
    get(expect=hit(1)),
)
case(
    "9110-9.3.3-post-with-absolute-content-location",
    post(says("Cache-Control: max-age=100", "Content-Location: {site}{url}")),
    get(expect=hit(1)),
)
case(
    "9110-9.3.3-post-with-another-content-location",
    post(says("Cache-Control: max-age=100", "Content-Location: {url}/b")),
    get(FRESH, expect=miss()),
)
case(
    "9110-9.3.3-post-with-content-location-elsewhere",
    post(says("Cache-Control: max-age=100", "Content-Location: http://other.test{url}")),
    get(FRESH, expect=miss()),
)
case(
    "9110-9.3.3-post-is-never-answered-from-the-store",
    post(says(*CACHEABLE)),
    post(says(*CACHEABLE), expect=miss(method="POST")),
    get(expect=hit(of=2)),
)
case("9110-9.3.3-post-after-get-is-passed-on", get(FRESH), post(FRESH, expect=miss(method="POST")))
case("9110-9.3.3-post-grows-stale", post(says(*CACHEABLE)), get(FRESH, expect=miss(), wait=150))
case("9110-9.3.3-post-head", post(says(*CACHEABLE)), head(expect=hit(1)))
case("9110-9.3.3-post-no-store", post(says(*CACHEABLE, "Cache-Control: no-store")), get(expect=miss()))
case("9110-9.3.3-post-private", post(says(*CACHEABLE, "Cache-Control: private")), get(expect=miss()))
case(
    "9110-9.3.3-post-set-cookie",
    post(says(*CACHEABLE, "Set-Cookie: a=b")),
    get(expect=miss(lacks="Set-Cookie")),
)
case(
    "9110-9.3.3-post-cut",
    post(says(*CACHEABLE, manner="cut"), expect=miss(complete=False)),
    get(expect=miss()),
)
case(
    "9110-9.3.3-post-body-reaches-the-application-whole",
    post(says("Cache-Control: no-store"), body="a" * 100_000, expect=miss(method="POST")),
    post(says("Cache-Control: no-store"), body="", expect=miss(method="POST")),
)
