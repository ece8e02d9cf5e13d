"""What a shared cache stores, RFC 9111 section 3."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.http.cache_control import LONGEST
from wsgiperf.http.dates import format_date
from wsgiperf.http.headers import Headers
from wsgiperf.http.reuse import decide, may_serve_on_error
from wsgiperf.http.storing import (
    ASSIGNABLE_STATUSES,
    NEVER_STORED,
    UNDERSTOOD,
    StoringRules,
    Verdict,
    judge,
    stored_fields,
)

case = pytest.param

NOW = 1_767_225_600.0
DAY_OLD = ("Last-Modified", format_date(NOW - 86400))
TAG = ("ETag", '"a"')


def control(value: str) -> tuple[str, str]:
    return ("Cache-Control", value)


def cdn(value: str) -> tuple[str, str]:
    return ("CDN-Cache-Control", value)


def at(name: str, seconds: float) -> tuple[str, str]:
    return (name, format_date(NOW + seconds))


def verdict(*fields: tuple[str, str], **given: Any) -> Verdict:
    facts: dict[str, Any] = {"method": "GET", "status": 200, "rules": StoringRules()}
    facts |= {"authorized": False, "cookie": False, "requested": NOW, "received": NOW}
    return judge(headers=Headers(fields), **facts | given)


POST = {"method": "POST"}
LOCATED = {"method": "POST", "located": True}
AUTHORIZED = {"authorized": True}
COOKIE = {"cookie": True}
FRESH = control("max-age=60")
COOKIES = {"rules": StoringRules(set_cookie=True)}

REASONS = [
    # what may be stored at all
    case([FRESH], {}, "ok", id="3-explicit"),
    case([], {}, "no-freshness", id="3-nothing-said"),
    case([TAG], {}, "no-freshness", id="3-a-validator-alone-says-nothing"),
    case([FRESH], {"method": "PUT"}, "method", id="3-method"),
    case([FRESH], {"method": "HEAD"}, "method", id="3-head"),
    case([FRESH], POST, "method", id="9110-9.3.3-post-elsewhere"),
    case([FRESH], LOCATED, "ok", id="9110-9.3.3-post-located"),
    case([DAY_OLD], LOCATED, "no-freshness", id="9110-9.3.3-post-only-explicit"),
    case([], LOCATED | {"fallback": 9.0}, "no-freshness", id="9110-9.3.3-post-not-by-rule"),
    case([FRESH], {"method": "PUT", "located": True}, "method", id="9110-9.3.4-put-located"),
    # no-store, private, no-cache
    case([control("max-age=60, No-Store")], {}, "no-store", id="5.2.2.5-no-store"),
    case([control("private, max-age=60")], {}, "private", id="5.2.2.7-private"),
    case([control('private="a", max-age=60')], {}, "ok", id="5.2.2.7-private-fields"),
    case([control('private="a b", max-age=60')], {}, "private", id="5.2.2.7-broken-list"),
    case([control('private="content-type", max-age=60')], {}, "private", id="5.2.2.7-essential-field"),
    case([control("no-cache, max-age=60")], {}, "no-cache", id="5.2.2.4-no-validator"),
    case([control("no-cache"), TAG], {}, "ok", id="5.2.2.4-validator"),
    case([control("no-cache"), DAY_OLD], {}, "ok", id="5.2.2.4-last-modified"),
    case([control('no-cache, private="etag"'), TAG], {}, "no-cache", id="5.2.2.7-validator-withheld"),
    case([control('no-cache="etag", max-age=0'), TAG], {}, "expired", id="5.2.2.4-validator-withheld"),
    case([("Pragma", "no-cache"), FRESH], {}, "ok", id="5.4-pragma-means-nothing"),
    # must-understand
    case([control("max-age=60, no-store, must-understand")], {}, "ok", id="5.2.2.3-understood"),
    case(
        [control("max-age=60, no-store, must-understand")],
        {"status": 599},
        "must-understand",
        id="5.2.2.3-not-understood",
    ),
    case([control("max-age=60, must-understand")], {"status": 599}, "must-understand", id="5.2.2.3-alone"),
    case([control("private, must-understand, max-age=9")], {}, "private", id="5.2.2.3-only-no-store"),
    # status
    case([FRESH], {"status": 599}, "ok", id="3-any-final-status"),
    case([FRESH], {"status": 503}, "ok", id="3-errors-if-explicit"),
    case([FRESH], {"status": 206}, "ok", id="3.3-partial"),
    case([FRESH], {"status": 103}, "status", id="3-not-final"),
    case([FRESH], {"status": 600}, "status", id="9110-15-no-status"),
    case([control("no-cache"), TAG], {"status": 201}, "status", id="3-status-and-nothing-explicit"),
    # freshness that is none
    case([control("max-age=0")], {}, "expired", id="4.2.1-zero"),
    case([control("max-age=0"), TAG], {}, "ok", id="4.3-zero-with-validator"),
    case([control("max-age=x")], {}, "expired", id="4.2.1-invalid"),
    case([FRESH, ("Age", "60")], {}, "expired", id="4.2.3-age"),
    case([FRESH, at("Date", -7200)], {}, "expired", id="4.2.3-date"),
    case([at("Expires", -5), at("Date", 0)], {}, "expired", id="5.3-past"),
    case([at("Expires", 10), ("Date", "foo")], {}, "ok", id="5.3-invalid-date"),
    case([("Expires", "0"), DAY_OLD], {}, "ok", id="5.3-invalid-with-validator"),
    case([at("Expires", 9), ("Expires", "0")], {}, "ok", id="4.2.1-first-expires"),
    case([("Expires", "0"), at("Expires", 9)], {}, "expired", id="4.2.1-first-expires-invalid"),
    # a guess
    case([DAY_OLD], {}, "ok", id="4.2.2-last-modified"),
    case([DAY_OLD], COOKIE, "no-freshness", id="4.2.2-not-with-a-cookie"),
    case([DAY_OLD, control("public")], COOKIE, "ok", id="5.2.2.9-public-is-validated"),
    case([DAY_OLD], AUTHORIZED, "authorization", id="4.2.2-not-with-authorization"),
    case([at("Last-Modified", 5)], {}, "no-freshness", id="4.2.2-modified-in-the-future"),
    case([DAY_OLD], {"rules": StoringRules(heuristic_max=0)}, "no-freshness", id="4.2.2-switched-off"),
    case([DAY_OLD], {"status": 404}, "ok", id="4.2.2-status-404"),
    *(
        case([DAY_OLD], {"status": status}, "status", id=f"4.2.2-status-{status}")
        for status in (201, 202, 302, 403, 500, 502, 503, 504, 599)
    ),
    case([DAY_OLD, control("public")], {"status": 599}, "ok", id="4.2.2-public"),
    # Vary
    case([FRESH, ("Vary", "*")], {}, "vary-star", id="4.1-star"),
    case([FRESH, ("Vary", "accept"), ("Vary", " * ,x")], {}, "vary-star", id="4.1-star-among-others"),
    case([FRESH, ("Vary", "x*")], {}, "ok", id="4.1-star-in-a-name"),
    # Authorization
    case([FRESH], AUTHORIZED, "authorization", id="3.5-explicit-is-not-enough"),
    case([control("max-age=60, public")], AUTHORIZED, "ok", id="3.5-public"),
    case([control("max-age=60, must-revalidate")], AUTHORIZED, "ok", id="3.5-must-revalidate"),
    case([control("s-maxage=60")], AUTHORIZED, "ok", id="3.5-s-maxage"),
    case([control("max-age=60, proxy-revalidate")], AUTHORIZED, "authorization", id="3.5-not-proxy"),
    case([FRESH], AUTHORIZED | {"assigned": 9.0}, "ok", id="3.5-assigned"),
    case([control("no-cache, must-revalidate"), TAG], AUTHORIZED, "authorization", id="3.5-validation-only"),
    case([control("no-cache, s-maxage=9"), TAG], AUTHORIZED, "ok", id="3.5-validation-s-maxage"),
    # cookies
    case([FRESH], COOKIE, "ok", id="7.3-request-cookie-explicit"),
    case([control("no-cache"), TAG], COOKIE, "cookie", id="7.3-request-cookie-validation-only"),
    case([control("max-age=0"), TAG], COOKIE, "cookie", id="7.3-request-cookie-never-fresh"),
    case([control("no-cache, public"), TAG], COOKIE, "ok", id="7.3-request-cookie-public"),
    case([FRESH, ("Set-Cookie", "a")], {}, "set-cookie", id="7.3-set-cookie"),
    case([FRESH, ("Set-Cookie", "a")], COOKIES, "ok", id="7.3-set-cookie-by-option"),
    case([DAY_OLD, ("Set-Cookie", "a")], COOKIES, "no-freshness", id="7.3-set-cookie-never-guessed"),
    case(
        [control('max-age=60, no-cache="Set-Cookie"'), ("Set-Cookie", "a")],
        {},
        "ok",
        id="7.3-set-cookie-withheld",
    ),
    # targeted fields
    case([cdn("max-age=60")], {}, "ok", id="9213-2.2-alone"),
    case([cdn("max-age=60"), control("no-store")], {}, "ok", id="9213-2.2-over-no-store"),
    case([cdn("max-age=60"), control("private")], {}, "ok", id="9213-2.2-over-private"),
    case([cdn("no-store"), FRESH], {}, "no-store", id="9213-2.2-no-store"),
    case([cdn("private"), FRESH, at("Expires", 60)], {}, "private", id="9213-2.2-private"),
    case([cdn("no-cache"), FRESH], {}, "no-cache", id="9213-2.2-no-cache"),
    case([cdn("max-age=0"), at("Expires", 60)], {}, "expired", id="9213-2.2-over-expires"),
    case([cdn("foo"), at("Expires", 60)], {}, "no-freshness", id="9213-2.2-expires-does-not-count"),
    case([cdn("max-age=9, &&&"), control("no-store")], {}, "no-store", id="9213-2.2-invalid"),
    case([cdn('max-age="9"'), control("no-store")], {}, "no-store", id="9213-2.1-wrong-type"),
    case([cdn(""), FRESH], {}, "ok", id="9213-2.2-empty"),
    case([cdn("max-age=9"), cdn("no-store")], {}, "no-store", id="9213-2.2-lines-joined"),
    case(
        [cdn("max-age=9"), ("X-Control", "no-store")],
        {"rules": StoringRules(targeted=("x-control", "cdn-cache-control"))},
        "no-store",
        id="9213-2.2-first-of-the-list",
    ),
    case(
        [cdn("max-age=9")],
        {"rules": StoringRules(targeted=())},
        "no-freshness",
        id="9213-2.2-not-on-the-list",
    ),
    # lifetimes from outside
    case([], {"assigned": 9.0}, "ok", id="5.2.3-assigned"),
    case([control("no-store")], {"assigned": 9.0}, "no-store", id="5.2.3-assigned-not-over-no-store"),
    case([control("private")], {"assigned": 9.0}, "private", id="5.2.3-assigned-not-over-private"),
    case([control("no-cache")], {"assigned": 9.0}, "no-cache", id="5.2.3-assigned-not-over-no-cache"),
    case([("Set-Cookie", "a")], {"assigned": 9.0}, "set-cookie", id="5.2.3-assigned-not-with-cookies"),
    case([], {"assigned": 9.0, "status": 500}, "status", id="5.2.3-assigned-not-to-an-error"),
    case([], {"assigned": 9.0, "status": 403}, "status", id="5.2.3-assigned-not-to-a-refusal"),
    case([], {"assigned": 9.0, "status": 302}, "ok", id="5.2.3-assigned-to-a-redirect"),
    case([FRESH], {"assigned": -1.0}, "expired", id="5.2.3-assigned-negative"),
    case([FRESH], {"assigned": float("nan")}, "expired", id="5.2.3-assigned-nan"),
    case([], {"fallback": 9.0}, "ok", id="5.2.3-rule"),
    case([], {"fallback": 9.0, "status": 500}, "status", id="5.2.3-rule-not-for-an-error"),
    case([control("x")], {"fallback": 9.0}, "no-freshness", id="5.2.3-rule-not-over-cache-control"),
    case([at("Expires", -9)], {"fallback": 9.0}, "expired", id="5.2.3-rule-not-over-expires"),
    case([("Pragma", "no-cache")], {"fallback": 9.0}, "no-freshness", id="5.2.3-rule-not-over-pragma"),
    case([cdn("foo")], {"fallback": 9.0}, "no-freshness", id="5.2.3-rule-not-over-targeted"),
    case([cdn("&")], {"fallback": 9.0}, "no-freshness", id="5.2.3-rule-not-over-broken-targeted"),
    # only stale, but usable
    case([control("max-age=0, stale-while-revalidate=9")], {}, "ok", id="5861-3-stale-from-the-start"),
    case([control("max-age=0, stale-if-error=9")], {}, "ok", id="5861-4-for-errors-only"),
    case([control("max-age=5, stale-if-error=9"), ("Age", "14")], {}, "expired", id="5861-4-over-already"),
]


@pytest.mark.parametrize(("fields", "given", "reason"), REASONS)
def test_whether_it_is_stored(fields: list[tuple[str, str]], given: dict[str, Any], reason: str) -> None:
    """Or why not, in a word."""
    found = verdict(*fields, **given)
    assert found.reason == reason
    assert found.stored is (reason == "ok")


@pytest.mark.parametrize("status", [304, 412, 416, 417, 425, 428, 429, 431, 511])
def test_what_is_never_stored(status: int) -> None:
    """RFC 6585 sections 3 to 6 forbid four; the others turn on what is in no key."""
    assert verdict(control("public, max-age=60"), status=status, assigned=9.0).reason == "status"
    assert status in NEVER_STORED
    assert status not in UNDERSTOOD | ASSIGNABLE_STATUSES


RULES = StoringRules(stale_while_revalidate_max=20, stale_if_error_max=30)
DEFAULTS = StoringRules(stale_while_revalidate_default=7, stale_if_error_default=8)
TERMS = [
    case([FRESH], {}, {"lifetime": 60, "explicit": True, "initial_age": 0}, id="5.2.2.1-max-age"),
    case([control("max-age=9, s-maxage=60")], {}, {"lifetime": 60, "must_revalidate": True}, id="5.2.2.10"),
    case([control("max-age=9, must-revalidate")], {}, {"must_revalidate": True}, id="5.2.2.2"),
    case([control("max-age=9, proxy-revalidate")], {}, {"must_revalidate": True}, id="5.2.2.8"),
    case([FRESH], {}, {"must_revalidate": False, "always_revalidate": False}, id="4.2.4-may-be-stale"),
    case([control("no-cache, max-age=9"), TAG], {}, {"always_revalidate": True}, id="5.2.2.4"),
    case(
        [control('no-cache="A", private="b, c", max-age=9')],
        {},
        {"always_revalidate": False, "withheld": {"a", "b", "c"}},
        id="5.2.2.4-fields",
    ),
    case(
        [control('no-cache="vary", max-age=9'), TAG],
        {},
        {"always_revalidate": True, "withheld": set()},
        id="5.2.2.4-essential-field",
    ),
    case([control("max-age=0"), TAG], {}, {"always_revalidate": True, "lifetime": 0}, id="4.3-never-fresh"),
    case(
        [control("max-age=0, stale-while-revalidate=9")],
        {},
        {"always_revalidate": False},
        id="5861-3-from-start",
    ),
    case([DAY_OLD], {}, {"lifetime": 60, "explicit": False}, id="4.2.2-guess"),
    case([FRESH, ("Age", "30")], {}, {"lifetime": 60, "initial_age": 30}, id="4.2.3-age"),
    case([FRESH], {"requested": NOW - 2}, {"initial_age": 2}, id="4.2.3-response-delay"),
    case([], {"assigned": 9.0, "requested": NOW - 20}, {"lifetime": 29}, id="5.2.3-assigned-from-arrival"),
    case([FRESH], {"assigned": 9.0}, {"lifetime": 9, "explicit": True}, id="5.2.3-assigned-first"),
    case([cdn("max-age=60")], {"assigned": 9.0}, {"lifetime": 9}, id="5.2.3-assigned-over-targeted"),
    case([FRESH], {"assigned": float("inf")}, {"lifetime": LONGEST}, id="1.2.2-assigned-bounded"),
    case([], {"fallback": 9.0, "requested": NOW - 20}, {"lifetime": 29, "explicit": True}, id="5.2.3-rule"),
    case([DAY_OLD], {"fallback": 9.0}, {"lifetime": 9}, id="5.2.3-rule-before-guess"),
    case([cdn("max-age=60"), control("max-age=9")], {}, {"lifetime": 60}, id="9213-2.2-longer"),
    case([cdn("max-age=9"), control("s-maxage=60")], {}, {"lifetime": 9}, id="9213-2.2-shorter"),
    case(
        [control("max-age=9, stale-while-revalidate=4, stale-if-error=5")],
        {},
        {"stale_while_revalidate": 4, "stale_if_error": 5},
        id="5861-both",
    ),
    case(
        [control("max-age=9, stale-while-revalidate=99, stale-if-error=99")],
        {"rules": RULES},
        {"stale_while_revalidate": 20, "stale_if_error": 30},
        id="5861-bounded",
    ),
    case(
        [FRESH], {"rules": DEFAULTS}, {"stale_while_revalidate": 7, "stale_if_error": 8}, id="5861-by-default"
    ),
    case(
        [control("max-age=9, stale-while-revalidate=0, stale-if-error=x")],
        {"rules": DEFAULTS},
        {"stale_while_revalidate": 0, "stale_if_error": 0},
        id="5861-not-by-default-if-stated",
    ),
    case(
        [control("max-age=0"), TAG],
        {"rules": DEFAULTS},
        {"stale_while_revalidate": 0, "stale_if_error": 0, "always_revalidate": True},
        id="5861-not-by-default-if-never-fresh",
    ),
    *(
        case(
            [control(f"max-age=9, stale-while-revalidate=4, stale-if-error=5, {forbidding}"), TAG],
            {"rules": DEFAULTS},
            {"stale_while_revalidate": 0, "stale_if_error": 0},
            id=f"4.2.4-{forbidding}",
        )
        for forbidding in ("must-revalidate", "proxy-revalidate", "s-maxage=9", "no-cache")
    ),
]


@pytest.mark.parametrize(("fields", "given", "terms"), TERMS)
def test_on_what_terms(fields: list[tuple[str, str]], given: dict[str, Any], terms: dict[str, Any]) -> None:
    """For how long, and what holds after."""
    found = verdict(*fields, **given)
    assert found.stored
    assert {name: getattr(found, name) for name in terms} == terms


STORED = Verdict(True, "ok")
FIELDS = [
    *("Age", "Cache-Status", "Connection", "KEEP-ALIVE", "Proxy-Authenticate", "Proxy-Authentication-Info"),
    *(
        "Proxy-Authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Set-Cookie",
    ),
]


@pytest.mark.parametrize("name", [case(name, id=f"3.1-{name}") for name in FIELDS])
def test_a_field_that_is_not_stored(name: str) -> None:
    """All else stays, in order, duplicates and spelling too."""
    rest = [("x-A", "1"), ("Date", "x"), ("x-a", "2"), ("Content-Length", "3")]
    assert stored_fields([*rest[:2], (name, "v"), *rest[2:]], STORED) == rest


def test_fields_named_by_connection_are_not_stored() -> None:
    """RFC 9110 section 7.6.1: in any line, in any case."""
    pairs = [("connection", "close, X-A ,,"), ("x-a", "1"), ("X-B", "2"), ("x-c", "3"), ("Connection", "x-b")]
    assert stored_fields(pairs, STORED) == [("x-c", "3")]


def test_withheld_fields_are_not_stored() -> None:
    """RFC 9111 sections 5.2.2.4 and 5.2.2.7; cookies are kept by option, unless they are among them."""
    pairs = [("X-A", "1"), ("Set-Cookie", "a"), ("Set-Cookie", "b")]
    assert stored_fields(pairs, STORED._replace(withheld=frozenset(["x-a"])), set_cookie=True) == pairs[1:]
    assert (
        stored_fields(pairs, STORED._replace(withheld=frozenset(["set-cookie"])), set_cookie=True)
        == pairs[:1]
    )


WORDS = """no-store private no-cache max-age=5 s-maxage=0 public must-revalidate max-age=x must-understand &
    stale-if-error=9 stale-while-revalidate=9 private="a" no-cache="etag" """
NAMES = "Cache-Control CDN-Cache-Control Expires Date Age Vary ETag Last-Modified Set-Cookie"
texts = st.text(st.characters(max_codepoint=255))
values = st.lists(st.sampled_from(WORDS.split())).map(", ".join) | texts
names = st.sampled_from(NAMES.split())


@given(
    st.lists(st.tuples(names, values | st.just(DAY_OLD[1]))),
    st.integers(100, 700),
    st.booleans(),
    st.booleans(),
    st.none() | st.floats(),
    st.none() | st.floats(),
)
def test_any_response_is_judged(
    fields: list[tuple[str, str]],
    status: int,
    authorized: bool,
    cookie: bool,
    assigned: float | None,
    fallback: float | None,
) -> None:
    """Nothing raises, and what is stored can be used at some time: fresh, validated or stale."""
    lifetimes = {"assigned": assigned, "fallback": fallback}
    found = verdict(*fields, status=status, authorized=authorized, cookie=cookie, **lifetimes)
    if not found.stored:
        assert found == Verdict(False, found.reason)
        return
    facts = {"must_revalidate": found.must_revalidate, "always_revalidate": found.always_revalidate}
    served = decide(
        found.initial_age, found.lifetime, stale_while_revalidate=found.stale_while_revalidate, **facts
    ).served
    on_error = may_serve_on_error(
        found.initial_age, found.lifetime, found.stale_if_error, found.must_revalidate
    )
    validator = {name.lower() for name, value in fields if value.strip(" \t,")} & {"etag", "last-modified"}
    assert served or on_error or validator - found.withheld
    assert 0 <= found.lifetime <= LONGEST + found.initial_age
    assert not (found.must_revalidate and (found.stale_if_error or found.stale_while_revalidate))
    stored_fields(fields, found)
