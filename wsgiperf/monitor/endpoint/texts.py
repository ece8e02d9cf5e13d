"""Texts and figures as the JSON has them: bounded, finite, and no longer than they need to be."""

from __future__ import annotations

import re
from typing import NamedTuple

from wsgiperf.monitor.endpoint.published import number

__all__ = ["LIMITS", "Limits", "clipped", "epoch", "percent", "ratio", "seconds"]

_CUT = "..."
_is_plain = re.compile(r"[ !#-%'-;=?-\[\]-~]*").fullmatch  # what stands in the JSON as it is


class Limits(NamedTuple):
    """How much of what has no bound of its own is shown."""

    text: int  #: bytes of a text, escaped
    rows: int  #: entries of a list of what happened, or of what was configured
    endpoints: int  #: rows of routes and methods
    charts: int  #: workers with a line of their own in the charts


#: The most first; the next ones are for when that would be too long.
LIMITS = (Limits(800, 100, 1500, 64), Limits(160, 100, 400, 16), Limits(60, 25, 240, 6))


def clipped(text: str, most: int) -> str:
    """The beginning of a text that takes so many bytes in the JSON, with dots for the rest."""
    if len(text) <= most and _is_plain(text):
        return text
    text = text[: most + 1].encode("utf-8", "replace").decode()
    room = most
    for at, character in enumerate(text):
        room -= 1 if _is_plain(character) else 6 if character < "\U00010000" else 12
        if room < 0:
            return text[:at] + _CUT
    return text


def seconds(value: object) -> float | None:
    """A duration, to the microsecond."""
    found = number(value)
    return None if found is None else round(found, 6)


def epoch(value: object) -> float | None:
    """A time of day, to the millisecond."""
    found = number(value)
    return None if found is None else round(found, 3)


def percent(part: float, of: float) -> float | None:
    """So many percent; None of nothing."""
    return round(100 * part / of, 2) if of else None


def ratio(part: float, of: float, decimals: int = 6) -> float | None:
    """So much of each; None of nothing."""
    return round(part / of, decimals) if of else None
