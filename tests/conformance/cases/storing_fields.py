"""RFC 9111, section 3.1: which fields are stored, and which never are."""

from __future__ import annotations

from conformance.case import Table, get, hit, says

case = Table()
FRESH = "Cache-Control: max-age=100"

KEPT = {
    "any": "Test-Field: some value",
    "x": "X-Test: some value",
    "content-any": "Content-Test: some value",
    "content-language": "Content-Language: de, en",
    "content-location": "Content-Location: /elsewhere",
    "content-disposition": 'Content-Disposition: attachment; filename="a, b.txt"',
    "content-type": "Content-Type: text/plain;charset=utf-8",
    "content-security-policy": "Content-Security-Policy: default-src 'self' cdn.example",
    "cache-control": "Cache-Control: max-age=100",
    "clear-site-data": 'Clear-Site-Data: "storage"',
    "etag": 'ETag: "abc"',
    "weak-etag": 'ETag: W/"abc"',
    "expires": "Expires: Mon, 11 Jan 2038 11:11:11 GMT",
    "last-modified": "Last-Modified: Mon, 11 Jan 2010 11:11:11 GMT",
    "link": 'Link: </a.css>; rel="preload"; as="style"',
    "location": "Location: /elsewhere",
    "retry-after": "Retry-After: 120",
    "server-timing": "Server-Timing: db;dur=1",
    "access-control": "Access-Control-Allow-Origin: *",
    "x-frame-options": "X-Frame-Options: SAMEORIGIN",
    "empty-value": "X-Empty:",
    "latin-1": "X-Latin: caf\xe9",
    "inner-spaces": "X-Spaces: a  b",
    "lower-case-name": "x-lower: 1",
    "comma": "X-List: a, b, c",
    "quotes": 'X-Quoted: "a \\" b"',
}
for name, line in KEPT.items():
    fields = (line,) if line.startswith("Cache-Control") else (FRESH, line)
    case(f"9111-3.1-field-kept-{name}", get(says(*fields)), get(expect=hit(has=line)))

case(
    "9111-3.1-repeated-fields-all-kept",
    get(says(FRESH, "X-Many: 1", "X-Other: o", "X-Many: 2")),
    get(expect=hit(has=("X-Many: 1", "X-Many: 2", "X-Many: 1, 2", "X-Other: o"))),
)
case(
    "9111-3.1-content-length-told-once-and-right",
    get(says(FRESH, body="0123456789")),
    get(expect=hit(has="Content-Length: 10")),
)
case(
    "9111-3.1-content-length-of-a-stored-stream",
    get(says(FRESH, body="0123456789", manner="stream")),
    get(expect=hit(has="Content-Length: 10")),
)

# The served application shows fields of the connection under other names, for servers drop or refuse them.
NEVER = {
    "connection": "Connection: close",
    "keep-alive": "Keep-Alive: timeout=5",
    "proxy-connection": "Proxy-Connection: keep-alive",
    "te": "TE: trailers",
    "trailer": "Trailer: X-Later",
    "transfer-encoding": "Transfer-Encoding: x-own",
    "upgrade": "Upgrade: h2c",
    "proxy-authenticate": "Proxy-Authenticate: Basic",
    "proxy-authentication-info": "Proxy-Authentication-Info: x",
    "proxy-authorization": "Proxy-Authorization: Basic x",
}
for name, line in NEVER.items():
    hidden = f"Hop-{line.partition(':')[0]}"
    case(
        f"9111-3.1-never-stored-{name}",
        get(says(FRESH, line)),
        get(
            expect=hit(lacks=(hidden, line.partition(":")[0])) if name != "connection" else hit(lacks=hidden)
        ),
    )
case(
    "9111-3.1-never-stored-what-connection-names",
    get(says("Connection: X-One, x-two", "X-One: 1", "X-Two: 2", "X-Three: 3", FRESH)),
    get(expect=hit(lacks=("X-One", "X-Two", "Hop-Connection"), has="X-Three: 3")),
)
case(
    "9111-3.1-never-stored-what-a-second-connection-line-names",
    get(says("Connection: X-One", "Connection: X-Two", "X-One: 1", "X-Two: 2", "X-Three: 3", FRESH)),
    get(expect=hit(lacks=("X-One", "X-Two"), has="X-Three: 3")),
)
case(
    "9111-3.1-connection-naming-cache-control-takes-no-permission",
    get(says("Connection: Cache-Control", "Cache-Control: no-store", "Expires: {t+100}")),
    get(says("Cache-Control: no-store")),
)
