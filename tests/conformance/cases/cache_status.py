"""RFC 9211: the cache says what it did, and why."""

from __future__ import annotations

from conformance.case import FRESH, Table, get, head, hit, miss, origin, post, says, stale, validated

case = Table()
TAGGED = says("Cache-Control: max-age=100", 'ETag: "a"')

case("9211-2.2-uri-miss", get(FRESH, expect=miss(cache_status=("fwd=uri-miss", "stored", "!hit"))))
case("9211-2.1-hit", get(FRESH), get(expect=hit(cache_status=("hit", "!fwd", "ttl=95..100"))))
case("9211-2.4-ttl-falls", get(FRESH), get(expect=hit(cache_status=("hit", "ttl=65..70")), wait=30))
case(
    "9211-2.4-ttl-of-the-age-that-came",
    get(says("Cache-Control: max-age=100", "Age: 40")),
    get(expect=hit(cache_status=("hit", "ttl=55..60"))),
)
case(
    "9211-2.5-not-stored",
    get(says("Cache-Control: no-store"), expect=miss(cache_status=("fwd=uri-miss", "!stored"))),
)
case("9211-2.5-silent-not-stored", get(says(), expect=miss(cache_status=("fwd=uri-miss", "!stored"))))
case(
    "9211-2.2-vary-miss",
    get(says("Cache-Control: max-age=100", "Vary: X-A"), sends=("X-A: 1",)),
    get(
        says("Cache-Control: max-age=100", "Vary: X-A"),
        sends=("X-A: 2",),
        expect=miss(cache_status=("fwd=vary-miss", "stored")),
    ),
)
case("9211-2.2-stale", get(FRESH), get(FRESH, expect=miss(cache_status=("fwd=stale", "stored")), wait=150))
case(
    "9211-2.3-stale-validated",
    get(TAGGED),
    get(
        says("Cache-Control: max-age=100", 'ETag: "a"', status=304), wait=150,
        expect=validated('If-None-Match: "a"', cache_status=("fwd=stale", "fwd-status=304")),
    ),
)  # fmt: skip
case(
    "9211-2.2-no-cache-response-is-stale-each-time",
    get(says("Cache-Control: no-cache", 'ETag: "a"')),
    get(
        says(status=304), expect=validated('If-None-Match: "a"', cache_status=("fwd=stale", "fwd-status=304"))
    ),
)
case(
    "9211-2.2-request",
    get(FRESH),
    get(FRESH, sends=("Cache-Control: no-cache",), expect=miss(cache_status=("fwd=request", "stored"))),
)
case(
    "9211-2.2-request-max-age",
    get(FRESH),
    get(FRESH, sends=("Cache-Control: max-age=10",), expect=miss(cache_status="fwd=request"), wait=30),
)
case("9211-2.2-method-post", post(says(), expect=miss(cache_status=("fwd=method", "!stored"))))
case("9211-2.2-method-after-get", get(FRESH), post(says(), expect=miss(cache_status="fwd=method")))
case("9211-2.1-hit-head", get(FRESH), head(expect=hit(cache_status="hit")))
case(
    "9211-2.1-hit-304",
    get(TAGGED),
    get(sends=('If-None-Match: "a"',), expect=hit(status=304, cache_status="hit")),
)
case(
    "9211-2.1-hit-range",
    get(says("Cache-Control: max-age=100", body="0123456789")),
    get(sends=("Range: bytes=0-1",), expect=hit(status=206, body="01", cache_status="hit")),
)
case(
    "9211-2.4-ttl-is-negative-when-stale",
    get(FRESH),
    get(sends=("Cache-Control: max-stale",), expect=hit(cache_status=("hit", "ttl=-55..-50")), wait=150),
)
case(
    "9211-2.1-stale-while-revalidate-is-a-hit",
    get(says("Cache-Control: max-age=10, stale-while-revalidate=60")),
    get(FRESH, expect=hit(1, also_calls=1, cache_status=("hit", "ttl=-25..-20")), wait=30),
)
case(
    "9211-2.3-stale-if-error-tells-the-error",
    get(says("Cache-Control: max-age=10, stale-if-error=60")),
    get(says(status=503), expect=stale(1, cache_status=("fwd=stale", "fwd-status=503")), wait=30),
)
case(
    "9211-2.6-collapsed",
    get(
        says("Cache-Control: max-age=100", manner="slow"),
        together=4,
        expect=origin(status=200, calls=(1, 1), cache_status="collapsed"),
    ),
    get(expect=hit(1)),
)
case(
    "9211-2.6-collapsed-when-expired",
    get(FRESH),
    get(
        says("Cache-Control: max-age=100", manner="slow"), together=4, wait=150,
        expect=origin(status=200, calls=(1, 1), cache_status="collapsed"),
    ),
    get(expect=hit(of=2)),
)  # fmt: skip
case(
    "9211-2-the-application's-own-goes-along",
    get(
        says("Cache-Control: max-age=100", "Cache-Status: inner; hit"),
        expect=origin(has="Cache-Status", status=200),
    ),
    get(expect=hit(has="Cache-Status")),
)
case(
    "9211-2-never-two-answers-of-ours",
    get(FRESH),
    get(expect=hit(cache_status="hit"), wait=5),
    get(FRESH, expect=miss(cache_status=("fwd=stale", "!hit")), wait=150),
    get(expect=hit(of=3, cache_status=("hit", "!fwd", "!stored"))),
)
case(
    "9211-2.2-only-if-cached-is-neither-hit-nor-forwarded",
    get(sends=("Cache-Control: only-if-cached",), expect=hit(status=504, cache_status=("!hit", "!fwd"))),
)
