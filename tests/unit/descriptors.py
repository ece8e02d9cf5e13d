"""Which files a test has left open."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["still_open"]


def still_open(*paths: Path) -> list[Path]:
    """Those of these files and directories that this process has open.

    Not how many descriptors there are: others come and go with other threads and the collector.
    """
    found = set()
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # that of the listing is closed by now
            state = os.fstat(int(name))
            found.add((state.st_dev, state.st_ino))
    states = [path.stat() for path in paths]
    return [path for path, at in zip(paths, states, strict=True) if (at.st_dev, at.st_ino) in found]
