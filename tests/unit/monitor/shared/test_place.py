"""Where the file is by default, what is refused there, and what is cleaned up."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from wsgiperf.monitor.shared import file as file_module
from wsgiperf.monitor.shared import leftovers, place
from wsgiperf.monitor.shared.master import machine, master_of_this_process
from wsgiperf.monitor.shared.place import file_system
from wsgiperf.monitor.shared.segment import Segment, SegmentError

from .processes import Child, attached, worker

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")

Start = Callable[[Child], Child]


def test_the_default_place(temporary: Path) -> None:
    """Of this user alone. Its name tells the layout, so that others have other files."""
    mine = attached("")
    assert Path(mine.path).parent == temporary
    assert stat.S_IMODE(temporary.stat().st_mode) == 0o700
    assert stat.S_IMODE(os.stat(mine.path).st_mode) == 0o600
    assert attached("") is mine
    paths = {mine.path, attached("", 4).path, attached("", layout=2).path, attached("", words=65).path}
    assert len(paths) == len(os.listdir(temporary)) == 4


def test_children_share_it(temporary: Path, started: Start) -> None:
    """Of one process, and theirs."""
    children = [started(worker("")) for _ in range(3)]
    assert sorted(child.ask("attach") for child in children) == [0, 1, 2]
    assert len({child.ask("about")["path"] for child in children}) == 1
    assert sorted(children[0].ask("holders")[:3]) == sorted(child.pid for child in children)


def file_there(folder: Path) -> None:
    folder.touch()


def link_there(folder: Path) -> None:
    folder.with_name("theirs").mkdir(0o700)
    folder.symlink_to(folder.with_name("theirs"))


def others_may_write(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def others_may_look(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o755)


@pytest.mark.parametrize("make", [file_there, link_there, others_may_write, others_may_look])
def test_a_folder_that_others_prepared_is_refused(temporary: Path, make: Callable[[Path], None]) -> None:
    """In a directory for all, somebody else may have been first."""
    make(temporary)
    with pytest.raises(SegmentError, match=rf"{temporary.name}: \w"):
        attached("")
    assert not any(path.suffix == ".slabs" for path in temporary.parent.rglob("*"))


def test_another_users_folder_is_refused(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = temporary.with_name("wsgiperf-54321")
    other.mkdir(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(SegmentError, match="of this user"):
        attached("")
    assert not os.listdir(other)


def link_at(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


def foreign_at(path: Path) -> None:
    path.write_bytes(b"x" * 10_000)


def cut_at(path: Path) -> None:
    path.write_bytes(file_module._MAGIC.to_bytes(8, "little"))


@pytest.mark.parametrize("make", [foreign_at, cut_at])
def test_a_bad_file_at_the_default_place_is_replaced(temporary: Path, make: Callable[[Path], None]) -> None:
    """Nobody but us can have put it there. Who has the old one mapped sees that it is gone."""
    mine = attached("")
    path = Path(mine.path)
    path.rename(path.with_name("elsewhere"))
    make(path)
    path.chmod(0o600)
    assert not mine.is_current()
    new = attached("")
    assert new is not mine
    assert (new.path, new.is_current(), new.words[0]) == (mine.path, True, 0)


def test_a_link_at_the_default_place_is_not_followed(temporary: Path) -> None:
    path = Path(attached("").path)
    path.rename(path.with_name("elsewhere"))
    link_at(path)
    with pytest.raises(SegmentError, match="symbolic links"):
        attached("")


MOUNTINFO = """\
27 1 254:0 / / rw - ext4 /dev/vda rw
28 27 0:23 / {shm} rw,relatime shared:5 master:1 - tmpfs tmpfs rw
29 27 0:24 / {home}/with\\040space rw - {kind} server:/home rw
30 27 0:25 / {home}/hidden rw - nfs4 server:/home rw
31 27 0:26 / {home}/hidden rw - tmpfs tmpfs rw
"""


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have the system say what is mounted where."""

    def mount(kind: str) -> None:
        path = tmp_path / "mountinfo"
        path.write_text(MOUNTINFO.format(shm=tmp_path / "shm", home=tmp_path, kind=kind))
        monkeypatch.setattr(place, "MOUNTS", str(path))

    return mount


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "ceph", "lustre"]
)
def test_a_network_is_refused(tmp_path: Path, mounts: Callable[[str], None], kind: str) -> None:
    """Locks and mapped memory don't reach over it."""
    folder = tmp_path / "with space"
    folder.mkdir()
    mounts(kind)
    with pytest.raises(SegmentError, match=f"{kind} is a file system that workers can't share"):
        attached(folder / "a.slabs")
    assert not os.listdir(folder)


