"""Age and lifetime, RFC 9111 section 4.2."""

from __future__ import annotations

import pytest

from wsgiperf.http.cache_control import LONGEST, parse_directives
from wsgiperf.http.dates import format_date
from wsgiperf.http.freshness import explicit_lifetime, heuristic_lifetime, initial_age

NOW = 1_767_225_600.0

AGES = [
    pytest.param(None, None, 0.0, 0.0, id="4.2.3-nothing-said"),
    pytest.param("30", None, 0.0, 30.0, id="4.2.3-age"),
    pytest.param("30", None, 2.5, 32.5, id="4.2.3-response-delay"),
    pytest.param(None, 0, 2.5, 2.5, id="4.2.3-response-delay-without-age"),
    pytest.param(None, -7200, 0.0, 7200.0, id="4.2.3-apparent-age"),
    pytest.param("9000", -7200, 1.0, 9001.0, id="4.2.3-the-greater-of-both"),
    pytest.param("10", -7200, 1.0, 7200.0, id="4.2.3-the-greater-of-both-is-apparent"),
    pytest.param(None, 300, 0.0, 0.0, id="4.2.3-date-in-the-future"),
    pytest.param("15", 300, 0.0, 15.0, id="4.2.3-age-though-date-is-in-the-future"),
    pytest.param(None, None, -5.0, 0.0, id="4.2.3-clock-set-back"),
    pytest.param("7200, 0", None, 0.0, 7200.0, id="5.1-first-of-several-old"),
    pytest.param("0,7200", None, 0.0, 0.0, id="5.1-first-of-several-young"),
    pytest.param(" 7 ", None, 0.0, 7.0, id="5.1-spaces"),
    pytest.param("2147483649", None, 0.0, float(LONGEST), id="1.2.2-more-than-31-bits"),
    pytest.param("9" * 5000, None, 0.0, float(LONGEST), id="1.2.2-thousands-of-digits"),
    pytest.param("abc", None, 0.0, 0.0, id="5.1-not-a-number"),
    pytest.param("-7200", None, 0.0, 0.0, id="5.1-negative"),
    pytest.param("7200.0", None, 0.0, 0.0, id="5.1-decimal"),
    pytest.param("7200;foo=bar", None, 0.0, 0.0, id="5.1-parameter"),
    pytest.param(", 7200", None, 0.0, 0.0, id="5.1-first-is-empty"),
    pytest.param("", None, 0.0, 0.0, id="5.1-empty"),
]


@pytest.mark.parametrize(("age", "date", "delay", "expected"), AGES)
def test_age_on_arrival(age: str | None, date: int | None, delay: float, expected: float) -> None:
    """The greater of what Age and Date say; an invalid Age says nothing."""
    moment = None if date is None else int(NOW) + date
    assert initial_age(age, moment, NOW - delay, NOW) == pytest.approx(expected)


def test_what_was_made_within_this_second_has_no_age() -> None:
    """RFC 9111 section 4.2.3: Date has no fractions, so those of the clock don't count either."""
    assert initial_age(None, int(NOW), NOW + 0.9, NOW + 0.9) == 0


LIFETIMES = [
    pytest.param("", None, 0, None, id="4.2.1-nothing-said"),
    pytest.param("public", None, 0, None, id="4.2.1-nothing-about-time"),
    pytest.param("max-age=60", None, 0, 60, id="5.2.2.1-max-age"),
    pytest.param("max-age=0", 3600, 0, 0, id="4.2.1-max-age-before-expires"),
    pytest.param("max-age=60", "0", 0, 60, id="4.2.1-max-age-before-invalid-expires"),
    pytest.param("max-age=60, s-maxage=5", None, 0, 5, id="5.2.2.10-s-maxage-first"),
    pytest.param("s-maxage=60, max-age=5", -10, 0, 60, id="5.2.2.10-s-maxage-though-longer"),
    pytest.param("max-age=99999999999", None, 0, LONGEST, id="1.2.2-bounded"),
    pytest.param("max-age=60, max-age=5", None, 0, 60, id="4.2.1-first-of-two"),
    pytest.param("max-age=-60", None, 0, 0, id="4.2.1-negative-is-stale"),
    pytest.param("max-age=60.0", 3600, 0, 0, id="4.2.1-decimal-is-stale"),
    pytest.param("max-age", 3600, 0, 0, id="4.2.1-no-number-is-stale"),
    pytest.param("max-age = 60", 3600, 0, 0, id="4.2.1-spaces-are-stale"),
    pytest.param("s-maxage=x, max-age=60", None, 0, 0, id="4.2.1-invalid-s-maxage-is-stale"),
    pytest.param("", 3600, 0, 3600, id="5.3-expires"),
    pytest.param("", 20, 10, 10, id="5.3-expires-minus-date"),
    pytest.param("", 300, 400, 0, id="5.3-before-date"),
    pytest.param("", 0, 0, 0, id="5.3-now"),
    pytest.param("", -3600, 0, 0, id="5.3-past"),
    pytest.param("", 10, None, 10, id="9110-6.6.1-no-date"),
    pytest.param("", "0", 0, 0, id="5.3-zero"),
    pytest.param("", "", 0, 0, id="5.3-empty"),
    pytest.param("", "Thu, 18 Aug 2050 02:01:18 UTC", 0, 0, id="5.3-other-zone"),
    pytest.param("", "Fri, 31 Dec 9999 23:59:59 GMT", 0, LONGEST, id="1.2.2-expires-bounded"),
]


@pytest.mark.parametrize(("cache_control", "expires", "date", "seconds"), LIFETIMES)
def test_a_stated_lifetime(
    cache_control: str, expires: int | str | None, date: int | None, seconds: float | None
) -> None:
    """s-maxage, max-age, Expires, in this order; what can't be read is stale."""
    text = format_date(NOW + expires) if isinstance(expires, int) else expires
    moment = None if date is None else int(NOW) + date
    assert explicit_lifetime(parse_directives(cache_control), text, moment, NOW) == seconds


GUESSES = [
    pytest.param(None, 0, 0.0, id="4.2.2-no-last-modified"),
    pytest.param("x", 0, 0.0, id="4.2.2-invalid"),
    pytest.param(-100, 0, 10.0, id="4.2.2-a-tenth"),
    pytest.param(-100, None, 10.0, id="4.2.2-no-date"),
    pytest.param(-100, 100, 20.0, id="4.2.2-by-date"),
    pytest.param(-86400, 0, 60.0, id="4.2.2-at-most"),
    pytest.param(0, 0, 0.0, id="4.2.2-just-now"),
    pytest.param(100, 0, 0.0, id="4.2.2-in-the-future"),
]


@pytest.mark.parametrize(("last_modified", "date", "seconds"), GUESSES)
def test_a_guess(last_modified: int | str | None, date: int | None, seconds: float) -> None:
    """A fraction of the time since the last change, bounded."""
    text = format_date(NOW + last_modified) if isinstance(last_modified, int) else last_modified
    moment = None if date is None else int(NOW) + date
    assert heuristic_lifetime(text, moment, NOW, 0.1, 60.0) == pytest.approx(seconds)
