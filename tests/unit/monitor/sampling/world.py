"""A sampler among fakes: a lead that a test gives, figures that it makes up."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from servers.redis_server import until

from wsgiperf.alert_rules import AlertRule
from wsgiperf.monitor.alerting.book import AlertBook
from wsgiperf.monitor.alerting.records import Change
from wsgiperf.monitor.sampling.sampler import Sampler
from wsgiperf.monitor.snapshot import Second, Snapshot, Worker

NOW = 1_000_000.5
RULES = [AlertRule("error_rate", 5), AlertRule("cpu", 80), AlertRule("health", 0)]


class Board:
    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, document: bytes) -> None:
        self.written.append(document)

    def read(self) -> bytes:
        return self.written[-1] if self.written else b""


class Segment:
    """One process's view of a lead that it can have or not."""

    def __init__(self, board: Board, leads: bool = True) -> None:
        self.board, self.leads, self.asked = board, leads, 0

    def try_lead(self) -> bool:
        self.asked += 1
        return self.leads


class Processes:
    cpu: Any = 10.0

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def sample(self, pids: Iterable[int], now: float) -> dict[str, Any]:
        self.asked.append(list(pids))
        return {
            "system": {"cpu_percent": self.cpu, "memory_percent": 40.0, "memory_limited_by": "cgroup"},
            "workers": {str(pid): {"cpu_percent": 5.0, "memory_bytes": 1000 * pid} for pid in self.asked[-1]},
        }


class Health:
    def __init__(self) -> None:
        self.services: list[dict[str, Any]] = []
        self.ticks: list[float] = []
        self.restored: list[object] = []

    def tick(self, now: float) -> None:
        self.ticks.append(now)

    def state(self, now: float) -> list[dict[str, Any]]:
        return self.services

    def restore(self, services: object) -> None:
        self.restored.append(services)


def counted(good: int = 100, bad: int = 0, pids: Iterable[int] = (11, 12), now: float = NOW) -> Snapshot:
    return Snapshot(
        taken=now,
        started=0.0,
        seconds=[Second(int(now), (0, good, 0, 0, bad), 1.0, 0, 0, 0, 0, 0.0)],
        workers=[Worker(pid, 0, 0.0, 1, 0, 0) for pid in pids],
    )


class World:
    """A sampler and what it is made of."""

    def __init__(self, board: Board | None = None, *, leads: bool = True, sinks: Iterable[Any] = ()) -> None:
        self.board = board or Board()
        self.segment = Segment(self.board, leads)
        self.processes, self.health = Processes(), Health()
        self.counts: Any = counted
        self.told: list[Change] = []
        self.sampler = Sampler(
            self.segment,
            lambda: self.counts(),
            self.processes,
            self.health,
            AlertBook(RULES),
            [self.told.append, *sinks],
        )

    @property
    def document(self) -> dict[str, Any]:
        found = json.loads(self.board.read())
        assert isinstance(found, dict)
        return found


def delivered(world: World) -> None:
    """Let its sinks have what is claimed, and the board say so."""
    until(lambda: not world.sampler._outbox.state())
    world.sampler._publish_deliveries()
