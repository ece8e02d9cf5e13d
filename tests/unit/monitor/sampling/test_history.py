"""CPU and memory over a quarter of an hour: aligned, bounded, and going on in another process."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wsgiperf.monitor.sampling.history import COLUMNS, STEP, VALUES, History

START = 1_000_000


def system(cpu: Any, memory: Any = 50.0) -> dict[str, Any]:
    return {"cpu_percent": cpu, "memory_percent": memory}


def worker(cpu: float, memory: int = 2**20) -> dict[str, Any]:
    return {"cpu_percent": cpu, "memory_bytes": memory}


def test_a_value_is_the_mean_of_five_seconds():
    """The running five seconds aren't among them yet."""
    history = History()
    for second in range(12):
        history.add(START + second, system(float(second)), {7: worker(second * 2.0)})
    state = history.state()
    assert (state["start"], state["step"]) == (START, STEP)
    assert state["cpu"] == [2.0, 7.0]
    assert state["memory"] == [50.0, 50.0]
    assert state["workers"] == {"7": {"cpu": [4.0, 14.0], "memory_bytes": [2**20, 2**20]}}


def test_what_isnt_known_is_a_gap():
    """The start stays right."""
    history = History()
    for second in (0, 5, 25, 30):
        history.add(START + second, system(None if second == 5 else 10.0), {})
    state = history.state()
    assert state["cpu"] == [10.0, None, None, None, None, 10.0]
    assert state["start"] == START


def test_workers_that_are_gone_take_their_columns_along():
    """Those that come later begin with gaps; all columns are of one length."""
    history = History()
    history.add(START, system(1.0), {1: worker(1.0)})
    history.add(START + 5, system(1.0), {1: worker(1.0), 2: worker(2.0)})
    history.add(START + 10, system(1.0), {"2": worker(2.0)})
    assert history.state()["workers"] == {"2": {"cpu": [None, 2.0], "memory_bytes": [None, 2**20]}}


def test_it_is_bounded_in_time_and_in_workers():
    """Fifty restarts leave nothing behind."""
    history = History()
    for slot in range(VALUES * 2):
        pids = range(slot * 100, slot * 100 + 100) if slot % 7 == 0 else range(100)
        history.add(
            START + slot * STEP,
            system(12.3456789, 12.3456789),
            {pid: worker(99.87654321, 2**33) for pid in pids},
        )
    state = history.state()
    assert len(state["cpu"]) == VALUES
    assert state["start"] == START + (VALUES - 1) * STEP
    assert len(state["workers"]) == COLUMNS
    assert {len(column) for columns in state["workers"].values() for column in columns.values()} == {VALUES}
    assert len(json.dumps(state)) < 350_000


@pytest.mark.parametrize("step", [-3600, 3600 * 24], ids=["back", "forward"])
def test_a_clock_that_is_set_begins_anew(step):
    """No gap of a day, no values of the future."""
    history = History()
    for second in (0, 5, 10):
        history.add(START + second, system(1.0), {1: worker(1.0)})
    history.add(START + step, system(2.0), {1: worker(1.0)})
    history.add(START + step + 5, system(3.0), {1: worker(1.0)})
    state = history.state()
    assert (state["start"], state["cpu"]) == (START + step, [2.0])
    assert state["workers"]["1"]["cpu"] == [1.0]


def test_another_process_goes_on():
    """With a gap for the five seconds in which it took over, at most."""
    first, second = History(), History()
    for slot in range(4):
        first.add(START + slot * STEP, system(float(slot)), {1: worker(1.0)})
    second.restore(json.loads(json.dumps(first.state())))
    assert second.state() == first.state()
    second.add(START + 25, system(9.0), {1: worker(2.0)})
    second.add(START + 30, system(9.0), {1: worker(2.0)})
    state = second.state()
    assert (state["start"], state["cpu"]) == (START, [0.0, 1.0, 2.0, None, None, 9.0])
    assert state["workers"]["1"]["cpu"] == [1.0, 1.0, 1.0, None, None, 2.0]


GARBLED = [
    None, [], "x", {},
    {"step": 1, "start": START, "cpu": [1.0]},
    {"step": 5, "start": "x", "cpu": [1.0]},
    {"step": 5, "start": float("nan"), "cpu": [1.0]},
    {"step": 5, "start": START, "cpu": [1.0] * 1000},
    {"step": 5, "start": START, "cpu": ["x", True], "memory": 7, "workers": [1]},
    {"step": 5, "start": START, "cpu": [1.0], "workers": {"x": {}, "1": 5, "2": {"cpu": [1.0, 2.0]}}},
]  # fmt: skip


@pytest.mark.parametrize("state", GARBLED, ids=range(len(GARBLED)))
def test_what_the_board_says_is_checked(state):
    """Columns stay of one length, of numbers and gaps."""
    history = History()
    history.restore(state)
    history.add(START + 60, system(1.0), {"2": worker(1.0)})
    history.add(START + 65, system(1.0), {"2": worker(1.0)})
    found = history.state()
    columns = [found["cpu"], found["memory"], *found["workers"]["2"].values()]
    assert len({len(column) for column in columns}) == 1
    assert all(type(value) in (float, int, type(None)) for column in columns for value in column)
    assert found["cpu"][-1] == 1.0
