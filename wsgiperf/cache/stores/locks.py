"""Leases on names: within a process, and among the processes of a machine by locks on a file.

POSIX byte-range locks fit what a lease needs but for two traits, and both are dealt with here. They belong to
the process, so they don't keep its threads apart: a thread first has to win the name among the threads. And
they vanish when the process closes *any* descriptor of the file, so each file is opened once per process,
whoever asks, and never closed. `flock` has neither trait, but its locks belong to the open file, which a
forked child shares.

In return the kernel frees the locks of a process the moment it dies, SIGKILL included. A lease is therefore
held until it is released, forgotten or its process is gone; it doesn't lapse with time.

A lock is one byte far beyond the end of an empty file, at a position computed from the name. Two names share
one about once in 2**62: they would wait for each other, nothing worse.
"""

from __future__ import annotations

import fcntl
import os
from hashlib import sha256
from threading import Lock

__all__ = ["FileLeases", "LocalLease", "LocalLeases"]

#: Who holds which name: ``setdefault`` on it is one step under the interpreter's lock, so it needs no other.
_held: dict[tuple[object, ...], list[bool]] = {}
#: The one descriptor for each lock file of this process, by device and inode.
_descriptors: dict[tuple[int, int], int] = {}
_opening = Lock()


class LocalLease:
    """A name that no other thread of this process gets meanwhile. Let go by `release`, or when forgotten."""

    __slots__ = ("_name", "_token")

    def __init__(self, name: tuple[object, ...]) -> None:
        self._name = name
        # Not the lease itself, which the table would keep alive. Who empties it has the right to release.
        self._token = [True]

    def _take(self) -> bool:
        return _held.setdefault(self._name, self._token) is self._token

    def renew(self) -> bool:
        """Whether it is still held. There is nothing to renew."""
        return _held.get(self._name) is self._token

    def release(self) -> None:
        """Let others have the name. No effect the second time, nor in a forked child, which holds nothing."""
        if self.renew() and self._claim():
            _held.pop(self._name, None)

    def _claim(self) -> bool:
        try:
            return self._token.pop()
        except IndexError:
            return False

    def __del__(self) -> None:
        self.release()


class _FileLease(LocalLease):
    __slots__ = ("_descriptor", "_position")

    def __init__(self, identity: tuple[int, int], descriptor: int, position: int) -> None:
        super().__init__((*identity, position))
        self._descriptor, self._position = descriptor, position

    def _take(self) -> bool:
        if not super()._take():
            return False
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, self._position)
        except (BlockingIOError, PermissionError):  # POSIX allows either for a lock that another holds
            _held.pop(self._name, None)
            return False
        except BaseException:
            _held.pop(self._name, None)
            raise
        return True

    def release(self) -> None:
        """As above; in this order, or another thread's lock on the same byte could be the one removed."""
        if self.renew() and self._claim():
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, self._position)
            finally:
                _held.pop(self._name, None)


class LocalLeases:
    """Leases among the threads of one process: for stores that can't lend any to several processes."""

    def lease(self, key: str) -> LocalLease | None:
        """The lease on `key`, or None where another holds it. Doesn't wait."""
        lease = LocalLease((self, key))
        return lease if lease._take() else None


class FileLeases:
    """Leases among the threads and processes of one machine.

    :param path: the lock file. It is made on first use, mode 0600, and must never be opened by anyone else
        in this process. If it is removed, leases held by then keep out nobody who comes later.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def lease(self, key: str) -> LocalLease | None:
        """The lease on `key`, or None where another thread or process holds it. Doesn't wait.

        :raises OSError: when the file can't be opened or its file system has no locks.
        """
        identity, descriptor = self._open()
        digest = sha256(key.encode("utf-8", "surrogatepass")).digest()
        lease = _FileLease(identity, descriptor, int.from_bytes(digest[:8], "big") >> 2)
        return lease if lease._take() else None

    def _open(self) -> tuple[tuple[int, int], int]:
        with _opening:
            try:
                found = os.stat(self._path, follow_symlinks=False)
            except FileNotFoundError:
                pass
            else:
                identity = found.st_dev, found.st_ino
                descriptor = _descriptors.get(identity)
                if descriptor is not None and _still(descriptor, identity):
                    return identity, descriptor
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            descriptor = os.open(self._path, flags, 0o600)
            # Closing it would drop the locks held through an older one, so even a needless one stays open.
            state = os.fstat(descriptor)
            identity = state.st_dev, state.st_ino
            _descriptors[identity] = descriptor
            return identity, descriptor


def _still(descriptor: int, identity: tuple[int, int]) -> bool:
    """Whether the descriptor is still that file's: daemons close all they inherit, and numbers are reused."""
    try:
        state = os.fstat(descriptor)
    except OSError:
        return False
    return (state.st_dev, state.st_ino) == identity


def _after_fork() -> None:
    """A child inherits neither the locks of its parent nor a lock that a thread was just holding.

    The descriptors stay good: locks taken through them are the child's own.
    """
    global _opening
    _opening = Lock()
    _held.clear()


os.register_at_fork(after_in_child=_after_fork)
