"""Purges reach all processes of a machine: none is lost, none is garbled, whoever dies when."""

from __future__ import annotations

import mmap
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from wsgiperf.cache import journal as module
from wsgiperf.cache.journal import Follower, Journal
from wsgiperf.cache.purges import Purge

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")


def tag(name: object) -> Purge:
    return Purge("tag", str(name), False, 1.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.journal"


@contextmanager
def child(run: Callable[[], object]) -> Iterator[int]:
    """A forked process that runs this and ends: with 0 if it returned."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            run()
            status = 0
        finally:
            os._exit(status)
    try:
        yield pid
    finally:
        if pid not in reaped:  # or the number may be another's by now
            os.kill(pid, signal.SIGKILL)
            ended(pid)
        reaped.discard(pid)


reaped: set[int] = set()


def ended(pid: int) -> int:
    status = os.waitpid(pid, 0)[1]
    reaped.add(pid)
    return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize("opened", [True, False], ids=["before", "after"])
def test_a_fork_shares_the_journal(path: Path, opened: bool) -> None:
    """Whether it was first used before the fork (preload) or after."""
    journal = Journal(path)
    follower = Follower(journal)
    if opened:
        follower.changes()

    def run() -> None:
        journal.write(tag("child"))

    with child(run) as pid:
        assert ended(pid) == 0
    assert follower.changes() == ([tag("child")] if opened else None)
    before = journal.position
    with child(lambda: journal.write(tag("child"))) as pid:
        journal.write(tag("parent"))
        assert ended(pid) == 0
    assert sorted(journal.read(before) or []) == [tag("child"), tag("parent")]


def test_a_fork_in_mid_write(path: Path) -> None:
    """The child holds neither the writer's lock nor a thread's: it follows, and writes in its turn."""
    journal = Journal(path)
    follower = Follower(journal)
    follower.changes()
    journal.write(tag("before"))
    applying, go_on = threading.Event(), threading.Event()

    def apply(_: object) -> None:
        applying.set()
        go_on.wait(60)

    thread = threading.Thread(target=follower.follow, args=(apply,))
    thread.start()
    assert applying.wait(60)

    def run() -> None:
        assert not module._descriptors
        assert follower.changes() == [tag("before")]
        journal.write(tag("child"))
        assert follower.changes() == [tag("child")]

    with journal._locked():
        forked = child(run)
        pid = forked.__enter__()
    try:
        assert ended(pid) == 0
    finally:
        forked.__exit__(None, None, None)
        go_on.set()
        thread.join(60)


def test_a_child_does_not_keep_its_dead_parents_lock(path: Path) -> None:
    """Killed in mid-write, just after a fork: others write on while the child lives."""
    journal = Journal(path)
    before = journal.position
    read, write = os.pipe()

    def parent() -> None:
        own = Journal(path)
        with own._locked() as descriptor:
            own._map(descriptor)
            grandchild = os.fork()
            if grandchild == 0:
                os.write(write, b"x")
                time.sleep(60)
                os._exit(0)
            os.write(write, str(grandchild).encode())
            os.kill(os.getpid(), signal.SIGKILL)

    with child(parent) as pid:
        assert ended(pid) == -signal.SIGKILL
        told = b""
        while b"x" not in told or len(told) < 2:
            told += os.read(read, 100)
        os.close(read)
        os.close(write)
        try:
            journal.write(tag("a"))
        finally:
            os.kill(int(told.replace(b"x", b"")), signal.SIGKILL)
    assert journal.read(before) == [tag("a")]


def test_a_child_that_keeps_the_descriptor_keeps_no_lock(path: Path) -> None:
    """As where a server forks in C, past Python's hooks: the lock ends with the write."""
    journal = Journal(path)
    before = journal.position
    with journal._locked() as descriptor:
        module._descriptors.discard(descriptor)
        forked = child(lambda: time.sleep(60))
        forked.__enter__()
    try:
        journal.write(tag("a"))
    finally:
        forked.__exit__(None, None, None)
    assert journal.read(before) == [tag("a")]


PROCESSES, THREADS, EACH = 4, 4, 300
ROOMY = 1024 * 1024  # bytes; all that they write


def test_many_writers_and_readers(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """4 processes of 4 threads write while others read: every purge arrives everywhere, once, in order."""
    monkeypatch.setattr(module, "PATIENCE", 90.0)  # the lock goes to whoever looks at the right moment
    parent = Journal(path, ROOMY)
    start = parent.position
    everything = {f"{p}-{t}-{n}" for p in range(PROCESSES) for t in range(THREADS) for n in range(EACH)}

    def write_all(process: int) -> None:
        journal = Journal(path, ROOMY) if process % 2 else parent

        def write(thread: int) -> None:
            for number in range(EACH):
                journal.write(tag(f"{process}-{thread}-{number}"))

        threads = [threading.Thread(target=write, args=(thread,)) for thread in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def read_all() -> None:
        follower = Follower(Journal(path, ROOMY))
        follower.position = start
        follow_all(follower, everything)

    with (
        child(read_all) as reader, child(partial(write_all, 0)) as a, child(partial(write_all, 1)) as b,
        child(partial(write_all, 2)) as c, child(partial(write_all, 3)) as d,
    ):  # fmt: skip
        own = Follower(parent)
        own.position = start
        follow_all(own, everything)
        assert [ended(pid) for pid in (a, b, c, d, reader)] == [0] * 5


def follow_all(follower: Follower, everything: set[str]) -> None:
    """Read until all came; no writer overtakes, for the ring holds them all."""
    seen: list[str] = []
    deadline = time.monotonic() + 90
    while len(seen) < len(everything):
        purges = follower.changes()
        assert purges is not None
        seen += [purge.value for purge in purges]
        assert time.monotonic() < deadline, len(seen)
    assert len(seen) == len(set(seen))
    assert set(seen) == everything
    last: dict[str, int] = {}
    for value in seen:
        writer, _, number = value.rpartition("-")
        assert int(number) == last.get(writer, -1) + 1
        last[writer] = int(number)


def test_readers_that_are_overtaken_read_nothing_garbled(path: Path) -> None:
    """In a ring so small that it is written over during each look: whole purges in order, or None."""
    journal = Journal(path, 512)
    follower = Follower(journal)
    follower.changes()

    def write() -> None:
        for number in count():
            journal.write(tag(f"{number}-{'x' * (number % 60)}"))

    answers: list[list[Purge] | None] = []
    last = -1
    with child(write):
        enough, deadline = time.monotonic() + 1.5, time.monotonic() + 60
        # Longer where both seldom have a processor at the same time.
        while time.monotonic() < (enough if last > 100 else deadline):
            purges = follower.changes()
            if purges == []:
                continue
            answers.append(purges)
            if purges is None:
                time.sleep(0)
                continue
            numbers = [int(purge.value.partition("-")[0]) for purge in purges]
            assert [purge.value for purge in purges] == [f"{n}-{'x' * (n % 60)}" for n in numbers]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            assert numbers[0] > last
            last = numbers[-1]
    assert last > 100


def test_killed_writers(path: Path) -> None:
    """Kill -9 at random moments, often in mid-write: what was finished is read, in order; others write on."""
    rng = random.Random(8)
    done = memoryview(mmap.mmap(-1, 8)).cast("Q")  # how many writes a writer lived to see finished
    journal = Journal(path, 256 * 1024)
    follower = Follower(journal)
    follower.changes()

    def write(round_: int) -> None:
        for number in range(1_000_000):
            journal.write(tag(f"{round_}-{number}-{'x' * (number % 200)}"))
            done[0] = number + 1

    whole = 0
    end = time.monotonic() + 5
    for round_ in range(300):
        if whole and time.monotonic() > end:
            break
        done[0] = 0
        enough = rng.randrange(40)
        with child(partial(write, round_)) as pid:
            while done[0] < enough:
                time.sleep(0)
            time.sleep(rng.uniform(0, 0.0005))
            os.kill(pid, signal.SIGKILL)
            assert ended(pid) == -signal.SIGKILL
        purges = follower.changes()
        if purges is not None:
            # One more may have been finished than its writer lived to count.
            assert done[0] <= len(purges) <= done[0] + 1
            assert purges == [tag(f"{round_}-{n}-{'x' * (n % 200)}") for n in range(len(purges))]
            whole += len(purges) > 0
        journal.write(tag("after"))
        assert follower.changes() == [tag("after")]
    assert whole


class Mortal:
    """The words of a file, for a process that dies at its n-th touch of them; amid it, where that may be."""

    def __init__(self, words: memoryview, left: list[None]) -> None:
        self.words, self.left = words, left

    def touch(self) -> None:
        self.left.pop()
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)

    def __getitem__(self, key: int | slice) -> object:
        self.touch()
        found = self.words[key]
        return Mortal(found, self.left) if isinstance(found, memoryview) else found

    def __setitem__(self, key: int | slice, value: bytes) -> None:
        if isinstance(key, slice):
            start, half = key.start or 0, len(value) // 2
            self.words[start : start + half] = value[:half]
        self.touch()
        self.words[key] = value  # type: ignore[call-overload]

    def cast(self, form: str) -> Mortal:
        return Mortal(self.words.cast(form), self.left)  # type: ignore[call-overload]


@pytest.mark.parametrize("step", range(1, 9))
def test_killed_at_each_step_of_a_write(path: Path, step: int) -> None:
    """The unfinished purge is unseen, the finished ones are there, and the next one is read."""
    journal = Journal(path, 512)
    follower = Follower(journal)
    for number in range(20):
        journal.write(tag(number))
    follower.changes()
    before = journal.position
    journal.write(tag("finished"))

    def run() -> None:
        append = Journal._append
        Journal._append = lambda self, words, purge: append(  # type: ignore[method-assign]
            self,
            Mortal(words, [None] * step),
            purge,  # type: ignore[arg-type]
        )
        journal.write(tag("unfinished"))

    with child(run) as pid:
        # Seven touches are all there are.
        assert ended(pid) == (-signal.SIGKILL if step < 8 else 0)
    unfinished = [tag("unfinished")] * (step == 8)
    assert follower.changes() == [tag("finished"), *unfinished]
    journal.write(tag("next"))
    assert follower.changes() == [tag("next")]
    assert journal.read(before) == [tag("finished"), *unfinished, tag("next")]


def test_killed_in_laying_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next to write does it over; who has the file mapped knows no more what was purged."""
    journal = Journal(path, 512)
    follower = Follower(journal)
    follower.changes()
    with path.open("r+b") as file:
        file.write(b"x" * 576)

    def run() -> None:
        module._lay_out = lambda words, size: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        Journal(path, 512).verify()

    with child(run) as pid:
        assert ended(pid) == -signal.SIGKILL
    assert follower.changes() is None
    Journal(path, 512).write(tag("a"))
    assert follower.changes() is None
    journal.write(tag("b"))
    assert follower.changes() == [tag("b")]
