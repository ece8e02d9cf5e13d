"""When a server that failed may be asked again."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic

from wsgiperf.errors import WSGIPerfError

__all__ = ["Breaker", "StoreUnavailable"]


class StoreUnavailable(WSGIPerfError, RuntimeError):  # noqa: N818 - a state, which callers count as a miss
    """The store can't be reached, or doesn't answer in time."""


class Breaker:
    """Decides whether a server that failed may be asked again.

    It opens after some failures in a row, or one timeout, and lets nothing pass for a while; then one probe.
    If that fails too, the while grows.

    :param failures: in a row, that open it.
    :param shortest: seconds it stays open at first.
    :param longest: seconds it stays open at most.
    """

    __slots__ = ("_clock", "_failures", "_limit", "_lock", "_longest", "_pause", "_probing", "_shortest",
                 "_until", "troubled")  # fmt: skip

    def __init__(
        self,
        failures: int = 3,
        shortest: float = 0.5,
        longest: float = 10.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._limit, self._shortest, self._longest, self._clock = failures, shortest, longest, clock
        self._lock = Lock()
        self._failures, self._pause = 0, 0.0
        self._until: float | None = None  # None: closed
        self._probing = False
        self.troubled = False  #: something failed since the last success; while False, all may pass

    def allows(self) -> bool:
        """Whether this caller may ask the server; while it is open, one at a time."""
        with self._lock:
            if self._until is None:
                return True
            now = self._clock()
            if now < self._until:
                return False
            # A probe that never tells how it went is not waited for any longer than a failed one.
            self._until = now + self._pause
            self._probing = True
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failures, self._pause, self._until = 0, 0.0, None
            self._probing = self.troubled = False

    def failed(self, *, timeout: bool = False) -> None:
        with self._lock:
            self.troubled = True
            self._failures += 1
            if self._until is not None and not self._probing:
                return  # one of those that were under way when it opened
            if self._probing or timeout or self._failures >= self._limit:
                self._pause = min(max(self._shortest, self._pause * 2), self._longest)
                self._until = self._clock() + self._pause
                self._probing = False
