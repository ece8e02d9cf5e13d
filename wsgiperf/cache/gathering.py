"""Those who ask for the same thing at once: one goes to the application, the others get what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from wsgiperf.cache import clock
from wsgiperf.cache.admission import WITH_COOKIES
from wsgiperf.cache.answers import answer
from wsgiperf.cache.entry import Uncacheable
from wsgiperf.cache.recording import Follower
from wsgiperf.cache.resuming import resumed
from wsgiperf.cache.selection import reusable, select
from wsgiperf.events import Cached
from wsgiperf.exchange import Response

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from wsgiperf.cache.coalescing import Flight, Flights
    from wsgiperf.cache.entry import Entry
    from wsgiperf.cache.lookup import Lookup
    from wsgiperf.cache.recording import Recording
    from wsgiperf.cache.storage import Storage
    from wsgiperf.exchange import Exchange

__all__ = ["Gathering"]

_COLLAPSED = Cached("collapsed")
_CONDITIONS = frozenset(("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"))


class Gathering:
    """Makes a leader of the first, and has the others wait.

    :param storage: where a leader in another process leaves its entry.
    :param flights: of this process.
    :param patience: seconds that anybody waits for a leader.
    :param status: the Cache-Status of who was collapsed onto another; None sends none.
    :param inner: the application, for who read along with a leader that came to a halt.
    """

    def __init__(
        self,
        storage: Storage,
        flights: Flights,
        patience: float,
        status: Callable[[Lookup], str | None],
        inner: Callable[[], WSGIApplication],
    ) -> None:
        self._storage, self._flights, self._patience = storage, flights, patience
        self._status, self._inner = status, inner

    def gather(self, exchange: Exchange, lookup: Lookup) -> Response | None:
        """The response that another's call has led to; None where this request has to make its own."""
        if lookup.authorized or lookup.directives.no_cache or type(lookup.held) is Uncacheable:
            return None
        if lookup.cookie and self._storage.get(lookup.primary + WITH_COOKIES, lookup.requested) is not None:
            return None
        if lookup.entry is not None and lookup.entry.always_revalidate:
            return None  # the application wants to see each request
        flight, leads = self._flights.join(lookup.key, lookup.position)
        if not leads:
            # A refresh has nobody to serve: who leads does its work.
            return Response("204 No Content") if lookup.refresh else self._wait(exchange, lookup, flight)
        lookup.flight = flight
        exchange.at_end(flight.share)  # with none, where nothing came of it
        if not self._storage.is_shared:
            return None
        if self._flights.clear_with_others(flight, lambda: self._made_elsewhere(exchange, lookup)):
            return None
        entry = None if type(lookup.held) is Uncacheable else lookup.entry
        flight.share(entry)
        lookup.flight = None
        return None if entry is None else self._answer(exchange, lookup, entry)

    def _made_elsewhere(self, exchange: Exchange, lookup: Lookup) -> bool:
        """Whether another process has done what we were to do: stored an entry, or found that it can't."""
        held = self._storage.fetch(lookup.primary)
        if type(held) is Uncacheable:
            lookup.held = held
            return True
        before, forward = lookup.entry, lookup.forward
        select(self._storage, exchange.environ, lookup, held)
        entry, lookup.forward = lookup.entry, forward
        if entry is None or (before is not None and entry.requested <= before.requested):
            lookup.entry = before
            return False
        return reusable(entry, lookup, clock.now()).served

    def _wait(self, exchange: Exchange, lookup: Lookup, flight: Flight) -> Response | None:
        flight.wait(self._patience)
        if flight.entry is not None:
            return self._answer(exchange, lookup, flight.entry)
        if flight.recording is not None:
            return self._follow(exchange, lookup, flight, flight.recording)
        return None

    def _answer(self, exchange: Exchange, lookup: Lookup, entry: Entry) -> Response | None:
        """The response from what a leader has stored, where that is for this request too."""
        if entry.pieces is not None or entry.always_revalidate:
            # no-cache: made for one request, it may not answer another (RFC 9111 section 5.2.2.4).
            return None
        if entry.key != lookup.key:
            # It varies, which nobody knew when we came to wait: is there one for us?
            select(self._storage, exchange.environ, lookup, self._storage.get(lookup.primary, clock.now()))
            if lookup.entry is None:
                return None
            entry = lookup.entry
        if entry.anonymous and (lookup.cookie or lookup.authorized):
            lookup.entry = None  # nor may the application's 304 make it this request's
            return None
        if entry is lookup.entry and not reusable(entry, lookup, clock.now()).served:
            return None
        response = answer(exchange, entry, clock.now(), self._status(lookup))
        if response is not None:
            exchange.route = entry.route
            exchange.events.append(_COLLAPSED)
        return response

    def _follow(
        self, exchange: Exchange, lookup: Lookup, flight: Flight, recording: Recording
    ) -> Response | None:
        """Read along with a stream that is being recorded."""
        if not recording.is_for(exchange.environ):
            return None
        if recording.anonymous and (lookup.cookie or lookup.authorized):
            return None
        status, pairs = recording.head
        environ = {name: value for name, value in exchange.environ.items() if name not in _CONDITIONS}
        fields = recording.head[1]

        def resume(sent: list[bytes]) -> Iterator[bytes]:
            return resumed(self._inner(), environ, status, fields, sent)

        exchange.route = recording.route
        said = self._status(lookup)
        pairs = pairs if said is None else [*pairs, ("Cache-Status", said)]
        exchange.events.append(_COLLAPSED)
        return Response(status, pairs, Follower(recording, self._patience, resume, flight.land))
