"""When checks run, and what is said of them: by a clock that the test moves."""

from __future__ import annotations

import json
import os
import threading
import time
import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from servers.redis_server import until

from wsgiperf.health_checks import CallableCheck, HealthCheck
from wsgiperf.monitor.health.checks import Outcome, perform
from wsgiperf.monitor.health.runner import GRACE, HealthRunner

KEYS = {
    "name", "kind", "region", "status", "since", "checked", "age_seconds", "latency", "p50", "p95",
    "uptime_percent", "error",
}  # fmt: skip


def threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "wsgiperf-health"]


class Bench:
    """A runner whose checks end when, and as, the test says."""

    events: ClassVar[list[threading.Event]] = []

    def __init__(self, *checks: HealthCheck) -> None:
        self.time = 1000.0
        self.begun: dict[str, int] = {}
        self.waiting: dict[str, tuple[threading.Thread, threading.Event, list[Outcome]]] = {}
        self.runner = HealthRunner(checks, clock=lambda: self.time, perform=self._perform)

    def _perform(self, check: HealthCheck) -> Outcome:
        self.begun[check.name] = self.begun.get(check.name, 0) + 1
        ended, outcomes = threading.Event(), [Outcome(False, 60.0, "the test is over")]
        self.events.append(ended)
        self.waiting[check.name] = threading.current_thread(), ended, outcomes
        ended.wait(60)
        return outcomes[-1]

    @property
    def now(self) -> float:
        """The time of day: the runner's clock counts from somewhere else."""
        return self.time + 1_000_000

    def tick(self, seconds: float = 0.0) -> list[dict[str, Any]]:
        """That much later."""
        self.time += seconds
        self.runner.tick(self.now)
        return self.runner.results(self.now)

    def end(self, name: str, ok: bool, seconds: float = 0.1) -> None:
        """End the one that runs now, and see its thread go."""
        until(lambda: name in self.waiting)
        thread, ended, outcomes = self.waiting.pop(name)
        outcomes.append(Outcome(ok, seconds, None if ok else "refused"))
        ended.set()
        thread.join(10)


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    """Whatever a test left waiting ends with it."""
    yield
    for each in Bench.events:
        each.set()
    Bench.events.clear()
    until(lambda: not threads())


def check(name: str = "posts", **options: Any) -> CallableCheck:
    return CallableCheck(name, print, **{"interval": 30.0, "timeout": 5.0} | options)


@pytest.fixture
def bench() -> Bench:
    return Bench(check(region="eu"))


def test_unknown_before_the_first_result(bench: Bench) -> None:
    """And not ready: Kubernetes would send requests otherwise."""
    (service,) = bench.runner.results(bench.now)
    assert service == {
        "name": "posts", "kind": "callable", "region": "eu", "status": "unknown", "since": None,
        "checked": None, "age_seconds": None, "latency": None, "p50": None, "p95": None,
        "uptime_percent": None, "error": None,
    }  # fmt: skip
    assert bench.runner.overall([service]) == "unknown"
    assert not bench.runner.ready([service])


def test_a_result_is_there_at_the_next_tick(bench: Bench) -> None:
    """With when it was had, not when it was looked at."""
    bench.tick()
    bench.end("posts", ok=True, seconds=0.25)
    (service,) = bench.tick(1.0)
    assert (service["status"], service["error"], service["latency"]) == ("ok", None, 0.25)
    assert service["checked"] == service["since"] == bench.now - 0.75
    assert service["age_seconds"] == 0.75
    assert service["p50"] == service["p95"] == pytest.approx(0.25, rel=0.06)
    assert service["uptime_percent"] == 100
    assert bench.runner.ready([service])
    assert set(service) == KEYS


def test_since_is_the_last_change_and_uptime_the_share(bench: Bench) -> None:
    """Results of one kind follow each other without a change."""
    changes = []
    for ok in (True, True, False, False, True):
        bench.tick(30.0)
        bench.end("posts", ok)
        (service,) = bench.tick()
        changes.append((service["status"], service["since"] - bench.now, service["uptime_percent"]))
    assert changes == [
        ("ok", pytest.approx(0.1, abs=0.11), 100),
        ("ok", pytest.approx(-29.9, abs=0.11), 100),
        ("failing", pytest.approx(0.1, abs=0.11), pytest.approx(66.7, abs=0.1)),
        ("failing", pytest.approx(-29.9, abs=0.11), 50),
        ("ok", pytest.approx(0.1, abs=0.11), 60),
    ]


def test_it_runs_once_per_interval(bench: Bench) -> None:
    """Ticks in between start nothing."""
    for second in range(91):
        bench.tick(1.0)
        if second % 30 == 0:
            bench.end("posts", ok=True)
        assert threads() == []
    assert bench.begun == {"posts": 4}


