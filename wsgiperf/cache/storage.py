"""Where the cache keeps what it holds: in this process's memory, and behind it a store that others share.

Nothing here fails a request. A shared store that is down, slow or full is a counted miss. Purges are the
exception: one that may have missed something raises.

The memory of a process is trusted only as far as it learns of purges. Those made on this machine come by the
journal, which each look-up compares with what it saw last; those made on others by messages, and while it
isn't known that these arrive, the shared store is asked instead.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

from wsgiperf.cache import clock
from wsgiperf.cache.entry import Entry, Held
from wsgiperf.cache.frames import decode, encode, glance
from wsgiperf.cache.journal import Follower, Journal, JournalError
from wsgiperf.cache.leases import LeaseKeeper
from wsgiperf.cache.messages import Messages
from wsgiperf.cache.purges import Purge
from wsgiperf.errors import WSGIPerfError

if TYPE_CHECKING:
    from wsgiperf.cache.leases import KeptLease
    from wsgiperf.cache.stores.memory import MemoryStore

__all__ = ["PurgeFailed", "Storage"]

_log = logging.getLogger("wsgiperf.cache")


#: Seconds. A process that dies as the leader of a request holds others up for no longer.
LEASE_TERM = 5.0
#: Seconds between two looks whether the journal is still the file that others write to.
VERIFY_EVERY = 1.0
#: Seconds between two log lines about a store that fails.
COMPLAIN_EVERY = 10.0


class PurgeFailed(WSGIPerfError, RuntimeError):  # noqa: N818 - what happened, not what is wrong with the call
    """A purge may have missed something: what it was about may still be served."""


class Storage:
    """One cache's entries.

    :param memory: the first tier; None has the shared store asked each time.
    :param shared: a store of bytes (`stores.protocol.SharedStore`), None for none.
    :param journal: tells of purges made by other processes of this machine; None for none.
    """

    def __init__(
        self, memory: MemoryStore | None, shared: Any = None, journal: Journal | None = None
    ) -> None:
        self._memory, self._shared = memory, shared
        self._find: Callable[[str], Any] = _nothing if memory is None else memory.find
        self._told: Any = journal
        if journal is None:
            self._told = _Silence()
        self._journal: Any = _Silence()  #: it, once it was read, and for as long as it can be
        self._follower = Follower(self._told)
        self._verify_at = 0.0
        self._complain_at = 0.0
        #: How often the shared store or the journal failed.
        self.errors = 0
        self._leases = LeaseKeeper()
        self._lease: Callable[[str, float], Any] | None = getattr(shared, "lease", None)
        subscribe = getattr(shared, "subscription", None)
        self._messages = None
        if subscribe is not None and memory is not None:
            self._messages = Messages(subscribe, self._told, self._apply)

    @property
    def is_shared(self) -> bool:
        """Whether other processes use the same entries."""
        return self._shared is not None

    @property
    def position(self) -> int:
        """How much is known of purges by now: for `was_purged_since`."""
        position: int = self._journal.position
        return position << 32 | (0 if self._messages is None else self._messages.count)

    @property
    def followed(self) -> int:
        """The `position` up to which the latest look-up has followed: all that was purged before it."""
        return self._follower.position << 32 | (0 if self._messages is None else self._messages.count)

    def get(self, key: str, now: float) -> Held | None:
        """What is held under a key, here or in the shared store.

        :param now: seconds since the epoch.
        """
        if now > self._verify_at or self._journal.position != self._follower.position:
            self._catch_up()
        if self._messages is not None and not self._messages.hears():
            return self.fetch(key)
        node = self._find(key)
        if node is not None:
            node.visited = True
            held: Held = node.value
            return held
        return None if self._shared is None else self.fetch(key)

    def fetch(self, key: str) -> Held | None:
        """What the shared store holds, taken into memory."""
        if self._shared is None:
            return None
        position = self.position
        try:
            data = self._shared.get(key)
        except Exception as error:
            self._failed("could not be read", error)
            return None
        if data is None:
            return None
        held = decode(data, key)
        if held is None:
            self._failed("holds what isn't ours, or is damaged", None)
            return None
        self._remember(held, held.kept_until - clock.now())
        if self._memory is not None and self.was_purged_since(position, held):
            self._memory.delete(key)  # it was read just before, and came to memory just after
            return None
        return held

    def put(self, held: Held) -> None:
        """Keep an entry until it is of no more use."""
        seconds = held.kept_until - clock.now()
        if seconds <= 0:
            return
        if self._shared is not None:
            self._share(held, seconds)
        self._remember(held, seconds)

    def delete(self, key: str) -> None:
        """Forget one key, as far as that is possible: for what can't be right any more."""
        if self._memory is not None:
            self._memory.delete(key)
        if self._shared is not None:
            try:
                self._shared.delete(key)
            except Exception as error:
                self._failed("could not be written", error)

    def was_purged_since(self, position: int, held: Held) -> bool:
        """Whether a purge since then means this entry, or may: what was made before it must not stay."""
        if self.position == position:
            return False
        purges = self._purges_since(position)
        tags = getattr(held, "tags", ())
        return purges is None or any(_means(purge, held.key, tags) for purge in purges)

    def may_be_purged_since(self, position: int, key: str) -> bool:
        """The same of a response that isn't there yet, so that its tags are not known."""
        purges = self._purges_since(position)
        return purges is None or any(purge.kind == "tag" or _means(purge, key, ()) for purge in purges)

    def _purges_since(self, position: int) -> list[Purge] | None:
        """None where they may have been any."""
        told: list[Purge] | None = self._journal.read(position >> 32)
        heard = [] if self._messages is None else self._messages.since(position & 0xFFFFFFFF)
        return None if told is None or heard is None else told + heard

    def lease(self, key: str) -> KeptLease | bool | None:
        """The lease to make the response for a key; False where another has it, None for none needed."""
        if self._lease is None:
            return None
        try:
            lease = self._lease(key, LEASE_TERM)
        except Exception as error:
            self._failed("lent no lease", error)
            return None
        return False if lease is None else self._leases.keep(lease, LEASE_TERM)

    def invalidate(self, key: str) -> None:
        """What is under a primary key has changed: an unsafe method said so. Best effort, unlike a purge."""
        purge = Purge.of_key(key)
        self._tell_or_not(purge)
        self.delete(key)
        if self._shared is not None:
            self._tell_or_not(purge)  # as `purge` does

    def _tell_or_not(self, purge: Purge) -> None:
        try:
            self._told.write(purge)
            self._catch_up()  # or what is stored from now on would be taken for what was meant
            publish = getattr(self._shared, "publish", None)
            if publish is not None:
                publish(purge.encode())
        except Exception as error:
            self._failed("could not tell others what has changed", error)

    def purge(self, purge: Purge) -> int:
        """Remove what the purge means, or mark it stale, in every tier of every worker.

        :returns: how many entries of the shared store, or else of this process's memory, it met.
        :raises PurgeFailed: where one tier may have been missed; the others are done.
        """
        failures: list[str] = []
        met = sum(_means(purge, held.key, getattr(held, "tags", ())) for _, held in self._items())
        # What is being made must not be stored after the shared store was looked through, so others are told
        # before; and what they fetch until then must not stay in their memory, so they are told after.
        self._tell(failures, purge)
        if self._shared is not None:
            met = self._attempt(failures, "the shared store", lambda: self._purge_shared(purge))
            if not failures:
                self._tell(failures, purge)
        self._attempt(failures, "this process", lambda: self._catch_up(strict=True))
        self._apply([purge])
        if failures:
            raise PurgeFailed("; ".join(failures))
        return met

    def _tell(self, failures: list[str], purge: Purge) -> None:
        self._attempt(failures, "the journal", lambda: self._told.write(purge))
        publish = getattr(self._shared, "publish", None)
        if publish is not None:
            self._attempt(failures, "the other machines", lambda: publish(purge.encode(), patient=True))

    def grown(self, key: str) -> None:
        """An entry has got one more encoded variant."""
        if self._memory is not None:
            self._memory.reweigh(key)
        if self._shared is None or (self._messages is not None and not self._messages.hears()):
            return
        position = self.position
        if self._journal.position != self._follower.position:
            self._catch_up()  # what was purged must not come back this way
        node = self._find(key)
        if node is not None and (seconds := node.value.kept_until - clock.now()) > 0:
            held = node.value
            self._share(held, seconds)
            if self.was_purged_since(position, held):
                self.invalidate(held.key)

    # -- tiers

    def _remember(self, held: Held, seconds: float) -> None:
        if type(held) is Entry:
            held.variants.grown = self.grown
        if self._memory is not None:
            self._memory.set(held.key, held, seconds if seconds > 0 else 0.001)

    def _share(self, held: Held, seconds: float) -> None:
        try:
            self._shared.set(held.key, encode(held), seconds)
        except Exception as error:
            self._failed("could not be written", error)

    def _purge_shared(self, purge: Purge) -> int:
        if purge.kind == "key" and not purge.soft:
            return int(self._shared.delete(purge.key))
        if purge.kind == "all" and not purge.soft:
            self._shared.clear()
            return 0

        def matches(start: bytes) -> bool:
            seen = glance(start)
            return seen is not None and _means(purge, *seen)

        met: int = self._shared.purge(matches, purge.at if purge.soft else 0.0)
        return met

    def _attempt(self, failures: list[str], what: str, act: Callable[[], Any]) -> int:
        try:
            return int(act() or 0)
        except Exception as error:
            self.errors += 1
            _log.exception("a purge could not be completed: %s", what)
            failures.append(f"{what}: {error}")
            return 0

    # -- what others purged

    def _catch_up(self, strict: bool = False) -> None:
        try:
            now = clock.now()
            if now > self._verify_at or self._verify_at - now > VERIFY_EVERY:
                self._told.verify()
                self._journal = self._told
                self._verify_at = now + VERIFY_EVERY  # last: till then others come here too, and wait for it
            self._follower.follow(self._apply)
        except JournalError as error:
            if strict:
                raise
            self._verify_at = clock.now() + VERIFY_EVERY
            # Tried again in a second. A purge that can't be told of fails where it is made.
            self._failed("journal can't be read, purges by other processes aren't heard of", error)
            self._journal = _Silence(self._follower.position)

    def _apply(self, purges: list[Purge] | None) -> None:
        if self._memory is None:
            return
        if purges is None:
            self._memory.clear()
            return
        wide = []
        for purge in purges:
            if purge.kind == "key" and not purge.soft:
                self._memory.delete(purge.key)
            else:
                wide.append(purge)
        if wide:
            for key, held in self._items():
                for purge in wide:
                    if _means(purge, key, getattr(held, "tags", ())):
                        self._strike(key, held, purge)

    def _strike(self, key: str, held: Held, purge: Purge) -> None:
        if purge.soft and isinstance(held, Entry):
            held.stale_from(purge.at)
        elif not purge.soft and self._memory is not None:
            self._memory.delete(key)

    def _items(self) -> list[tuple[str, Any]]:
        return [] if self._memory is None else self._memory.items()

    def _failed(self, what: str, error: BaseException | None) -> None:
        self.errors += 1
        now = monotonic()
        if now > self._complain_at:
            self._complain_at = now + COMPLAIN_EVERY
            _log.warning("the shared cache store %s: %s", what, error if error is not None else "ignored")


class _Silence:
    """In the place of a journal that can't be had: nothing is ever new in it.

    :param position: up to where the journal was followed.
    """

    def __init__(self, position: int = 0) -> None:
        self.position = position

    def write(self, purge: Purge) -> int:
        return self.position

    def read(self, since: int, until: int | None = None) -> list[Purge] | None:
        return []

    def verify(self) -> bool:
        return True


def _means(purge: Purge, key: str, tags: tuple[str, ...]) -> bool:
    """Purges know URLs; keys may say more."""
    return purge.matches(key, tags) if purge.kind == "key" else purge.matches(key.partition("\n")[0], tags)


def _nothing(key: str) -> None:
    return None
