"""Leases on names, for who makes a variant: among the threads of a process and the processes of a machine.

A lock of POSIX lies on one byte, far beyond the end of an empty file. Such locks belong to the process, so a
name has to be won among its threads first; and closing any descriptor of the file drops them all, so it is
opened once and never closed. In return they end with their process, killed or not.
"""

from __future__ import annotations

import os
from threading import Lock

try:
    import fcntl
except ImportError:  # no POSIX: processes aren't kept apart
    fcntl = None  # type: ignore[assignment]

__all__ = ["Lease", "Leases"]

_HAS_LOCKS = fcntl is not None
#: Who holds what: ``setdefault`` on it is one step under the interpreter's lock.
_held: dict[tuple[object, int], object] = {}
_descriptors: dict[str, tuple[int, tuple[int, int]]] = {}
_opening = Lock()

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


class Lease:
    """A name that nobody else gets meanwhile."""

    __slots__ = ("_descriptor", "_key", "_position")

    def __init__(self, key: tuple[object, int], descriptor: int | None, position: int) -> None:
        self._key, self._descriptor, self._position = key, descriptor, position

    def release(self) -> None:
        """Let others have it. No effect the second time, nor in a forked child, which holds nothing."""
        if _held.get(self._key) is not self:
            return
        try:
            if self._descriptor is not None:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, self._position)
        finally:
            _held.pop(self._key, None)


class Leases:
    """The leases of one directory.

    :param path: the lock file, made on first use in a directory that is there. Nobody else may open it.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def lease(self, name: str) -> Lease | None:
        """The lease on a name of hexadecimal digits, or None where another holds it. Doesn't wait.

        Where the file can't be opened or locked, threads are kept apart and processes are not.
        """
        descriptor, identity = self._open()
        position = int(name[:16], 16) >> 2
        lease = Lease((identity, position), descriptor, position)
        if _held.setdefault((identity, position), lease) is not lease:
            return None
        if descriptor is not None:
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, position)
            except (BlockingIOError, PermissionError):  # POSIX allows either for a lock that another holds
                _held.pop((identity, position), None)
                return None
            except OSError:
                lease._descriptor = None
        return lease

    def _open(self) -> tuple[int | None, object]:
        if not _HAS_LOCKS:
            return None, self._path
        with _opening:
            try:
                found = _descriptors.get(self._path)
                if found is not None and _identity(os.fstat(found[0])) == found[1]:
                    return found
                # Whichever path it has: a second descriptor, once closed, would drop the locks.
                descriptor = os.open(self._path, _FLAGS, 0o600)
                found = descriptor, _identity(os.fstat(descriptor))
            except OSError:
                return None, self._path
            _descriptors[self._path] = found
            return found


def _identity(state: os.stat_result) -> tuple[int, int]:
    return state.st_dev, state.st_ino


def _after_fork() -> None:
    """A child has neither its parent's locks nor the thread that was just opening."""
    global _opening
    _opening = Lock()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
