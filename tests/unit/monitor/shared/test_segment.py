"""Each process counts in a slab of its own, and what it counted outlives it."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wsgiperf.monitor.shared import segment as module
from wsgiperf.monitor.shared.board import BOARD_BYTES
from wsgiperf.monitor.shared.locks import UNKNOWN
from wsgiperf.monitor.shared.segment import SegmentError, attach

from .processes import GAUGES, WORDS, Child, attached, worker

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")

Start = Callable[[Child], Child]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "a.slabs"


def test_eight_processes_have_eight_slabs(state: Path, started: Start) -> None:
    """All attach at once, to a file that isn't there yet; a ninth is told that all are taken."""
    children = [started(worker(state)) for _ in range(8)]
    for child in children:
        child.tell("attach")
    numbers = [child.answer() for child in children]
    assert sorted(numbers) == list(range(8))
    by_slab = [child.pid for _, child in sorted(zip(numbers, children, strict=True))]
    assert all(child.ask("holders") == by_slab for child in children)
    with pytest.raises(SegmentError, match="all 8 slabs are taken"):
        attached(state)


def test_a_killed_process_is_succeeded(state: Path, started: Start) -> None:
    """Its slab goes to the next one: counters go on from where they were, gauges from zero."""
    children = [started(worker(state)) for _ in range(4)]
    numbers = [child.ask("attach") for child in children]
    for child in children:
        child.ask("add 10")
    children[2].kill()
    assert children[0].ask("holders")[numbers[2]] == 0
    successor = started(worker(state))
    assert successor.ask("attach") == numbers[2]
    assert successor.ask("about") == {"adopted": True, "respawns": 1, "path": str(state)}
    assert successor.ask("gauge") == 0
    assert successor.ask("add 1") == 11
    assert [child.ask("gauge") for child in (children[0], successor)] == [1, 1]
    assert successor.ask("holders")[numbers[2]] == successor.pid
    assert sum(attached(state).slab(number)[0] for number in range(8)) == 41


def test_when_all_were_taken_the_next_try_may_succeed(state: Path, started: Start) -> None:
    """As after a graceful restart, where old and new workers were there at once."""
    old = [started(worker(state, slabs=2)) for _ in range(2)]
    assert sorted(child.ask("attach") for child in old) == [0, 1]
    new = started(worker(state, slabs=2))
    assert "all 2 slabs are taken" in new.ask("attach")
    old[0].kill()
    assert new.ask("attach") in (0, 1)


def test_fifty_restarts_leave_one_file_of_one_size(state: Path, started: Start) -> None:
    """And not one count is lost."""
    sizes = set()
    for _ in range(50):
        child = worker(state, slabs=2)
        child.ask("add 3")
        child.kill()
        sizes.add(state.stat().st_size)
    assert len(sizes) == 1
    assert os.listdir(state.parent) == [state.name]
    mine = attached(state, 2)
    assert mine.slab(0)[0] + mine.slab(1)[0] == 150
    assert mine.respawns == 50  # this process's own among them


