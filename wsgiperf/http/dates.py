"""Dates as header fields carry them: RFC 9110 section 5.6.7.

Three forms are read, one is written. Neither `datetime` nor `email` nor `calendar`, which imports the first,
is needed for it.
"""

from __future__ import annotations

import time

from .memo import memoised

__all__ = ["format_date", "parse_date"]

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FULL_WEEKDAYS = frozenset(
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
)
_SHORT_WEEKDAYS = frozenset(name.lower() for name in _WEEKDAYS)
_MONTH_OF = {name.lower(): number for number, name in enumerate(_MONTHS, 1)}
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

# 9999-12-31T23:59:59Z: a year of five digits has no place in the format.
_LAST = 253402300799


def _read(value: str) -> int | None:
    if not value.isascii():
        return None
    # RFC 9111 section 4.2 asks caches not to mind the case, and to take no other zone than GMT.
    text = value.strip(" \t").lower()
    if len(text) == 24:
        return _asctime(text)
    weekday, comma, rest = text.partition(", ")
    if not comma or rest[-4:] != " gmt":
        return None
    if len(rest) == 24 and weekday in _SHORT_WEEKDAYS and rest[2] == rest[6] == rest[11] == " ":
        return _seconds(rest[7:11], rest[3:6], rest[:2], rest[12:20])
    if len(rest) == 22 and weekday in _FULL_WEEKDAYS and rest[2] == rest[6] == "-" and rest[9] == " ":
        return _rfc850(rest[7:9], rest[3:6], rest[:2], rest[10:18], time.time())
    return None


def _asctime(text: str) -> int | None:
    """``Sun Nov  6 08:49:37 1994``, as C prints it."""
    spaces = text[3] == text[7] == text[10] == text[19] == " "
    if not spaces or text[:3] not in _SHORT_WEEKDAYS:
        return None
    day = "0" + text[9] if text[8] == " " else text[8:10]
    return _seconds(text[20:], text[4:7], day, text[11:19])


def _rfc850(short_year: str, month: str, day: str, clock: str, now: float) -> int | None:
    """Of the centuries that the year may belong to, the last that isn't more than 50 years ahead of `now`."""
    year, *rest = time.gmtime(now)[:6]
    for century in (year // 100 + 1, year // 100, year // 100 - 1):
        seconds = _seconds(f"{century:02}{short_year}", month, day, clock)
        # A 29 February exists in some of these years only.
        if seconds is not None:
            its_year, *its_rest = time.gmtime(seconds)[:6]
            if (its_year, its_rest) <= (year + 50, rest):
                return seconds
    return None


def _seconds(year: str, month: str, day: str, clock: str) -> int | None:
    digits = f"{year}{day}{clock[:2]}{clock[3:5]}{clock[6:]}"
    number = _MONTH_OF.get(month)
    if number is None or clock[2] != ":" or clock[5] != ":" or not digits.isdecimal():
        return None
    years, days = int(year), int(day)
    hours, minutes, seconds = int(clock[:2]), int(clock[3:5]), int(clock[6:])
    if not 1 <= days <= _LENGTHS[number - 1] or hours > 23 or minutes > 59 or seconds > 60:
        return None
    if number == 2 and days == 29 and (years % 4 or (years % 100 == 0 and years % 400)):
        return None
    # A leap second has no number of its own; the one before it is never too late for an Expires.
    return ((_days(years, number, days) * 24 + hours) * 60 + minutes) * 60 + min(seconds, 59)


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01, in the Gregorian calendar: years run from March, so that leap days end them."""
    year -= month <= 2
    in_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + in_year - 719468


_remembering = memoised(_read)


def parse_date(value: str) -> int | None:
    """The moment a Date, Expires, Last-Modified or If-Modified-Since field names.

    All three forms are taken, in upper or lower case; the weekday has to be one, but not the right one. A
    two-digit year more than 50 years ahead is one of the past. A zone other than GMT, a digit or space too
    many or too few, or a 30 February make it no date.

    :param value: one field's value; spaces and tabs around it don't matter.
    :returns: whole seconds since 1970, negative before; None where it is no date.

    Source: RFC 9110 section 5.6.7, RFC 9111 section 4.2.
    """
    return _remembering(value)


# The last second with its text: one tuple, so that a thread never sees half of it.
_last: tuple[int, str] = (-1, "")


def format_date(seconds: float) -> str:
    """The IMF-fixdate of a moment, ``Sun, 06 Nov 1994 08:49:37 GMT``.

    :param seconds: since 1970; fractions are cut off, what lies outside the years 1970 to 9999 is moved to
        their first or last second.

    Source: RFC 9110 section 5.6.7.
    """
    global _last
    whole = int(min(max(seconds, 0), _LAST))
    last, text = _last
    if last == whole:
        return text
    year, month, day, hour, minute, second, weekday, _, _ = time.gmtime(whole)
    text = (
        f"{_WEEKDAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} {hour:02}:{minute:02}:{second:02} GMT"
    )
    _last = (whole, text)
    return text
