"""RFC 9111, sections 5.2.1 and 5.4: what the client's Cache-Control and Pragma ask for."""

from __future__ import annotations

from conformance.case import FRESH, Table, either, get, head, hit, miss, origin, says, validated

case = Table()

TAGGED = says("Cache-Control: max-age=100", 'ETag: "a"')
SAME = says("Cache-Control: max-age=100", 'ETag: "a"', status=304)


def asks(directives: str) -> tuple[str, ...]:
    return (f"Cache-Control: {directives}",)


# -- no-cache (5.2.1.4)

for name, directives in {
    "plain": "no-cache",
    "case": "NO-Cache",
    "among-others": "foo, no-cache, bar=1",
    "after-comma": ",no-cache",
}.items():
    case(
        f"9111-5.2.1.4-no-cache-{name}",
        get(FRESH),
        get(FRESH, sends=asks(directives), expect=miss()),
        get(expect=hit(of=2)),
    )
case(
    "9111-5.2.1.4-no-cache-validates-by-etag",
    get(TAGGED),
    get(SAME, sends=asks("no-cache"), expect=validated('If-None-Match: "a"')),
    get(expect=hit()),
)
case(
    "9111-5.2.1.4-no-cache-validates-by-date",
    get(says("Cache-Control: max-age=100", "Last-Modified: {t-900}")),
    get(says(status=304), sends=asks("no-cache"), expect=validated("If-Modified-Since: {t-900}")),
)
case(
    "9111-5.2.1.4-no-cache-only-looks-so",
    get(FRESH),
    get(expect=hit(), sends=asks('ext="no-cache", xno-cache')),
)

# -- no-store (5.2.1.5)

case(
    "9111-5.2.1.5-no-store-response-is-not-stored",
    get(FRESH, sends=asks("no-store")),
    get(FRESH, expect=miss()),
    get(expect=hit(of=2)),
)
case("9111-5.2.1.5-no-store-case", get(FRESH, sends=asks("No-Store")), get(FRESH, expect=miss()))
case(
    "9111-5.2.1.5-no-store-does-not-replace-what-is-stored",
    get(FRESH),
    get(FRESH, sends=asks("no-store, no-cache"), expect=origin()),
    get(expect=either(lacks="X-Never", status=200)),
    get(FRESH, path="/b", sends=asks("no-store")),
    get(path="/b", expect=miss()),
)

# -- max-age (5.2.1.1)

case("9111-5.2.1.1-max-age-zero", get(FRESH), get(FRESH, sends=asks("max-age=0"), expect=miss()))
case(
    "9111-5.2.1.1-max-age-zero-validates",
    get(TAGGED),
    get(SAME, sends=asks("max-age=0"), expect=validated('If-None-Match: "a"')),
)
case("9111-5.2.1.1-max-age-younger", get(FRESH), get(sends=asks("max-age=60"), expect=hit(), wait=50))
case("9111-5.2.1.1-max-age-older", get(FRESH), get(FRESH, sends=asks("max-age=40"), expect=miss(), wait=50))
case(
    "9111-5.2.1.1-max-age-quoted", get(FRESH), get(FRESH, sends=asks('max-age="40"'), expect=miss(), wait=50)
)
case("9111-5.2.1.1-max-age-huge", get(FRESH), get(sends=asks(f"max-age={10**30}"), expect=hit(), wait=50))
case(
    "9111-5.2.1.1-max-age-counts-the-age-that-came",
    get(says("Cache-Control: max-age=1000", "Age: 500")),
    get(FRESH, sends=asks("max-age=400"), expect=miss()),
)
case(
    "9111-5.2.1.1-max-age-longer-than-the-response's",
    get(FRESH),
    get(FRESH, sends=asks("max-age=1000"), expect=miss(), wait=150),
)

# -- min-fresh (5.2.1.3)

case("9111-5.2.1.3-min-fresh-enough", get(FRESH), get(sends=asks("min-fresh=40"), expect=hit(), wait=50))
case(
    "9111-5.2.1.3-min-fresh-too-little",
    get(FRESH),
    get(FRESH, sends=asks("min-fresh=60"), expect=miss(), wait=50),
)
case(
    "9111-5.2.1.3-min-fresh-more-than-its-life",
    get(FRESH),
    get(FRESH, sends=asks("min-fresh=200"), expect=miss()),
)
case(
    "9111-5.2.1.3-min-fresh-counts-the-age-that-came",
    get(says("Cache-Control: max-age=1000", "Age: 900")),
    get(FRESH, sends=asks("min-fresh=200"), expect=miss()),
)

