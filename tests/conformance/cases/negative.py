"""RFC 9111, section 4, and RFC 9110, section 15: errors and redirections, from the store and not."""

from __future__ import annotations

from conformance.case import FRESH, Table, get, hit, miss, says

case = Table()

for status in (301, 302, 303, 307, 308):
    case(
        f"9110-15.4-{status}-keeps-its-location",
        get(says("Cache-Control: max-age=100", "Location: /there", status=status)),
        get(expect=hit(has="Location: /there")),
    )
    case.not_reused(f"9110-15.4-{status}-silent", "Location: /there", status=status)
for status in (400, 403, 404, 410, 500, 502, 503, 504):
    case.not_reused(f"9110-15-{status}-silent", status=status)
    case(
        f"9110-15-{status}-until-it-is-better",
        get(says("Cache-Control: max-age=10", status=status)),
        get(expect=hit(), wait=5),
        get(FRESH, expect=miss(), wait=10),
        get(expect=hit(of=3)),
    )
case(
    "9110-15.6.4-503-keeps-retry-after",
    get(says("Cache-Control: max-age=100", "Retry-After: 30", status=503)),
    get(expect=hit(has="Retry-After: 30")),
)
case.not_reused("9110-15.5-404-with-set-cookie", "Cache-Control: max-age=100", "Set-Cookie: a=b", status=404)
case.not_reused("9110-15.5-404-no-store", "Cache-Control: no-store, max-age=100", status=404)
case.not_reused("9110-15.5-401-silent", "WWW-Authenticate: Basic", status=401)
case(
    "9110-15.3.5-204-has-no-body",
    get(says("Cache-Control: max-age=100", status=204, body="")),
    get(expect=hit(status=204, body="")),
)