def test_one_slab_for_a_process_whoever_asks(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that ask at once, and a path that is spelled otherwise or is another name of the file."""
    found = []
    barrier = threading.Barrier(8)
    real = module._take_slab

    def slow(*given: Any) -> int:
        time.sleep(0.05)  # so that all are there before one is through
        return real(*given)

    def ask() -> None:
        barrier.wait()
        found.append(attached(state))

    monkeypatch.setattr(module, "_take_slab", slow)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.link(state, state.with_name("b.slabs"))
    other = state.parent / ".." / state.parent.name / state.name
    found += [attached(state), attached(other), attached(state.with_name("b.slabs"))]
    assert len(found) == 11
    assert len(set(map(id, found))) == 1
    assert found[0].holders() == [os.getpid(), *[0] * 7]


def test_other_names_and_failures_lose_no_lock(state: Path, started: Start) -> None:
    """POSIX drops a process's locks when it closes any descriptor of the file: there is one, and it stays."""
    mine = attached(state)
    os.link(state, state.with_name("b.slabs"))
    attached(state.with_name("b.slabs"))
    with pytest.raises(SegmentError, match="another layout"):
        attached(state, 4)
    with pytest.raises(SegmentError, match="another layout"):
        attached(state.with_name("b.slabs"), layout=2)
    mine.holders()
    mine.leader()
    other = started(worker(state))
    assert other.ask("attach") == 1
    assert other.ask("holders")[:2] == [os.getpid(), other.pid]


@pytest.mark.parametrize("inherited", [True, False], ids=["attached-before", "attached-after"])
def test_a_forked_child_attaches_for_itself(state: Path, inherited: bool) -> None:
    """Whether its parent had attached (a preloading master) or not; the parent keeps what it has."""
    parent = attached(state) if inherited else None
    child = worker(state)
    try:
        assert child.ask("attach") == (1 if inherited else 0)
        child.ask("add 5")
        mine = attached(state)
        assert parent in (None, mine)
        assert mine.slab(1 - mine.number)[0] == 5
        assert mine.words[0] == 0
        assert sorted(mine.holders())[-2:] == sorted([os.getpid(), child.pid])
    finally:
        child.kill()
    third = worker(state)
    try:
        assert third.ask("attach") != mine.number
        assert third.ask("about")["adopted"]
    finally:
        third.kill()


def test_what_a_child_inherited_is_not_its_own(state: Path) -> None:
    """It can't lead by it, nor give up what its parent holds, nor pass for a holder."""
    parent = attached(state)

    def handle(word: str) -> object:
        lead = parent.try_lead()
        parent.stop_leading()
        parent.detach()
        return [lead, parent.leader(), parent.holders()[parent.number]]

    for leader in (0, os.getpid()):
        child = Child(handle)
        try:
            assert child.ask("x") == [False, leader, os.getpid()]
        finally:
            child.kill()
        assert parent.try_lead()
        assert parent.leader() == os.getpid()


def test_only_one_leads_and_another_follows_it(state: Path, started: Start) -> None:
    """Killed, it is succeeded by whoever asks next, who finds what it had published."""
    children = [started(worker(state)) for _ in range(3)]
    assert [child.ask("leader") for child in children] == [0, 0, 0]
    assert [child.ask("lead") for child in children] == [True, False, False]
    assert [child.ask("lead") for child in children] == [True, False, False]
    assert [child.ask("leader") for child in children] == [children[0].pid] * 3
    children[0].ask("publish first")
    assert [child.ask("board") for child in children] == ["first"] * 3
    children[0].kill()
    assert [child.ask("lead") for child in children[1:]] == [True, False]
    assert children[2].ask("leader") == children[1].pid
    assert children[1].ask("board") == "first"
    children[1].ask("publish second")
    assert children[2].ask("board") == "second"


def test_a_process_of_another_container(state: Path) -> None:
    """On one volume: it holds its slab and may lead, though its ID means nothing here."""
    program = shutil.which("unshare")
    if program is None:
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says("unshare is not installed")
    code = (
        "import sys\nfrom unit.monitor.shared.processes import attached\n"
        f"there = attached({str(state)!r})\n"
        "print(there.number, there.try_lead(), there.holders(), flush=True)\n"
        "sys.stdin.read()"
    )
    mine = attached(state)
    command = [program, "--map-root-user", "--pid", "--fork", "--kill-child", sys.executable, "-c", code]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    there = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environ,
        stderr=subprocess.DEVNULL,
    )
    try:
        told = there.stdout.readline()
        if not told:
            pytest.skip("no PID namespaces to be had")
        assert told.strip() == f"1 True [{UNKNOWN}, 1, 0, 0, 0, 0, 0, 0]"
        # A namespace within ours: its processes have IDs here, other ones than there.
        assert mine.holders()[1] == mine.leader() > 1
        assert not mine.try_lead()
    finally:
        there.communicate()
    assert mine.holders()[1] == 0
    assert mine.try_lead()


def test_who_stops_leading_or_detaches_makes_room(state: Path, started: Start) -> None:
    mine = attached(state)
    assert mine.try_lead()
    other = started(worker(state))
    assert other.ask("attach") == 1
    mine.stop_leading()
    assert mine.leader() == 0
    assert other.ask("lead")
    assert not mine.try_lead()
    mine.detach()
    assert mine.holders() == [0, other.pid, *[0] * 6]
    assert attached(state).number == 0
    assert attached(state) is not mine


