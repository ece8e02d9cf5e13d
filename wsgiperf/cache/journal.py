"""The journal: purges on their way to all workers of one machine.

A small file that every worker maps into memory. `position` is a number in it that grows with each purge; a
hit compares it with the one seen last, and only where they differ is anything read. Nothing is sent, so no
process needs to listen, and one that starts later or was asleep misses nothing.

The file is a header of 64-bit words in the machine's own byte order, and a ring of records::

    magic and version | size of the ring | origin | claimed | position | (3 to spare) | ring

Positions count bytes since `origin`, a random number that is new whenever the file is laid out: a position of
another layout lies in no reader's reach, which is how a reader sees that it fell behind. A writer raises
`claimed`, writes its record, and raises `position` last. So a writer that is killed leaves nothing that a
reader looks at, and a reader sees by `claimed` whether what it copied was being written over. Each record
carries its own position and a checksum besides, against damage and for processors that reorder stores.

Writers take turns by `flock` on a descriptor of their own for each write. Unlike a byte-range lock it
excludes threads too and isn't lost when another descriptor of the file is closed; and as the descriptor
doesn't outlive the write, no child of a fork shares it. The kernel gives it up when the writer dies.

The one thing no process can defend itself against is somebody who shortens the file while it is mapped: the
next look raises SIGBUS. Delete it instead; `verify` notices.
"""

from __future__ import annotations

import mmap
import os
import stat
import struct
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from wsgiperf.cache.purges import Purge, read_records, record_of
from wsgiperf.errors import WSGIPerfError

try:
    import fcntl
except ImportError:  # not a POSIX system; `_user` says so
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    _Identity = tuple[int, int]
    _Mapping = tuple[memoryview, _Identity]  # the file as words, and which it is: exchanged as one

__all__ = ["RING_SIZE", "Follower", "Journal", "JournalError", "default_path"]

#: Bytes of the ring: some 1,000 purges.
RING_SIZE = 64 * 1024
#: Seconds a writer waits for its turn. A write takes microseconds; only a stopped process takes longer.
PATIENCE = 2.0
_POLL = 0.0005

_MAGIC_WORD, _SIZE, _ORIGIN, _CLAIMED, _POSITION = range(5)
_HEADER = struct.Struct("=8Q")
_MAGIC = int.from_bytes(b"wsgipj\x00\x01", "big")

#: Descriptors that may hold a lock just now. A child of a fork has them too, and were its parent killed, the
#: lock would live on in the child.
_descriptors: set[int] = set()


class JournalError(WSGIPerfError, OSError):
    """The journal can't be had, so other workers can't be told, or can't tell, what was purged."""


