"""RFC 9213: CDN-Cache-Control and fields of other names, as strict structured fields."""

from __future__ import annotations

from conformance.case import Table, get, hit, miss, origin, says, stale

case = Table()
CDN = "CDN-Cache-Control"


def lasts(name: str, *fields: str, options: str = "default") -> None:
    """Fresh for a hundred seconds, by one field or the other."""
    case(
        f"9213-2-{name}",
        get(says(*fields)),
        get(expect=hit(), wait=94),
        get(expect=origin(), wait=8),
        options=options,
    )


lasts("max-age", f"{CDN}: max-age=100")
lasts("longer-than-cache-control", f"{CDN}: max-age=100", "Cache-Control: max-age=10")
lasts("shorter-than-cache-control", "Cache-Control: max-age=1000", f"{CDN}: max-age=100")
lasts("beats-no-store", "Cache-Control: no-store", f"{CDN}: max-age=100")
lasts("beats-private", "Cache-Control: private", f"{CDN}: max-age=100")
lasts("beats-s-maxage", "Cache-Control: s-maxage=1000", f"{CDN}: max-age=100")
lasts("beats-past-expires", "Expires: {t-100}", f"{CDN}: max-age=100")
lasts("beats-invalid-expires", "Expires: 0", f"{CDN}: max-age=100")
lasts("s-maxage-beats-its-max-age", f"{CDN}: max-age=10, s-maxage=100")
lasts("unknown-directive", f"{CDN}: foobar, max-age=100")
lasts("unknown-with-value", f'{CDN}: foo="bar", baz=1.5, qux=?0, max-age=100')
lasts("parameters", f"{CDN}: max-age=100;foo=bar;baz")
lasts("two-lines", f"{CDN}: foo", f"{CDN}: max-age=100")
lasts("last-of-a-key-counts", f"{CDN}: max-age=1000, max-age=100")
lasts("space-around-members", f"{CDN}:   foo  ,\tmax-age=100  ")
lasts("field-name-case", "cdn-cache-control: max-age=100")
lasts("must-revalidate-alone-with-max-age", f"{CDN}: must-revalidate, max-age=100")

# What is no dictionary is as if it were not there.
INVALID = {
    "garbage": "&&&&&",
    "garbage-after": "max-age=1000, &&&&&",
    "upper-case-key": "Max-Age=1000",
    "space-before-equals": "max-age =1000",
    "space-after-equals": "max-age= 1000",
    "empty-value": "max-age=",
    "trailing-comma": "max-age=1000,",
    "leading-comma": ", max-age=1000",
    "two-commas": "foo,, max-age=1000",
    "unterminated-string": 'foo="bar, max-age=1000',
    "semicolon": "max-age=1000;",
    "sixteen-digits": "max-age=1000000000000000",
    "plus": "max-age=+1000",
    "latin-1": 'foo="caf\xe9", max-age=1000',
    "empty": "",
    "spaces": "   ",
}
for name, value in INVALID.items():
    lasts(f"invalid-{name}-is-ignored", f"{CDN}: {value}", "Cache-Control: max-age=100")
    case.not_reused(f"9213-2.1-invalid-{name}-gives-nothing", f"{CDN}: {value}", "Cache-Control: no-store")

FORBIDS = {
    "zero": "max-age=0",
    "no-store": "no-store",
    "no-store-with-max-age": "max-age=100, no-store",
    "private": "private",
    "private-with-max-age": "max-age=100, private",
    "no-cache": "no-cache, max-age=100",
    "no-freshness": "public",
}
for name, value in FORBIDS.items():
    case.not_reused(f"9213-2-forbids-{name}", f"{CDN}: {value}", "Cache-Control: max-age=100")
    if name != "no-freshness":
        case.not_reused(f"9213-2-forbids-{name}-expires", f"{CDN}: {value}", "Expires: {t+100}")

# Directives of the wrong type give no permission.
for name, value in {
    "string": 'max-age="1000"', "decimal": "max-age=1000.0", "token": "max-age=abc", "boolean": "max-age",
    "negative": "max-age=-100",
    "inner-list": "max-age=(1000)", "bytes": "max-age=:aGVsbG8=:",
}.items():  # fmt: skip
    case.not_reused(f"9213-2.1-wrong-type-{name}", f"{CDN}: {value}", "Cache-Control: no-store")

case("9213-2-age-counts", get(says(f"{CDN}: max-age=100", "Age: 200")), get(expect=origin()))
case.not_reused("9213-2-set-cookie-is-not-stored-either", f"{CDN}: max-age=100", "Set-Cookie: a=b")
case(
    "9213-2-authorization-with-public",
    get(says(f"{CDN}: max-age=100, public", "Cache-Control: no-store"), sends=("Authorization: Basic x",)),
    get(expect=hit()),
)
case(
    "9213-2-authorization-without-permission",
    get(says(f"{CDN}: max-age=100", "Cache-Control: public"), sends=("Authorization: Basic x",)),
    get(expect=miss()),
)
case(
    "9213-2-stale-if-error",
    get(says(f"{CDN}: max-age=10, stale-if-error=60", "Cache-Control: must-revalidate")),
    get(says(status=503), expect=stale(1), wait=30),
)
case(
    "9213-2-cache-control-goes-on-to-the-client",
    get(says(f"{CDN}: max-age=100", "Cache-Control: max-age=10")),
    get(expect=hit(has="Cache-Control: max-age=10"), wait=50),
)

# -- a name of one's own, before CDN-Cache-Control

OWN = "Wsgiperf-Cache-Control"
lasts("own-name", f"{OWN}: max-age=100", "Cache-Control: no-store", options="targeted")
lasts("own-name-before-cdn", f"{CDN}: max-age=1000", f"{OWN}: max-age=100", options="targeted")
lasts("own-name-absent-cdn-counts", f"{CDN}: max-age=100", "Cache-Control: no-store", options="targeted")
lasts(
    "own-name-invalid-cdn-counts",
    f"{OWN}: &&&",
    f"{CDN}: max-age=100",
    "Cache-Control: no-store",
    options="targeted",
)
case.not_reused("9213-2-own-name-unknown-by-default", f"{OWN}: max-age=100", "Cache-Control: no-store")
case.not_reused("9213-2-own-name-forbids", f"{OWN}: no-store", f"{CDN}: max-age=100", options="targeted")