def test_who_leads_shows_that_the_file_is_in_use(state: Path) -> None:
    """To those who clean up what is old: writing to memory leaves no trace."""
    mine = attached(state)
    os.utime(state, (1, 1))
    assert mine.try_lead()
    assert state.stat().st_mtime > 1_000_000_000


def test_slabs_and_board_don_t_touch(state: Path) -> None:
    """What fills one leaves the others as they are, and survives in the file."""
    mine = attached(state, 3, words=513)
    for number in range(3):
        assert len(mine.slab(number)) == 513
        for word in range(513):
            mine.slab(number)[word] = number + 1
    mine.board.write(b"x" * (512 * 1024))
    mine.board.write(b"y" * (512 * 1024))
    assert [set(mine.slab(number)) for number in range(3)] == [{1}, {2}, {3}]
    assert mine.board.read() == b"y" * (512 * 1024)
    assert state.stat().st_size == 4096 + BOARD_BYTES + 3 * 8192
    mine.detach()
    again = attached(state, 3, words=513)
    assert again.adopted
    assert set(again.words[: GAUGES[0]]) | set(again.words[GAUGES[1] :]) == {1}
    assert set(again.words[slice(*GAUGES)]) == {0}


def test_a_deleted_file_is_noticed(state: Path) -> None:
    """Who attaches anew has another file, and the memory of the old one is given back."""
    mine = attached(state)
    assert mine.is_current()
    state.unlink()
    assert not mine.is_current()
    new = attached(state)
    assert new is not mine
    assert new.is_current()
    assert not new.adopted
    mine.words[0] = 1  # no harm
    assert new.words[0] == 0


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_no_descriptor_is_left(state: Path) -> None:
    """However often the file is deleted, or can't be had."""

    def opened() -> int:
        return len(os.listdir("/proc/self/fd"))

    def handle(word: str) -> list[int]:
        gc.collect()  # what other tests left may have some, which would be closed amid this one
        attached(state)
        counts = [opened()]
        for number in range(5):
            os.link(state, state.with_name(f"b{number}"))
            attached(state.with_name(f"b{number}"))
            os.unlink(state.with_name(f"b{number}"))
        counts.append(opened())
        for _ in range(5):
            state.unlink()
            attached(state)
            for bad in (state.parent, state / "x", state.parent / "none" / "x"):
                with pytest.raises(SegmentError):
                    attached(bad)
        return [*counts, opened()]

    child = Child(handle)  # where no other thread opens any
    try:
        before, after_links, after_all = child.ask("x")
        assert (after_links, after_all) == (before, before)
    finally:
        child.kill()


def test_a_descriptor_that_somebody_closed(state: Path) -> None:
    """As a daemon closes all: the lock is gone, so this process must not count there any more."""

    def handle(word: str) -> object:
        mine = attached(state)
        with open(os.devnull) as other:
            os.dup2(other.fileno(), mine._file.descriptor)  # closed, and its number taken
        current = mine.is_current()
        with pytest.raises(SegmentError, match="closed its descriptor"):
            attached(state)
        return current

    child = Child(handle)
    try:
        assert child.ask("x") is False
    finally:
        child.kill()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param({"slabs": 0}, "slabs", id="no-slab"),
        pytest.param({"slabs": 257}, "slabs", id="too-many"),
        pytest.param({"slab_bytes": 0}, "slab_bytes", id="no-bytes"),
        pytest.param({"slab_bytes": 100}, "slab_bytes", id="no-words"),
        pytest.param({"gauges": (0, WORDS + 1)}, "gauges", id="gauges-beyond"),
        pytest.param({"gauges": (3, 2)}, "gauges", id="gauges-backwards"),
    ],
)
def test_sizes_that_cannot_be(state: Path, wrong: dict[str, object], message: str) -> None:
    right: dict[str, object] = {"slabs": 2, "slab_bytes": 8 * WORDS, "layout": 1, "gauges": (0, 1)}
    with pytest.raises(ValueError, match=message):
        attach(str(state), **{**right, **wrong})  # type: ignore[arg-type]
    assert not state.exists()


def test_no_posix(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.locks, "AVAILABLE", False)
    with pytest.raises(SegmentError, match="no POSIX locks"):
        attached(state)