class Journal:
    """One journal. Making it touches no file; the first use opens it, and makes it where it isn't there.

    May be used by any threads, and in processes forked before or after its first use.

    :param path: the file, or what returns it when it is first needed, such as
        ``partial(default_path, "name")``.
    :param size: bytes of the ring, a multiple of 8 and the same for all who use the file. A reader falls
        behind when more is written between two of its looks; a purge that takes over a quarter of it is
        written as one of all.
    """

    __slots__ = ("_mapping", "_path", "_size")

    def __init__(self, path: Path | Callable[[], Path], size: int = RING_SIZE) -> None:
        if size < 512 or size % 8:
            raise ValueError(f"size: expected a multiple of 8 from 512, got {size}")
        self._path, self._size = path, size
        self._mapping: _Mapping | None = None

    @property
    def position(self) -> int:
        """Where the journal ends; another number than before means that there is something to read.

        :raises JournalError: at the first use only.
        """
        mapping = self._mapping
        if mapping is None:
            mapping = self._open()
        return mapping[0][_POSITION]

    def write(self, purge: Purge) -> int:
        """Tell all workers; the position after it.

        :raises JournalError: where that isn't certain.
        """
        if len(record_of(purge, 0)) > self._size // 4:
            purge = purge._replace(kind="all", value="")
        while True:
            with self._locked() as descriptor:
                mapping = self._map(descriptor)
                position = self._append(mapping[0], purge)
            # Where the file was replaced meanwhile, those who use the new one haven't been told.
            if self._is_at_path(mapping[1]):
                return position

    def read(self, since: int, until: int | None = None) -> list[Purge] | None:
        """What was purged between two positions, in its order.

        None says that the reader fell behind, or that the file was laid out anew: all may have been purged.

        :param until: None is up to now.
        :raises JournalError: at the first use only.
        """
        if until is None:
            until = self.position
        for _ in range(3):
            copy = self._copy(since, until)
            if copy is None:
                return None
            purges = read_records(copy, since)
            if purges is not None:
                return purges
            # Perhaps this processor has yet to see what was written before the position.
        return None

    def matching_since(self, position: int, url: str, tags: Collection[str] = ()) -> bool:
        """Whether a purge since then means this response, or may: one made before must not be stored now.

        :param position: the journal's when the response was begun.
        """
        now = self.position
        if now == position:
            return False
        purges = self.read(position, now)
        return purges is None or any(purge.matches(url, tags) for purge in purges)

    def verify(self) -> bool:
        """Notice that the file was deleted or replaced, and use the one at the path from now on.

        Call it once a second or so (2 us): in between, others may write to a file not looked at here.

        :returns: whether all was well. If not, `position` is another now, and `read` from the old is None.
        :raises JournalError: when no journal can be had.
        """
        mapping = self._mapping
        if mapping is not None and self._is_at_path(mapping[1]):
            return True
        self._open()
        return False

    def _where(self) -> Path:
        if not isinstance(self._path, Path):
            self._path = self._path()
        return self._path

    def _is_at_path(self, identity: _Identity) -> bool:
        try:
            return _identity(os.lstat(self._where())) == identity
        except OSError:
            return False

    def _open(self) -> _Mapping:
        with self._locked() as descriptor:
            return self._map(descriptor)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The file at the path, newly opened and ours alone."""
        path = self._where()
        deadline = time.monotonic() + PATIENCE
        try:
            while True:
                with _opened(path) as descriptor:
                    # What was locked may not be at the path any more.
                    if _lock(descriptor) and self._is_at_path(_identity(os.fstat(descriptor))):
                        try:
                            yield descriptor
                        finally:
                            # Not by closing alone: a child forked meanwhile may have the descriptor too.
                            fcntl.flock(descriptor, fcntl.LOCK_UN)
                        return
                if time.monotonic() > deadline:
                    raise JournalError(f"{path}: not to be locked for {PATIENCE:.0f} s")
                time.sleep(_POLL)  # waiting in flock would stop all greenlets of the process
        except JournalError:
            raise
        except (OSError, ValueError) as error:
            raise JournalError(f"{path}: {error}") from error

    def _map(self, descriptor: int) -> _Mapping:
        """The locked file in memory; it is laid out first where it isn't a sound journal of this size."""
        os.utime(descriptor)  # writing through a mapping is no sign of life to those who clean up
        length = _HEADER.size + self._size
        found = os.fstat(descriptor)
        sound = found.st_size >= length and self._is_sound(os.pread(descriptor, _HEADER.size, 0))
        if not sound and os.pwrite(descriptor, bytes(length), 0) != length:
            # Written out, not left as a hole: a mapped page that finds no room on the disk kills the process.
            raise JournalError(f"{self._where()}: no room for {length:,} bytes")
        mapping = self._mapping
        if mapping is None or mapping[1] != _identity(found):
            # A mapping keeps a copy of its descriptor, so that must not be the one that holds the lock.
            with _opened(self._where()) as other:
                mapping = memoryview(mmap.mmap(other, length)).cast("Q"), _identity(os.fstat(other))
            if mapping[1] != _identity(found):
                raise JournalError(f"{self._where()}: replaced while it was opened")
        if not sound:
            _lay_out(mapping[0], self._size)
        self._mapping = mapping
        return mapping

    def _is_sound(self, header: bytes) -> bool:
        magic, size, origin, claimed, position, *_ = _HEADER.unpack(header)
        if magic != _MAGIC or size != self._size or origin % 8 or position % 8 or claimed % 8:
            return False
        return bool(0 < origin <= position <= claimed <= min(position + size, 1 << 63))

    def _append(self, words: memoryview, purge: Purge) -> int:
        position: int = words[_POSITION]
        record = record_of(purge, position)
        # A writer that was killed may have claimed, and spoilt, more.
        words[_CLAIMED] = max(words[_CLAIMED], position + len(record))
        ring = words.cast("B")[_HEADER.size :]
        start = position % self._size
        room = self._size - start
        ring[start : start + len(record)] = record[:room]
        ring[: len(record[room:])] = record[room:]
        words[_POSITION] = position + len(record)
        return position + len(record)

    def _copy(self, since: int, until: int) -> bytes | None:
        """The ring's bytes between two positions, or None where they aren't there, or not any more."""
        words, _ = self._mapping or self._open()
        length = until - since
        if not words[_ORIGIN] <= since <= until <= words[_POSITION] or length > self._size:
            return None
        ring = words.cast("B")[_HEADER.size :]
        start = since % self._size
        copy = bytes(ring[start : start + length])
        copy += bytes(ring[: length - len(copy)])
        # A writer may have begun to write over it, or to lay the file out anew, in the meantime.
        sound = words[_MAGIC_WORD] == _MAGIC and words[_SIZE] == self._size
        return copy if sound and words[_CLAIMED] - since <= self._size else None


