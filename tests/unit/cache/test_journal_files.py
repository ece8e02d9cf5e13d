"""Files that aren't as they were, or can't be had, and where a journal is by default."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from wsgiperf.cache import journal as module
from wsgiperf.cache.journal import Follower, Journal, JournalError, default_path
from wsgiperf.cache.purges import Purge
from wsgiperf.errors import WSGIPerfError

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")


def tag(name: object) -> Purge:
    return Purge("tag", str(name), False, 1.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.journal"


def test_a_deleted_file_is_noticed(path: Path) -> None:
    """A reader empties its tier at its next check; what is written from then on arrives."""
    reader, writer = Journal(path), Journal(path)
    follower = Follower(reader)
    follower.changes()
    writer.write(tag("a"))
    began = reader.position
    assert follower.changes() == [tag("a")]
    assert reader.verify()
    path.unlink()
    writer.write(tag("b"))
    assert not reader.verify()
    assert reader.verify()
    assert reader.matching_since(began, "http://a/")
    assert follower.changes() is None
    writer.write(tag("c"))
    assert follower.changes() == [tag("c")]


def test_a_file_replaced_in_mid_write_is_written_to(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A purge isn't reported as done when it went to a file that nobody will look at."""
    journal, other = Journal(path), Journal(path)
    record_of = module.record_of
    positions: list[int] = []

    def replace_first(purge: Purge, position: int) -> bytes:
        if position and not positions:
            path.unlink()
            assert not other.verify()
            positions.append(other.position)
        return record_of(purge, position)

    assert not other.verify()
    monkeypatch.setattr(module, "record_of", replace_first)
    journal.write(tag("a"))
    assert other.read(positions[0]) == [tag("a")]


def header(
    *, magic: int = module._MAGIC, size: int = 512, origin: int = 8, claimed: int = 8, position: int = 8
) -> bytes:
    return module._HEADER.pack(magic, size, origin, claimed, position, 0, 0, 0)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"x", id="short"),
        pytest.param(b"\xff" * 2000, id="foreign"),
        pytest.param(bytes(576), id="nulls"),
        pytest.param(header() + bytes(511), id="cut"),
        pytest.param(header(magic=module._MAGIC + 1) + bytes(512), id="version"),
        pytest.param(header(size=1024) + bytes(1024), id="other-size"),
        pytest.param(header(origin=0, position=0, claimed=0) + bytes(512), id="origin"),
        pytest.param(header(position=0) + bytes(512), id="position-before-origin"),
        pytest.param(header(position=16) + bytes(512), id="position-after-claimed"),
        pytest.param(header(claimed=1024) + bytes(512), id="claimed-too-much"),
        pytest.param(header(claimed=12, position=12) + bytes(512), id="odd-position"),
        pytest.param(header(claimed=2**63 + 8, position=2**63) + bytes(512), id="end-of-numbers"),
    ],
)
def test_a_damaged_file_is_laid_out_anew(path: Path, content: bytes) -> None:
    """In place, by the next writer; those who had it mapped see that they must empty their tier."""
    mapped = Journal(path, 512)
    follower = Follower(mapped)
    follower.changes()
    mapped.write(tag("a"))
    follower.changes()
    inode = path.stat().st_ino
    with path.open("r+b") as file:  # never shorter than it was: that is the one thing not to be done
        file.write(content.ljust(576, b"\0") if len(content) < 576 else content)
    for journal in (Journal(path, 512), Journal(path, 512), mapped):
        before = journal.position
        after = journal.write(tag("b"))
        assert journal.read(before) == [tag("b")]
        assert journal.position == after
    assert follower.changes() is None
    assert path.stat().st_ino == inode
    mapped.write(tag("c"))
    assert follower.changes() == [tag("c")]


@pytest.mark.parametrize("length", [0, 1, 63, 64, 575])
def test_a_short_file_is_filled_up(path: Path, length: int) -> None:
    """As a writer leaves it that was killed at the very first write, or found the disk full."""
    path.write_bytes(bytes(length))
    path.chmod(0o600)
    journal = Journal(path, 512)
    before = journal.position
    journal.write(tag("a"))
    assert journal.read(before) == [tag("a")]


def test_damaged_records_are_not_believed(path: Path) -> None:
    """Whatever byte of them changed: None, and what comes after is read again."""
    journal = Journal(path, 512)
    before = journal.position
    length = journal.write(tag("abc")) - before
    for place in range(39):
        with path.open("r+b") as file:
            offset = 64 + (before + place) % 512
            file.seek(offset)
            good = file.read(1)
            file.seek(offset)
            file.write(bytes([good[0] ^ 1]))
            file.flush()
            assert journal.read(before) is None, place
            assert journal.matching_since(before, "http://a/")
            file.seek(offset)
            file.write(good)
    assert length == 40
    assert journal.read(before) == [tag("abc")]


