"""Leases that are renewed for as long as the work takes.

A lease has a short term, so that others need not wait long for one who died; the work may take longer. One
daemon thread per process renews all that are held. It dies with the process, and then they lapse.
"""

from __future__ import annotations

from collections.abc import Callable
from logging import getLogger
from os import getpid
from threading import Condition, Thread
from time import monotonic
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from wsgiperf.cache.stores.protocol import Lease

__all__ = ["KeptLease", "LeaseKeeper"]

NEVER = float("inf")

logger = getLogger(__name__)


class KeptLease:
    """A lease while it is kept. Nobody renews it once this object is gone."""

    __slots__ = ("__weakref__", "_due", "_lapses", "_lease", "_over", "_term", "lost", "released")

    def __init__(self, lease: Lease, term: float, now: float, longest: float) -> None:
        self._lease, self._term = lease, term
        self._due, self._lapses, self._over = now + term / 3, now + term, now + longest
        self.lost = False  #: another may have it
        self.released = False

    def renew(self) -> bool:
        """Hold it for as long again; False where it is lost. The keeper does so in time."""
        if self.released or self.lost:
            return False
        if not self._lease.renew():
            self.lost = True
        return not self.lost

    def release(self) -> None:
        """Let others have it. Doing so twice does no harm."""
        if not self.released:
            self.released = True
            self._lease.release()

    def _renew_at(self, now: float) -> bool:
        """Renew it if it is time to; whether it is to be looked at again."""
        if self.released or self.lost or now >= self._over:
            return False
        if now >= self._due:
            try:
                if not self.renew():
                    return False
                self._lapses = now + self._term
            except Exception as error:  # may not be lost: there is time for another try
                logger.info("a lease could not be renewed: %s", error)
                self.lost = now >= self._lapses
            self._due = now + self._term / 3
        return not self.lost


class _Process:
    """What one process keeps. A child process begins with nothing: the leases are its parent's."""

    def __init__(self) -> None:
        self.pid = getpid()
        self.changed = Condition()
        self.kept: list[ref[KeptLease]] = []
        self.thread: Thread | None = None


class LeaseKeeper:
    """Renews leases every third of their term, until they are released, lost, forgotten or held too long.

    :param longest: seconds that one is renewed for: a leader that hangs is none for ever.
    :param most: leases kept at once; those beyond are not renewed.
    :param threaded: False leaves the renewing to `renew_due`, for tests.
    """

    def __init__(
        self,
        *,
        longest: float = 60.0,
        most: int = 1024,
        clock: Callable[[], float] = monotonic,
        threaded: bool = True,
    ) -> None:
        self._longest, self._most, self._clock, self._threaded = longest, most, clock, threaded
        self._process = _Process()

    def keep(self, lease: Lease, seconds: float) -> KeptLease:
        """Have a lease renewed.

        :param seconds: its term, which began just now.
        :returns: stands for the lease; hold on to it, and release it.
        """
        kept = KeptLease(lease, seconds, self._clock(), self._longest)
        process = self._process
        if process.pid != getpid():
            process = self._process = _Process()
        with process.changed:
            if len(process.kept) < self._most:
                process.kept.append(ref(kept))
                if self._threaded:
                    self._wake(process)
        return kept

    def renew_due(self) -> float | None:
        """Renew what is due; seconds until the next is, None where nothing is kept."""
        return self._renew_due(self._process)

    def _wake(self, process: _Process) -> None:
        if process.thread is None or not process.thread.is_alive():
            thread = Thread(target=self._run, args=(process,), name="wsgiperf-leases", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter ends, or can't have another thread: leases lapse
                return
            process.thread = thread
        process.changed.notify()

    def _run(self, process: _Process) -> None:
        while True:
            self._renew_due(process)
            with process.changed:
                # Asked for again, with the lock: another may have come in meanwhile.
                process.changed.wait(self._wait(process))

    def _renew_due(self, process: _Process) -> float | None:
        with process.changed:
            references = process.kept[:]
        for reference in references:
            kept = reference()
            # Without the lock: the store may be slow.
            if kept is not None and not kept._renew_at(self._clock()):
                kept._due = NEVER
        with process.changed:
            return self._wait(process)

    def _wait(self, process: _Process) -> float | None:
        """Seconds until the next is due; forgets those that never are."""
        dues = [(kept._due, reference) for reference in process.kept if (kept := reference()) is not None]
        process.kept = [reference for due, reference in dues if due != NEVER]
        soonest = min((due for due, _ in dues), default=NEVER)
        return None if soonest == NEVER else max(0.0, soonest - self._clock())
