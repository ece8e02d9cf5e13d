"""What one process sees of a journal: every purge once, or that it fell behind."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from wsgiperf.cache.journal import Follower, Journal
from wsgiperf.cache.purges import Purge

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")


def tag(name: object) -> Purge:
    return Purge("tag", str(name), False, 1.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.journal"


def test_a_purge_is_read_as_it_was_written(path: Path) -> None:
    """In order, by another journal object as by the same, each once."""
    writer, reader = Journal(path), Journal(path)
    follower = Follower(reader)
    assert follower.changes() is None
    assert follower.changes() == []
    written = [tag("a"), Purge.parse("url", "/é", soft=True), Purge.parse("all")]
    start = reader.position
    ends = [writer.write(purge) for purge in written]
    assert reader.position == writer.position == ends[-1]
    assert follower.changes() == written
    assert follower.changes() == []
    assert reader.read(start) == written
    assert reader.read(ends[0], ends[1]) == written[1:2]
    assert reader.read(ends[-1]) == []


def test_nothing_is_touched_before_the_first_use(path: Path) -> None:
    """Not at import, not at construction; the path may be asked for as late as that."""
    asked: list[Path] = []

    def where() -> Path:
        asked.append(path)
        return path

    journal = Journal(where)
    follower = Follower(journal)
    assert not asked
    assert not path.exists()
    assert follower.changes() is None
    assert journal.verify()
    assert asked == [path]
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_ring_goes_round(path: Path) -> None:
    """Many times its size, with records that lie across its end; a follower that keeps up misses none."""
    writer, follower = Journal(path, 512), Follower(Journal(path, 512))
    follower.changes()
    for number in range(500):
        written = [tag(f"{number}-{'x' * (number % 70)}-{more}") for more in range(1 + number % 3)]
        for purge in written:
            writer.write(purge)
        assert follower.changes() == written


def test_who_fell_behind_is_told(path: Path) -> None:
    """All that the ring holds is read; a byte more, and it's None, once."""
    journal = Journal(path, 512)
    follower = Follower(journal)
    follower.changes()
    start = journal.position
    size = journal.write(tag("a")) - start
    for _ in range(512 // size - 1):
        journal.write(tag("a"))
    assert follower.changes() == [tag("a")] * (512 // size)
    for _ in range(512 // size + 1):
        journal.write(tag("b"))
    assert follower.changes() is None
    assert follower.changes() == []
    assert journal.read(start) is None


@pytest.mark.parametrize("since", [0, 8, -8, 2**63])
def test_positions_of_nowhere(path: Path, since: int) -> None:
    """Whoever comes with another file's position fell behind."""
    journal = Journal(path)
    journal.write(tag("a"))
    assert journal.read(since) is None
    assert journal.matching_since(since, "http://a/")
    assert journal.read(journal.position + 8) is None
    assert journal.read(journal.position - 8) is None


def test_what_is_too_long_becomes_all(path: Path) -> None:
    """One purge may not push everyone else's out; it stays as soft as it was."""
    journal = Journal(path, 512)
    follower = Follower(journal)
    follower.changes()
    journal.write(Purge.parse("url", "/" + "x" * 100, soft=True, at=5.0))
    journal.write(Purge.parse("url", "/" + "x" * 50, soft=True, at=5.0))
    assert follower.changes() == [("all", "", True, 5.0), ("url", "/" + "x" * 50, True, 5.0)]


@pytest.mark.parametrize("size", [0, 504, 1001])
def test_sizes_that_cannot_be(path: Path, size: int) -> None:
    """Too small to be of use, or not of whole words."""
    with pytest.raises(ValueError, match="multiple of 8"):
        Journal(path, size)


def test_whether_a_response_was_purged_while_it_was_made(path: Path) -> None:
    """By URL or tag, by a purge after that position only; when in doubt, yes."""
    journal = Journal(path, 512)
    journal.write(tag("before"))
    began = journal.position
    assert not journal.matching_since(began, "http://a/", ("before",))
    Journal(path, 512).write(tag("b"))
    Journal(path, 512).write(Purge.parse("prefix", "/c"))
    assert journal.matching_since(began, "http://a/", ("a", "b"))
    assert journal.matching_since(began, "http://a/cd")
    assert not journal.matching_since(began, "http://a/d", ("a",))
    for _ in range(20):
        journal.write(tag("x"))
    assert journal.matching_since(began, "http://a/d", ("a",))


def test_what_fails_to_be_applied_is_applied_again(path: Path) -> None:
    """A follower moves on when the work is done."""
    journal = Journal(path)
    follower = Follower(journal)
    follower.changes()
    journal.write(tag("a"))

    def fail(_: object) -> None:
        raise RuntimeError("store is down")

    with pytest.raises(RuntimeError):
        follower.follow(fail)
    assert follower.position != journal.position
    assert follower.changes() == [tag("a")]


def test_threads_wait_until_changes_are_applied(path: Path) -> None:
    """Who asks while another thread is at it comes back when it is done, and does nothing twice."""
    journal = Journal(path)
    follower = Follower(journal)
    follower.changes()
    journal.write(tag("a"))
    begun, go_on, order = threading.Event(), threading.Event(), []

    def slowly(purges: list[Purge] | None) -> None:
        begun.set()
        assert go_on.wait(60)
        order.append(purges)

    def second() -> None:
        follower.follow(order.append)
        order.append(None)

    threads = [threading.Thread(target=follower.follow, args=(slowly,)), threading.Thread(target=second)]
    threads[0].start()
    assert begun.wait(60)
    threads[1].start()
    threads[1].join(0.05)
    assert order == []
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert order == [[tag("a")], None]
