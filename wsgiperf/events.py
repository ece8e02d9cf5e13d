"""What can happen in an exchange, as small immutable records.

A part appends them to `Exchange.events`; whoever is interested - Server-Timing, a log, a test, a monitor -
reads that one list. Nobody here knows who listens.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Cached", "Compressed", "Raised", "Span", "Timed"]


class Cached(NamedTuple):
    """The cache answered, or could have.

    :param how: ``"hit"``; ``"stale"`` for a response that is refreshed meanwhile or that the client allowed;
        ``"collapsed"`` for one that another request led to; ``"miss"`` where the application answered, and
        what it said is stored. Of what can't be stored nothing is told.
    """

    how: str


class Compressed(NamedTuple):
    """A response body was encoded as a whole (a streamed body's size is not known when its head goes out).

    :param coding: the content coding, such as ``"br"``.
    :param before: the body's size in bytes.
    :param after: the encoded size in bytes.
    :param seconds: how long that took; 0 where it was done before.
    """

    coding: str
    before: int
    after: int
    seconds: float = 0.0


class Raised(NamedTuple):
    """The application raised an exception that its framework turned into a response.

    :param kind: the exception's type, with its module unless it is a built-in one.
    :param message: fit to be shown: bounded, without what looks like a secret.
    :param severity: ``"error"``, or ``"critical"`` where it isn't about this one request.
    """

    kind: str
    message: str
    severity: str


class Span(NamedTuple):
    """A named piece of the application's work took `seconds`, begun `started` (perf_counter seconds)."""

    name: str
    started: float
    seconds: float


class Timed(NamedTuple):
    """The exchange is over.

    :param head_seconds: from the start to the head of the response; None where no head was sent.
    :param seconds: from the start to the last byte, or to the moment the client left.
    """

    head_seconds: float | None
    seconds: float