# -- max-stale (5.2.1.2)

case(
    "9111-5.2.1.2-max-stale-any",
    get(FRESH),
    get(sends=asks("max-stale"), expect=hit(age=(150, 150)), wait=150),
)
case("9111-5.2.1.2-max-stale-enough", get(FRESH), get(sends=asks("max-stale=60"), expect=hit(), wait=150))
case(
    "9111-5.2.1.2-max-stale-too-little",
    get(FRESH),
    get(FRESH, sends=asks("max-stale=40"), expect=miss(), wait=150),
)
for name, allowed, expected in (("enough", 200, hit()), ("too-little", 50, miss())):
    case(
        f"9111-5.2.1.2-max-stale-counts-the-age-that-came-{name}",
        get(says("Cache-Control: max-age=1500", "Age: 1400")),
        get(FRESH, sends=asks(f"max-stale={allowed}"), expect=expected, wait=200),
    )
for directive in ("must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=100"):
    case(
        f"9111-4.2.4-max-stale-not-against-{directive}",
        get(says(f"Cache-Control: max-age=100, {directive}", 'ETag: "a"')),
        get(SAME, sends=asks("max-stale=1000"), expect=validated('If-None-Match: "a"'), wait=150),
    )

# -- only-if-cached (5.2.1.7)

case("9111-5.2.1.7-only-if-cached-nothing-there", get(sends=asks("only-if-cached"), expect=hit(status=504)))
case("9111-5.2.1.7-only-if-cached-fresh", get(FRESH), get(sends=asks("only-if-cached"), expect=hit()))
case(
    "9111-5.2.1.7-only-if-cached-case",
    get(FRESH),
    get(sends=asks("Only-If-Cached"), path="/b", expect=hit(status=504)),
)
case(
    "9111-5.2.1.7-only-if-cached-stale",
    get(FRESH),
    get(sends=asks("only-if-cached"), expect=hit(status=504), wait=150),
)
case(
    "9111-5.2.1.7-only-if-cached-stale-and-max-stale",
    get(FRESH),
    get(sends=asks("only-if-cached, max-stale"), expect=hit(), wait=150),
)
case(
    "9111-5.2.1.7-only-if-cached-head",
    get(FRESH),
    head(sends=asks("only-if-cached"), expect=hit()),
    head(sends=asks("only-if-cached"), expect=hit(status=504), path="/b"),
)
case(
    "9111-5.2.1.7-only-if-cached-another-variant",
    get(says("Cache-Control: max-age=100", "Vary: X-A"), sends=("X-A: 1",)),
    get(sends=("X-A: 2", *asks("only-if-cached")), expect=hit(status=504)),
)
case(
    "9111-5.2.1.7-a-504-is-not-stored",
    get(sends=asks("only-if-cached"), expect=hit(status=504)),
    get(FRESH, expect=miss()),
    get(expect=hit(of=2)),
)

# -- unknown and odd ones change nothing

for name, directives in {
    "unknown": "foo, bar=baz",
    "empty": "",
    "commas": ",,,",
    "unterminated": 'foo="bar',
    "very-long": "x" * 3000,
    "response-directives": "private, s-maxage=0, must-revalidate",
    "no-transform": "no-transform",
}.items():
    case(f"9111-5.2.1-odd-{name}", get(FRESH), get(sends=asks(directives), expect=hit()))

# -- Pragma (5.4)

case("9111-5.4-pragma-no-cache", get(FRESH), get(FRESH, sends=("Pragma: no-cache",), expect=miss()))
case("9111-5.4-pragma-other", get(FRESH), get(sends=("Pragma: other",), expect=hit()))
case(
    "9111-5.4-pragma-counts-only-without-cache-control",
    get(FRESH),
    get(sends=("Pragma: no-cache", "Cache-Control: max-age=1000"), expect=hit()),
)
