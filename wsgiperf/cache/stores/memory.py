"""A cache in the memory of one process, bounded in bytes.

What is let go first is decided by S3-FIFO (Yang and others, "FIFO queues are all you need for cache
eviction", SOSP 2023). New values enter a small queue of a tenth of the room. When they reach its end, those
asked for meanwhile move to the main queue, the others go; in the main queue a value asked for since its last
turn goes round again. A crawler that reads every page once thus passes through the small queue and pushes
nothing out. A hit sets a mark, which takes no lock and moves nothing, unlike LRU. A key that comes back soon
after it was let go enters the main queue at once; which keys those are is remembered in a table of fixed
size. SIEVE has one queue and is as good while the favourites stay the same; where they change while a crawler
is about, a simulation saw it hit 7% of the time and this 47%.

Letting go is amortised constant: a value costs one step when it goes and one for each mark, and per call at
most `CHANCES` marks are honoured.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable
from sys import getsizeof
from threading import Lock, get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from cachelib import BaseCache

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = ["CHANCES", "ENTRY", "MemoryStore", "Node"]

#: Bytes that an entry costs beside its key and value: the node with its collector head 96, its numbers
#: 28 + 24, and its share in the dict, 88. A dict of strings takes 44 to 88 bytes an entry; it grows in leaps,
#: so that counting it exactly would make one call let go of thousands.
ENTRY = 96 + 28 + 24 + 88

#: Marks honoured while one value is stored; beyond, values go marked or not.
CHANCES = 64

#: One value may take this part of the room; the small queue has a tenth.
LARGEST_SHARE, SMALL_SHARE = 4, 10


class Node:
    """What `MemoryStore.find` finds: `value`, and the mark `visited`. The rest is the store's."""

    __slots__ = ("expires", "key", "newer", "older", "queue", "value", "visited", "weight")

    key: str
    value: Any
    weight: int
    #: A moment of the store's clock, or None for never.
    expires: float | None
    visited: bool
    queue: _Queue
    newer: Node
    older: Node


class _Queue:
    """A ring of nodes around an end that is none: ``end.newer`` is the oldest, ``end.older`` the newest."""

    __slots__ = ("end", "weight")

    def __init__(self) -> None:
        self.end = Node()
        self.empty()

    def empty(self) -> None:
        end = self.end
        end.newer = end.older = end
        self.weight = 0

    def push(self, node: Node) -> None:
        end = self.end
        newest = end.older
        node.older, node.newer = newest, end
        newest.newer = end.older = node
        node.queue = self
        self.weight += node.weight

    def remove(self, node: Node) -> None:
        node.older.newer, node.newer.older = node.newer, node.older
        self.weight -= node.weight
        del node.older, node.newer  # else a chain of dead nodes would hang on one that is still in use

    def oldest_but(self, spared: Node) -> Node | None:
        node = self.end.newer
        if node is spared:
            node = node.newer
        return None if node is self.end else node


