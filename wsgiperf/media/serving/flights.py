"""One making of a variant for all in a process who ask for it at once."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiperf.media.serving.variants import Variant

__all__ = ["LONGEST", "Flight", "Flights"]

#: Seconds after which a flight is taken for lost: some servers never close what they are given.
LONGEST = 300.0


class Flight:
    """From the first request for something until it is there, or will not come of this try.

    `variant` is what there is then, if anything; `name` is the variant's, where no more than that is known.
    """

    __slots__ = ("_flights", "_key", "_waiting", "began", "done", "name", "variant")

    def __init__(self, flights: dict[object, Flight], key: object) -> None:
        self._flights, self._key = flights, key
        self._waiting: list[Lock] = []
        self.began = monotonic()
        self.done = False
        self.name: str | None = None
        self.variant: Variant | None = None

    def wait(self, seconds: float) -> None:
        """Wait until it is done, so long at most."""
        if self.done or seconds <= 0:
            return
        mine = Lock()
        mine.acquire()
        self._waiting.append(mine)
        if not self.done:  # else nobody may be left to release it
            mine.acquire(timeout=seconds)

    def land(self, variant: Variant | None = None, *, name: str | None = None) -> None:
        """Let those who wait go on. Only the first time counts."""
        if self.done:
            return
        self.variant, self.name = variant, name
        self.done = True
        if self._flights.get(self._key) is self:
            self._flights.pop(self._key, None)
        while self._waiting:
            self._waiting.pop().release()


class Flights:
    """The flights of one process.

    :param pause: seconds for which another process's making of a variant isn't asked about again.
    """

    def __init__(self, pause: float = 0.25) -> None:
        self._pause = pause
        self.forget()

    def forget(self) -> None:
        """In a child process: the leaders are threads of the parent."""
        self._under_way: dict[object, Flight] = {}
        self._elsewhere: dict[str, float] = {}

    def join(self, key: object) -> tuple[Flight, bool]:
        """The flight for a key, and whether the caller leads it, and so has to see that it lands."""
        mine = Flight(self._under_way, key)
        flight = self._under_way.setdefault(key, mine)
        if mine.began - flight.began > LONGEST:
            flight = self._under_way[key] = mine
        return flight, flight is mine

    def under_way(self, key: object) -> Flight | None:
        """The flight for a key, if there is one."""
        flight = self._under_way.get(key)
        return None if flight is None or monotonic() - flight.began > LONGEST else flight

    def is_elsewhere(self, name: str) -> bool:
        """Whether another process was making a variant a moment ago."""
        until = self._elsewhere.get(name)
        return until is not None and monotonic() < until

    def note_elsewhere(self, name: str) -> None:
        """Another process makes it."""
        if len(self._elsewhere) >= 256:
            self._elsewhere.clear()
        self._elsewhere[name] = monotonic() + self._pause
