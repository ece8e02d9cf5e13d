"""Rules for applications that say nothing: where they apply, and where they never do (RFC 9111, 3 and 7)."""

from __future__ import annotations

from conformance.case import FRESH, Answer, Exchange, Table, get, head, hit, miss, origin, post, says

case = Table()


def ruled(name: str, *exchanges: Exchange, rule: str = "plain") -> None:
    case(f"rule-{name}", *exchanges, options="rules", prefix=f"/{rule}")


SILENT = Answer()
SESSION = ("Cookie: session=1",)
AUTHORIZED = ("Authorization: Basic x",)

# -- a TTL by path

ruled("silent-is-stored", get(SILENT), get(expect=hit(age=(50, 50)), wait=50), get(expect=origin(), wait=15))
ruled("head", get(SILENT), head(expect=hit()))
ruled(
    "vary-counts",
    get(says("Vary: X-A"), sends=("X-A: 1",)),
    get(says("Vary: X-A"), sends=("X-A: 2",), expect=miss()),
    get(sends=("X-A: 1",), expect=hit(1)),
)
ruled(
    "query-is-in-the-key",
    get(SILENT, path="?a=1"),
    get(path="?a=2", expect=miss()),
    get(path="?a=1", expect=hit(1)),
)
ruled("etag-works", get(says('ETag: "a"')), get(sends=('If-None-Match: "a"',), expect=hit(status=304)))
ruled("post-is-not-stored", post(SILENT), get(expect=miss()))
ruled("post-invalidates", get(SILENT), post(SILENT), get(SILENT, expect=origin(status=200)))
ruled("cut-is-not-stored", get(says(manner="cut"), expect=miss(complete=False)), get(expect=miss()))
ruled("error-is-not-stored", get(says(status=500)), get(expect=miss()))
ruled("unavailable-is-not-stored", get(says(status=503)), get(expect=miss()))
ruled("forbidden-is-not-stored", get(says(status=403)), get(expect=miss()))
case(
    "rule-elsewhere-nothing-is-stored", get(SILENT), get(expect=miss()), options="rules", prefix="/elsewhere"
)

# -- what the application says comes first

ruled("no-store-wins", get(says("Cache-Control: no-store")), get(expect=miss()))
ruled("private-wins", get(says("Cache-Control: private")), get(expect=miss()))
ruled("no-cache-wins", get(says("Cache-Control: no-cache")), get(expect=miss()))
ruled("longer-max-age-wins", get(says("Cache-Control: max-age=1000")), get(expect=hit(), wait=900))
ruled("shorter-max-age-wins", get(says("Cache-Control: max-age=10")), get(expect=miss(), wait=20))
ruled("zero-max-age-wins", get(says("Cache-Control: max-age=0")), get(expect=miss()))
ruled("past-expires-wins", get(says("Expires: {t-100}")), get(expect=miss()))
ruled("invalid-expires-wins", get(says("Expires: 0")), get(expect=miss()))
ruled("set-cookie-is-not-stored", get(says("Set-Cookie: a=b")), get(expect=miss(lacks="Set-Cookie")))
ruled("vary-star-is-not-stored", get(says("Vary: *")), get(expect=miss()))

# -- never for visitors with names

ruled("session-is-not-stored", get(SILENT, sends=SESSION), get(expect=miss()))
ruled("session-gets-its-own", get(SILENT), get(SILENT, sends=SESSION, expect=miss()), get(expect=hit(1)))
ruled("authorization-is-not-stored", get(SILENT, sends=AUTHORIZED), get(expect=miss()))
ruled(
    "authorization-gets-its-own",
    get(SILENT),
    get(SILENT, sends=AUTHORIZED, expect=miss()),
    get(expect=hit(1)),
)
ruled(
    "ignored-cookie-does-not-hinder",
    get(SILENT, sends=("Cookie: _ga=1; _ga_X=2",)),
    get(expect=hit()),
    get(sends=("Cookie: _ga=9",), expect=hit()),
)
ruled("ignored-and-other-cookie", get(SILENT, sends=("Cookie: _ga=1; session=1",)), get(expect=miss()))
ruled("cookie-that-only-begins-like-it", get(SILENT, sends=("Cookie: x_ga=1",)), get(expect=miss()))
ruled("cookie-without-a-name", get(SILENT, sends=("Cookie: something",)), get(expect=miss()))
ruled("cookies-on-two-lines", get(SILENT, sends=("Cookie: _ga=1", "Cookie: session=1")), get(expect=miss()))
ruled("explicit-freshness-with-a-session", get(FRESH, sends=SESSION), get(sends=SESSION, expect=hit()))

# -- unless the rule says that all may share, or what tells them apart

