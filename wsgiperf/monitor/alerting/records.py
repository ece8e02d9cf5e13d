"""An alert and what is told of it, and both read back from a board that may say anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple, TypeVar

from wsgiperf.alert_rules import METRICS, SEVERITIES

__all__ = ["Alert", "Change", "change_of", "each_of", "number"]

T = TypeVar("T")

LONGEST_ID, LONGEST_SUBJECT, LONGEST_MESSAGE = 64, 100, 500


class Change(NamedTuple):
    """An alert fired, or cleared. What sinks are called with."""

    id: str  #: the alert's: the same from when it fires until it clears, whatever happens to workers
    event: str  #: ``fired`` (also where its severity rose meanwhile) or ``cleared``
    at: float  #: seconds since the epoch
    metric: str  #: one of `METRICS`
    severity: str  #: one of `SEVERITIES`; of one that cleared, the most severe it was
    subject: str | None  #: which service, for ``health``
    value: float | None  #: in the metric's unit; None where there is nothing to measure any more
    threshold: float
    message: str  #: a sentence for people
    number: int = 1  #: which of its alert's changes it is

    @property
    def delivery(self) -> str:
        """The same for each attempt to deliver this change, and no other's."""
        return f"{self.id}-{self.number}"

    def record(self) -> dict[str, Any]:
        """As the journal has it."""
        record = self._asdict()
        del record["number"]
        return record


@dataclass(slots=True)
class Alert:
    """One that is active."""

    id: str
    metric: str
    severity: str
    subject: str | None
    value: float | None
    threshold: float
    message: str
    since: float
    worst: str  #: the most severe it was
    told: int = 0  #: how many changes of it

    def record(self) -> dict[str, Any]:
        """As the board shows it."""
        return {
            "id": self.id,
            "metric": self.metric,
            "severity": self.severity,
            "subject": self.subject,
            "value": self.value,
            "threshold": self.threshold,
            "message": self.message,
            "since": self.since,
        }

    @classmethod
    def of(cls, given: Mapping[str, Any], more: object) -> Alert:
        """One from its record, and from the worst severity and the number of changes told.

        :raises ValueError: for what is none; KeyError and TypeError likewise.
        """
        common = _common(given)
        worst, told = more if isinstance(more, (list, tuple)) and len(more) == 2 else (given["severity"], 1)
        return cls(since=_time(given["since"]), worst=_word(worst, SEVERITIES), told=_count(told), **common)


def change_of(given: Mapping[str, Any]) -> Change:
    """A change from its record.

    :raises ValueError: for what is none; KeyError and TypeError likewise.
    """
    return Change(
        event=_word(given["event"], ("fired", "cleared")),
        at=_time(given["at"]),
        number=_count(given.get("number", 1)),
        **_common(given),
    )


def each_of(given: object, read: Callable[[Any], T], most: int) -> list[T]:
    """The first items of what should be a list, without those that can't be read."""
    found = []
    for each in given[:most] if isinstance(given, list) else ():
        try:
            found.append(read(each))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            continue
    return found


def _common(given: Mapping[str, Any]) -> dict[str, Any]:
    subject, value = given["subject"], given["value"]
    return {
        "id": _id(given["id"]),
        "metric": _word(given["metric"], METRICS),
        "severity": _word(given["severity"], SEVERITIES),
        "subject": None if subject is None else _text(subject)[:LONGEST_SUBJECT],
        "value": None if value is None else number(value),
        "threshold": number(given["threshold"]),
        "message": _text(given["message"])[:LONGEST_MESSAGE],
    }


def _id(value: object) -> str:
    identity = _text(value)
    # It goes into a header field.
    if not identity.isascii() or not identity.isalnum() or len(identity) > LONGEST_ID:
        raise ValueError(value)
    return identity


def _word(value: object, among: Any) -> str:
    word = _text(value)
    if word not in among:
        raise ValueError(value)
    return word


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def number(value: object) -> float:
    """A finite number, as a float; ValueError for anything else."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not isfinite(value):
        raise ValueError(value)
    return float(value)


def _time(value: object) -> float:
    time = number(value)
    if not 0 <= time < 2**40:
        raise ValueError(value)
    return time


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise ValueError(value)
    return value
