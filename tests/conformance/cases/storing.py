"""RFC 9111, section 3: what may be stored, and for whom (3.5: requests with Authorization)."""

from __future__ import annotations

from conformance.case import FRESH, Table, either, get, hit, miss, origin, request, says

case = Table()

# -- the first steps: what everything else rests on

case(
    "9111-3-fresh-response-is-stored",
    get(FRESH),
    get(expect=hit(has="Content-Type: text/plain")),
    get(expect=hit()),
)
case.not_reused("9111-3-no-freshness-no-validator")
case(
    "9111-3-stored-until-stale-then-replaced",
    get(FRESH),
    get(FRESH, expect=miss(), wait=101),
    get(expect=hit(of=2)),
)
case(
    "9111-3-empty-body-is-stored", get(says("Cache-Control: max-age=100", body="")), get(expect=hit(body=""))
)
case("9111-3-url-of-its-own", get(FRESH, path="/a"), get(FRESH, path="/b"), get(expect=hit(1), path="/a"))
case(
    "9111-3-query-of-its-own",
    get(FRESH, path="?a=1"),
    get(FRESH, path="?a=2"),
    get(path="?a=1", expect=hit(1)),
)
case(
    "9111-3-cookie-of-the-request-does-not-hinder",
    get(FRESH),
    get(expect=hit(), sends=("Cookie: a=b",)),
)
case(
    "9111-3-stored-for-a-request-with-cookie-and-explicit-freshness",
    get(FRESH, sends=("Cookie: a=b",)),
    get(expect=hit()),
)
case(
    "9111-3-large-body",
    get(says("Cache-Control: max-age=100", body="0123456789" * 20_000)),
    get(expect=hit()),
)

# -- statuses with explicit freshness (3, "the response status code is final")

for status in (
    200,
    203,
    204,
    300,
    301,
    302,
    303,
    307,
    308,
    400,
    401,
    403,
    404,
    405,
    410,
    414,
    451,
    500,
    501,
    502,
    503,
    504,
):
    case(
        f"9111-3-status-{status}-with-explicit-freshness",
        get(says("Cache-Control: max-age=100", status=status)),
        get(expect=hit()),
    )
    case(
        f"9111-3-status-{status}-stale",
        get(says("Expires: {t-100}", "Last-Modified: {t-9000}", status=status)),
        get(expect=origin()),
    )
for status in (299, 499, 599):
    case(
        f"9111-3-unknown-status-{status}-with-explicit-freshness",
        get(says("Cache-Control: max-age=100", status=status)),
        get(expect=hit()),
    )

# RFC 6585: these MUST NOT be stored.
for status in (428, 429, 431, 511):
    case.not_reused(f"6585-{status}-is-never-stored", "Cache-Control: public, max-age=100", status=status)

# -- requests with Authorization (3.5)

AUTHORIZED = ("Authorization: Basic Zm9vOmJhcg==",)
FORBIDDEN = {
    "max-age": "Cache-Control: max-age=100",
    "expires": "Expires: {t+100}",
    "proxy-revalidate": "Cache-Control: max-age=100, proxy-revalidate",
    "unknown": "Cache-Control: max-age=100, everybody",
    "private": "Cache-Control: private, max-age=100",
    "quoted-public": 'Cache-Control: max-age=100, ext="public"',
}
ALLOWED = {
    "public": "Cache-Control: max-age=100, public",
    "public-case": "Cache-Control: max-age=100, PUBLIC",
    "must-revalidate": "Cache-Control: max-age=100, must-revalidate",
    "s-maxage": "Cache-Control: s-maxage=100",
    "public-expires": "Cache-Control: public|Expires: {t+100}",
}
for name, field in FORBIDDEN.items():
    case(
        f"9111-3.5-authorization-{name}-not-stored",
        get(says(field), sends=AUTHORIZED, expect=miss(seen=AUTHORIZED)),
        get(expect=miss()),
    )
for name, field in ALLOWED.items():
    case(
        f"9111-3.5-authorization-{name}-stored",
        get(says(*field.split("|")), sends=AUTHORIZED, expect=miss(seen=AUTHORIZED)),
        get(expect=hit()),
    )
