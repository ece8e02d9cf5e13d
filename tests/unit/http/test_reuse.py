"""Whether a stored response answers a request, RFC 9111 sections 4 and 5.2.1."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.http.reuse import (
    ERROR_STATUSES,
    FRESH,
    NO_DIRECTIVES,
    REVALIDATE_REQUEST,
    REVALIDATE_STALE,
    STALE,
    STALE_WHILE_REVALIDATE,
    RequestDirectives,
    Reuse,
    decide,
    may_serve_on_error,
    request_directives,
)

REQUESTS = [
    pytest.param(None, None, NO_DIRECTIVES, id="5.2.1-none"),
    pytest.param("", None, NO_DIRECTIVES, id="5.2.1-empty"),
    pytest.param("No-Cache", None, RequestDirectives(no_cache=True), id="5.2.1.4-no-cache"),
    pytest.param("no-store", None, RequestDirectives(no_store=True), id="5.2.1.5-no-store"),
    pytest.param("only-if-cached", None, RequestDirectives(only_if_cached=True), id="5.2.1.7-only-if-cached"),
    pytest.param(
        'max-age="5", min-fresh=6', None, RequestDirectives(max_age=5, min_fresh=6), id="5.2.1.1-numbers"
    ),
    pytest.param("max-stale=7", None, RequestDirectives(max_stale=7), id="5.2.1.2-max-stale"),
    pytest.param("max-stale", None, RequestDirectives(max_stale=inf), id="5.2.1.2-any-staleness"),
    pytest.param("max-stale=x", None, NO_DIRECTIVES, id="5.2.1.2-invalid-is-not-any"),
    pytest.param("max-age=x, min-fresh=-1", None, NO_DIRECTIVES, id="5.2.1-invalid"),
    pytest.param("stale-if-error=9, x", None, NO_DIRECTIVES, id="5861-4-of-the-request-is-ignored"),
    pytest.param(None, "no-cache", RequestDirectives(no_cache=True), id="5.4-pragma"),
    pytest.param(None, "x, No-Cache", RequestDirectives(no_cache=True), id="5.4-pragma-in-a-list"),
    pytest.param(None, "x", NO_DIRECTIVES, id="5.4-other-pragma"),
    pytest.param("max-age=5", "no-cache", RequestDirectives(max_age=5), id="5.4-cache-control-wins"),
]


@pytest.mark.parametrize(("cache_control", "pragma", "expected"), REQUESTS)
def test_directives_of_a_request(
    cache_control: str | None, pragma: str | None, expected: RequestDirectives
) -> None:
    """Each by its section."""
    assert request_directives(cache_control, pragma) == expected


MUST = {"must_revalidate": True}
ALWAYS = {"always_revalidate": True}
WHILE = {"stale_while_revalidate": 30.0}
# cache-control of the request, age with a lifetime of 60, what holds for the entry, outcome
DECISIONS = [
    pytest.param(None, 59.9, {}, FRESH, id="4.2-fresh"),
    pytest.param(None, 60.0, {}, REVALIDATE_STALE, id="4.2-age-equals-lifetime"),
    pytest.param(None, 61.0, {}, REVALIDATE_STALE, id="4.2.4-stale"),
    pytest.param(None, 1.0, MUST, FRESH, id="5.2.2.2-fresh"),
    pytest.param(None, 1.0, ALWAYS, REVALIDATE_STALE, id="5.2.2.4-never-without-validation"),
    pytest.param("max-stale", 1.0, ALWAYS, REVALIDATE_STALE, id="5.2.2.4-whatever-the-client-says"),
    pytest.param(None, 61.0, ALWAYS | WHILE, REVALIDATE_STALE, id="5.2.2.4-nor-while-revalidating"),
    pytest.param("no-cache", 1.0, {}, REVALIDATE_REQUEST, id="5.2.1.4-no-cache"),
    pytest.param("no-cache", 61.0, WHILE, REVALIDATE_STALE, id="5.2.1.4-no-cache-and-stale"),
    pytest.param("no-store", 1.0, {}, FRESH, id="5.2.1.5-what-is-stored-may-answer"),
    pytest.param("max-age=10", 10.0, {}, FRESH, id="5.2.1.1-young-enough"),
    pytest.param("max-age=10", 10.1, {}, REVALIDATE_REQUEST, id="5.2.1.1-too-old"),
    pytest.param("max-age=0", 0.5, {}, REVALIDATE_REQUEST, id="5.2.1.1-zero"),
    pytest.param("max-age=90", 61.0, WHILE, REVALIDATE_STALE, id="5.2.1.1-does-not-want-stale"),
    pytest.param("max-age=90, max-stale=5", 61.0, {}, STALE, id="5.2.1.1-unless-max-stale"),
    pytest.param("max-age=60, max-stale=5", 61.0, {}, REVALIDATE_STALE, id="5.2.1.1-both-count"),
    pytest.param("min-fresh=10", 50.0, {}, FRESH, id="5.2.1.3-long-enough"),
    pytest.param("min-fresh=10", 50.1, {}, REVALIDATE_REQUEST, id="5.2.1.3-not-long-enough"),
    pytest.param("min-fresh=10", 61.0, WHILE, REVALIDATE_STALE, id="5.2.1.3-does-not-want-stale"),
    pytest.param("max-stale=10", 70.0, {}, STALE, id="5.2.1.2-within"),
    pytest.param("max-stale=10", 70.1, {}, REVALIDATE_STALE, id="5.2.1.2-beyond"),
    pytest.param("max-stale", 1e9, {}, STALE, id="5.2.1.2-any"),
    pytest.param("max-stale", 61.0, MUST, REVALIDATE_STALE, id="5.2.2.2-never-stale"),
    pytest.param(None, 90.0, WHILE, STALE_WHILE_REVALIDATE, id="5861-3-within"),
    pytest.param(None, 90.1, WHILE, REVALIDATE_STALE, id="5861-3-beyond"),
    pytest.param(None, 61.0, WHILE | MUST, REVALIDATE_STALE, id="5.2.2.2-nor-while-revalidating"),
    pytest.param("max-stale=10", 61.0, WHILE, STALE_WHILE_REVALIDATE, id="5861-3-refresh-where-possible"),
]


@pytest.mark.parametrize(("cache_control", "age", "entry", "expected"), DECISIONS)
def test_a_decision(cache_control: str | None, age: float, entry: dict[str, float], expected: Reuse) -> None:
    """The response first, then what the client wants."""
    found = decide(age, 60.0, request_directives(cache_control, None), **entry)  # type: ignore[arg-type]
    assert found is expected


def test_reasons_are_those_of_cache_status() -> None:
    """RFC 9211 section 2.2: none where the application is not called."""
    assert [reuse.forward for reuse in (FRESH, STALE)] == [None, None]
    assert STALE_WHILE_REVALIDATE.served
    assert (REVALIDATE_STALE.forward, REVALIDATE_REQUEST.forward) == ("stale", "request")
    assert not REVALIDATE_STALE.served
    assert not REVALIDATE_REQUEST.served


ERRORS = [
    pytest.param(90.0, 30.0, False, True, id="5861-4-within"),
    pytest.param(90.1, 30.0, False, False, id="5861-4-beyond"),
    pytest.param(59.0, 30.0, False, True, id="5861-4-fresh-but-the-client-insisted"),
    pytest.param(61.0, 0.0, False, False, id="4.2.4-not-allowed"),
    pytest.param(59.0, 0.0, False, False, id="4.2.4-not-allowed-though-fresh"),
    pytest.param(61.0, 30.0, True, False, id="5.2.2.2-must-revalidate"),
]


@pytest.mark.parametrize(("age", "stale_if_error", "must_revalidate", "served"), ERRORS)
def test_in_place_of_an_error(age: float, stale_if_error: float, must_revalidate: bool, served: bool) -> None:
    """Bounded, and never against must-revalidate."""
    assert may_serve_on_error(age, 60.0, stale_if_error, must_revalidate) is served


def test_what_an_error_is() -> None:
    """RFC 5861 section 4."""
    assert set(ERROR_STATUSES) == {500, 502, 503, 504}


@given(st.text(), st.text() | st.none(), st.floats(0, 1e9), st.floats(0, 1e9))
def test_any_request_is_answered(cache_control: str, pragma: str | None, age: float, lifetime: float) -> None:
    """No field raises, and nothing stale is served unless somebody allowed it."""
    reuse = decide(age, lifetime, request_directives(cache_control, pragma))
    if age >= lifetime and "max-stale" not in cache_control.lower():
        assert not reuse.served
