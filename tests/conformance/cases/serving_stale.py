"""RFC 5861: stale-while-revalidate and stale-if-error, and what forbids them (RFC 9111, section 4.2.4)."""

from __future__ import annotations

from conformance.case import FRESH, Table, get, head, hit, miss, origin, says, stale, validated

case = Table()

# -- stale-while-revalidate: the stale one at once, one refresh in the background

WHILE = "Cache-Control: max-age=10, stale-while-revalidate=60"
case(
    "5861-3-stale-at-once-then-the-new-one",
    get(says(WHILE)),
    get(says("Cache-Control: max-age=1000"), expect=hit(1, also_calls=1, age=(30, 30)), wait=30),
    get(expect=hit(of=2, eventually=True)),
)
case(
    "5861-3-refreshed-by-a-304",
    get(says(WHILE, 'ETag: "a"')),
    get(
        says('ETag: "a"', "Cache-Control: max-age=1000", "X-New: 1", status=304),
        expect=hit(1, also_calls=1, seen='If-None-Match: "a"'),
        wait=30,
    ),
    get(expect=hit(1, eventually=True, has="X-New: 1", age=(0, 3))),
)
case("5861-3-beyond-the-window", get(says(WHILE)), get(FRESH, expect=miss(), wait=80), get(expect=hit(of=2)))
case("5861-3-while-fresh-nobody-is-asked", get(says(WHILE)), get(expect=hit(), wait=5))
case(
    "5861-3-head",
    get(says(WHILE)),
    head(says("Cache-Control: max-age=1000"), expect=hit(1, also_calls=1, method="GET"), wait=30),
    get(expect=hit(of=2, eventually=True)),
)
case(
    "5861-3-the-refresh-is-nobody's-visit",
    get(says(WHILE, 'ETag: "a"', body="0123456789")),
    get(
        says("Cache-Control: max-age=1000", body="abcdefghij"),
        sends=(
            "Range: bytes=0-1",
            'If-Range: "a"',
            "Cookie: a=b",
            "Authorization: Basic x",
            "If-Modified-Since: {t-100}",
        ),
        expect=hit(
            1,
            also_calls=1,
            status=206,
            body="01",
            unseen=("Range", "If-Range", "Cookie", "If-Modified-Since"),
        ),
        wait=30,
    ),
    get(expect=hit(status=200, body="abcdefghij", eventually=True)),
)
case(
    "5861-3-conditional-request-while-stale",
    get(says(WHILE, 'ETag: "a"')),
    get(
        says('ETag: "a"', WHILE, status=304),
        sends=('If-None-Match: "a"',),
        expect=hit(1, status=304, also_calls=1),
        wait=30,
    ),
    get(expect=hit(1, eventually=True, age=(0, 3))),
)
FAILURES = {
    "fails": says(status=500),
    "raises": says(manner="fail"),
    "is-cut": says("Cache-Control: max-age=1000", manner="cut"),
    "breaks-off": says("Cache-Control: max-age=1000", manner="broken"),
}
for name, failure in FAILURES.items():
    case(
        f"5861-3-a-refresh-that-{name}-changes-nothing",
        get(says(WHILE)),
        get(failure, expect=hit(1, also_calls=1), wait=30),
        get(says("Cache-Control: max-age=1000"), expect=hit(of=3, eventually=True), wait=5),
    )
for directive in ("must-revalidate", "proxy-revalidate", "no-cache"):
    case(
        f"5861-3-{directive}-forbids",
        get(says(f"{WHILE}, {directive}", 'ETag: "a"')),
        get(says('ETag: "a"', status=304), expect=validated('If-None-Match: "a"'), wait=30),
    )
for name, value in {"letters": "abc", "negative": "-60", "none": "", "zero": "0"}.items():
    case(
        f"5861-3-invalid-window-{name}",
        get(says(f"Cache-Control: max-age=10, stale-while-revalidate={value}")),
        get(FRESH, expect=miss(), wait=30),
    )
