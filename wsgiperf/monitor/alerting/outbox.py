"""Changes on their way to the sinks: none lost, and each told once where nobody dies.

A change is *pending* for each sink at first. Before it is sent it becomes *claimed*, and the board that says
so is written; once the sink returned, it leaves the board. Who takes over from a dead process finds on the
board what it had not finished, and sends it: the pending for the first time, the claimed perhaps for the
second, as nobody can know whether the dead one got to it. To lose an alert would be worse than to tell it
twice, and a receiver knows a repeat by its ID.

Each sink has a queue and a thread of its own, which lives while there is something to send: one that hangs or
is tried again and again keeps neither the sampler nor the other sinks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from wsgiperf.monitor.alerting.records import Change, change_of, each_of
from wsgiperf.monitor.alerting.seldom import Seldom
from wsgiperf.monitor.alerting.sinks import DeliveryError

if TYPE_CHECKING:
    from wsgiperf.monitor.alerting.sinks import Sink

__all__ = ["Outbox"]

#: Changes that wait for one sink; beyond, the oldest is given up.
MOST = 100
#: Seconds before each further attempt, where a sink asks for one.
PAUSES = (1.0, 2.0, 4.0, 8.0)

#: Seconds after which a sink that hasn't returned is complained of: more than all attempts take.
HANGS = 60.0

PENDING, CLAIMED, SENDING = "pending", "claimed", "sending"


class Outbox:
    """All sinks' queues.

    :param sinks: the same in all processes, in the same order.
    :param pauses: seconds before the second attempt, the third, and so on.
    :param wait: lets so many seconds pass.
    :param on_done: called by a sink's thread whenever the state has changed, so that the board may say so.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        *,
        pauses: Sequence[float] = PAUSES,
        wait: Callable[[float], object] | None = None,
        on_done: Callable[[], object] = lambda: None,
    ) -> None:
        pause = wait or threading.Event().wait
        self._lanes = [
            _Lane(f"{number} {_name(sink)}", sink, pauses, pause, on_done)
            for number, sink in enumerate(sinks)
        ]
        for sink in sinks:
            prepare = getattr(sink, "prepare", None)
            if callable(prepare):
                _guarded(prepare)

    def add(self, changes: Iterable[Change]) -> None:
        """Changes to be told, the oldest first."""
        for change in changes:
            for lane in self._lanes:
                lane.add(change)

    def claim(self) -> None:
        """Mark what is pending as about to be sent. Write the board after this, and `send` after that."""
        for lane in self._lanes:
            lane.claim()

    def send(self) -> None:
        """Have what is claimed sent, without waiting for it."""
        for lane in self._lanes:
            lane.send()

    def discard(self) -> None:
        """Send nothing more: another process has taken over."""
        for lane in self._lanes:
            lane.discard()

    def state(self) -> list[dict[str, Any]]:
        """What isn't delivered, for the board: each change with how far it is for each sink."""
        found: dict[str, dict[str, Any]] = {}
        for lane in self._lanes:
            for change, status in lane.waiting():
                record = {**change.record(), "number": change.number, "sinks": {}}
                found.setdefault(change.delivery, record)["sinks"][lane.name] = status
        return list(found.values())

    def restore(self, state: object) -> None:
        """Go on from what another process left. What can't be read is left out; nothing is raised."""
        by_name = {lane.name: lane for lane in self._lanes}
        for change, names in each_of(state, _left_over, MOST * max(1, len(self._lanes))):
            for name in names:
                if name in by_name:
                    by_name[name].add(change)


class _Lane:
    """One sink's queue, in the order in which changes came."""

    def __init__(
        self,
        name: str,
        sink: Sink,
        pauses: Sequence[float],
        wait: Callable[[float], object],
        on_done: Callable[[], object],
    ) -> None:
        self.name, self._on_done = name, on_done
        self._sink, self._pauses, self._wait = sink, pauses, wait
        self._lock = threading.Lock()
        self._items: dict[str, tuple[Change, str]] = {}  # by delivery
        self._busy, self._began = False, 0.0  # whether a thread is at it, and since when at this one
        self._complaints = Seldom()

    def add(self, change: Change) -> None:
        with self._lock:
            self._items.setdefault(change.delivery, (change, PENDING))
            full = len(self._items) > MOST
            if full:
                # The first may be under way just now.
                del self._items[list(self._items)[1]]
        if full:
            self._complaints.warn(f"telling {self.name} of an alert", "too many wait for it")

    def claim(self) -> None:
        self._advance(PENDING, CLAIMED)

    def send(self) -> None:
        self._advance(CLAIMED, SENDING)
        with self._lock:
            hangs = self._busy and monotonic() - self._began > HANGS
            start = not self._busy and self._next() is not None
            self._busy = self._busy or start
        if hangs:
            self._complaints.warn(f"telling {self.name} of an alert", f"no end after {HANGS:.0f} s")
        if not start:
            return
        self._began = monotonic()
        try:
            threading.Thread(target=self._work, name="wsgiperf-alerts", daemon=True).start()
        except RuntimeError as error:  # no thread to be had: at the next turn
            self._busy = False
            self._complaints.warn("starting a thread for alerts", error)

    def discard(self) -> None:
        with self._lock:
            self._items.clear()

    def waiting(self) -> list[tuple[Change, str]]:
        with self._lock:
            return [(change, PENDING if s == PENDING else CLAIMED) for change, s in self._items.values()]

    def _advance(self, before: str, after: str) -> None:
        with self._lock:
            for delivery, (change, status) in self._items.items():
                if status == before:
                    self._items[delivery] = change, after

    def _next(self) -> Change | None:
        return next((change for change, status in self._items.values() if status == SENDING), None)

    def _work(self) -> None:
        while True:
            with self._lock:
                change = self._next()
                if change is None:
                    self._busy = False
                    return
            self._deliver(change)
            with self._lock:
                self._items.pop(change.delivery, None)
            self._on_done()

    def _deliver(self, change: Change) -> None:
        self._began = monotonic()
        for pause in (*self._pauses, None):
            error = _guarded(self._sink, change)
            if error is None:
                return
            self._complaints.warn(f"telling {self.name} of an alert", error)
            if pause is None or not isinstance(error, DeliveryError):
                return
            self._wait(pause)
            if change.delivery not in self._items:
                return  # discarded, or given up


def _guarded(call: Callable[..., object], *arguments: object) -> BaseException | None:
    try:
        call(*arguments)
    except (Exception, SystemExit) as error:  # a sink that exits ends nobody's thread
        return error
    return None


def _name(sink: Sink) -> str:
    # Never its repr, which may have a URL in it; and the same in all processes.
    name = getattr(sink, "__name__", None) or type(sink).__name__
    return str(name)[:50]


def _left_over(given: Mapping[str, Any]) -> tuple[Change, list[str]]:
    return change_of(given), [name for name in given["sinks"] if isinstance(name, str)]
