"""RFC 9111, section 4.2.2: no explicit freshness. A tenth of the age by Last-Modified, at most 60 seconds."""

from __future__ import annotations

from conformance.case import Table, get, hit, miss, origin, post, says, validated

case = Table()
OLD = "Last-Modified: {t-900000}"

case(
    "9111-4.2.2-old-for-60-seconds",
    get(says(OLD)),
    get(expect=hit(age=(50, 50)), wait=50),
    get(says(status=304), expect=validated("If-Modified-Since: {t-900000}"), wait=15),
)
case(
    "9111-4.2.2-a-tenth-of-its-age",
    get(says("Last-Modified: {t-300}")),
    get(expect=hit(), wait=20),
    get(says(status=304), expect=validated("If-Modified-Since: {t-300}"), wait=15),
)
case(
    "9111-4.2.2-counted-from-date",
    get(says("Last-Modified: {t-300}", "Date: {t-100}")),
    get(expect=origin()),
)
case(
    "9111-4.2.2-cap-by-option",
    get(says(OLD)),
    get(expect=hit(), wait=580),
    get(expect=origin(), wait=30),
    options="heuristic",
)
case("9111-4.2.2-cookie-in-the-request", get(says(OLD), sends=("Cookie: a=b",)), get(expect=origin()))
case("9111-4.2.2-etag-alone-is-not-enough", get(says('ETag: "a"')), get(expect=origin()))
case("9111-4.2.2-last-modified-now", get(says("Last-Modified: {t}")), get(expect=origin(), wait=5))
case("9111-4.2.2-last-modified-in-the-future", get(says("Last-Modified: {t+900000}")), get(expect=origin()))
case("9111-4.2.2-last-modified-invalid", get(says("Last-Modified: yesterday")), get(expect=origin()))
case("9111-4.2.2-last-modified-empty", get(says("Last-Modified:")), get(expect=origin()))
case(
    "9111-4.2.2-last-modified-rfc850", get(says("Last-Modified: {t-900000:850}")), get(expect=hit(), wait=50)
)
case(
    "9111-4.2.2-last-modified-asctime",
    get(says("Last-Modified: {t-900000:asctime}")),
    get(expect=hit(), wait=50),
)
case.not_reused("9111-4.2.2-not-when-max-age-is-zero", OLD, "Cache-Control: max-age=0")
case.not_reused("9111-4.2.2-not-when-expires-is-past", OLD, "Expires: {t-10}")
case.not_reused("9111-4.2.2-not-with-no-cache", OLD, "Cache-Control: no-cache")
case.not_reused("9111-4.2.2-not-with-vary-star", OLD, "Vary: *")
case("9111-4.2.2-not-for-post", post(says(OLD, "Content-Location: {url}")), get(expect=miss()))
case(
    "9111-4.2.2-age-that-came-counts",
    get(says(OLD, "Age: 70")),
    get(expect=origin()),
)
case(
    "9111-4.2.2-validated-response-is-fresh-again",
    get(says(OLD)),
    get(says(OLD, status=304), expect=validated("If-Modified-Since: {t-900000}"), wait=70),
    get(expect=hit(1), wait=50),
)

for status in (200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501):
    case.reused(f"9110-15.1-heuristically-cacheable-{status}", OLD, status=status)
for status in (201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599):
    case.not_reused(f"9110-15.1-not-heuristically-cacheable-{status}", OLD, status=status)
case.reused("9111-5.2.2.9-public-allows-heuristics-for-599", OLD, "Cache-Control: public", status=599)
case.reused("9111-5.2.2.9-public-allows-heuristics-for-302", OLD, "Cache-Control: public", status=302)
