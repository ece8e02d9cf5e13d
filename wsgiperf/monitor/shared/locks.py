"""Locks on single bytes of a file, which the kernel drops when their holder dies.

POSIX byte-range locks, with three traits to be known by who uses this (`fcntl(2)`; all measured):

- A process loses all its locks on a file when it closes *any* descriptor of it. So a file is opened once per
  process and stays open, and nobody else may open it, not even to look.
- They don't keep a process from itself: to take one again succeeds, and `holder` doesn't tell of its own.
- A child of a fork holds none of its parent's, though it has the descriptor, and may take others by it.
"""

from __future__ import annotations

import struct
import sys

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None  # type: ignore[assignment]

__all__ = ["AVAILABLE", "UNKNOWN", "give_up", "holder", "take"]

AVAILABLE = fcntl is not None
#: Somebody holds it whose process ID means nothing here: in another container, or on another machine.
UNKNOWN = -1

# Natively aligned, padding at the end included, with `off_t` of 64 bits as Python is built.
if sys.platform.startswith("linux"):  # <fcntl.h>: type, whence, start, length, process
    _FLOCK = struct.Struct("@hhqqi0q")
elif sys.platform.startswith("freebsd"):  # start, length, process, type, whence, system
    _FLOCK = struct.Struct("@qqihhi0q")
else:  # macOS and the other BSDs: start, length, process, type, whence
    _FLOCK = struct.Struct("@qqihh0q")


def take(descriptor: int, byte: int) -> bool:
    """Lock a byte for this process; False where another process holds it. Doesn't wait.

    :raises OSError: where the file system has no locks, or no more of them.
    """
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
    except (BlockingIOError, PermissionError):  # POSIX allows either for a lock that another holds
        return False
    return True


def give_up(descriptor: int, byte: int) -> None:
    """Let others have the byte."""
    fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, byte)


def holder(descriptor: int, byte: int, count: int = 1) -> int:
    """The process other than this one that holds one of these bytes: its ID, `UNKNOWN`, or 0 for none.

    :raises OSError: where the file system has no locks.
    """
    if sys.platform.startswith("linux"):
        asked = _FLOCK.pack(fcntl.F_WRLCK, 0, byte, count, 0)
        kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    else:
        asked = _FLOCK.pack(byte, count, 0, fcntl.F_WRLCK, 0, *[0] * (sys.platform[:7] == "freebsd"))
        _, _, pid, kind, *_ = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    if kind == fcntl.F_UNLCK:
        return 0
    # Linux tells 0 for a process of another PID namespace, and something negative for another machine's.
    return pid if pid > 0 else UNKNOWN
