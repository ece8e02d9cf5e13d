"""What is used most, in the process: bounded in bytes, the least recently used goes first."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

__all__ = ["Memory"]

Kept = TypeVar("Kept")


class Memory(Generic[Kept]):
    """A bounded dictionary for any number of threads.

    :param capacity: bytes, as those who put things in weigh them. A thing over a quarter of it isn't kept.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self.forget()

    def forget(self) -> None:
        """Begin with nothing, and with a lock that no thread of a parent process holds."""
        self._lock = Lock()
        self._kept: OrderedDict[str, tuple[Kept, int]] = OrderedDict()
        self.size = 0

    def get(self, name: str) -> Kept | None:
        """What is kept under a name."""
        with self._lock:
            found = self._kept.get(name)
            if found is None:
                return None
            self._kept.move_to_end(name)
        return found[0]

    def put(self, name: str, kept: Kept, size: int) -> None:
        """Keep it, and let go of others where that is too much."""
        with self._lock:
            self._remove(name)
            if size > self._capacity // 4:
                return
            self._kept[name] = kept, size
            self.size += size
            while self.size > self._capacity:
                self._remove(next(iter(self._kept)))

    def remove(self, name: str) -> None:
        """Let go of it, if it is there."""
        with self._lock:
            self._remove(name)

    def _remove(self, name: str) -> None:
        found = self._kept.pop(name, None)
        if found is not None:
            self.size -= found[1]
