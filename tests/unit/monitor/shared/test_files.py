"""Files that aren't as they should be, and disks without room: refused with a reason, or replaced."""

from __future__ import annotations

import errno
import os
import resource
import signal
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wsgiperf.errors import WSGIPerfError
from wsgiperf.monitor.shared import file as module
from wsgiperf.monitor.shared.file import Shape
from wsgiperf.monitor.shared.segment import Segment, SegmentError

from .processes import WORDS, Child, attached, worker

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")

Start = Callable[[Child], Child]
SIZE = Shape(8, 8 * WORDS, 1).size


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "a.slabs"


def directory(path: Path) -> None:
    path.mkdir()


def link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


def link_to_one_of_ours(path: Path) -> None:
    attached(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def others_may_write(path: Path) -> None:
    path.touch()
    path.chmod(0o666)


def group_may_write(path: Path) -> None:
    path.touch()
    path.chmod(0o660)


def words(path: Path, *values: int) -> None:
    path.write_bytes(struct.pack(f"={len(values)}Q", *values))
    path.chmod(0o600)


REFUSED = [
    directory, link, link_to_one_of_ours, pipe, others_may_write, group_may_write,
    pytest.param(lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(5000)), id="another-program's"),
    pytest.param(lambda path: path.write_bytes(b"x"), id="short"),
    pytest.param(lambda path: path.write_bytes(bytes(10_000)), id="zeros"),
]  # fmt: skip


@pytest.mark.parametrize("make", REFUSED)
def test_a_path_of_the_users_choice_is_never_overwritten(state: Path, make: Callable[[Path], None]) -> None:
    """Nor followed, nor waited for: a typed error that names it, and all is as it was."""
    make(state)
    state.parent.joinpath("elsewhere").touch() if make is link else None
    before = os.lstat(state)
    content = state.read_bytes() if state.is_file() else b""
    for _ in range(2):
        with pytest.raises(SegmentError, match=r"a\.slabs: \w") as refused:
            attached(state)
        assert isinstance(refused.value, WSGIPerfError)
        assert isinstance(refused.value, OSError)
    after = os.lstat(state)
    assert (before.st_ino, before.st_mode, before.st_size) == (after.st_ino, after.st_mode, after.st_size)
    assert not state.is_file() or state.read_bytes() == content


