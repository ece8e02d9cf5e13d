"""One call of the application for all who ask for the same thing at once (RFC 9111 section 4 allows it).

The first request for a key becomes the leader of a flight; others join it and wait. What lets them go is an
entry to answer from, a recording to read along with, or the word that there is nothing to share: the response
may not be stored, or the leader failed. Then each goes to the application, none waiting for another.

Other processes are kept out by a lease of the store they share. Whoever doesn't get it looks, time and again,
whether the entry is there or the lease is free.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiperf.cache.entry import Entry
    from wsgiperf.cache.leases import KeptLease
    from wsgiperf.cache.recording import Recording
    from wsgiperf.cache.storage import Storage

__all__ = ["Flight", "Flights"]

#: Seconds between looks into the shared store: at first, and at most.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.004, 0.05


class Flight:
    """One call of the application, and those who wait for what comes of it.

    `done` tells whether they wait no longer; `entry` and `recording` are what there is for them, if anything.
    """

    __slots__ = ("_flights", "_waiting", "done", "entry", "joined", "key", "lease", "position", "recording")

    def __init__(self, flights: dict[str, Flight], key: str, position: int) -> None:
        self._flights, self.key = flights, key
        self.position = position  #: of the storage, when it began
        self.done = False
        self.entry: Entry | None = None
        self.recording: Recording | None = None
        self.lease: KeptLease | None = None
        self.joined = 0  #: how many came along
        # A lock for each who waits: that costs the leader nothing where nobody does.
        self._waiting: list[threading.Lock] = []

    def wait(self, seconds: float) -> bool:
        """Wait until it is done; whether it is."""
        if self.done:
            return True
        self.joined += 1
        mine = threading.Lock()
        mine.acquire()
        self._waiting.append(mine)
        if not self.done:  # else nobody may be left to release it
            mine.acquire(timeout=max(0.0, seconds))
        return self.done

    def share(self, entry: Entry | None = None, recording: Recording | None = None) -> None:
        """Let those who wait go on: with an entry, with a recording, or with neither."""
        if self.done:
            return
        self.entry, self.recording = entry, recording
        self.done = True
        while self._waiting:
            self._waiting.pop().release()
        if recording is None:
            self.land()

    def land(self) -> None:
        """Nobody joins any more, and another may lead. Doing so twice does no harm."""
        if self._flights.get(self.key) is self:
            self._flights.pop(self.key, None)
        if self.lease is not None:
            with suppress(Exception):  # then it lapses
                self.lease.release()


class Flights:
    """The flights of one process.

    :param storage: whose leases keep other processes out.
    :param seconds: how long anybody waits for a leader.
    """

    def __init__(self, storage: Storage, seconds: float) -> None:
        self._storage, self._seconds = storage, seconds
        self._under_way: dict[str, Flight] = {}

    def forget(self) -> None:
        """In a child process: the leaders are threads of the parent."""
        self._under_way = {}

    def under_way(self, key: str) -> bool:
        """Whether somebody works on a key, in this process."""
        return key in self._under_way

    def join(self, key: str, position: int) -> tuple[Flight, bool]:
        """The flight for a key, and whether the caller leads it, and so has to `share`, come what may.

        :param position: the storage's, when the request came: it isn't given what was purged before.
        """
        flights = self._under_way
        mine = Flight(flights, key, position)
        flight = flights.setdefault(key, mine)
        if flight.position != position and self._storage.may_be_purged_since(flight.position, key):
            flights[key] = flight = mine
        return flight, flight is mine

    def clear_with_others(self, flight: Flight, look: Callable[[], bool]) -> bool:
        """For a leader: wait until no other process works on the key, or until what it made is there.

        :param look: whether the shared store has what is wanted by now.
        :returns: False where it has.
        """
        until = monotonic() + self._seconds
        pause = SHORTEST_PAUSE
        while True:
            lease = self._storage.lease(flight.key)
            if lease is None:
                return True
            if lease is not False:
                flight.lease = lease  # type: ignore[assignment]
                # Who had it before may have finished between our look and this.
                if not look():
                    return True
                lease.release()  # type: ignore[union-attr]
                return False
            if monotonic() >= until:
                return True
            time.sleep(pause)  # looked up now: gevent may have come after this module
            pause = min(2 * pause, LONGEST_PAUSE)
            if look():
                return False
