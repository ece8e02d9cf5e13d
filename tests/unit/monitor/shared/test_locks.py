"""Byte-range locks: who holds them, and when they end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgiperf.monitor.shared import locks

from .processes import Child

pytestmark = pytest.mark.skipif(not locks.AVAILABLE, reason="needs a POSIX system")


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def other(descriptor: int) -> Iterator[Child]:
    """A process with the same descriptor."""

    def handle(word: str) -> object:
        name, *numbers = word.split()
        return getattr(locks, name)(descriptor, *map(int, numbers))

    child = Child(handle)
    yield child
    child.kill()


def test_one_holds_it_until_it_gives_it_up(descriptor: int, other: Child) -> None:
    assert other.ask("take 5")
    assert other.ask("take 5")
    assert not locks.take(descriptor, 5)
    assert locks.take(descriptor, 6)
    assert [locks.holder(descriptor, byte) for byte in (4, 5, 6)] == [0, other.pid, 0]
    assert [other.ask(f"holder {byte}") for byte in (5, 6)] == [0, os.getpid()]
    other.ask("give_up 5")
    assert locks.holder(descriptor, 5) == 0
    assert locks.take(descriptor, 5)


def test_one_holds_it_until_it_dies(descriptor: int, other: Child) -> None:
    assert other.ask("take 5")
    other.kill()
    assert locks.holder(descriptor, 5) == 0
    assert locks.take(descriptor, 5)


def test_any_holder_of_several(descriptor: int, other: Child) -> None:
    assert other.ask("take 7")
    assert locks.holder(descriptor, 0, 7) == 0
    assert locks.holder(descriptor, 0, 8) == other.pid
    assert locks.holder(descriptor, 8, 100) == 0


@pytest.mark.parametrize("told", [0, -1, -12345], ids=["other-namespace", "open-file", "other-machine"])
def test_a_holder_whose_id_means_nothing_here(
    descriptor: int, monkeypatch: pytest.MonkeyPatch, told: int
) -> None:
    """Linux tells such a number for the process of another container: it lives all the same."""
    real = locks.fcntl.fcntl

    def fcntl(descriptor: int, command: int, asked: bytes) -> bytes:
        kind, *rest, _ = locks._FLOCK.unpack(real(descriptor, command, asked))
        assert kind == locks.fcntl.F_UNLCK
        return locks._FLOCK.pack(locks.fcntl.F_WRLCK, *rest, told)

    monkeypatch.setattr(locks.fcntl, "fcntl", fcntl)
    assert locks.holder(descriptor, 5) == locks.UNKNOWN


def test_what_has_no_locks(descriptor: int) -> None:
    """An error, not a lock that another holds."""
    with open(os.devnull, "rb") as unwritable, pytest.raises(OSError, match="Bad file descriptor"):
        locks.take(unwritable.fileno(), 0)