def test_a_hung_check_is_reported_since_it_began_and_gets_no_second_thread(bench: Bench) -> None:
    """Ticks return at once, whatever hangs; each interval without a check counts against it."""
    bench.tick()
    bench.end("posts", ok=True)
    bench.tick(30.0)
    began = bench.now
    (service,) = bench.tick(5.0 + GRACE)
    assert service["status"] == "ok"  # it may just have ended
    (service,) = bench.tick(1.0)
    assert (service["status"], service["since"], service["uptime_percent"]) == ("hung", began, 50)
    assert service["error"] == "no end after 7 s"
    assert bench.runner.overall([service]) == "failing"
    assert not bench.runner.ready([service])
    for _ in range(3):
        started = time.perf_counter()
        (service,) = bench.tick(30.0)
        assert time.perf_counter() - started < 0.5
    assert bench.begun == {"posts": 2}
    assert (service["status"], service["since"], service["uptime_percent"]) == ("hung", began, 20)
    assert service["checked"] == pytest.approx(began - 29.9)  # the last one that ended
    assert len(threads()) == 1


def test_a_hung_check_that_ends_is_counted_once_and_runs_again(bench: Bench) -> None:
    """What it found that late is a failure; the next one tells how things are."""
    bench.tick()
    bench.tick(10.0)
    bench.end("posts", ok=False, seconds=12.0)
    (service,) = bench.tick(2.0)
    assert (service["status"], service["error"], service["uptime_percent"]) == ("failing", "refused", 0)
    bench.tick(30.0)
    bench.end("posts", ok=True)
    (service,) = bench.tick()
    assert (service["status"], service["uptime_percent"], bench.begun) == ("ok", 50, {"posts": 2})


def test_one_that_hangs_keeps_no_other_waiting() -> None:
    """Each has its own thread."""
    bench = Bench(check("first"), check("second"))
    bench.tick()
    for _ in range(4):
        bench.end("second", ok=True)
        first, second = bench.tick(30.0)
        assert (second["status"], second["age_seconds"]) == ("ok", pytest.approx(29.9))
    assert first["status"] == "hung"
    assert bench.begun == {"first": 1, "second": 5}


def test_checks_of_one_interval_spread() -> None:
    """All at once first, so that readiness comes soon; after that not for ever in the same second."""
    checks = [check(f"n{number}") for number in range(10)]
    begun: list[tuple[str, float]] = []
    moment = 0.0
    runner = HealthRunner(
        checks,
        clock=lambda: moment,
        perform=lambda each: begun.append((each.name, moment)) or Outcome(True, 0),
    )
    for second in range(91):
        moment = float(second)
        runner.tick(moment)
        until(lambda: not threads())
    times = {each.name: [at for name, at in begun if name == each.name] for each in checks}
    assert {each[0] for each in times.values()} == {0.0}
    assert len({each[1] for each in times.values()}) == 10
    assert all(later - sooner <= 31 for each in times.values() for sooner, later in pairwise(each))
    assert all(3 < len(each) < 6 for each in times.values())


def test_another_sampler_goes_on(bench: Bench) -> None:
    """Through JSON: since when, the counts behind uptime, and the latencies."""
    for ok in (True, False, True, True):
        bench.tick(30.0)
        bench.end("posts", ok)
        (before,) = bench.tick()
    board = json.loads(json.dumps(bench.runner.state(bench.now)))
    other = Bench(check("new"), check(region="eu"))
    other.time = bench.time
    other.runner.restore(board)
    new, after = other.runner.results(other.now)
    assert after == before
    assert new["status"] == "unknown"
    other.tick()
    other.end("posts", ok=True)
    _, last = other.tick()
    assert (last["status"], last["since"], last["uptime_percent"]) == ("ok", before["since"], 80)


def test_results_without_counts_are_enough_for_the_state(bench: Bench) -> None:
    """Uptime and quantiles begin anew then."""
    bench.tick()
    bench.end("posts", ok=False)
    services = bench.tick()
    other = Bench(check(region="eu"))
    other.runner.restore(services)
    (after,) = other.runner.results(other.now)
    assert (after["status"], after["since"]) == ("failing", services[0]["since"])
    assert after["uptime_percent"] is None


GOOD = {"name": "posts", "region": "eu", "kind": "callable", "status": "ok", "since": 5, "checked": 6}


