"""How old a response is, and for how long it is fresh: RFC 9111 section 4.2. Pure arithmetic on seconds."""

from __future__ import annotations

from collections.abc import Mapping

from .cache_control import LONGEST, delta_seconds
from .dates import parse_date

__all__ = ["HEURISTIC_STATUSES", "explicit_lifetime", "heuristic_lifetime", "initial_age"]

#: RFC 9110 section 15.1: what may be stored with a lifetime that no one stated.
HEURISTIC_STATUSES = frozenset((200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501))


def initial_age(age: str | None, date: int | None, requested: float, received: float) -> float:
    """How many seconds old a response is at the moment it arrives.

    :param age: the Age field. Of several values the first counts; one that isn't a number counts for nothing
        (section 5.1).
    :param date: the moment in the Date field; None where there is none, or none that can be read. Servers put
        in their own Date: call this with the application's.
    :param requested: when the request was sent on, wall clock.
    :param received: when the head of the response was there, wall clock.

    Source: RFC 9111 section 4.2.3.
    """
    delay = max(0.0, received - requested)
    stated = delta_seconds(age.partition(",")[0].strip(" \t")) if age else None
    corrected = (stated or 0) + delay
    if date is None:
        return corrected
    # A Date has whole seconds: what was made within this one is of no age.
    return max(float(int(received) - date), corrected)


def explicit_lifetime(
    directives: Mapping[str, str | None], expires: str | None, date: int | None, received: float
) -> float | None:
    """For how many seconds a shared cache may use the response, as far as the response says so.

    s-maxage comes before max-age, that before Expires. A value that can't be read means: stale already.

    :param directives: from Cache-Control or the targeted field in its place.
    :param expires: the first Expires field; None where a targeted field rules it out (RFC 9213 section 2.2).
    :param date: the moment in the Date field; without one `received` is used (RFC 9110 section 6.6.1).
    :param received: when the head of the response was there, wall clock.
    :returns: None where it says nothing.

    Source: RFC 9111 sections 4.2.1, 5.2.2.1, 5.2.2.10 and 5.3.
    """
    if "s-maxage" in directives:
        return float(delta_seconds(directives["s-maxage"]) or 0)
    if "max-age" in directives:
        return float(delta_seconds(directives["max-age"]) or 0)
    if expires is None:
        return None
    until = parse_date(expires)
    if until is None:
        return 0.0
    return float(min(LONGEST, max(0, until - (int(received) if date is None else date))))


def heuristic_lifetime(
    last_modified: str | None, date: int | None, received: float, fraction: float, maximum: float
) -> float:
    """A guess, where the response says nothing: what hasn't changed for long won't change soon.

    Whether one may guess at all is for the caller to say: by status, directives and request.

    :param last_modified: the Last-Modified field; without it, or with one in the future, the guess is 0.
    :param date: as for `explicit_lifetime`.
    :param received: likewise.
    :param fraction: of the time since then; section 4.2.2 names 0.1 as typical.
    :param maximum: in seconds.

    Source: RFC 9111 section 4.2.2.
    """
    modified = parse_date(last_modified) if last_modified else None
    if modified is None:
        return 0.0
    unchanged = (int(received) if date is None else date) - modified
    return max(0.0, min(unchanged * fraction, maximum))
