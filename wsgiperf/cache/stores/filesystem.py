"""A cache in a directory, shared by all processes of a machine. Values are bytes.

A value is one file, named by the hash of its key; `folders` writes, counts and removes them. A file that is
cut, too long, another key's, or no regular file is a miss. As nothing is synced to the disk, a file may hold
anything after a crash of the machine; so each names the boot that it was written in, and another one's is a
miss as well.

POSIX only.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from os import close, read
from os import open as os_open
from pathlib import Path
from struct import Struct
from time import time
from typing import TYPE_CHECKING

from cachelib import BaseCache

from .folders import READ_AND_WRITE, READ_ONLY, Folders, on_disk, unlink
from .locks import FileLeases

if TYPE_CHECKING:
    from datetime import timedelta

    from .protocol import Lease

__all__ = ["FileSystemStore"]

#: What a file begins with: format and version, length of the key, moment it is over (seconds since the epoch;
#: 0.0 is never), length of the value, boot. The key follows, filled up to eight bytes, then the value: what
#: a soft purge writes thus lies within one page, and no reader sees half of it.
_HEAD = Struct("<4sIdQQ")
_MAGIC = b"wpc1"
_HEAD_SIZE = _HEAD.size
_unpack = _HEAD.unpack_from

#: One call reads most files: their size needs no other.
_FIRST_READ = 65_536
#: What `purge` shows of a value, and the place in it that a soft purge writes.
_SHOWN, _STALE_AT, _DOUBLE = 8192, 8, Struct("<d")

#: One value may take this part of the capacity.
LARGEST_SHARE = 8


class FileSystemStore(BaseCache):
    """A cache in a directory: any number of threads and processes of one machine; values are `bytes`.

    The directory is made on first use, for this user alone (0700, files 0600). One that belongs to somebody
    else, or that others may write to, is refused: what lies in it is served.

    A store that can't write (disk full, directory read-only) returns False from `set` and `add`, leaves no
    unfinished file behind, and removes the older value if it can. `delete`, `clear` and `purge`, whose
    failing silently would leave stale values in use, raise `OSError`.

    :param directory: used for nothing else.
    :param capacity: bytes on the disk, in blocks of 4 KiB. May be exceeded for a while, by an eighth and by
        what is written at that moment. A value over an eighth of it isn't kept.
    :param default_timeout: seconds a value is kept where `set` isn't told; 0 is for ever.
    :param clock: the time in seconds since the epoch.
    :raises PermissionError: when others may write to the directory.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        capacity: int,
        default_timeout: int = 300,
        *,
        clock: Callable[[], float] = time,
    ) -> None:
        super().__init__(default_timeout)
        self.directory = os.path.abspath(os.fspath(directory))
        self.capacity = capacity
        self.largest = capacity // LARGEST_SHARE
        #: Why the latest write failed.
        self.failure: OSError | None = None
        self._clock = clock
        self._root = f"{self.directory}/"
        self._boot = _boot()
        self._leases = FileLeases(f"{self._root}leases")
        self._folders = Folders(self.directory, capacity, clock)
        with suppress(FileNotFoundError):
            self._folders.check()

    # -- one key

    def get(self, key: str) -> bytes | None:
        """The value, or None; never raises on what the directory holds."""
        name = key.encode("utf-8", "surrogatepass")
        digest = sha256(name).hexdigest()
        try:
            descriptor = os_open(f"{self._root}{digest[:2]}/{digest[2:]}", READ_ONLY)
        except OSError:
            return None
        try:
            data = read(descriptor, _FIRST_READ)
            if len(data) == _FIRST_READ:
                data = self._read_on(descriptor, data)
        except OSError:  # a directory, a pipe, a broken disk
            return None
        finally:
            close(descriptor)
        start = _HEAD_SIZE + _filled(len(name))
        if len(data) < start:
            return None
        magic, key_length, expires, length, boot = _unpack(data)
        if (
            magic != _MAGIC
            or boot != self._boot
            or key_length != len(name)
            or len(data) != start + length
            or not data.startswith(name, _HEAD_SIZE)
            or (expires and not expires > self._clock())
        ):
            return None
        return data[start:]

    def _read_on(self, descriptor: int, data: bytes) -> bytes:
        magic, key_length, _, length, _ = _unpack(data)
        size = _HEAD_SIZE + _filled(key_length) + length
        if magic != _MAGIC or size > self.largest or size != os.fstat(descriptor).st_size:
            return b""
        parts = [data]
        missing = size - len(data)
        while missing and (part := read(descriptor, missing)):
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def has(self, key: str) -> bool:
        """Whether there is a value; reads the whole file as `get` does."""
        return self.get(key) is not None

    def set(self, key: str, value: bytes, timeout: float | timedelta | None = None) -> bool:
        """Keep a value under `key`.

        :param timeout: seconds; None is the default, 0 for ever, below 0 is over already.
        :returns: False where it is too large, over, or can't be written; see `failure`.
        :raises TypeError: when the value isn't `bytes`.
        """
        if not isinstance(value, bytes):
            raise TypeError(f"a FileSystemStore holds bytes, not {type(value).__name__}")
        seconds = _seconds(self.default_timeout if timeout is None else timeout)
        name = key.encode("utf-8", "surrogatepass")
        place = sha256(name).hexdigest()
        size = _HEAD_SIZE + _filled(len(name)) + len(value)
        try:
            if on_disk(size) > self.largest or not seconds >= 0:
                self._folders.remove(place)
                return False
            expires = self._clock() + seconds if seconds else 0.0
            head = _HEAD.pack(_MAGIC, len(name), expires, len(value), self._boot)
            self._folders.write(place, head + name.ljust(_filled(len(name)), b"\0"), value)
        except OSError as error:
            self.failure = error
            with suppress(OSError):
                self._folders.remove(place)
            return False
        return True

    def add(self, key: str, value: bytes, timeout: float | timedelta | None = None) -> bool:
        """`set` where there is no value yet, else False; of several that add at once one wins."""
        try:
            lease = self.lease(f"add {key}")
        except OSError as error:
            self.failure = error
            return False
        if lease is None:
            return False
        try:
            return not self.has(key) and self.set(key, value, timeout)
        finally:
            lease.release()

    def delete(self, key: str) -> bool:
        """Forget a key; whether there was a file for it.

        :raises OSError: when there is one that can't be removed.
        """
        return self._folders.remove(sha256(key.encode("utf-8", "surrogatepass")).hexdigest())

    def lease(self, key: str, seconds: float = 0.0) -> Lease | None:
        """Without waiting: the lease on `key`, or None where another thread or process holds it.

        :param seconds: not needed. It is held until released, or until the process is gone.
        :raises OSError: when the directory can't be written to, or has no locks.
        """
        try:
            return self._leases.lease(key)
        except FileNotFoundError:
            self._folders.make_directory()
            return self._leases.lease(key)

    # -- all keys

    def clear(self) -> bool:
        """Forget everything, unfinished files included.

        :raises OSError: when something can't be removed; the rest is gone then.
        """
        failures: list[OSError] = []
        for entry in self._folders.every_file(failures):
            try:
                unlink(entry.path)
            except OSError as error:
                failures.append(error)
        self._folders.recount()
        if failures:
            raise failures[0]
        return True

    def purge(self, matches: Callable[[bytes], bool], soft_at: float) -> int:
        """Remove every value whose first 8 KiB match; how many there were.

        What this version can't read is removed as well: another version may be serving it. A value that is
        being written at that moment may escape.

        :param soft_at: above zero, the value stays and its bytes 8 to 16 become this number, a little-endian
            double. A value too short for it is removed.
        :raises OSError: when a value can't be read, changed or removed; all others have been seen to then.
        """
        failures: list[OSError] = []
        matched = 0
        for entry in self._folders.every_file(failures):
            if entry.name.startswith("."):
                continue
            try:
                matched += self._purge_file(entry.path, matches, soft_at)
            except OSError as error:
                failures.append(error)
        if soft_at <= 0:
            self._folders.recount()
        if failures:
            raise failures[0]
        return matched

    def _purge_file(self, path: str, matches: Callable[[bytes], bool], soft_at: float) -> bool:
        try:
            descriptor = os_open(path, READ_AND_WRITE)
        except FileNotFoundError:
            return False
        try:
            head = read(descriptor, _HEAD_SIZE)
            if len(head) < _HEAD_SIZE or not head.startswith(_MAGIC):
                unlink(path)
                return False
            start = _HEAD_SIZE + _filled(_unpack(head)[1])
            shown = os.pread(descriptor, _SHOWN, start)
            if not matches(shown):
                return False
            if soft_at > 0 and len(shown) >= _STALE_AT + _DOUBLE.size:
                os.pwrite(descriptor, _DOUBLE.pack(soft_at), start + _STALE_AT)
            else:
                unlink(path)
            return True
        finally:
            close(descriptor)


def _filled(length: int) -> int:
    return (length + 7) & ~7


def _seconds(timeout: float | timedelta) -> float:
    return timeout if isinstance(timeout, (int, float)) else timeout.total_seconds()


def _boot() -> int:
    """A number for the time since the machine was started; 0 where there is no telling."""
    try:
        identifier = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        return 0
    return int.from_bytes(sha256(identifier).digest()[:8], "big")