def test_another_users_file_is_refused(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner could shorten it, and whoever has it mapped would die."""
    attached(state).detach()
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(SegmentError, match="of this user"):
        attached(state.with_name("b.slabs"))


def test_no_directory(state: Path) -> None:
    with pytest.raises(SegmentError, match="No such file"):
        attached(state / "x" / "y")


def test_it_is_private(state: Path) -> None:
    """Whatever the umask."""
    before = os.umask(0)
    try:
        attached(state)
    finally:
        os.umask(before)
    assert state.stat().st_mode & 0o777 == 0o600


SHAPE = (1, 8, 8 * WORDS)

DAMAGED = [
    pytest.param((module._MAGIC + 1, *SHAPE, 1, 0), id="other-version"),
    pytest.param((module._MAGIC, 2, 8, 8 * WORDS, 1, 0), id="other-layout"),
    pytest.param((module._MAGIC, 1, 4, 8 * WORDS, 1, 0), id="other-number-of-slabs"),
    pytest.param((module._MAGIC, 1, 8, 8, 1, 0), id="other-size-of-slabs"),
    pytest.param((module._MAGIC, *SHAPE, 1, 0), id="cut-off"),
    pytest.param((module._MAGIC,), id="hardly-begun"),
]


@pytest.mark.parametrize("header", DAMAGED)
def test_one_of_ours_that_does_not_fit_is_replaced(state: Path, header: tuple[int, ...]) -> None:
    """By a new file, as the old one may be mapped; when nobody has it in use."""
    words(state, *header)
    inode = state.stat().st_ino
    with state.open("rb") as still_there:
        mine = attached(state)
        assert mine.words[0] == 0
        assert not mine.adopted
        assert state.stat().st_size == SIZE
        assert state.stat().st_ino != inode
        assert os.fstat(still_there.fileno()).st_nlink == 0


def test_one_that_is_in_use_is_not_replaced(state: Path, started: Start) -> None:
    """As by the last version's workers in a rolling restart; once they are gone it is."""
    old = started(worker(state, layout=1))
    assert old.ask("attach") == 0
    with pytest.raises(SegmentError, match="in use with another layout"):
        attached(state, layout=2)
    assert old.ask("add 1") == 1
    old.kill()
    assert not attached(state, layout=2).adopted


@pytest.mark.parametrize("content", [b"", module._MAKING.to_bytes(8, "little")], ids=["empty", "begun"])
def test_an_unfinished_file_is_finished(state: Path, content: bytes) -> None:
    """In place: nobody has it mapped yet. An empty one may be somebody's who wanted to choose its mode."""
    state.write_bytes(content)
    inode = state.stat().st_ino
    assert attached(state).words[0] == 0
    assert (state.stat().st_ino, state.stat().st_size) == (inode, SIZE)


@pytest.mark.parametrize("step", range(1, 4))
def test_killed_while_making_it(state: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each step: the next one makes it."""

    def handle(word: str) -> Any:
        left = [step]

        def mortal(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*given: Any) -> Any:
                left[0] -= 1
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*given)

            return call

        os.pwrite = mortal(os.pwrite)
        os.posix_fallocate = mortal(os.posix_fallocate)
        attached(state)

    child = Child(handle)
    child.tell("x")
    assert os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1]) == -signal.SIGKILL
    child._alive = False
    mine = attached(state)
    assert not mine.adopted
    assert not any(mine.slab(number)[word] for number in range(8) for word in range(WORDS))


NO_ROOM = [errno.ENOSPC, errno.EDQUOT, errno.EFBIG]


@pytest.mark.parametrize("code", NO_ROOM, ids=errno.errorcode.get)
def test_a_full_disk(state: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """The room is taken before anything is mapped; where there is none, nothing is left behind."""

    def full(descriptor: int, start: int, length: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", full)
        with pytest.raises(SegmentError, match="no room for"):
            attached(state)
        assert not state.exists()
    attached(state)
    assert state.stat().st_blocks * 512 >= SIZE


def limited(state: Path, without: bool) -> Callable[[str], str]:
    """A process that may write files of so many bytes only."""

    def handle(word: str) -> str:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(word), int(word)))
        if without:
            del os.posix_fallocate
        attached(state)
        return "fine"

    return handle


@pytest.mark.parametrize("without", [False, True], ids=["reserved", "written"])
@pytest.mark.parametrize("limit", [0, 4, 100, SIZE - 1])
def test_a_limit_on_files(state: Path, without: bool, limit: int) -> None:
    """As the kernel really refuses it: no SIGBUS, no file."""
    child = Child(limited(state, without))
    try:
        assert child.ask(str(limit)).startswith("UnusablePlaceError")
        assert not state.exists()
    finally:
        child.kill()


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EINVAL, None])
def test_where_room_cannot_be_reserved_it_is_written(
    state: Path, monkeypatch: pytest.MonkeyPatch, code: int | None
) -> None:
    """As on macOS, and on file systems that can't."""

    def unsupported(descriptor: int, start: int, length: int) -> None:
        raise OSError(code, os.strerror(code or 0))

    if code is None:
        monkeypatch.delattr(os, "posix_fallocate")
    else:
        monkeypatch.setattr(os, "posix_fallocate", unsupported)
    mine = attached(state)
    assert state.stat().st_blocks * 512 >= SIZE
    assert not any(mine.words)


def test_a_copy_with_holes_is_filled(state: Path) -> None:
    """As `cp --sparse` leaves it: what was counted stays, and the holes can kill nobody."""
    mine = attached(state)
    mine.words[0] = 7
    mine.detach()
    copy = state.with_name("copy")
    with copy.open("wb") as file:
        file.truncate(SIZE)
        with state.open("rb") as original:
            file.write(original.read(4096))
            file.seek(-mine.slabs * 4096, os.SEEK_END)
            original.seek(-mine.slabs * 4096, os.SEEK_END)
            file.write(original.read(4096))
    assert copy.stat().st_blocks * 512 < SIZE
    found: Segment = attached(copy)
    assert found.words[0] == 7
    assert copy.stat().st_blocks * 512 >= SIZE


def test_a_stopped_process_is_not_waited_for_endlessly(
    state: Path, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    attached(state)

    def handle(word: str) -> bool:
        descriptor = os.open(state, os.O_RDWR)
        return module.locks.take(descriptor, module.TURN)

    keeper = started(Child(handle))
    assert keeper.ask("x")
    late = started(worker(state))
    assert "another process kept it locked" in late.ask("attach")
    keeper.kill()
    assert late.ask("attach") == 1


def test_a_file_removed_while_it_was_waited_for(
    state: Path, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who had opened it by then uses the one that is there instead."""
    attached(state).detach()
    real = module.locks.take
    removed = []

    def take(descriptor: int, byte: int) -> bool:
        if byte == module.TURN and not removed:
            removed.append(state.unlink())
        return real(descriptor, byte)

    state.unlink()
    attached(state).detach()
    monkeypatch.setattr(module.locks, "take", take)
    child = started(worker(state))
    assert child.ask("attach") == 0
    assert state.exists()
    assert not child.ask("about")["adopted"]
