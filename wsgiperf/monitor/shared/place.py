"""Which file the workers of one server share, and how its directory and the file itself are opened safely.

By default it lies in `/dev/shm`, or where that is no memory of ours to use, in the directory for temporary
files; there in a directory that only its user may look into. Its name tells the layout and the server. Other
users may have been there first, so nothing is followed, and whatever isn't ours is refused.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from wsgiperf.errors import WSGIPerfError
from wsgiperf.monitor.shared.master import Master, machine

if TYPE_CHECKING:
    Identity = tuple[int, int]  # device and inode

__all__ = [
    "FILE_FLAGS",
    "Place",
    "SegmentError",
    "UnusablePlaceError",
    "default_places",
    "file_system",
    "identity",
    "place_of",
]

if os.name == "posix":
    _DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    #: Not to follow a link, to wait for who opens a pipe, or to be given a terminal.
    FILE_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
else:  # there are no locks to use a file with
    _DIRECTORY = FILE_FLAGS = 0

#: Where Linux has memory to share, as a file system.
SHARED_MEMORY = "/dev/shm"
#: Of Linux: which file system is mounted where.
MOUNTS = "/proc/self/mountinfo"

#: Over a network, locks and memory-mapped files don't work, or not among machines.
_REMOTE = frozenset(
    (
        "9p", "afs", "ceph", "cifs", "fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs",
        "glusterfs", "lustre", "ncpfs",
    )
)  # fmt: skip
_REMOTE_KINDS = ("nfs", "smb")
_UNUSABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOSPC, errno.EDQUOT}


class SegmentError(WSGIPerfError, OSError):
    """There is no shared file for this process: why, as a sentence."""


class UnusablePlaceError(SegmentError):
    """There can't be one at this place; there may be at another."""


class Place(NamedTuple):
    """A file that is there, or may come to be.

    :param folder: the directory it is in.
    :param own: whether the directory is for these files alone: it is made, and must be private.
    """

    folder: str
    name: str
    own: bool

    @property
    def path(self) -> str:
        return os.path.join(self.folder, self.name)

    @contextmanager
    def opened(self) -> Iterator[int]:
        """A descriptor of the directory.

        :raises SegmentError: where it can't be had, is another's, or lies on a network.
        """
        try:
            descriptor = self._own_folder() if self.own else os.open(self.folder, _DIRECTORY)
        except OSError as error:
            raise UnusablePlaceError(f"{self.folder}: {error.strerror or error}") from error
        try:
            if self.own:
                self._check_folder(os.fstat(descriptor))
            kind = file_system(self.folder)
            if kind in _REMOTE or kind.startswith(_REMOTE_KINDS):
                raise UnusablePlaceError(
                    f"{self.folder}: {kind} is a file system that workers can't share memory by"
                )
            yield descriptor
        finally:
            os.close(descriptor)

    def open(self, folder: int) -> int:
        """A descriptor of the file, which is made, empty, where there is none.

        :param folder: a descriptor of its directory.
        :raises SegmentError: where it can't be opened, or isn't a file of this user alone.
        """
        try:
            descriptor = _not_standard(os.open(self.name, FILE_FLAGS | os.O_CREAT, 0o600, dir_fd=folder))
        except OSError as error:
            kind = UnusablePlaceError if error.errno in _UNUSABLE else SegmentError
            raise kind(f"{self.path}: {error.strerror or error}") from error
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            os.close(descriptor)
            raise SegmentError(f"{self.path}: expected a file of this user that nobody else may write to")
        return descriptor

    def identity(self, folder: int) -> Identity | None:
        """Which file is there now."""
        try:
            return identity(os.stat(self.name, dir_fd=folder, follow_symlinks=False))
        except FileNotFoundError:
            return None

    def remove(self, folder: int) -> None:
        """Take the file from its place. Who has it mapped keeps it."""
        with suppress(FileNotFoundError):
            os.unlink(self.name, dir_fd=folder)

    def _own_folder(self) -> int:
        base, name = os.path.split(self.folder)
        parent = os.open(base, _DIRECTORY)
        try:
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=parent)
            return os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        finally:
            os.close(parent)

    def _check_folder(self, found: os.stat_result) -> None:
        if found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise UnusablePlaceError(
                f"{self.folder}: expected a directory of this user that is closed to all others"
            )


def place_of(state: str) -> Place:
    """The place that a path names. Its directory must be there."""
    folder, name = os.path.split(os.path.abspath(state))
    return Place(folder, name, own=False)


def default_places(layout: str, master: Master) -> list[Place]:
    """Where the file of one server may be: the best first, but for where it is already.

    :param layout: of the file, in a word; files of other layouts are others.
    """
    import tempfile  # brings a good deal with it

    name = f"monitor-{layout}-{machine()}-{master.pid}-{master.start}.slabs"
    bases = [SHARED_MEMORY] if file_system(SHARED_MEMORY) == "tmpfs" else []
    with suppress(FileNotFoundError):  # no directory for temporary files
        bases.append(tempfile.gettempdir())
    user = os.geteuid()
    places = [Place(os.path.join(base, f"wsgiperf-{user}"), name, own=True) for base in bases]
    # A worker that came when the first was full must not part from those who come when there is room.
    return sorted(places, key=lambda place: not os.path.lexists(place.path))


def identity(found: os.stat_result) -> Identity:
    return found.st_dev, found.st_ino


def file_system(path: str) -> str:
    """The kind of file system that a path is on, such as `tmpfs`; "" where the system doesn't say.

    Source: proc_pid_mountinfo(5).
    """
    path = os.path.realpath(path)
    best, kind = -1, ""
    try:
        with open(MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                fields, _, types = line.partition(" - ")
                mounted = _unescaped(fields.split(" ")[4])
                within = mounted == "/" or path == mounted or path.startswith(mounted + "/")
                # Of two at one place, the later hides the earlier.
                if within and len(mounted) >= best:
                    best, kind = len(mounted), types.split(" ", 1)[0]
    except (OSError, IndexError):
        return ""
    return kind


def _unescaped(path: str) -> str:
    for written, meant in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        path = path.replace(written, meant)
    return path


def _not_standard(descriptor: int) -> int:
    """The same, but above 2: in a daemon without standard streams, a print would be written into the file."""
    if descriptor > 2:
        return descriptor
    import fcntl

    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(descriptor)
