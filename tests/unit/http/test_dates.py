"""Dates in header fields, RFC 9110 section 5.6.7."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.http import dates
from wsgiperf.http.dates import format_date, parse_date

MOMENT = 784111777  # the example of the standard
NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z

READ = [
    pytest.param("Sun, 06 Nov 1994 08:49:37 GMT", MOMENT, id="5.6.7-imf-fixdate"),
    pytest.param("Sunday, 06-Nov-94 08:49:37 GMT", MOMENT, id="5.6.7-rfc850"),
    pytest.param("Sun Nov  6 08:49:37 1994", MOMENT, id="5.6.7-asctime"),
    pytest.param("Wed Nov 16 08:49:37 1994", MOMENT + 864000, id="5.6.7-asctime-two-digit-day"),
    pytest.param(" \tSun, 06 Nov 1994 08:49:37 GMT ", MOMENT, id="5.5-spaces-around"),
    pytest.param("SUN, 06 Nov 1994 08:49:37 GMT", MOMENT, id="9111-4.2-case-of-weekday"),
    pytest.param("Sun, 06 NOV 1994 08:49:37 GMT", MOMENT, id="9111-4.2-case-of-month"),
    pytest.param("Sun, 06 Nov 1994 08:49:37 gMT", MOMENT, id="9111-4.2-case-of-zone"),
    pytest.param("Mon, 06 Nov 1994 08:49:37 GMT", MOMENT, id="5.6.7-wrong-weekday"),
    pytest.param("Thu, 01 Jan 1970 00:00:00 GMT", 0, id="5.6.7-epoch"),
    pytest.param("Wed, 31 Dec 1969 23:59:59 GMT", -1, id="5.6.7-before-epoch"),
    pytest.param("Tue, 19 Jan 2038 14:14:08 GMT", 2147523248, id="5.6.7-beyond-32-bits"),
    pytest.param("Sun, 21 Nov 2286 04:46:39 GMT", 10_000_039_599, id="5.6.7-far-future"),
    pytest.param("Tue, 29 Feb 2000 00:00:00 GMT", 951782400, id="5.6.7-leap-day"),
    pytest.param("Sat, 31 Dec 2016 23:59:60 GMT", 1483228799, id="5.6.7-leap-second"),
    pytest.param("Mon, 29 Feb 1900 00:00:00 GMT", None, id="5.6.7-no-leap-year-1900"),
    pytest.param("Tue, 30 Feb 2016 00:00:00 GMT", None, id="5.6.7-30-february"),
    pytest.param("Sun, 00 Nov 1994 08:49:37 GMT", None, id="5.6.7-day-0"),
    pytest.param("Sun, 31 Nov 1994 08:49:37 GMT", None, id="5.6.7-31-november"),
    pytest.param("Sun, 06 Nov 1994 24:00:00 GMT", None, id="5.6.7-hour-24"),
    pytest.param("Sun, 06 Nov 1994 08:60:37 GMT", None, id="5.6.7-minute-60"),
    pytest.param("Sun, 06 Nov 1994 08:49:61 GMT", None, id="5.6.7-second-61"),
    pytest.param("Sun, 06 Nov 1994 08:49:37 UTC", None, id="9111-4.2-utc"),
    pytest.param("Sun, 06 Nov 1994 08:49:37 AEST", None, id="9111-4.2-other-zone"),
    pytest.param("Sun, 06 Nov 1994 08:49:37", None, id="5.6.7-no-zone"),
    pytest.param("Sun, 06 Nov 94 08:49:37 GMT", None, id="5.6.7-two-digit-year"),
    pytest.param("Sun 06 Nov 1994 08:49:37 GMT", None, id="5.6.7-no-comma"),
    pytest.param("Sun,06 Nov 1994 08:49:37 GMT", None, id="5.6.7-no-space"),
    pytest.param("Sun, 06  Nov  1994 08:49:37 GMT", None, id="5.6.7-spaces-within"),
    pytest.param("Sun, 06-Nov-1994 08:49:37 GMT", None, id="5.6.7-dashes"),
    pytest.param("Sun, 06 Nov 1994 08.49.37 GMT", None, id="5.6.7-dots"),
    pytest.param("Sun, 06 Nov 1994 8:49:37 GMT", None, id="5.6.7-one-digit-hour"),
    pytest.param("Sun, 6 Nov 1994 08:49:37 GMT", None, id="5.6.7-one-digit-day"),
    pytest.param("Son, 06 Nov 1994 08:49:37 GMT", None, id="5.6.7-no-weekday"),
    pytest.param("Sun, 06 Okt 1994 08:49:37 GMT", None, id="5.6.7-no-month"),
    pytest.param("Sun, 06-Nov-94 08:49:37 GMT", None, id="5.6.7-rfc850-short-weekday"),
    pytest.param("Sunday, 06 Nov 1994 08:49:37 GMT", None, id="5.6.7-long-weekday"),
    pytest.param("Sun, 06 Nov 1994 08:49:37 GMT, x", None, id="5.6.7-text-after"),
    pytest.param("Sun Nov  6 08:49:37 1994 GMT", None, id="5.6.7-asctime-zone"),
    pytest.param("Sun Nov 06 08:49:37_1994", None, id="5.6.7-asctime-separator"),
    pytest.param("Sun, +6 Nov 1994 08:49:37 GMT", None, id="5.6.7-sign"),
    pytest.param("Sun, \u0660\u0666 Nov 1994 08:49:37 GMT", None, id="5.6.7-other-digits"),
    pytest.param("Sun, \xb26 Nov 1994 08:49:37 GMT", None, id="5.6.7-latin-1-digit"),
    pytest.param("0", None, id="9111-5.3-zero"),
    pytest.param("-1", None, id="9111-5.3-minus-one"),
    pytest.param("", None, id="5.6.7-empty"),
]


@pytest.mark.parametrize(("value", "seconds"), READ)
def test_a_date_is_read(value: str, seconds: int | None) -> None:
    """Three forms in either case, and nothing else."""
    assert parse_date(value) == seconds


YEARS = [
    pytest.param("94", "06", 1994, id="5.6.7-past-century"),
    pytest.param("26", "01", 2026, id="5.6.7-this-year"),
    pytest.param("50", "18", 2050, id="5.6.7-ahead"),
    pytest.param("75", "31", 2075, id="5.6.7-49-years-ahead"),
    pytest.param("76", "01", 2076, id="5.6.7-50-years-ahead-to-the-second"),
    pytest.param("76", "02", 1976, id="5.6.7-a-day-more-than-50-years"),
    pytest.param("77", "01", 1977, id="5.6.7-51-years-ahead"),
]


@pytest.mark.parametrize(("short", "day", "year"), YEARS)
def test_a_year_of_two_digits(short: str, day: str, year: int) -> None:
    """More than 50 years ahead is the past."""
    seconds = dates._rfc850(short, "jan", day, "00:00:00", NOW)
    assert seconds == datetime(year, 1, int(day), tzinfo=UTC).timestamp()


def test_a_year_of_two_digits_near_the_end_of_a_century() -> None:
    """In 2099 the year 05 is six years ahead, and 29 February is no obstacle where a century has none."""
    late = datetime(2099, 6, 1, tzinfo=UTC).timestamp()
    assert dates._rfc850("05", "jan", "01", "00:00:00", late) == datetime(2105, 1, 1, tzinfo=UTC).timestamp()
    assert dates._rfc850("00", "feb", "29", "00:00:00", late) == datetime(2000, 2, 29, tzinfo=UTC).timestamp()
    assert dates._rfc850("01", "feb", "29", "00:00:00", late) is None


@given(st.integers(0, 253402300799))
def test_every_second_comes_back(seconds: int) -> None:
    """As the standard library writes it, and read as what it was."""
    text = format_date(seconds)
    assert text == formatdate(seconds, usegmt=True)
    assert parse_date(text) == seconds == parsedate_to_datetime(text).timestamp()
    asctime = datetime.fromtimestamp(seconds, UTC)
    assert parse_date(f"{asctime:%a %b} {asctime.day:2} {asctime:%H:%M:%S} {asctime.year:04}") == seconds


@given(st.text() | st.text("SunNov GMT,-:0169 ", min_size=20, max_size=32))
def test_any_text_is_answered(value: str) -> None:
    """No value raises."""
    assert parse_date(value) is None or isinstance(parse_date(value), int)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(MOMENT + 0.999, "Sun, 06 Nov 1994 08:49:37 GMT", id="5.6.7-fraction-cut-off"),
        pytest.param(-5, "Thu, 01 Jan 1970 00:00:00 GMT", id="5.6.7-below"),
        pytest.param(float("inf"), "Fri, 31 Dec 9999 23:59:59 GMT", id="5.6.7-above"),
    ],
)
def test_a_date_is_written(seconds: float, text: str) -> None:
    """Always the one form, whatever was written before."""
    format_date(0)
    assert format_date(seconds) == text == format_date(seconds)
