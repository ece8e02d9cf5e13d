"""RFC 9111, section 5.2.2: response directives that forbid or allow, and their odd spellings."""

from __future__ import annotations

from conformance.case import Table, either, get, hit, miss, origin, says, validated

case = Table()

# -- no-store (5.2.2.5), private (5.2.2.7), in every spelling

for directive in ("no-store", "private"):
    spellings = {
        "alone": (f"Cache-Control: {directive}",),
        "after-max-age": (f"Cache-Control: max-age=100, {directive}",),
        "before-max-age": (f"Cache-Control: {directive}, max-age=100",),
        "upper-case": (f"Cache-Control: {directive.upper()}, max-age=100",),
        "mixed-case": (f"Cache-Control: max-age=100, {directive.title()}",),
        "no-spaces": (f"Cache-Control: max-age=100,{directive},public",),
        "tabs": (f"Cache-Control: max-age=100 ,\t{directive}\t,public",),
        "empty-members": (f"Cache-Control: ,, ,max-age=100,,{directive},,",),
        "line-of-its-own": ("Cache-Control: max-age=100", f"Cache-Control: {directive}"),
        "first-line": (f"Cache-Control: {directive}", "Cache-Control: max-age=100"),
        "with-expires": (f"Cache-Control: {directive}", "Expires: {t+100}"),
        "with-s-maxage": (f"Cache-Control: s-maxage=100, {directive}",),
        "with-public": (f"Cache-Control: public, max-age=100, {directive}",),
        "with-last-modified": (f"Cache-Control: {directive}", "Last-Modified: {t-9000}"),
        "after-a-quoted-comma": (f'Cache-Control: ext="a, b", max-age=100, {directive}',),
        "after-a-quoted-quote": (f'Cache-Control: ext="a\\", b", max-age=100, {directive}',),
        "lower-case-field-name": (f"cache-control: max-age=100, {directive}",),
        "after-garbage": (f"Cache-Control: max-age=100, @#!, =, {directive}",),
    }
    for name, fields in spellings.items():
        number = "5.2.2.5" if directive == "no-store" else "5.2.2.7"
        case(f"9111-{number}-{directive}-{name}", get(says(*fields)), get(expect=miss()))

case(
    "9111-5.2.2.5-no-store-leaves-nothing-to-validate",
    get(says("Cache-Control: no-store", 'ETag: "a"')),
    get(expect=miss(unseen="If-None-Match")),
)

# -- what only looks like a directive

LOOKALIKES = {
    "quoted": 'ext="no-store"',
    "inside-a-quoted-list": 'ext="a, no-store, private, no-cache"',
    "after-an-escaped-quote": 'ext="a\\", no-store"',
    "longer": "no-store-at-all, privately, xno-cache",
    "as-a-value": "ext=no-store",
}
for name, lookalike in LOOKALIKES.items():
    case.reused(f"9111-5.2-lookalike-{name}", f"Cache-Control: {lookalike}, max-age=100")
    case.reused(f"9111-5.2-lookalike-{name}-after", f"Cache-Control: max-age=100, {lookalike}")

UNKNOWN = {
    "name": "foobar",
    "with-value": "foo=bar",
    "with-quoted-value": 'foo="bar baz"',
    "immutable": "immutable",
    "no-transform": "no-transform",
    "empty-members": ", ,",
    "value-without-name": "=7",
    "only-if-cached": "only-if-cached",  # a request's directive
    "min-fresh": "min-fresh=1000",
}
for name, unknown in UNKNOWN.items():
    case.reused(f"9111-5.2.3-unknown-{name}", f"Cache-Control: {unknown}, max-age=100")

# -- no-cache (5.2.2.4)

case.not_reused("9111-5.2.2.4-no-cache", "Cache-Control: no-cache")
case.not_reused("9111-5.2.2.4-no-cache-with-max-age", "Cache-Control: max-age=100, no-cache")
case.not_reused("9111-5.2.2.4-no-cache-case", "Cache-Control: max-age=100, No-CaChE")
case.not_reused("9111-5.2.2.4-no-cache-with-expires", "Cache-Control: no-cache", "Expires: {t+100}")
case.not_reused("9111-5.2.2.4-no-cache-with-s-maxage", "Cache-Control: s-maxage=100, no-cache")
for name, extra in {
    "alone": "",
    "with-max-age": ", max-age=100",
    "with-public": ", public, max-age=100",
}.items():
    case(
        f"9111-5.2.2.4-no-cache-{name}-stored-and-validated-each-time",
        get(says(f"Cache-Control: no-cache{extra}", 'ETag: "a"')),
        get(says('ETag: "a"', status=304), expect=validated('If-None-Match: "a"')),
        get(says('ETag: "a"', status=304), expect=validated('If-None-Match: "a"')),
    )
