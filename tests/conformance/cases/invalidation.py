"""RFC 9111, section 4.4: what a method that changes things does to what is stored."""

from __future__ import annotations

from conformance.case import FRESH, Table, get, head, hit, miss, origin, request, says

case = Table()

for method in ("POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "UNKNOWN"):
    case(
        f"9111-4.4-{method.lower()}-invalidates",
        get(FRESH),
        request(method, says(), body="x"),
        get(FRESH, expect=origin(status=200)),
        get(expect=hit(of=3)),
    )
    for status in (400, 500):
        case(
            f"9111-4.4-{method.lower()}-that-failed-with-{status}-does-not",
            get(FRESH),
            request(method, says(status=status), body="x"),
            get(expect=hit(1)),
        )
for status in (201, 202, 204, 205, 301, 302, 303, 307, 308):
    case(
        f"9111-4.4-post-{status}-invalidates",
        get(FRESH),
        request("POST", says(status=status), body="x"),
        get(FRESH, expect=origin(status=200)),
    )
for status in (401, 403, 404, 405, 409, 412, 422, 501, 502, 503):
    case(
        f"9111-4.4-post-{status}-invalidates-nothing",
        get(FRESH),
        request("POST", says(status=status), body="x"),
        get(expect=hit(1)),
    )
for method in ("OPTIONS", "HEAD"):
    case(
        f"9111-4.4-{method.lower()}-invalidates-nothing",
        get(FRESH),
        request(method, says(), expect=origin() if method == "OPTIONS" else hit()),
        get(expect=hit(1)),
    )
case(
    "9111-4.4-post-without-body",
    get(FRESH),
    request("POST", says()),
    get(FRESH, expect=origin(status=200)),
)
case(
    "9111-4.4-post-that-raises-invalidates-nothing",
    get(FRESH),
    request("POST", says(manner="fail"), expect=origin(status=500)),
    get(expect=hit(1)),
)
case(
    "9111-4.4-all-variants",
    get(says("Cache-Control: max-age=100", "Vary: X-A"), sends=("X-A: 1",)),
    get(says("Cache-Control: max-age=100", "Vary: X-A"), sends=("X-A: 2",)),
    request("POST", says(), body="x"),
    get(says("Cache-Control: no-store"), sends=("X-A: 1",), expect=origin(status=200)),
    get(says("Cache-Control: no-store"), sends=("X-A: 2",), expect=origin(status=200)),
)
case(
    "9111-4.4-a-variant-that-the-post-did-not-name",
    get(says("Cache-Control: max-age=100", "Vary: X-A"), sends=("X-A: 1",)),
    request("POST", says(), body="x", sends=("X-A: 9",)),
    get(FRESH, sends=("X-A: 1",), expect=origin(status=200)),
)
case(
    "9111-4.4-other-queries-stay",
    get(FRESH, path="?a=1"),
    get(FRESH, path="?a=2"),
    request("POST", says(), body="x", path="?a=1"),
    get(path="?a=2", expect=hit(2)),
    get(FRESH, path="?a=1", expect=origin(status=200)),
)
case(
    "9111-4.4-other-hosts-stay",
    get(FRESH),
    request("POST", says(), body="x", host="other.test"),
    get(expect=hit(1)),
)
case(
    "9111-4.4-stored-parts-too",
    get(
        says(
            "Cache-Control: max-age=100", 'ETag: "a"', "Content-Range: bytes 0-4/10", status=206, body="01234"
        ),
        sends=("Range: bytes=0-4",),
        expect=origin(status=206),
    ),
    request("PUT", says(), body="x"),
    get(says(body="abcdefghij"), sends=("Range: bytes=0-4",), expect=origin(status=(200, 206))),
)
case(
    "9111-4.4-head-afterwards",
    get(FRESH),
    request("POST", says(), body="x"),
    head(expect=origin(method="HEAD")),
)

# -- Location and Content-Location of the same origin

for field in ("Location", "Content-Location"):
    SAME = {
        "path": "{url}/b",
        "absolute": "{site}{url}/b",
        "absolute-with-port": "{site}:80{url}/b",
        "absolute-host-case": "HTTP://Conformance.TEST{url}/b",
        "fragment": "{url}/b#part",
        "network-path": "//conformance.test{url}/b",
    }
    for name, target in SAME.items():
        case(
            f"9111-4.4-{field.lower()}-{name}-invalidated",
            get(FRESH, path="/b"),
            request("POST", says(f"{field}: {target}", status=201), body="x", path="/a"),
            get(FRESH, path="/b", expect=origin(status=200)),
        )
    case(
        f"9111-4.4-{field.lower()}-relative-invalidated",
        get(FRESH, path="/b"),
        request("PUT", says(f"{field}: b", status=201), body="x", path="/a"),
        get(FRESH, path="/b", expect=origin(status=200)),
    )
    OTHER = {
        "other-host": "http://other.test{url}/b",
        "other-port": "{site}:8080{url}/b",
        "other-scheme": "https://conformance.test{url}/b",
        "network-path": "//other.test{url}/b",
        "user-in-it": "http://conformance.test@other.test{url}/b",
    }
    for name, target in OTHER.items():
        case(
            f"9111-4.4-{field.lower()}-{name}-stays",
            get(FRESH, path="/b"),
            get(FRESH, path="/b", host="other.test", expect=miss()),
            request("POST", says(f"{field}: {target}", status=201), body="x", path="/a"),
            get(path="/b", expect=hit(1)),
            get(path="/b", host="other.test", expect=hit(2)),
        )
    case(
        f"9111-4.4-{field.lower()}-of-a-failure-stays",
        get(FRESH, path="/b"),
        request("POST", says(f"{field}: {{url}}/b", status=500), body="x", path="/a"),
        get(path="/b", expect=hit(1)),
    )
    for name, target in {
        "empty": "",
        "garbage": "http://[",
        "spaces": "a b c",
        "control": "\x85\xa0",
        "long": "x" * 3000,
        "port": "http://conformance.test:x/",
    }.items():
        case(
            f"9111-4.4-{field.lower()}-{name}-is-harmless",
            get(FRESH, path="/b"),
            request(
                "POST", says(f"{field}: {target}", status=201), body="x", path="/a", expect=origin(status=201)
            ),
            get(path="/b", expect=hit(1)),
        )
