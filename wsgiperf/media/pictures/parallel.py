"""Work of the codecs on as many processors as there are: Pillow lets other threads run while it computes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["in_parallel", "processors"]

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_parallel(work: Callable[[_Item], _Made], items: Sequence[_Item]) -> list[_Made]:
    """What the work makes of each, in their order; begun in their order too, so put the longest first.

    In this thread alone where there is one processor, or no further thread can be had.

    :raises Exception: the first one that the work raised; what was not yet begun is not done then.
    """
    count = min(processors(), len(items))
    if count > 1:
        try:
            with ThreadPoolExecutor(count, "wsgiperf-media") as pool:
                return list(pool.map(work, items))
        except RuntimeError:  # "can't start new thread", or the interpreter is about to end
            pass
    return [work(item) for item in items]