class MemoryStore(BaseCache):
    """A cache for one process: any number of threads, any object as value.

    Reads take no lock. For the cheapest look-up do it in line (an expired value is found, too)::

        node = store.find(key)
        if node is not None:
            node.visited = True
            value = node.value

    A value weighs what its attribute `size` says where it has one, an int; otherwise what the interpreter
    says it takes by itself. After such a value grew, tell the store with `reweigh`. What one weighs by
    itself must not depend on the store's lock, nor may its end use the store.

    :param capacity: bytes for keys, values and the store's own records. A value over a
        quarter of it isn't kept.
    :param default_timeout: seconds a value is kept where `set` isn't told; 0 is for ever.
    :param clock: the time in seconds, growing steadily.
    """

    def __init__(
        self, capacity: int, default_timeout: int = 300, *, clock: Callable[[], float] = monotonic
    ) -> None:
        super().__init__(default_timeout)
        self.capacity = capacity
        self.largest = capacity // LARGEST_SHARE
        self._clock = clock
        self._lock = Lock()
        self._forking = 0
        self._nodes: dict[str, Node] = {}
        #: The look-up alone: the node of a key, or None.
        self.find: Callable[[str], Node | None] = self._nodes.get
        self._small, self._main = _Queue(), _Queue()
        self._small_room = capacity // SMALL_SHARE
        # A power of two, and at most one part in 256 of the room: made when the first value is let go.
        self._ghost_slots = 1 << max(6, min(16, (capacity // 2048).bit_length() - 1))
        self._ghosts: array[int] | None = None
        self._room = capacity - 8 * self._ghost_slots
        _stores.add(self)

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._small.weight + self._main.weight

    def get(self, key: str) -> Any:
        """The value, or None."""
        node = self.find(key)
        if node is None:
            return None
        expires = node.expires
        if expires is not None and expires <= self._clock():
            self._expire(node)
            return None
        node.visited = True
        return node.value

    def has(self, key: str) -> bool:
        """Whether there is a value; doesn't count as using it."""
        node = self.find(key)
        return node is not None and not self._is_over(node)

    def set(self, key: str, value: Any, timeout: float | timedelta | None = None) -> bool:
        """Keep a value under `key`.

        :param timeout: seconds; None is the default, 0 for ever, below 0 is over already.
        :returns: False where it weighs too much or is over; an older value is gone then as well.
        """
        with self._lock:
            return self._set(key, value, timeout)

    def add(self, key: str, value: Any, timeout: float | timedelta | None = None) -> bool:
        """`set` where there is no value yet, else False; of several threads one wins."""
        with self._lock:
            return not self.has(key) and self._set(key, value, timeout)

    def inc(self, key: str, delta: int = 1) -> int | None:
        """Add to a number, in one step; the sum, kept for the default time."""
        with self._lock:
            node = self.find(key)
            held = 0 if node is None or self._is_over(node) else node.value
            total: int = held + delta
            return total if self._set(key, total, None) else None

    def dec(self, key: str, delta: int = 1) -> int | None:
        """`inc` downwards."""
        return self.inc(key, -delta)

    def delete(self, key: str) -> bool:
        """Forget a key; whether there was a value."""
        with self._lock:
            node = self.find(key)
            if node is None:
                return False
            self._remove(node)
            return not self._is_over(node)

    drop = delete

    def clear(self) -> bool:
        """Forget everything."""
        with self._lock:
            self._empty()
        return True

    def reweigh(self, key: str) -> bool:
        """Weigh a value again, after it grew or shrank; False where it isn't held, or no longer."""
        with self._lock:
            node = self.find(key)
            if node is None:
                return False
            weight = weigh(key, node.value)
            if weight > self.largest:
                self._remove(node)
                return False
            self._change_weight(node, weight)
            self._make_room(node)
            return True

    def items(self) -> list[tuple[str, Any]]:
        """All keys with their values at this moment: for purges."""
        with self._lock:
            nodes = list(self._nodes.values())
        return [(node.key, node.value) for node in nodes if not self._is_over(node)]

    # -- with the lock held

    def _set(self, key: str, value: Any, timeout: float | timedelta | None) -> bool:
        weight = weigh(key, value)
        if timeout is None:
            timeout = self.default_timeout
        seconds = timeout if isinstance(timeout, (int, float)) else timeout.total_seconds()
        node = self.find(key)
        if weight > self.largest or not seconds >= 0:
            if node is not None:
                self._remove(node)
            return False
        # A reader sees the old moment with the old value or the new with either, all of them good.
        expires = self._clock() + seconds if seconds else None
        if node is None:
            node = Node()
            node.key, node.value, node.weight, node.expires, node.visited = key, value, weight, expires, False
            (self._main if self._was_let_go(key) else self._small).push(node)
            self._nodes[key] = node
        else:
            node.value, node.expires = value, expires
            self._change_weight(node, weight)
        self._make_room(node)
        return True

    def _change_weight(self, node: Node, weight: int) -> None:
        node.queue.weight += weight - node.weight
        node.weight = weight

    def _make_room(self, spared: Node) -> None:
        chances = CHANCES
        small, main = self._small, self._main
        while small.weight + main.weight > self._room:
            node = small.oldest_but(spared)
            if node is None or small.weight <= self._small_room:
                node = main.oldest_but(spared) or node
            if node is None:
                return
            if node.visited and chances and not self._is_over(node):
                chances -= 1
                node.visited = False
                node.queue.remove(node)
                main.push(node)
                continue
            if node.queue is small:
                self._remember(node.key)
            self._remove(node)

    def _remember(self, key: str) -> None:
        if self._ghosts is None:
            self._ghosts = array("q", bytes(8 * self._ghost_slots))
        mark = hash(key)
        self._ghosts[mark & (self._ghost_slots - 1)] = mark

    def _was_let_go(self, key: str) -> bool:
        mark = hash(key)
        return self._ghosts is not None and self._ghosts[mark & (self._ghost_slots - 1)] == mark

    def _remove(self, node: Node) -> None:
        del self._nodes[node.key]
        node.queue.remove(node)

    def _empty(self) -> None:
        # Never another dict: `find` belongs to this one.
        self._nodes.clear()
        for queue in (self._small, self._main):
            node = queue.end.newer
            while node is not queue.end:
                following = node.newer
                del node.newer, node.older
                node = following
            queue.empty()
        self._ghosts = None

    # -- without

    def _is_over(self, node: Node) -> bool:
        return node.expires is not None and node.expires <= self._clock()

    def _expire(self, node: Node) -> None:
        # It is a matter of tidiness, and a read never waits.
        if self._lock.acquire(blocking=False):
            try:
                # Meanwhile it may have got a new value, or have gone.
                if self._is_over(node) and self.find(node.key) is node:
                    self._remove(node)
            finally:
                self._lock.release()

    def _before_fork(self) -> None:
        # A signal handler that forks amid a call of its own thread must not wait for itself.
        if self._lock.acquire(timeout=1):
            self._forking = get_ident()

    def _after_fork_in_parent(self) -> None:
        if self._forking == get_ident():
            self._forking = 0
            self._lock.release()

    def _after_fork_in_child(self) -> None:
        self._lock = Lock()
        if self._forking != get_ident():
            self._nodes.clear()
            self._small, self._main = _Queue(), _Queue()
        self._forking = 0


def weigh(key: str, value: object) -> int:
    """Bytes that an entry takes in a `MemoryStore`."""
    size = getattr(value, "size", None)
    return ENTRY + getsizeof(key) + (size if isinstance(size, int) else getsizeof(value))


# A fork copies the memory but only the thread that forks: a lock that another holds would stay locked, and
# what it was changing half changed. So the fork waits for the writers, who take microseconds.
_stores: WeakSet[MemoryStore] = WeakSet()


def _before_fork() -> None:
    for store in list(_stores):
        store._before_fork()


def _after_fork_in_parent() -> None:
    for store in list(_stores):
        store._after_fork_in_parent()


def _after_fork_in_child() -> None:
    for store in list(_stores):
        store._after_fork_in_child()


os.register_at_fork(
    before=_before_fork,
    after_in_parent=_after_fork_in_parent,
    after_in_child=_after_fork_in_child,
)
