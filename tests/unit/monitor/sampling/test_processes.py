"""CPU and memory of real processes, and limits as a control group would set them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from servers.redis_server import until

from wsgiperf.monitor.sampling.cgroup import Cgroup, CpuLimit, MemoryLimit
from wsgiperf.monitor.sampling.processes import Processes

KEYS = {"cpu_percent", "memory_percent", "memory_used_bytes", "memory_total_bytes", "memory_limited_by"}

#: Does what each line of its input says, and then says so.
CHILD = """
import sys, time
kept = []
for line in sys.stdin:
    if line == "allocate\\n":
        kept.append(bytearray(b"x" * 50_000_000))
    if line == "work\\n":
        print("begun", flush=True)
        while True: pass
    print("done", flush=True)
"""


def own(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What this thread said: the sampler of a monitor made by another test may find the same missing."""
    return [each.getMessage() for each in caplog.records if each.thread == threading.get_ident()]


class Child:
    """A process that works on demand."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self.process.pid
        self.say("start")

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline()

    def kill(self, *, reap: bool = True) -> None:
        self.process.kill()
        if reap:
            self.process.communicate()


@contextmanager
def child() -> Iterator[Child]:
    one = Child()
    try:
        yield one
    finally:
        one.kill()


class Limits(Cgroup):
    """A group as the test wants it."""

    def __init__(self, memory: list[MemoryLimit] | None = None, cpu: list[CpuLimit] | None = None) -> None:
        self.given = memory or [], cpu or []

    def memory(self) -> list[MemoryLimit]:
        return self.given[0]

    def cpu(self) -> list[CpuLimit]:
        return self.given[1]


def test_a_busy_process_takes_its_core() -> None:
    """As far as others let it; and an idle one none. Nothing is known the first time."""
    with child() as busy, child() as idle:
        busy.say("work")
        processes, watched = Processes(), psutil.Process(busy.pid)
        pids = [busy.pid, idle.pid]

        def used() -> float:
            times = watched.cpu_times()
            return times.user + times.system

        def sampled() -> tuple[float, float, float, dict[str, Any]]:
            """What it had used before and after, when that was, and the figures."""
            before, now = used(), time.monotonic()
            figures = processes.sample(pids, now)
            return before, used(), now, figures

        least, most, began, first = sampled()
        assert [first["workers"][str(pid)]["cpu_percent"] for pid in pids] == [None, None]
        assert first["system"]["cpu_percent"] is None
        until(lambda: used() - most >= 0.5, within=60)
        before, after, ended, figures = sampled()
        told = figures["workers"][str(busy.pid)]["cpu_percent"]
        rates = [100 * seconds / (ended - began) for seconds in (before - most, after - least)]
        assert rates[0] - 0.01 <= told <= rates[1] + 0.01
        assert figures["workers"][str(idle.pid)]["cpu_percent"] < 20
        assert figures["system"]["cpu_percent"] >= told / 2 / (psutil.cpu_count() or 1)


def test_memory_grows_with_what_is_allocated() -> None:
    """By as much, within what an allocator adds."""
    with child() as one:
        processes = Processes()
        before = processes.sample([one.pid], 1.0)["workers"][str(one.pid)]["memory_bytes"]
        one.say("allocate")
        after = processes.sample([one.pid], 2.0)["workers"][str(one.pid)]["memory_bytes"]
        assert 45e6 < after - before < 120e6
        assert after == pytest.approx(psutil.Process(one.pid).memory_info().rss, rel=0.2)


def test_the_system_s_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no group limits it."""
    memory = psutil.virtual_memory()  # the next look may find less of it
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    system = Processes(Limits()).sample([], 1.0)["system"]
    assert set(system) == KEYS
    assert system["memory_total_bytes"] == memory.total
    assert system["memory_percent"] == pytest.approx(memory.percent, abs=0.1)
    assert system["memory_limited_by"] == "system"


@pytest.mark.parametrize("reaped", [True, False], ids=["gone", "zombie"])
def test_the_dead_are_left_out(reaped: bool) -> None:
    """So are those that were never there; the others stay."""
    with child() as dead, child() as living:
        processes = Processes()
        assert len(processes.sample([dead.pid, living.pid], 1.0)["workers"]) == 2
        dead.kill(reap=reaped)
        until(
            lambda: list(processes.sample([dead.pid, living.pid, 2**30], 2.0)["workers"]) == [str(living.pid)]
        )


def test_pids_that_are_none() -> None:
    """Nothing is raised for whatever stands in the shared file."""
    assert Processes().sample([-1, 0, 2**70], 1.0)["workers"].keys() <= {"0"}


class FakeProcess:
    """A process whose number another gets."""

    alive = True
    seconds = 100.0
    made = 0

    def __init__(self, pid: int) -> None:
        type(self).made += 1
        self.pid, self._running = pid, True

    def is_running(self) -> bool:
        return type(self).alive

    def oneshot(self) -> Any:
        from contextlib import nullcontext

        return nullcontext()

    def status(self) -> str:
        return psutil.STATUS_RUNNING

    def cpu_times(self) -> Any:
        from types import SimpleNamespace

        return SimpleNamespace(user=type(self).seconds, system=0.0)

    def memory_info(self) -> Any:
        from types import SimpleNamespace

        return SimpleNamespace(rss=1)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeProcess]:
    class Fresh(FakeProcess):
        pass

    monkeypatch.setattr(psutil, "Process", Fresh)
    return Fresh


def percent(processes: Processes, now: float) -> float | None:
    value: float | None = processes.sample([7], now)["workers"]["7"]["cpu_percent"]
    return value