def test_signs_of_life(path: Path) -> None:
    """Who cleans up old files sees that this one is in use: at opening and at each write."""
    journal = Journal(path)
    journal.write(tag("a"))
    for use in (lambda: journal.write(tag("a")), Journal(path).verify):
        os.utime(path, (1, 1))
        use()
        assert path.stat().st_mtime > 1_000_000


def directory(path: Path) -> None:
    path.mkdir()


def link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


def pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def writable_by_all(path: Path) -> None:
    path.touch()
    path.chmod(0o666)


@pytest.mark.parametrize("make", [directory, link, pipe, writable_by_all])
def test_what_is_no_file_of_ours_is_refused(path: Path, make: Callable[[Path], None]) -> None:
    """By a typed error at each use; never followed, never waited for."""
    make(path)
    journal = Journal(path)
    for use in (lambda: journal.position, lambda: journal.write(tag("a")), journal.verify):
        with pytest.raises(JournalError, match=r"a\.journal") as refused:
            use()
        assert isinstance(refused.value, WSGIPerfError)
        assert isinstance(refused.value, OSError)
    assert not path.with_name("elsewhere").exists()


def test_no_directory(tmp_path: Path) -> None:
    """An error now; fine as soon as it is there."""
    journal = Journal(tmp_path / "none" / "j")
    follower = Follower(journal)
    with pytest.raises(JournalError):
        follower.changes()
    (tmp_path / "none").mkdir()
    assert follower.changes() is None


def test_a_full_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ring's room is taken at the start, so that no write to memory fails for lack of it later."""
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", lambda descriptor, data, offset: 100)
        with pytest.raises(JournalError, match="no room"):
            Journal(path).verify()
    journal = Journal(path)
    assert not journal.verify()
    assert path.stat().st_blocks * 512 >= module.RING_SIZE


def test_a_stopped_writer_is_not_waited_for_endlessly(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The purge fails loudly; reading goes on."""
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    journal = Journal(path)
    before = journal.position
    with journal._locked(), pytest.raises(JournalError, match="not to be locked"):
        Journal(path).write(tag("a"))
    assert journal.read(before) == []
    Journal(path).write(tag("a"))
    assert journal.read(before) == [tag("a")]


def test_no_descriptor_is_left(path: Path) -> None:
    """A journal keeps the one of its mapping, writes and failures none."""

    def count() -> int:
        """Those on files of this test: others come and go with other threads and the collector."""
        found = 0
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):  # that of the listing
                found += os.readlink(f"/proc/self/fd/{name}").startswith(str(path.parent))
        return found

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    journal = Journal(path)
    for _ in range(10):
        journal.write(tag("a"))
        path.unlink()
        journal.verify()
        with pytest.raises(JournalError):
            Journal(path.parent).verify()
    assert count() == 1
    del journal
    assert count() == 0


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / f"wsgiperf-{os.geteuid()}"


def test_the_default_place(temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the user alone; the same for the same name, directory and environment."""
    place = default_path("shop")
    assert place.parent == temporary
    assert temporary.stat().st_mode & 0o777 == 0o700
    assert default_path("shop") == place
    assert default_path("blog") != place
    assert not place.exists()
    monkeypatch.setattr(sys, "prefix", "/elsewhere")
    assert default_path("shop") != place
    monkeypatch.undo()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert default_path("shop") != place


def file_there(folder: Path) -> None:
    folder.touch()


def link_there(folder: Path) -> None:
    folder.with_name("theirs").mkdir(0o700)
    folder.symlink_to(folder.with_name("theirs"))


def others_may_write(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def group_may_write(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o770)


@pytest.mark.parametrize("make", [file_there, link_there, others_may_write, group_may_write])
def test_a_folder_that_others_prepared_is_refused(temporary: Path, make: Callable[[Path], None]) -> None:
    """In a directory for all, somebody else may have been first."""
    make(temporary)
    with pytest.raises(JournalError, match="nobody else may write to"):
        default_path("shop")


def test_a_folder_of_another_user_is_refused(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one that nobody else may write to."""
    temporary.mkdir(0o700)
    other = temporary.with_name("wsgiperf-54321")
    temporary.rename(other)
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(JournalError, match="of this user"):
        default_path("shop")


def test_processes_that_know_nothing_of_each_other_meet(temporary: Path, tmp_path: Path) -> None:
    """A command run in the same directory writes to the workers' journal."""
    follower = Follower(Journal(partial(default_path, "shop")))
    follower.changes()
    code = (
        "from wsgiperf.cache.journal import *; from wsgiperf.cache.purges import Purge;"
        "Journal(default_path('shop')).write(Purge('tag', 'a', False, 1.0))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "TMPDIR": str(tmp_path)})
    assert follower.changes() == [tag("a")]