case(
    "9111-5.2.2.4-no-cache-validated-by-date",
    get(says("Cache-Control: no-cache", "Last-Modified: {t-9000}")),
    get(says(status=304), expect=validated("If-Modified-Since: {t-9000}")),
)

# -- no-cache and private with field names: the rest may be stored, those fields may not

for directive, number in (("no-cache", "5.2.2.4"), ("private", "5.2.2.7")):
    qualified = {
        "one": f'{directive}="X-Mine"',
        "several": f'{directive}="X-Mine, X-More"',
        "case": f'{directive}="x-mINE"',
        "unquoted": f"{directive}=X-Mine",
        "spaces": f'{directive}=" X-Mine ,, X-More "',
        "upper-case": f'{directive.upper()}="X-Mine"',
    }
    for name, spelled in qualified.items():
        lacks = ("X-Mine", "X-More") if "More" in spelled else ("X-Mine",)
        case(
            f"9111-{number}-{directive}-fields-{name}",
            get(
                says(f"Cache-Control: max-age=100, {spelled}", "X-Mine: 1", "X-More: 2", "X-Open: 3"),
                expect=miss(has=("X-Mine: 1", "X-Open: 3")),
            ),
            get(expect=hit(lacks=lacks, has="X-Open: 3")),
        )
    case(
        f"9111-{number}-{directive}-fields-two-lines",
        get(
            says(
                f'Cache-Control: {directive}="X-Mine"', f'Cache-Control: max-age=100, {directive}="X-More"',
                "X-Mine: 1", "X-More: 2",
            )
        ),
        get(expect=either(lacks=("X-Mine", "X-More"), status=200)),
    )  # fmt: skip
    case.not_reused(
        f"9111-{number}-{directive}-bare-beats-fields",
        f'Cache-Control: max-age=100, {directive}="X-A", {directive}',
    )
    case(
        f"9111-{number}-{directive}-fields-that-are-absent",
        get(says(f'Cache-Control: max-age=100, {directive}="X-Absent"', "X-Open: 3")),
        get(expect=hit(has="X-Open: 3")),
    )

# -- must-understand (5.2.2.3), must-revalidate (5.2.2.2), proxy-revalidate (5.2.2.8), public (5.2.2.9)

case.reused("9111-5.2.2.3-must-understand-known-status", "Cache-Control: max-age=100, must-understand")
case.reused(
    "9111-5.2.2.3-must-understand-with-no-store-known-status",
    "Cache-Control: must-understand, no-store, max-age=100",
)
case.not_reused(
    "9111-5.2.2.3-must-understand-unknown-status", "Cache-Control: max-age=100, must-understand", status=599
)
case.not_reused(
    "9111-5.2.2.3-must-understand-unknown-status-no-store",
    "Cache-Control: max-age=100, must-understand, no-store",
    status=299,
)
for directive in ("must-revalidate", "proxy-revalidate", "public"):
    case.reused(f"9111-5.2.2-{directive}-while-fresh", f"Cache-Control: max-age=100, {directive}", wait=50)
    case(
        f"9111-5.2.2-{directive}-when-stale",
        get(says(f"Cache-Control: max-age=100, {directive}", 'ETag: "a"')),
        get(
            says(f"Cache-Control: max-age=100, {directive}", 'ETag: "a"', status=304),
            expect=validated('If-None-Match: "a"'),
            wait=101,
        ),
        get(expect=hit(1), wait=50),
    )
case.not_reused("9111-5.2.2.9-public-alone-is-no-freshness", "Cache-Control: public")
case(
    "9111-5.2.2-response-pragma-means-nothing",
    get(says("Cache-Control: max-age=100", "Pragma: no-cache")),
    get(expect=hit()),
)
case(
    "9111-5.2-unterminated-quote",
    get(says('Cache-Control: max-age=10, ext="max-age=1000')),
    get(expect=origin(), wait=20),
)
