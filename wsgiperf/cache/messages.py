"""Purges made on other machines, as messages of the shared store tell of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

from wsgiperf.cache.purges import Purge

__all__ = ["Messages"]

#: Purges remembered, for those whose responses are being made when they come.
MOST_HEARD = 256

_Apply = Callable[[list[Purge] | None], object]


class Messages:
    """What a process hears of purges, and whether it hears.

    :param subscribe: makes a subscription from what is to be called with each message.
    :param journal: of this machine; what that tells of is no news.
    :param apply: called with the purges; with None where they may have been any.
    """

    def __init__(
        self, subscribe: Callable[[Callable[[bytes], object]], Any], journal: Any, apply: _Apply
    ) -> None:
        self._journal, self._apply = journal, apply
        self._followed = 0
        self._known: deque[Purge] = deque(maxlen=MOST_HEARD)
        self._generation = -1
        #: How many purges were heard of. Written by the subscription's thread, as is the next.
        self.count = 0
        self._heard: deque[Purge | None] = deque(maxlen=MOST_HEARD)
        self._subscription = subscribe(self._on_message)

    def hears(self) -> bool:
        """Whether messages are known to arrive. If not, does something about it."""
        subscription = self._subscription
        healthy: bool = monotonic() < subscription.healthy_until
        if not healthy:
            if not self._followed:
                self._followed = self._journal.position
            subscription.start()
        if self._generation != subscription.generation:
            # What was sent between two subscriptions nobody heard.
            self._generation = subscription.generation
            self._apply(None)
        return healthy

    def since(self, count: int) -> list[Purge] | None:
        """The purges heard of since there were so many; None where that is not known any more."""
        heard = self._heard.copy()
        missed = self.count - count
        if not missed:
            return []
        recent = [purge for purge in list(heard)[-missed:] if purge is not None]
        return recent if len(recent) == missed else None

    def _on_message(self, data: bytes) -> None:
        purge = Purge.decode(data)
        if purge is None:
            self._hear(None)
        elif not self._is_from_here(purge):
            self._hear(purge)

    def _hear(self, purge: Purge | None) -> None:
        self._heard.append(purge)
        self.count += 1
        self._apply(None if purge is None else [purge])

    def _is_from_here(self, purge: Purge) -> bool:
        """Whether a worker of this machine made it: the journal was told first."""
        position = self._journal.position
        if position != self._followed:
            self._known.extend(self._journal.read(self._followed, position) or ())
            self._followed = position
        return purge in self._known