class Follower:
    """How far one process has followed a journal. Any of its threads may ask.

    A hit compares ``journal.position`` with `position` here, and calls `follow` where they differ.
    """

    __slots__ = ("_journal", "_locks", "position")

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        #: Up to where it was followed. No journal has been at 0, so the first look yields None.
        self.position = 0
        # By process: a child must not wait for a thread that it doesn't have.
        self._locks: dict[int, threading.Lock] = {}

    def changes(self) -> list[Purge] | None:
        """The purges since the last call, in their order; None where they may have been any.

        :raises JournalError: at the first use only.
        """
        found: list[list[Purge] | None] = []
        self.follow(found.append)
        return found[0] if found else []

    def follow(self, apply: Callable[[list[Purge] | None], object]) -> None:
        """Have the changes applied, if there are any.

        Other threads wait until it is done, lest they serve meanwhile what was purged. Where `apply` raises,
        the next call starts from the same place.

        :param apply: gets what `changes` would return; must not follow the same journal itself.
        :raises JournalError: at the first use only.
        """
        if self._journal.position == self.position:
            return
        with self._locks.setdefault(os.getpid(), threading.Lock()):
            until = self._journal.position
            if until != self.position:
                apply(self._journal.read(self.position, until))
                self.position = until


def default_path(namespace: str) -> Path:
    """The journal's place for all who run the same application, as workers or as a command.

    They find the same one when they agree on user, working directory, Python environment and directory for
    temporary files. Its folder is made here.

    :param namespace: tells apart caches of one application.
    :raises JournalError: where the folder can't be made, or is another's.
    """
    import tempfile  # brings a good deal with it

    user = _user()
    folder = Path(tempfile.gettempdir(), f"wsgiperf-{user}")
    try:
        with suppress(FileExistsError):
            folder.mkdir(0o700)
        found = os.lstat(folder)
        place = os.getcwd()
    except OSError as error:
        raise JournalError(f"{folder}: {error}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o022:
        raise JournalError(f"{folder}: expected a directory of this user that nobody else may write to")
    names = "\0".join((namespace, place, sys.prefix)).encode("utf-8", "surrogateescape")
    return folder / f"{blake2b(names, digest_size=16).hexdigest()}.journal"


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A descriptor of the file, which is made where it isn't there."""
    user = _user()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    _descriptors.add(descriptor)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or user not in (0, found.st_uid) or found.st_mode & 0o022:
            raise JournalError(f"{path}: expected a file of this user that nobody else may write to")
        yield descriptor
    finally:
        # In this order, or a child could close what has the same number by then.
        _descriptors.discard(descriptor)
        os.close(descriptor)


def _user() -> int:
    if fcntl is None:
        raise JournalError("a journal needs a POSIX system")
    return os.geteuid()


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _identity(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino


def _lay_out(words: memoryview, size: int) -> None:
    # The top bits are left to count with; records begin at multiples of 8.
    origin = (int.from_bytes(os.urandom(7), "big") | 1) << 3
    words[_SIZE] = size
    words[_ORIGIN] = words[_CLAIMED] = words[_POSITION] = origin
    words[_MAGIC_WORD] = _MAGIC


def _forget_descriptors() -> None:
    """In the child of a fork: close what its parent was writing with."""
    while _descriptors:
        os.close(_descriptors.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_descriptors)
