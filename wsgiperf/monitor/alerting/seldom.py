"""Complaints that come once a minute at most, whatever fails each second."""

from __future__ import annotations

from logging import getLogger
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Seldom"]

#: Seconds between two complaints about one thing.
PAUSE = 60.0

_log = getLogger("wsgiperf.monitor")


class Seldom:
    """Logs what failed, but not each time.

    :param pause: seconds between two complaints about one thing.
    """

    def __init__(self, pause: float = PAUSE, clock: Callable[[], float] = monotonic) -> None:
        self._pause, self._clock = pause, clock
        self._next: dict[str, float] = {}

    def warn(self, what: str, error: object) -> None:
        """Log that `what` failed.

        :param what: of a few kinds, as each is remembered.
        :param error: an exception, or a sentence.
        """
        now = self._clock()
        if now < self._next.get(what, now):
            return
        self._next[what] = now + self._pause
        reason = f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else str(error)
        # What a receiver or a service said may be in it.
        _log.warning("%s failed: %s", what, reason[:500].encode("unicode_escape").decode("ascii"))
