"""Variants and records on the disk, for all processes of a machine.

A value is one file, written beside its place and then renamed: a reader sees the old one or the new one,
whole. Each begins with the name it was written under and a checksum over that name and the value, so a file
that is cut, damaged, or moved to another's place is a miss.

The least recently used go first. When a file was used stands in its modification time, which a reader renews
when it is `TOUCH` seconds old. The directory is counted by whoever writes: once in a process, and again
whenever what was written since may exceed the capacity, or was a sixteenth of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from struct import Struct
from time import time

from wsgiperf.media.serving.leases import Lease, Leases

__all__ = ["ABANDONED", "TOUCH", "Store", "default_directory"]

#: Format and version, length of the value, checksum. The value follows.
_HEAD = Struct("<4sQ32s")
_MAGIC = b"wpm1"
_BLOCK = 4096
_DIGITS = frozenset("0123456789abcdef")
_NAME_LENGTH = 62
#: Seconds between two notes of a file's being used; and after which an unfinished file is a crashed writer's.
TOUCH, ABANDONED = 3600.0, 600.0
#: Room is made down to this part of the capacity, and counted anew when this part was written.
_GOAL, _RECOUNT = 7 / 8, 1 / 16

_SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_SAFELY |= getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | _SAFELY
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFELY


class Store:
    """Bytes under names of 64 hexadecimal digits.

    The directory is made when first written to, for this user alone. One that is another user's, or that
    others may write to, isn't used. A store that can't write keeps nothing; `failure` tells why.

    :param directory: a path, or what finds it when it is first needed.
    :param capacity: bytes on the disk, in blocks of 4 KiB. Exceeded by what is written while room is made,
        and by a sixteenth for each process that writes. A value over an eighth of it isn't kept.
    """

    def __init__(
        self,
        directory: str | Callable[[], str],
        capacity: int,
        *,
        clock: Callable[[], float] = time,
    ) -> None:
        self._find, self._capacity, self._clock = directory, capacity, clock
        self.largest = capacity // 8
        #: Why the directory is of no use, or the latest write failed.
        self.failure: OSError | None = None
        self._root: str | None = None
        self._leases: Leases | None = None
        self._counted: int | None = None
        self._written = 0

    @property
    def root(self) -> str | None:
        """The directory; None where there is none that can be used."""
        if self._root is None:
            try:
                found = self._find if isinstance(self._find, str) else self._find()
                root = os.path.abspath(found)
                with suppress(FileNotFoundError):
                    _check(root)
            except OSError as error:
                self.failure = error
                return None
            self._root, self._leases = root, Leases(f"{root}/leases")
        return self._root

    def get(self, name: str) -> bytes | None:
        """The value, or None; never raises on what the directory holds."""
        if (root := self.root) is None:
            return None
        path = _path(root, name)
        try:
            descriptor = os.open(path, _READ)
        except OSError:
            return None
        try:
            state = os.fstat(descriptor)
            if not S_ISREG(state.st_mode) or state.st_size - _HEAD.size > self.largest:
                return None
            with open(descriptor, "rb", buffering=0, closefd=False) as file:
                data = file.readall() or b""
            if abs(self._clock() - state.st_mtime) > TOUCH:
                os.utime(descriptor if os.utime in os.supports_fd else path)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return _unframed(name, data)

    def put(self, name: str, value: bytes) -> bool:
        """Keep a value; False where it is too large or can't be written."""
        size = _HEAD.size + len(value)
        if len(value) > self.largest or (root := self.root) is None:
            return False
        try:
            self._write(root, name, _framed(name, value))
        except OSError as error:
            self.failure = error
            return False
        self._written += _on_disk(size)
        return True

    def lease(self, name: str) -> Lease | None:
        """The right to make what is kept under a name; None where another has it. Doesn't wait."""
        if self.root is None or self._leases is None:
            return Leases("").lease(name)
        with suppress(OSError):
            _make(self.root)
        return self._leases.lease(name)

    def make_room(self) -> None:
        """Remove what was used least recently, where there is too much. For who has time."""
        if self._root is None:
            return
        if self._counted is not None:
            held = self._counted + self._written
            if held <= self._capacity and self._written <= self._capacity * _RECOUNT:
                return
        lease = self.lease(_ROOM)
        if lease is None:  # another process is at it
            return
        try:
            self._counted = self._swept(self._root)
            self._written = 0
        finally:
            lease.release()

    def _swept(self, root: str) -> int:
        """How much there is, when room was made."""
        files, total, now = [], 0, self._clock()
        for path, state, finished in _files(root):
            if not finished and abs(now - state.st_mtime) > ABANDONED:
                with suppress(OSError):
                    os.unlink(path)
                continue
            total += _on_disk(state.st_size)
            if finished:
                files.append((state.st_mtime, path, _on_disk(state.st_size)))
        if total > self._capacity:
            files.sort()
            for _, path, size in files:
                with suppress(OSError):
                    os.unlink(path)
                    total -= size
                if total <= self._capacity * _GOAL:
                    break
        return total

    def _write(self, root: str, name: str, data: bytes) -> None:
        path = _path(root, name)
        unfinished = f"{root}/{name[:2]}/.{os.urandom(8).hex()}"
        try:
            descriptor = os.open(unfinished, _CREATE, 0o600)
        except FileNotFoundError:
            _make(root)
            with suppress(FileExistsError):
                os.mkdir(f"{root}/{name[:2]}", 0o700)
            descriptor = os.open(unfinished, _CREATE, 0o600)
        try:
            with open(descriptor, "wb", buffering=0) as file:
                rest = memoryview(data)
                while rest:
                    rest = rest[file.write(rest) :]
            os.replace(unfinished, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(unfinished)
            raise


_ROOM = sha256(b"room").hexdigest()


def _framed(name: str, value: bytes) -> bytes:
    return _HEAD.pack(_MAGIC, len(value), _checksum(name, value)) + value


def _unframed(name: str, data: bytes) -> bytes | None:
    if len(data) < _HEAD.size:
        return None
    magic, length, checksum = _HEAD.unpack_from(data)
    value = data[_HEAD.size :]
    if magic != _MAGIC or length != len(value) or checksum != _checksum(name, value):
        return None
    return value


def _checksum(name: str, value: bytes) -> bytes:
    summed = sha256(name.encode())
    summed.update(value)
    return summed.digest()


def _path(root: str, name: str) -> str:
    return f"{root}/{name[:2]}/{name[2:]}"


def _on_disk(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _files(root: str) -> Iterator[tuple[str, os.stat_result, bool]]:
    """What a store has written there, whatever else lies about, and whether it is finished."""
    for number in range(256):
        try:
            with os.scandir(f"{root}/{number:02x}") as entries:
                for entry in entries:
                    finished = len(entry.name) == _NAME_LENGTH and _DIGITS.issuperset(entry.name)
                    unfinished = len(entry.name) == 17 and entry.name[0] == "."
                    if (finished or unfinished) and entry.is_file(follow_symlinks=False):
                        with suppress(OSError):
                            yield entry.path, entry.stat(follow_symlinks=False), finished
        except OSError:
            continue


def _make(root: str) -> None:
    os.makedirs(root, 0o700, exist_ok=True)
    _check(root)


def _check(root: str) -> None:
    """Whether what lies there can be trusted: it is served.

    :raises OSError: when it isn't there, is no directory, another user's, or others may write to it.
    """
    state = os.stat(root)
    if not S_ISDIR(state.st_mode):
        raise NotADirectoryError(f"{root}: not a directory")
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    if (state.st_mode & 0o002 and os.name == "posix") or (user and state.st_uid not in (0, user)):
        raise PermissionError(f"{root}: others may write here, so it can't be trusted")


def default_directory() -> str:
    """The same for all who run the same application: user, working directory and Python environment agree.

    :raises OSError: where its folder can't be made, or is another's.
    """
    import sys
    import tempfile

    user = os.geteuid() if hasattr(os, "geteuid") else 0
    folder = Path(tempfile.gettempdir(), f"wsgiperf-{user}")
    with suppress(FileExistsError):
        folder.mkdir(0o700)
    found = os.lstat(folder)
    if not S_ISDIR(found.st_mode) or (os.name == "posix" and (found.st_uid != user or found.st_mode & 0o022)):
        raise PermissionError(f"{folder}: expected a directory of this user that nobody else may write to")
    place = "\0".join(("media", os.getcwd(), sys.prefix)).encode("utf-8", "surrogateescape")
    return str(folder / f"{sha256(place).hexdigest()[:32]}.media")
