"""What servers that are gone left behind, and how it is removed without hurting one that lives."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Container
from contextlib import suppress
from typing import TYPE_CHECKING

from wsgiperf.monitor.shared import locks
from wsgiperf.monitor.shared.file import LOCKED, TURN
from wsgiperf.monitor.shared.master import lives, machine
from wsgiperf.monitor.shared.place import FILE_FLAGS, identity

if TYPE_CHECKING:
    from wsgiperf.monitor.shared.place import Identity

__all__ = ["remove_leftovers"]

_NAME = re.compile(r"monitor-.+-([0-9a-f]{8})-(\d{1,10})-(\d{1,20})\.slabs", re.ASCII)
#: Seconds that a file stays whose master can't be asked for: of another boot, or of another container that
#: shares the directory.
_PATIENCE = 86_400.0


def remove_leftovers(folder: int, opened: Container[Identity]) -> None:
    """Remove the files in a directory that nobody holds a lock in and whose master is gone.

    :param folder: a descriptor of the directory.
    :param opened: the files this process has open: to open and close one again would lose its locks.
    """
    here = machine()
    for name in os.listdir(folder):
        parts = _NAME.fullmatch(name)
        if parts is None:
            continue
        of, pid, start = parts[1], int(parts[2]), int(parts[3])
        # Whatever goes wrong, the next worker tries again.
        with suppress(OSError):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            old = not lives(pid, start) if of == here else time.time() - found.st_mtime > _PATIENCE
            if old and identity(found) not in opened:
                _remove_unheld(name, folder)


def _remove_unheld(name: str, folder: int) -> None:
    descriptor = os.open(name, FILE_FLAGS, dir_fd=folder)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or not locks.take(descriptor, TURN):
            return
        # Who opened it meanwhile waits for the lock, and then sees that the file isn't there any more.
        at_place = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not locks.holder(descriptor, TURN, LOCKED) and identity(at_place) == identity(found):
            os.unlink(name, dir_fd=folder)
    finally:
        os.close(descriptor)
