"""The stores of the cache, and what each of them can do. A new store is one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cachelib.file
import cachelib.simple
from cachelib import BaseCache, FileSystemCache, SimpleCache

from wsgiperf.cache.stores.adapter import Adapter
from wsgiperf.cache.stores.filesystem import FileSystemStore
from wsgiperf.cache.stores.memory import MemoryStore

CAPACITY = 8_000_000


class Clock:
    """A time that passes when told to; starts where file times do not look old."""

    def __init__(self) -> None:
        self.now = 2_000_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Kind:
    """How to make a store, and which rules are about it.

    :param make: gets an empty directory and the clock. May return a generator that yields the store and
        cleans up after it.
    :param any_value: whether it holds any object, not bytes alone.
    :param clock: whether it lives by the clock that was passed; else it is asked again until time has passed.
    :param largest: the most bytes a value may have; above, it isn't kept. None: not limited.
    :param leases: whether it lends leases.
    :param purges: whether it can look through its values.
    :param deletes: whether `delete` tells if there was something to delete.
    """

    make: Callable[[Path, Clock], Any]
    any_value: bool = False
    clock: bool = True
    largest: int | None = None
    leases: bool = True
    purges: bool = True
    deletes: bool = True


def adapted(module: Any, make: Callable[[Path], BaseCache]) -> Callable[[Path, Clock], Any]:
    """cachelib's backends take no clock: the one in their module is replaced."""

    def made(directory: Path, clock: Clock) -> Any:
        original, module.time = module.time, clock
        yield Adapter(make(directory))
        module.time = original

    return made


STORES = {
    "memory": Kind(
        lambda directory, clock: MemoryStore(CAPACITY, clock=clock),
        any_value=True,
        largest=CAPACITY // 4,
        leases=False,
        purges=False,
    ),
    "file system": Kind(
        lambda directory, clock: FileSystemStore(directory / "store", CAPACITY, clock=clock),
        largest=CAPACITY // 8,
    ),
    "adapter, SimpleCache": Kind(
        adapted(cachelib.simple, lambda directory: SimpleCache()),
        purges=False,
    ),
    "adapter, FileSystemCache": Kind(
        adapted(cachelib.file, lambda directory: FileSystemCache(str(directory / "files"))),
        purges=False,
        deletes=False,
    ),
}