def test_a_number_that_another_process_got(fake: type[FakeProcess]) -> None:
    """Its time is no continuation of the first one's."""
    processes = Processes()
    assert percent(processes, 1.0) is None
    fake.seconds += 0.5
    assert percent(processes, 2.0) == pytest.approx(50)
    fake.alive, fake.seconds = False, 900.0
    assert percent(processes, 3.0) is None
    fake.alive, fake.seconds = True, 900.25
    assert percent(processes, 4.0) == pytest.approx(25)
    assert fake.made == 2


def test_a_worker_that_was_left_out_begins_anew(fake: type[FakeProcess]) -> None:
    """Its handle was dropped with it."""
    processes = Processes()
    percent(processes, 1.0)
    processes.sample([], 2.0)
    fake.seconds += 5.0
    assert percent(processes, 3.0) is None


def test_samples_close_to_each_other_repeat_the_last_figure(fake: type[FakeProcess]) -> None:
    """A tick of 10 ms within 1 ms isn't 1000%; a clock that went back says nothing."""
    processes = Processes()
    percent(processes, 1.0)
    fake.seconds += 0.5
    assert percent(processes, 2.0) == pytest.approx(50)
    fake.seconds += 0.01
    assert percent(processes, 2.001) == pytest.approx(50)
    fake.seconds += 0.49
    assert percent(processes, 3.0) == pytest.approx(50)
    assert percent(processes, 1.0) is None


TOTAL = psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([MemoryLimit(250, 1000)], (25.0, 250, 1000, "cgroup")),
        ([MemoryLimit(100, 1000), MemoryLimit(900, 1500)], (60.0, 900, 1500, "cgroup")),
        ([MemoryLimit(5, 2**63), MemoryLimit(250, 1000)], (25.0, 250, 1000, "cgroup")),
        ([MemoryLimit(1200, 1000)], (100.0, 1200, 1000, "cgroup")),
    ],
    ids=["one", "fullest", "version 1's none", "over"],
)
def test_memory_of_a_group_where_that_is_less(
    limits: list[MemoryLimit], expected: tuple[float, int, int, str]
) -> None:
    """Of several the fullest: there it ends first."""
    system = Processes(Limits(memory=limits)).sample([], 1.0)["system"]
    names = ("memory_percent", "memory_used_bytes", "memory_total_bytes", "memory_limited_by")
    assert tuple(system[name] for name in names) == expected


def test_a_limit_above_the_machine_s_memory_is_none() -> None:
    """As version 1 writes "unlimited"."""
    system = Processes(Limits(memory=[MemoryLimit(1, TOTAL)])).sample([], 1.0)["system"]
    assert (system["memory_limited_by"], system["memory_total_bytes"]) == ("system", TOTAL)


def test_cpu_relative_to_the_quota() -> None:
    """Of several groups the one that is nearest to its own."""
    limits = Limits(cpu=[CpuLimit("a", 10.0, 0.5), CpuLimit("b", 20.0, 0.8), CpuLimit("c", 0.0, 10_000.0)])
    processes = Processes(limits)
    assert processes.sample([], 1.0)["system"]["cpu_percent"] is None
    limits.given = [], [CpuLimit("a", 10.4, 0.5), CpuLimit("b", 20.4, 0.8), CpuLimit("c", 9e9, 10_000.0)]
    assert processes.sample([], 2.0)["system"]["cpu_percent"] == pytest.approx(80)
    limits.given = [], [CpuLimit("a", 12.0, 0.5), CpuLimit("b", 20.4, 0.8)]
    assert processes.sample([], 3.0)["system"]["cpu_percent"] == 100


def test_a_group_s_files_in_a_folder_of_theirs(tmp_path: Path) -> None:
    """Through both parts: from the files to the figure."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    (tmp_path / "proc/self/mountinfo").write_text("31 23 0:28 / /groups rw - cgroup2 cgroup2 rw\n")
    (tmp_path / "groups").mkdir()
    (tmp_path / "groups/memory.max").write_text("1000\n")
    (tmp_path / "groups/memory.current").write_text("900\n")
    (tmp_path / "groups/memory.stat").write_text("inactive_file 500\n")
    system = Processes(Cgroup(tmp_path)).sample([], 1.0)["system"]
    assert (system["memory_percent"], system["memory_limited_by"]) == (40.0, "cgroup")


def test_without_psutil_nothing_is_known(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """It is said once, and nothing is raised."""
    monkeypatch.setitem(sys.modules, "psutil", None)
    processes = Processes()
    with caplog.at_level(logging.WARNING):
        for second in range(3):
            sample = processes.sample([os.getpid()], float(second))
    assert sample == {"system": dict.fromkeys(KEYS), "workers": {}}
    assert len(own(caplog)) == 1


def test_what_a_kernel_does_not_tell_is_unknown(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """The rest is told."""

    def broken() -> None:
        raise RuntimeError("no such file")

    monkeypatch.setattr(psutil, "virtual_memory", broken)
    processes = Processes()
    with caplog.at_level(logging.WARNING):
        for second in range(3):
            sample = processes.sample([os.getpid()], float(second))
    assert sample["system"]["memory_percent"] is None
    assert str(os.getpid()) in sample["workers"]
    assert own(caplog) == ["no figures of memory: no such file"]


def test_sampling_is_no_burden() -> None:
    """Once a second it may take milliseconds, and leaves nothing behind."""
    processes = Processes()
    processes.sample([os.getpid()], 0.0)
    files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    threads = threading.active_count()
    began = time.thread_time()
    for second in range(1, 51):
        processes.sample([os.getpid()], float(second))
    assert (time.thread_time() - began) / 50 < 0.05
    assert threading.active_count() <= threads
    if files:
        assert len(os.listdir("/proc/self/fd")) <= files + 2
