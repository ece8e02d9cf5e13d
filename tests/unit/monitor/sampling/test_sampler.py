"""A sampler's turns: one of all does the work, another goes on, and nothing that fails stops it."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

import pytest
from servers.redis_server import until

from wsgiperf.monitor.sampling.sampler import MOST_BYTES, encoded, plain

from .world import NOW, World, counted, delivered


def test_a_turn_writes_all_of_the_board():
    """As the pages read it."""
    world = World()
    world.health.services = [{"name": "db", "status": "ok", "latency": 0.01}]
    assert world.sampler.step(NOW) is True
    assert world.document == {
        "at": NOW,
        "pid": os.getpid(),
        "system": {"cpu_percent": 10.0, "memory_percent": 40.0, "memory_limited_by": "cgroup"},
        "workers": {
            "11": {"cpu_percent": 5.0, "memory_bytes": 11000},
            "12": {"cpu_percent": 5.0, "memory_bytes": 12000},
        },
        "history": {
            "start": 1_000_000,
            "step": 5,
            "cpu": [],
            "memory": [],
            "workers": {pid: {"cpu": [], "memory_bytes": []} for pid in ("11", "12")},
        },
        "health": world.health.services,
        "alerts": {"active": [], "journal": [], "memory": {"opened": 0, "alerts": {}, "pending": []}},
        "deliveries": [],
    }
    assert world.processes.asked == [[11, 12]]
    assert world.health.ticks == [NOW]


def test_who_doesnt_lead_only_asks():
    """No sampling, no checks, no board."""
    world = World(leads=False)
    for second in range(5):
        assert world.sampler.step(NOW + second) is False
    assert world.segment.asked == 5
    assert (world.processes.asked, world.health.ticks, world.board.written) == ([], [], [])


def test_an_alert_is_claimed_on_the_board_before_it_is_sent():
    """And sent once."""
    boards: list[Any] = []
    world = World(sinks=[lambda change: boards.append(json.loads(world.board.read()))])
    world.counts = lambda: counted(good=80, bad=20)
    for second in range(3):
        world.sampler.step(NOW + second)
    delivered(world)
    (change,) = world.told
    assert (change.event, change.metric, change.value) == ("fired", "error_rate", 20.0)
    (claimed,) = boards[0]["deliveries"]
    assert claimed["id"] == change.id
    assert set(claimed["sinks"].values()) == {"claimed"}
    assert world.document["deliveries"] == []
    assert [alert["id"] for alert in world.document["alerts"]["active"]] == [change.id]


def test_alerts_clear_when_the_window_has_passed():
    """A minute after the last bad second."""
    world = World()
    world.counts = lambda: counted(good=0, bad=100)
    for second in range(62):
        world.sampler.step(NOW + second)
    delivered(world)
    assert [(change.event, change.at - NOW) for change in world.told] == [("fired", 0), ("cleared", 60)]


def test_another_process_goes_on_from_the_board():
    """History, alerts with their IDs, and health; nobody is told twice."""
    first = World()
    first.counts = lambda: counted(bad=100)
    first.health.services = [{"name": "db", "status": "ok"}]
    for second in range(0, 30, 5):
        first.sampler.step(NOW + second)
    delivered(first)
    second_world = World(first.board)
    second_world.sampler.step(NOW + 30)
    assert second_world.health.restored == [[{"name": "db", "status": "ok"}]]
    assert second_world.document["history"]["cpu"] == [10.0] * 5 + [None]
    second_world.sampler.step(NOW + 31)
    second_world.counts = lambda: counted(good=1000, now=NOW + 32)
    second_world.sampler.step(NOW + 32)
    delivered(second_world)
    assert [(change.event, change.id) for change in second_world.told] == [("cleared", first.told[0].id)]
    assert [entry["event"] for entry in second_world.document["alerts"]["journal"]] == ["cleared", "fired"]


def test_what_a_dead_process_had_claimed_is_sent_under_the_same_id():
    """Nobody can know whether it got to it."""
    hangs = threading.Event()
    first = World(sinks=[lambda change: hangs.wait(60)])
    first.counts = lambda: counted(bad=100)
    first.sampler.step(NOW)
    second = World(first.board, sinks=[lambda change: None])
    second.counts = first.counts
    second.sampler.step(NOW + 1)
    delivered(second)
    until(lambda: first.told)
    hangs.set()
    assert [change.delivery for change in second.told] in ([], [first.told[0].delivery])
    assert second.document["deliveries"] == []


def test_who_lost_the_lead_writes_nothing_and_takes_it_up_from_the_board():
    """What another one wrote meanwhile counts."""
    world = World()
    world.counts = lambda: counted(bad=100)
    world.sampler.step(NOW)
    delivered(world)
    world.segment.leads = False
    world.sampler.step(NOW + 1)
    written = len(world.board.written)
    world.sampler._publish_deliveries()
    assert len(world.board.written) == written
    other = World(world.board)
    other.counts = lambda: counted(good=1000)
    other.sampler.step(NOW + 2)
    delivered(other)
    assert [change.event for change in other.told] == ["cleared"]
    world.segment.leads = True
    world.counts = other.counts
    world.sampler.step(NOW + 3)
    delivered(world)
    assert [change.event for change in world.told] == ["fired"]
    assert world.document["alerts"]["active"] == []


class Broken:
    """Everything that is asked of it fails."""

    def __call__(self, *arguments: object) -> Any:
        raise OSError("broken")

    def __getattr__(self, name: str) -> Any:
        return self


PIECES = {
    "the counts": lambda world: setattr(world.sampler, "_read_snapshot", Broken()),
    "the processes": lambda world: setattr(world.sampler, "_processes", Broken()),
    "health": lambda world: setattr(world.sampler, "_health", Broken()),
    "the book": lambda world: setattr(world.sampler._book, "evaluate", Broken()),
    "the history": lambda world: setattr(world.sampler._history, "add", Broken()),
}


@pytest.mark.parametrize("break_it", PIECES.values(), ids=[name.replace(" ", "_") for name in PIECES])
def test_what_fails_is_logged_once_and_all_else_goes_on(break_it, caplog):
    """The board is written at each turn, and alerts that are active stay so."""
    world = World()
    world.counts = lambda: counted(bad=100)
    world.health.services = [{"name": "db", "status": "failing", "since": NOW}]
    world.processes.cpu = 90.0
    world.sampler.step(NOW)
    written = len(world.board.written)
    break_it(world)
    for second in range(1, 4):
        assert world.sampler.step(NOW + second)
    assert len(world.board.written) >= written + 3
    assert world.document["at"] == NOW + 3
    active = {alert["metric"] for alert in world.document["alerts"]["active"]}
    assert active == {"error_rate", "cpu", "health"}
    assert len([record for record in caplog.records if "broken" in record.getMessage()]) == 1


def test_a_board_that_cant_be_written_doesnt_keep_alerts_back():
    """To be told twice is better than never."""
    world = World()
    world.counts = lambda: counted(bad=100)
    world.segment.board = Broken()  # type: ignore[assignment]
    world.sampler.step(NOW)
    until(lambda: len(world.told) == 1)


GARBLED = [
    b"", b"{", b"[]", b"null", b"\xff", b"7", b"[" * 100_000,
    b'{"at":"x","alerts":7,"history":[],"health":{},"deliveries":{"a":1}}',
]  # fmt: skip


@pytest.mark.parametrize("document", GARBLED, ids=range(len(GARBLED)))
def test_a_garbled_board_is_none(document):
    """The sampler begins anew."""
    world = World()
    world.board.write(document)
    world.counts = lambda: counted(bad=100)
    assert world.sampler.step(NOW)
    assert [alert["metric"] for alert in world.document["alerts"]["active"]] == ["error_rate"]


def test_a_document_that_is_too_long_loses_what_matters_least():
    """The alerts are what stays."""
    long = ["x" * 1000] * 1000
    document = {
        "at": 1.0,
        "history": long,
        "health": long,
        "workers": {},
        "deliveries": [],
        "alerts": {"active": []},
    }
    found = json.loads(encoded(document))
    assert set(found) == {"at", "workers", "deliveries", "alerts"}
    assert set(json.loads(encoded({**document, "health": []}))) == {*found, "health"}
    assert len(encoded(document)) <= MOST_BYTES


def test_the_board_of_many_workers_and_alerts_fits():
    """All there can be of everything, in whichever script."""
    world = World()
    pids = range(1_000_000, 1_000_256)
    world.processes.cpu = 99.87654
    for slot in range(200):
        status, name = "failing" if slot % 2 else "ok", "火" * 500
        world.health.services = [
            {"name": f"{n} {name}", "status": status, "since": NOW, "error": name}
            for n in range(100 if slot > 195 else 0)
        ]
        world.counts = lambda now=NOW + slot * 5: counted(bad=100, pids=pids, now=now)
        world.sampler.step(NOW + slot * 5)
    assert len(world.board.read()) <= MOST_BYTES
    assert set(world.document) >= {"alerts", "deliveries"}
    assert len(world.document["alerts"]["journal"]) == 100


def test_values_that_json_doesnt_have_are_none():
    """A check's or the system's."""
    given = {"a": float("nan"), 1: (1, float("inf"), object()), "d": {"e": True, "f": b"x"}}
    assert plain(given) == {"a": None, "1": [1, None, None], "d": {"e": True, "f": None}}
    deep: list[Any] = []
    deep.append(deep)
    json.dumps(plain(deep))


def test_a_name_with_half_a_character_doesnt_keep_the_board_from_being_written():
    """A lone surrogate has no UTF-8."""
    assert b'"?"' in encoded({"health": ["\ud800"]})
