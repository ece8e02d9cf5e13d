"""Safe keys (RFC 9111, sections 2 and 7): nothing a client makes up poisons an entry or exposes one."""

from __future__ import annotations

from conformance.case import FRESH, Table, either, get, head, hit, miss, origin, request, says

case = Table()

# -- a GET with a body ("fat GET")

case(
    "9110-9.3.1-fat-get-poisons-nothing",
    request("GET", FRESH, body="evil=1", expect=origin(status=200)),
    get(FRESH, expect=miss()),
    get(expect=hit(of=2)),
)
case(
    "9110-9.3.1-fat-get-reaches-the-application",
    get(FRESH),
    request("GET", FRESH, body="evil=1", expect=origin(status=200)),
    get(expect=hit(1)),
)
case(
    "9110-9.3.1-fat-head-poisons-nothing",
    request("HEAD", FRESH, body="evil=1", expect=origin(status=200)),
    get(FRESH, expect=miss()),
)
case("9110-9.3.1-get-with-content-length-zero", request("GET", FRESH, body=""), get(expect=hit(1)))
case(
    "9110-9.3.1-fat-get-is-not-answered-from-the-store-of-another",
    request("GET", FRESH, body="one", expect=origin(status=200)),
    request("GET", FRESH, body="two", expect=miss()),
)

# -- fields by which frameworks may be told another host, scheme, path or method

TRICKS = {
    "x-forwarded-host": "X-Forwarded-Host: evil.test",
    "x-forwarded-proto": "X-Forwarded-Proto: https",
    "x-forwarded-port": "X-Forwarded-Port: 8443",
    "x-forwarded-prefix": "X-Forwarded-Prefix: /evil",
    "x-forwarded-scheme": "X-Forwarded-Scheme: https",
    "x-forwarded-server": "X-Forwarded-Server: evil.test",
    "x-host": "X-Host: evil.test",
    "x-original-url": "X-Original-URL: /evil",
    "x-rewrite-url": "X-Rewrite-URL: /evil",
    "x-http-method-override": "X-HTTP-Method-Override: DELETE",
    "forwarded": "Forwarded: host=evil.test;proto=https",
}
for name, line in TRICKS.items():
    case(
        f"9111-7.1-{name}-poisons-nothing",
        get(FRESH, sends=(line,)),
        get(FRESH, expect=miss()),
        get(expect=hit(of=2)),
    )
case(
    "9111-7.1-x-forwarded-for-tells-nobody-apart",
    get(FRESH, sends=("X-Forwarded-For: 192.0.2.1",)),
    get(expect=hit()),
)

# -- paths that some part may take for another one


def apart(name: str, one: str, other: str, **exchange) -> None:
    """Two paths, two responses, each its own."""
    case(
        f"9111-2-{name}",
        get(FRESH, path=one, **exchange),
        get(FRESH, path=other, expect=miss()),
        get(path=one, expect=hit(1)),
        get(path=other, expect=hit(2)),
    )


apart("two-slashes", "//a", "/a")
apart("trailing-slash", "/a", "/a/")
apart("encoded-dots", "/x/%2e%2e/a", "/a")
apart("encoded-dot", "/%2e/a", "/a")
apart("dots", "/x/../a", "/a")
apart("path-case", "/a", "/A")
apart("null-byte", "/a%00b", "/a")
apart("null-byte-suffix", "/account%00.css", "/account")
apart("newline", "/a%0AX-A:%201", "/a")
apart("carriage-return-newline", "/a%0D%0Ab", "/a")
apart("encoded-question-mark", "/a%3Fb=1", "/a?b=1")
apart("encoded-hash", "/a%23b", "/a")
apart("semicolon", "/a;b", "/a")
apart("backslash", "/x%5C..%5Ca", "/a")
apart("query-values", "?a=1", "?a=2")
apart("query-order", "?a=1&b=2", "?b=2&a=1")
apart("query-repeated", "?a=1&a=2", "?a=2&a=1")
apart("query-name-case", "?a=1", "?A=1")
apart("query-separator", "?a=1;b=2", "?a=1&b=2")
apart("query-encoded-ampersand", "?a=1%26b=2", "?a=1&b=2")
apart("query-in-the-path", "/a?b", "/a/b")
apart("query-newline", "?a=1%0Ab", "?a=1")
apart("non-ascii", "/caf%C3%A9", "/cafe")
apart("latin-1-bytes", "/%E9", "/%C3%A9")
apart("secondary-key-lookalike", "/a%0Avary", "/a")
apart("long-urls", f"?{'x' * 1500}1", f"?{'x' * 1500}2")
apart("long-paths", f"/{'x' * 1500}1", f"/{'x' * 1500}2")
case("9111-2-keys-are-bounded", get(FRESH, path=f"?{'x' * 3000}"), get(path=f"?{'x' * 3000}", expect=miss()))
case(
    "9111-2-absolute-form",
    get(FRESH),
    get(target="{site}{url}", expect=hit(1)),
)

# -- hosts

case("9110-4.2.3-host-case", get(FRESH), get(host="Conformance.TEST", expect=hit(1)))
case("9110-4.2.3-host-default-port", get(FRESH), get(host="conformance.test:80", expect=hit(1)))
case(
    "9110-7.2-host-other",
    get(FRESH),
    get(FRESH, host="other.test", expect=miss()),
    get(expect=hit(1)),
    get(host="other.test", expect=hit(2)),
)
case(
    "9110-7.2-host-other-port",
    get(FRESH),
    get(FRESH, host="conformance.test:8080", expect=miss()),
    get(expect=hit(1)),
)
case(
    "9110-7.2-host-odd-characters",
    get(FRESH, host="conformance.test/evil?", expect=either(status=(200, 400))),
    get(FRESH, expect=either(status=200)),
    get(expect=hit(of=2)),
)

# -- cache deception: a private page under a name that looks like a file

SESSION = ("Cookie: session=1",)
for suffix in (
    "/x.css",
    ".css",
    ";x.css",
    "%2Fx.css",
    "/..%2Fx.css",
    "%00.css",
    "%0A.css",
    "?x.css",
    "/static/x.css",
):
    name = suffix.replace("/", "-").replace("%", "pc").replace("?", "q").replace(";", "s")
    case(
        f"9111-7.2-deception{name}",
        get(says("Content-Type: text/html"), sends=SESSION, path=f"/account{suffix}"),
        get(says("Content-Type: text/html"), path=f"/account{suffix}", expect=miss()),
        options="rules",
        prefix="/elsewhere",
    )
    case(
        f"9111-7.2-deception-by-rule{name}",
        get(says("Content-Type: text/html"), sends=SESSION, path=f"/account{suffix}"),
        get(says("Content-Type: text/html"), path=f"/account{suffix}", expect=miss()),
        options="rules",
        prefix="/plain",
    )
case("9111-2-head-and-get-share", get(FRESH), head(expect=hit(1)), get(expect=hit(1)))