@pytest.mark.parametrize("kind", ["ext4", "overlay", "xfs", "btrfs", "tmpfs", "fuse.fuse-overlayfs"])
def test_a_disk_is_not_refused(tmp_path: Path, mounts: Callable[[str], None], kind: str) -> None:
    (tmp_path / "with space").mkdir()
    mounts(kind)
    assert attached(tmp_path / "with space" / "a.slabs").is_current()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("shm", "tmpfs"),
        ("shm/deep/er", "tmpfs"),
        ("shmother", "ext4"),
        ("with space", "cifs"),
        ("hidden/x", "tmpfs"),
        ("link", "tmpfs"),
    ],
)
def test_which_file_system(tmp_path: Path, mounts: Callable[[str], None], name: str, kind: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "shm")
    mounts("cifs")
    assert file_system(str(tmp_path / name)) == kind


@pytest.mark.parametrize("content", [None, "", "nonsense\n", "1 2 3 - \n"])
def test_a_system_that_does_not_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    path = tmp_path / "mountinfo"
    if content is not None:
        path.write_text(content)
    monkeypatch.setattr(place, "MOUNTS", str(path))
    assert file_system(str(tmp_path)) == ""
    assert attached(tmp_path / "a.slabs").is_current()


@pytest.fixture
def memory(
    tmp_path: Path, temporary: Path, mounts: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A directory that is said to be shared memory."""
    mounts("ext4")
    (tmp_path / "shm").mkdir()
    monkeypatch.setattr(place, "SHARED_MEMORY", str(tmp_path / "shm"))
    return tmp_path / "shm" / temporary.name


def test_memory_is_better_than_a_disk(memory: Path, temporary: Path) -> None:
    assert Path(attached("").path).parent == memory
    assert not temporary.exists()


def folder_of_another(memory: Path) -> None:
    memory.mkdir(0o777)
    memory.chmod(0o777)


def read_only(memory: Path) -> None:
    memory.parent.rmdir()  # a mount point that can't be written to; even root can't write here
    memory.parent.symlink_to("/proc/self/attr")


@pytest.mark.parametrize("spoil", [folder_of_another, read_only])
def test_where_memory_will_not_do_a_disk_does(
    memory: Path, temporary: Path, spoil: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(memory)
    if spoil is read_only:
        monkeypatch.setattr(place, "file_system", lambda path: "tmpfs")
    assert Path(attached("").path).parent == temporary


def test_who_comes_later_joins_where_the_file_is(
    memory: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory was full for the first worker; for the second there is room, but its siblings are elsewhere."""
    real = os.posix_fallocate

    def full(descriptor: int, start: int, length: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").startswith(str(memory)):
            raise OSError(28, "No space left on device")
        real(descriptor, start, length)

    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", full)
        first = attached("")
    assert Path(first.path).parent == temporary
    assert not os.listdir(memory)
    child = worker("")
    try:
        assert child.ask("about")["path"] == first.path
    finally:
        child.kill()


def test_taken_slabs_send_nobody_elsewhere(memory: Path, temporary: Path, started: Start) -> None:
    """Or some workers' figures would be told by some workers only."""
    assert started(worker("", slabs=1)).ask("attach") == 0
    with pytest.raises(SegmentError, match="all 1 slabs are taken"):
        attached("", 1)
    assert not temporary.exists()


def nobody() -> int:
    """The ID of a process that is gone."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def left(temporary: Path, name: str, age: float = 0.0) -> Path:
    temporary.mkdir(0o700, exist_ok=True)
    path = temporary / name
    path.write_bytes(b"x")
    path.chmod(0o600)
    if age:
        moment = path.stat().st_mtime - age
        os.utime(path, (moment, moment))
    return path


def of(pid: int, start: int, here: str = "") -> str:
    return f"monitor-1.1-8x512-{here or machine()}-{pid}-{start}.slabs"


def test_what_is_gone_is_removed(temporary: Path) -> None:
    """A server of a dead master, of one whose ID is another's by now, and an old one of another boot."""
    own = master_of_this_process()
    gone = [
        left(temporary, of(nobody(), 5)),
        left(temporary, of(own.pid, own.start + 1)),
        left(temporary, of(own.pid, own.start, "00000000"), age=90_000),
    ]
    stay = [
        left(temporary, of(own.pid, own.start).replace("8x512", "9x512")),  # of a living master
        left(temporary, of(nobody(), 5, "00000000"), age=80_000),  # of who knows whom, and not so old
        left(temporary, "0123.journal", age=1_000_000),
        left(temporary, of(nobody(), 5) + "~", age=1_000_000),
    ]
    mine = attached("")
    assert [path.exists() for path in gone] == [False] * 3
    assert [path.exists() for path in stay] == [True] * 4
    assert mine.is_current()


@pytest.mark.parametrize("lock", [file_module.TURN, file_module.LEADER, file_module.SLABS + 7])
def test_what_somebody_holds_stays(temporary: Path, started: Start, lock: int) -> None:
    """Workers that outlive their master, while one of them lives; or somebody who is just joining."""
    path = left(temporary, of(nobody(), 5))

    def handle(word: str) -> bool:
        return leftovers.locks.take(os.open(path, os.O_RDWR), lock)

    holder = started(Child(handle))
    assert holder.ask("x")
    mine = attached("")
    assert path.exists()
    holder.kill()
    mine.detach()
    os.unlink(mine.path)
    attached("")
    assert not path.exists()


def test_nobody_joins_what_is_being_removed(
    temporary: Path, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From looking whether somebody is there until it is gone, others have to wait."""
    path = left(temporary, of(nobody(), 5))

    def handle(word: str) -> bool:
        return leftovers.locks.take(os.open(path, os.O_RDWR), file_module.TURN)

    other, joined = started(Child(handle)), []
    real = leftovers.locks.holder

    def holder(descriptor: int, *given: int) -> int:
        found = real(descriptor, *given)
        joined.append(other.ask("x"))
        return found

    monkeypatch.setattr(leftovers.locks, "holder", holder)
    attached("")
    assert joined == [False]
    assert not path.exists()


def test_what_looks_like_a_leftover_and_is_none(temporary: Path) -> None:
    """Links, pipes and directories stay, and what they lead to as well."""
    temporary.mkdir(0o700)
    target = temporary.with_name("precious")
    target.write_bytes(b"x")
    names = [of(nobody(), number) for number in range(3)]
    (temporary / names[0]).symlink_to(target)
    os.mkfifo(temporary / names[1])
    (temporary / names[2]).mkdir()
    attached("")
    assert set(names) < set(os.listdir(temporary))
    assert target.read_bytes() == b"x"


def test_files_of_this_process_are_not_touched(
    temporary: Path, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To open and close one of them would lose its locks."""
    mine: Segment = attached("")
    monkeypatch.setattr(leftovers, "lives", lambda pid, start: False)
    attached("", layout=2)
    assert mine.is_current()
    assert started(worker("")).ask("holders")[0] == os.getpid()


def test_cleaning_and_joining_at_once(temporary: Path, started: Start) -> None:
    """While somebody removes whatever is held by nobody, those who join still all have one file."""

    def clean(_: str) -> None:
        leftovers.lives = lambda pid, start: False
        while True:
            with contextlib.suppress(FileNotFoundError):
                folder = os.open(temporary, os.O_RDONLY)
                leftovers.remove_leftovers(folder, ())
                os.close(folder)

    cleaners = [started(Child(clean)) for _ in range(2)]
    for cleaner in cleaners:
        cleaner.tell("go")
    for _ in range(12):
        children = [worker("") for _ in range(4)]
        try:
            for child in children:
                child.tell("attach")
            assert sorted(child.answer() for child in children) == [0, 1, 2, 3]
            assert len({os.stat(child.ask("about")["path"]).st_ino for child in children}) == 1
            assert sorted(children[0].ask("holders")) == [0] * 4 + sorted(child.pid for child in children)
        finally:
            for child in children:
                child.kill()