case(
    "9111-3.5-authorization-heuristic-not-stored",
    get(says("Last-Modified: {t-9000}"), sends=AUTHORIZED),
    get(expect=miss()),
)
case(
    "9111-3.5-authorization-another-user-of-a-public-response",
    get(says("Cache-Control: public, max-age=100"), sends=AUTHORIZED),
    get(expect=hit(), sends=("Authorization: Bearer another",)),
)
case(
    "9111-3.5-authorization-private-to-each",
    get(FRESH, sends=AUTHORIZED),
    get(FRESH, sends=("Authorization: Bearer another",)),
    get(expect=miss()),
)
case(
    "9111-3.5-authorization-empty-value",
    get(FRESH, sends=("Authorization:",)),
    get(expect=either(status=200)),
    get(FRESH, sends=AUTHORIZED, path="/b"),
    get(expect=miss(), path="/b"),
)
case(
    "9111-3.5-stale-must-revalidate-after-authorization",
    get(says("Cache-Control: max-age=100, must-revalidate"), sends=AUTHORIZED),
    get(expect=miss(), wait=101),
)

# -- Set-Cookie: only by option

COOKIE = "Set-Cookie: session=1"
case.not_reused("9111-7.3-set-cookie-not-stored", "Cache-Control: max-age=100", COOKIE)
case.not_reused("9111-7.3-set-cookie-not-stored-public", "Cache-Control: public, max-age=100", COOKIE)
case.not_reused("9111-7.3-set-cookie-not-stored-s-maxage", "Cache-Control: s-maxage=100", COOKIE)
case.not_reused("9111-7.3-set-cookie-not-stored-expires", "Expires: {t+100}", "set-cookie: a=b")
case.not_reused("9111-7.3-set-cookie-not-stored-heuristic", "Last-Modified: {t-9000}", COOKIE)
case(
    "9111-7.3-set-cookie-reaches-only-its-own-visitor",
    get(says("Cache-Control: max-age=100", COOKIE), expect=miss(has=COOKIE)),
    get(says("Cache-Control: max-age=100"), expect=miss(lacks="Set-Cookie")),  # forgets what 1 led to
    get(says("Cache-Control: max-age=100"), expect=miss(lacks="Set-Cookie")),
    get(expect=hit(of=3, lacks="Set-Cookie")),
)
case(
    "9111-7.3-set-cookie-stored-by-option",
    get(says("Cache-Control: max-age=100", COOKIE)),
    get(expect=hit(has=COOKIE)),
    options="set_cookie",
)
case(
    "9111-7.3-several-set-cookies-stored-by-option",
    get(says("Cache-Control: max-age=100", COOKIE, "Set-Cookie: b=2; Path=/")),
    get(expect=hit(has=(COOKIE, "Set-Cookie: b=2; Path=/"))),
    options="set_cookie",
)
case.not_reused(
    "9111-7.3-set-cookie-option-does-not-beat-private", "Cache-Control: private", COOKIE, options="set_cookie"
)
case(
    "9111-7.3-no-cache-set-cookie-never-replayed",
    get(says('Cache-Control: max-age=100, no-cache="Set-Cookie"', COOKIE)),
    get(expect=either(lacks="Set-Cookie", status=200)),
    options="set_cookie",
)

# -- incomplete responses (3.3), and the ways to give a whole one

case.reused("9111-3.3-given-by-stream", "Cache-Control: max-age=100", manner="stream")
for manner in ("write", "file"):  # passed on as they are: what is pushed, and what the server sends itself
    case.not_reused(f"9111-3.3-given-by-{manner}", "Cache-Control: max-age=100", manner=manner)
case(
    "9111-3.3-shorter-than-its-content-length",
    get(says("Cache-Control: max-age=100", manner="cut"), expect=miss(complete=False)),
    get(FRESH, expect=miss()),
    get(expect=hit(of=2)),
)
case(
    "9111-3.3-fails-in-the-middle",
    get(says("Cache-Control: max-age=100", manner="broken"), expect=origin(complete=False)),
    get(FRESH, expect=miss()),
    get(expect=hit(of=2)),
)
case(
    "9111-3.3-fails-before-it-begins",
    get(says("Cache-Control: max-age=100", manner="fail"), expect=origin(status=500)),
    get(FRESH, expect=miss()),
    get(expect=hit(of=2)),
)

# -- methods that nothing is stored for

for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "QUERY"):
    case(
        f"9111-3-{method.lower()}-not-stored",
        request(method, FRESH),
        get(FRESH, expect=miss()),
        request(method, FRESH, expect=miss()),
    )
