"""The sampler: one worker of all looks after CPU, memory, health and alerts, once a second.

Each process has a thread that asks for the lead. The one that gets it does the work and writes the board; the
others ask again a second later, so when it dies another goes on within two, from what is on the board.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import getpid
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from wsgiperf.monitor.alerting.figures import figures_at
from wsgiperf.monitor.alerting.outbox import Outbox
from wsgiperf.monitor.alerting.seldom import Seldom
from wsgiperf.monitor.sampling.history import History

if TYPE_CHECKING:
    from wsgiperf.monitor.alerting.book import AlertBook
    from wsgiperf.monitor.alerting.sinks import Sink
    from wsgiperf.monitor.snapshot import Snapshot

__all__ = ["MOST_BYTES", "Board", "Health", "Processes", "Sampler", "Segment"]

T = TypeVar("T")

#: Bytes of the board's document.
MOST_BYTES = 512 * 1024
#: Seconds until a thread is tried to be started again where the system gives none.
PAUSE = 5.0


class Board(Protocol):
    """Where the document is that all workers read."""

    def write(self, document: bytes) -> None: ...

    def read(self) -> bytes: ...


class Segment(Protocol):
    """What decides who leads."""

    @property
    def board(self) -> Board: ...

    def try_lead(self) -> bool: ...


class Processes(Protocol):
    """What measures CPU and memory."""

    def sample(self, pids: Iterable[int], now: float) -> dict[str, Any]: ...


class Health(Protocol):
    """What runs health checks, without blocking."""

    def tick(self, now: float) -> None: ...

    def state(self, now: float) -> list[dict[str, Any]]: ...

    def restore(self, services: object) -> None: ...


class Sampler:
    """One process's part in it.

    :param segment: decides who leads, and has the board; `Alone` where nothing is shared.
    :param read_snapshot: the figures of all workers.
    :param processes: measures; its clock is `time.monotonic`.
    :param health: runs the checks; None for none.
    :param book: the alerts. It is this object's own from now on.
    :param sinks: told of alerts; the same in all processes, in the same order.
    :param interval: seconds between two turns.
    """

    def __init__(
        self,
        segment: Segment,
        read_snapshot: Callable[[], Snapshot],
        processes: Processes,
        health: Health | None,
        book: AlertBook,
        sinks: Sequence[Sink],
        interval: float = 1.0,
    ) -> None:
        self._segment, self._read_snapshot, self._processes = segment, read_snapshot, processes
        self._health, self._book, self._sinks, self._interval = health, book, sinks, interval
        self._complaints = Seldom()
        self._pid = 0  # of the process in which the thread runs
        self._claims: dict[int, object] = {}
        self._again = 0.0
        self._stopped, self._wake = threading.Event(), threading.Event()
        self._leads_in = 0  # the process, 0 for none
        self._history, self._outbox = History(), Outbox(())
        self._document: dict[str, Any] = {}

    # -- the thread

    def ensure_running(self) -> None:
        """Have this process's thread run. Costs a look at the process's ID where it does."""
        if self._pid != getpid():
            self._start()

    def stop(self) -> None:
        """End the thread soon, for tests. Who leads goes on leading, without doing anything."""
        self._stopped.set()
        self._wake.set()

    def _start(self) -> None:
        pid, now = getpid(), monotonic()
        if now < self._again:
            return
        # Not by a lock: a fork may leave it locked for ever.
        claim = object()
        if self._claims.setdefault(pid, claim) is not claim:
            return
        # A parent's may be in any state, and gevent's exist only after it has patched.
        self._stopped, self._wake = threading.Event(), threading.Event()
        try:
            threading.Thread(
                target=self._run, args=(self._stopped, self._wake), name="wsgiperf-sampler", daemon=True
            ).start()
        except RuntimeError as error:  # the interpreter ends, or there is no thread to be had
            self._again = now + PAUSE
            del self._claims[pid]
            self._complaints.warn("starting the sampler", error)
            return
        self._pid = pid

    def _run(self, stopped: threading.Event, wake: threading.Event) -> None:
        due = monotonic()
        while not stopped.is_set():
            left = due - monotonic()
            if left > 0:
                if wake.wait(left):
                    wake.clear()
                    self._tried("writing the board", self._publish_deliveries, None)
                continue
            self._tried("the sampler's turn", lambda: self.step(time()), None)
            # Of turns that were missed none is made up for.
            due = max(due + self._interval, monotonic())

    # -- a turn

    def step(self, now: float) -> bool:
        """One turn; whether this process leads. The thread does it each second, tests as they like.

        :param now: seconds since the epoch.
        """
        if not self._tried("electing the sampler", self._segment.try_lead, False):
            self._resign()
            return False
        if self._leads_in != getpid():
            self._take_over(now)
        snapshot = self._tried("reading the counts", self._read_snapshot, None)
        sampled = self._sample(snapshot)
        system, workers = _mapping(sampled.get("system")), _mapping(sampled.get("workers"))
        services = None if self._health is None else self._tried("health checks", self._check(now), None)
        self._tried("the history", lambda: self._history.add(now, system, workers), None)
        if snapshot is not None:
            self._tried("evaluating alerts", self._alerts(snapshot, now, system, services), None)
        self._outbox.claim()
        self._document = {
            "at": now,
            "pid": getpid(),
            "system": plain(system),
            "workers": plain(workers),
            "history": self._history.state(),
            "health": plain(services or []),
            "alerts": self._book.state(),
        }
        self._tried("writing the board", self._publish_deliveries, None)
        # Also where the board could not be written: to be told of an alert twice is better than never.
        self._outbox.send()
        return True

    def _resign(self) -> None:
        if self._leads_in == getpid():
            self._outbox.discard()
        self._leads_in, self._document = 0, {}

    def _take_over(self, now: float) -> None:
        """Go on from what is on the board, whoever wrote it."""
        found = self._tried("reading the board", self._read_board, None)
        board = found if isinstance(found, dict) else {}
        self._history = History()
        # Its own: a parent's locks may be in any state.
        self._outbox = Outbox(self._sinks, on_done=self._wake.set)
        at = board.get("at")
        age = now - at if isinstance(at, (int, float)) else float("inf")
        self._tried("restoring the history", lambda: self._history.restore(board.get("history")), None)
        self._tried("restoring alerts", lambda: self._book.restore(board.get("alerts"), age=age), None)
        self._tried("restoring deliveries", lambda: self._outbox.restore(board.get("deliveries")), None)
        health = self._health
        if health is not None:
            self._tried("restoring health checks", lambda: health.restore(board.get("health")), None)
        self._leads_in = getpid()

    def _read_board(self) -> object:
        from json import loads

        document = self._segment.board.read()
        return loads(document) if document else None

    def _sample(self, snapshot: Snapshot | None) -> Mapping[str, Any]:
        pids = [] if snapshot is None else [worker.pid for worker in snapshot.workers if worker.pid > 0]
        return _mapping(
            self._tried(
                "measuring CPU and memory",
                lambda: self._processes.sample(pids or [getpid()], monotonic()),
                None,
            )
        )

    def _check(self, now: float) -> Callable[[], list[dict[str, Any]]]:
        def check() -> list[dict[str, Any]]:
            assert self._health is not None
            self._health.tick(now)
            return self._health.state(now)

        return check

    def _alerts(
        self, snapshot: Snapshot, now: float, system: Mapping[str, Any], services: object
    ) -> Callable[[], None]:
        def evaluate() -> None:
            known = services if isinstance(services, list) else [] if self._health is None else None
            figures = figures_at(snapshot, now, window=self._book.window, system=system, services=known)
            self._outbox.add(self._book.evaluate(now, figures))

        return evaluate

    def _publish_deliveries(self) -> None:
        """Write the board with what is delivered by now, so that who takes over doesn't send it again."""
        if self._document:
            self._document["deliveries"] = self._outbox.state()
            self._segment.board.write(encoded(self._document))

    def _tried(self, what: str, call: Callable[[], T], otherwise: T | None) -> T | None:
        """What a call returns. Where it fails, that is logged, and all else goes on."""
        try:
            return call()
        except (Exception, SystemExit) as error:
            self._complaints.warn(what, error)
            return otherwise


def encoded(document: Mapping[str, Any]) -> bytes:
    """The document as JSON of at most `MOST_BYTES`: what it is too long for is left out, the alerts last."""
    from json import dumps

    body = b""
    kept = dict(document)
    for left_out in (None, "history", "health", "workers", "deliveries"):
        kept.pop(left_out or "", None)
        text = dumps(kept, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        body = text.encode("utf-8", "replace")
        if len(body) <= MOST_BYTES:
            break
    return body


def plain(value: Any, depth: int = 6) -> Any:
    """A value as JSON can have it: None for what it can't, and for infinities and what isn't a number."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if value - value == 0.0 else None
    if depth and isinstance(value, Mapping):
        return {str(name): plain(each, depth - 1) for name, each in value.items()}
    if depth and isinstance(value, (list, tuple)):
        return [plain(each, depth - 1) for each in value]
    return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
