"""What can happen in an exchange, as small immutable records.

A part appends them to `Exchange.events`; whoever is interested - Server-Timing, a log, a test, a monitor -
reads that one list. Nobody here knows who listens.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Cached", "Compressed", "Span", "Timed"]


class Cached(NamedTuple):
    """The cache answered.

    :param how: ``"hit"``; ``"stale"`` for a response that is refreshed meanwhile or that the client allowed;
        ``"collapsed"`` for one that another request led to.
    """

    how: str


class Compressed(NamedTuple):
    """A response body was encoded as a whole (a streamed body's size is not known when its head goes out).

    :param coding: the content coding, such as ``"br"``.
    :param before: the body's size in bytes.
    :param after: the encoded size in bytes.
    """

    coding: str
    before: int
    after: int


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