ruled(
    "shared-with-session",
    get(SILENT, sends=SESSION),
    get(sends=("Cookie: session=2",), expect=hit()),
    rule="shared",
)
ruled(
    "shared-set-cookie-is-not", get(says("Set-Cookie: a=b"), sends=SESSION), get(expect=miss()), rule="shared"
)
ruled(
    "key-cookie-same-user",
    get(SILENT, sends=("Cookie: user=1",)),
    get(sends=("Cookie: user=1",), expect=hit()),
    rule="by-cookie",
)
ruled(
    "key-cookie-other-user",
    get(SILENT, sends=("Cookie: user=1",)),
    get(SILENT, sends=("Cookie: user=2",), expect=miss()),
    get(SILENT, expect=miss()),
    get(sends=("Cookie: user=1",), expect=hit(1)),
    get(sends=("Cookie: user=2",), expect=hit(2)),
    rule="by-cookie",
)
ruled(
    "key-cookie-and-ignored-one",
    get(SILENT, sends=("Cookie: user=1; _ga=1",)),
    get(sends=("Cookie: _ga=2; user=1",), expect=hit()),
    rule="by-cookie",
)
ruled(
    "key-cookie-and-another-one",
    get(SILENT, sends=("Cookie: user=1; session=1",)),
    get(SILENT, sends=("Cookie: user=1",), expect=miss()),
    rule="by-cookie",
)
ruled(
    "key-cookie-values-cannot-be-forged",
    get(SILENT, sends=('Cookie: user="1; user=2"',)),
    get(SILENT, sends=("Cookie: user=1",), expect=miss()),
    get(SILENT, sends=("Cookie: user=12",), expect=miss()),
    rule="by-cookie",
)
ruled(
    "key-cookie-with-authorization",
    get(SILENT, sends=("Cookie: user=1", *AUTHORIZED)),
    get(SILENT, sends=("Cookie: user=1",), expect=miss()),
    rule="by-cookie",
)
ruled(
    "key-header",
    get(SILENT, sends=("X-Tenant: a",)),
    get(SILENT, sends=("X-Tenant: b",), expect=miss()),
    get(SILENT, expect=miss()),
    get(sends=("X-Tenant: a",), expect=hit(1)),
    get(sends=("X-Tenant: b",), expect=hit(2)),
    rule="by-header",
)
ruled(
    "key-header-with-session",
    get(SILENT, sends=("X-Tenant: a", *SESSION)),
    get(sends=("X-Tenant: a",), expect=miss()),
    rule="by-header",
)
ruled(
    "key-authorization",
    get(SILENT, sends=AUTHORIZED),
    get(SILENT, sends=("Authorization: Basic y",), expect=miss()),
    get(SILENT, expect=miss()),
    get(sends=AUTHORIZED, expect=hit(1)),
    rule="by-authorization",
)

# -- by content type

CSS = says("Content-Type: text/css")
ruled("type-is-stored", get(CSS), get(expect=hit()), rule="elsewhere")
ruled(
    "type-with-parameters",
    get(says("Content-Type: text/css; charset=utf-8")),
    get(expect=hit()),
    rule="elsewhere",
)
ruled("type-case", get(says("Content-Type: Text/CSS")), get(expect=hit()), rule="elsewhere")
ruled("type-other", get(says("Content-Type: text/html")), get(expect=miss()), rule="elsewhere")
ruled("type-longer", get(says("Content-Type: text/css-not")), get(expect=miss()), rule="elsewhere")
ruled("type-session", get(CSS, sends=SESSION), get(CSS, expect=miss()), rule="elsewhere")

# -- query parameters and cookies that do not count


def ignoring(name: str, *exchanges: Exchange) -> None:
    case(f"ignoring-{name}", *exchanges, options="ignoring")


ignoring(
    "query-differs",
    get(FRESH, path="?utm_source=a"),
    get(path="?utm_source=b", expect=hit()),
    get(expect=hit()),
)
ignoring(
    "query-beside-another",
    get(FRESH, path="?id=1&utm_source=a"),
    get(path="?fbclid=x&id=1", expect=hit()),
)
APART = {
    "other": ("?id=1&utm_source=a", "?id=2&utm_source=a"),
    "by-name-not-value": ("?id=utm_source", "?id=utm_medium"),
    "as-a-whole-name": ("?xutm_source=1", "?xutm_source=2"),
    "case-of-the-name": ("?UTM_source=1", "?UTM_source=2"),
    "after-a-semicolon": ("?a=1;utm_source=1", "?a=1;utm_source=2"),
    "encoded-ampersand": ("?a=1%26utm_source=1", "?a=1%26utm_source=2"),
}
for name, (one, other) in APART.items():
    ignoring(
        f"query-{name}",
        get(FRESH, path=one),
        get(path=other, expect=miss()),
        get(path=one, expect=hit(1)),
    )
ignoring(
    "query-application-sees-it-whole",
    get(FRESH, path="?id=1&utm_source=a", expect=miss(seen="(query): id=1&utm_source=a")),
    get(path="?id=1", expect=hit()),
)
ignoring(
    "cookies-heuristic",
    get(says("Last-Modified: {t-900000}"), sends=("Cookie: _ga=1; theme=dark",)),
    get(expect=hit()),
)
ignoring(
    "cookies-heuristic-other",
    get(says("Last-Modified: {t-900000}"), sends=("Cookie: _ga=1; session=1",)),
    get(expect=origin(status=200)),
)
