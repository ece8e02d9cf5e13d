"""Whose worker this process is, so that the workers of one server meet and those of two don't.

Nothing is installed in the master, which may never have imported this library; and a parent is no proof: that
of a development server is the shell, which may have started another. What tells a worker is that it was
*forked* from its master and has run no other program since. Linux says so in `/proc`: a flag of the process,
and the address of its stack, drawn at random whenever a program is started and kept by a fork.

A master is found by going up from process to parent for as long as the one is such a fork of the other. So a
preloading master that serves a request itself, and a helper that a worker forks, belong to the same server.
One link is taken on trust: a child of `multiprocessing` that was spawned, not forked, names its parent.

Source: proc_pid_stat(5), and `PF_FORKNOEXEC` of the kernel's `include/linux/sched.h`. Seen to hold for
gunicorn and uWSGI, preloading or not, with and without a change of user.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import NamedTuple

__all__ = ["Master", "lives", "machine", "master_of_this_process"]

_FORKED = 0x40  # PF_FORKNOEXEC: forked, and no program started since
_FARTHEST = 16  # generations


class Master(NamedTuple):
    """The process that a server's workers were forked from, or the one that is a server of its own."""

    pid: int
    #: When it started: clock ticks since boot. With it the process ID is unique until the next boot.
    start: int
    #: Why it can't be told which processes belong to one server, so that each is on its own; or "".
    reason: str = ""


class _Process(NamedTuple):
    pid: int
    parent: int
    session: int
    forked: bool
    start: int
    stack: int  # 0 where it is hidden from us


# By process: a child of a fork may have another master, and must not ask a table in the making.
_found: dict[int, Master] = {}


def master_of_this_process() -> Master:
    """Found once per process: later a parent may have died, and who adopted the process is nobody to it."""
    pid = os.getpid()
    found = _found.get(pid)
    if found is None:
        found = _found.setdefault(pid, _find(pid))
    return found


def lives(pid: int, start: int) -> bool:
    """Whether this process of the same machine and PID namespace is still there; True in doubt."""
    process = _read(pid)
    if process is not None:
        return process.start == start
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another's
        return True
    return True


def machine() -> str:
    """What process IDs mean something in: the boot of a system and the PID namespace, as eight digits.

    Two containers that share a directory may both have a process 1 that started in the same hundredth of a
    second; a directory may outlive a boot.
    """
    from hashlib import blake2b

    parts = []
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id", "rb") as file:
        parts.append(file.read())
    with suppress(OSError):
        parts.append(b"%d" % os.stat("/proc/self/ns/pid").st_ino)
    return blake2b(b"\0".join(parts), digest_size=4).hexdigest()


def _find(pid: int) -> Master:
    process = _read(pid)
    if process is None or not process.stack:
        reason = "this system doesn't tell which workers belong to one server"
        # In place of a start time: a later process may have the same ID, but not the same moment.
        return Master(pid, process.start if process else time.time_ns(), reason)
    parent = _spawned_by(process)
    for _ in range(_FARTHEST):
        if parent is None:
            break
        process = parent
        parent = _forked_from(process)
    return Master(process.pid, process.start)


def _spawned_by(process: _Process) -> _Process | None:
    """The parent, of a process that was forked from it or is a child by `multiprocessing`."""
    module = sys.modules.get("multiprocessing.process")
    named = module and module.parent_process()
    if named is not None and named.pid == process.parent:
        return _read(process.parent)
    return _forked_from(process)


def _forked_from(process: _Process) -> _Process | None:
    """The process this one was forked from, if it still is its parent."""
    if not process.forked or process.parent <= 0:
        return None
    parent = _read(process.parent)
    if parent is None:
        return _hidden_parent(process)
    if parent.stack:
        return parent if parent.stack == process.stack else None
    # Hidden: its user is another, since workers gave up their rights.
    return parent if _shares_session(process, parent.session) else None


def _shares_session(process: _Process, of_parent: int) -> bool:
    """Whether its parent is likely the one that forked it, judged by the session alone.

    A daemon has left the session by the time process 1 adopts it; a container's runtime makes a server that
    is process 1 the leader of session 1. Session 0 began outside of this PID namespace, or with the kernel:
    all that never left it are in it, those that process 1 adopts among them.
    """
    return of_parent == process.session and (process.parent, of_parent) != (1, 0)


def _hidden_parent(process: _Process) -> _Process | None:
    """As above where `/proc` shows no process of others (`hidepid`)."""
    try:
        session = os.getsid(process.parent)
    except OSError:
        return None
    if not _shares_session(process, session):
        return None
    # Its start is hidden as well. The stack's address is as good: drawn when it was started.
    return _Process(process.parent, 0, session, False, process.stack, 0)


def _read(pid: int) -> _Process | None:
    """What the system tells of a process; None where it tells nothing."""
    try:
        # In a `/proc` of another PID namespace the number is somebody else's.
        if os.readlink("/proc/self") != str(os.getpid()):
            return None
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
        # The second field is a name in parentheses, which may have any in it.
        number, fields = int(text.split(b" ", 1)[0]), text[text.rindex(b")") + 2 :].split()
        parent, session, flags = int(fields[1]), int(fields[3]), int(fields[6])
        return _Process(number, parent, session, bool(flags & _FORKED), int(fields[19]), int(fields[25]))
    except (OSError, ValueError, IndexError):
        return None