@pytest.mark.parametrize(
    "state",
    [
        None, 5, "x", {}, [None], [[]], [{}], [{"name": ["posts"]}],
        [GOOD | {"name": "other"}], [GOOD | {"kind": "http"}], [GOOD | {"region": ""}],
        [GOOD | {"status": "fine"}], [GOOD | {"status": ["ok"]}], [GOOD | {"since": "now"}],
        [GOOD | {"since": -1}], [GOOD | {"checked": float("nan")}], [GOOD | {"checked": 10**400}],
        [GOOD | {"latency": True}], [GOOD | {"counts": {"ok": 1}}], [GOOD | {"counts": {"ok": -1, "all": 1}}],
        [GOOD | {"counts": {"ok": 1, "all": 1e9, "cells": []}}],
        [GOOD | {"counts": {"ok": 1, "all": 1, "cells": [[10**6, 1]]}}],
        [GOOD | {"counts": {"ok": 1, "all": 1, "cells": [[1]]}}],
        [GOOD | {"counts": {"ok": 1, "all": 1, "cells": [5]}}],
    ],
    ids=repr,
)  # fmt: skip
def test_a_state_that_is_none_is_forgotten(bench: Bench, state: object) -> None:
    """As if it had never been."""
    fresh = bench.runner.results(bench.now)
    bench.runner.restore(state)
    assert bench.runner.results(bench.now) == fresh
    bench.tick()
    bench.end("posts", ok=True)
    (service,) = bench.tick(1.0)
    assert (service["status"], service["uptime_percent"]) == ("ok", 100)


def test_a_hostile_state_is_cut_to_size(bench: Bench) -> None:
    """What is kept of it is bounded, and fit for a page."""
    counts = {"ok": 99, "all": 9, "cells": [[cell, 10**15] for cell in range(50)]}
    bench.runner.restore([GOOD | {"error": "\x00<" * 10**6, "counts": counts}])
    (service,) = bench.runner.results(bench.now)
    assert service["uptime_percent"] == 100
    assert len(service["error"]) <= 200
    assert len(json.dumps(bench.runner.state(bench.now))) < 3000


def test_the_board_s_share_of_a_check_is_bounded(bench: Bench) -> None:
    """A hundred of them leave room for all else, after any number of latencies."""
    result = bench.runner._jobs[0].result
    for number in range(20_000):
        result.record(Outcome(True, 1e-5 * 1.0008**number, "x" * 200), 1e9)
    (state,) = bench.runner.state(bench.now)
    assert len(json.dumps(state)) < 3000
    assert state["uptime_percent"] == 100
    assert state["p50"] > 50  # the quantiles are those of late


def test_only_critical_checks_decide_readiness() -> None:
    """The page shows all."""
    bench = Bench(check("needed"), check("optional", critical=False))
    services = [
        {"name": "needed", "region": "", "status": "ok"},
        {"name": "optional", "region": "", "status": "hung"},
    ]
    assert (bench.runner.ready(services), bench.runner.overall(services)) == (True, "failing")
    services[0]["status"], services[1]["status"] = "failing", "ok"
    assert (bench.runner.ready(services), bench.runner.overall(services)) == (False, "failing")
    assert not bench.runner.ready([])
    assert (Bench().runner.ready([]), Bench().runner.overall([])) == (True, "ok")


def test_a_callable_that_hangs_for_ever() -> None:
    """A real one, in real time."""
    never = threading.Event()
    done = CallableCheck("hangs", never.wait, interval=1, timeout=0.1)
    runner = HealthRunner([done, CallableCheck("works", lambda: "well", interval=1)])
    first = time.time()
    try:
        runner.tick(first)
        until(lambda: runner.tick(time.time()) or runner.results(time.time())[0]["status"] == "hung")
        assert time.time() - first >= 0.1 + GRACE
        until(lambda: runner.tick(time.time()) or runner.results(time.time())[1]["uptime_percent"] == 100)
        hanging, working = runner.results(time.time())
        assert hanging["since"] == first
        assert working["status"] == "ok"
        assert len(threads()) <= 2
    finally:
        never.set()


def test_a_child_process_has_no_thread_of_its_parent_s(bench: Bench) -> None:
    """The run that was in the air at the fork is started again."""
    bench.tick()
    until(lambda: "posts" in bench.waiting)
    assert threads()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads: as is meant
        child = os.fork()
    if not child:
        status = 1
        try:
            bench.runner._perform = perform
            bench.tick(1.0)
            until(lambda: bench.tick(1.0)[0]["checked"] is not None)
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class Clock:
    """The machine's own goes on while this process waits for its turn."""

    now = 1000.0

    def passes(self, seconds: float) -> bool:
        self.now += seconds
        return True


CLOCK = Clock()


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (lambda: True, None),
        (lambda: {"a": 1}, None),
        (lambda: None, "returned None"),
        (lambda: False, "returned False"),
        (list, "returned a false list"),
        (lambda: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda: exec("raise SystemExit('bye')"), "SystemExit: bye"),
        (lambda: exec("raise TimeoutError('soon')"), "TimeoutError: soon"),
        (lambda: CLOCK.passes(0.16), "took 0.2 s, more than 0.1 s"),
    ],
)
def test_what_a_callable_comes_to(monkeypatch: pytest.MonkeyPatch, function: Any, error: str | None) -> None:
    """Only what is true, in time, is well."""
    began = CLOCK.now
    monkeypatch.setattr("wsgiperf.monitor.health.checks.monotonic", lambda: CLOCK.now)
    outcome = perform(CallableCheck("f", function, timeout=0.1))
    assert (outcome.ok, outcome.error) == (error is None, error)
    assert outcome.seconds == CLOCK.now - began