case(
    "5861-3-quoted-window",
    get(says('Cache-Control: max-age=10, stale-while-revalidate="60"')),
    get(FRESH, expect=hit(1, also_calls=1), wait=30),
)
case(
    "5861-3-the-client-wants-it-validated",
    get(says(WHILE, 'ETag: "a"')),
    get(
        says('ETag: "a"', status=304),
        sends=("Cache-Control: no-cache",),
        expect=validated('If-None-Match: "a"'),
        wait=30,
    ),
)
case(
    "5861-3-the-client-wants-it-young",
    get(says(WHILE)),
    get(FRESH, sends=("Cache-Control: max-age=5",), expect=miss(), wait=30),
)
case(
    "5861-3-a-variant-is-refreshed-for-itself",
    get(says(WHILE, "Vary: X-A"), sends=("X-A: 1",)),
    get(says(WHILE, "Vary: X-A"), sends=("X-A: 2",)),
    get(
        says("Cache-Control: max-age=1000", "Vary: X-A"),
        sends=("X-A: 1",),
        expect=hit(1, also_calls=1, seen="X-A: 1"),
        wait=30,
    ),
    get(sends=("X-A: 1",), expect=hit(of=3, eventually=True)),
)
case(
    "5861-3-nobody-waits-for-a-slow-refresh",
    get(says(WHILE)),
    get(says("Cache-Control: max-age=1000", manner="slow"), together=5, expect=hit(1, also_calls=1), wait=30),
    get(expect=hit(of=2, eventually=True)),
)

# -- stale-if-error: the stale one where the new one cannot be had

IF_ERROR = "Cache-Control: max-age=10, stale-if-error=60"
for status in (500, 502, 503, 504):
    case(
        f"5861-4-stale-instead-of-{status}",
        get(says(IF_ERROR)),
        get(says(status=status), expect=stale(1, age=(30, 30)), wait=30),
        get(FRESH, expect=origin(status=200)),
    )
case(
    "5861-4-stale-instead-of-an-exception",
    get(says(IF_ERROR)),
    get(says(manner="fail"), expect=stale(1), wait=30),
)
case(
    "5861-4-stale-after-asking-for-a-validation",
    get(says(IF_ERROR, 'ETag: "a"')),
    get(says(status=503), expect=stale(1, seen='If-None-Match: "a"'), wait=30),
)
case(
    "5861-4-stale-304-for-who-has-it",
    get(says(IF_ERROR, 'ETag: "a"')),
    get(says(status=503), sends=('If-None-Match: "a"',), expect=stale(1, status=304), wait=30),
)
case(
    "5861-4-stored-errors-do-not-replace-it",
    get(says(IF_ERROR)),
    get(says("Cache-Control: max-age=100", status=503), expect=stale(1), wait=30),
)
for status in (400, 404, 410, 501):
    case(
        f"5861-4-{status}-is-no-such-error",
        get(says(IF_ERROR)),
        get(says(status=status), expect=miss(status=status), wait=30),
    )
case("5861-4-beyond-the-window", get(says(IF_ERROR)), get(says(status=503), expect=miss(status=503), wait=80))
case(
    "5861-4-without-permission",
    get(says("Cache-Control: max-age=10")),
    get(says(status=503), expect=miss(status=503), wait=30),
)
case(
    "5861-4-quoted-window",
    get(says('Cache-Control: max-age=10, stale-if-error="60"')),
    get(says(status=503), expect=stale(1), wait=30),
)
for directive in ("must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=10"):
    case(
        f"9111-4.2.4-{directive}-forbids-stale-if-error",
        get(says(f"{IF_ERROR}, {directive}")),
        get(says(status=503), expect=origin(status=503), wait=30),
    )
for name, value in {"letters": "abc", "negative": "-60", "none": "", "zero": "0"}.items():
    case(
        f"5861-4-invalid-window-{name}",
        get(says(f"Cache-Control: max-age=10, stale-if-error={value}")),
        get(says(status=503), expect=miss(status=503), wait=30),
    )
case(
    "5861-4-bounded-by-option",
    get(says("Cache-Control: max-age=10, stale-if-error=99999999")),
    get(says(status=503), expect=stale(1), wait=25),
    get(says(status=503), expect=miss(status=503), wait=50),
    options="bounded",
)
case(
    "5861-4-both-windows",
    get(says("Cache-Control: max-age=10, stale-while-revalidate=30, stale-if-error=600")),
    get(says(status=503), expect=hit(1, also_calls=1), wait=20),
    get(says(status=503), expect=stale(1), wait=100),
    get(FRESH, expect=origin(status=200)),
)
