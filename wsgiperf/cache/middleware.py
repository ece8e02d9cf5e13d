"""An HTTP cache inside one application: RFC 9111 as a shared cache.

On the way in a request is answered from the store, or goes on to the application: as the leader of those who
ask for the same thing at once, or by itself. On the way out its response is judged, and stored before the
first byte is sent where it is whole by then, else while it passes.
"""

from __future__ import annotations

from os import register_at_fork
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from wsgiperf.cache import clock
from wsgiperf.cache.admission import Admission
from wsgiperf.cache.answers import answer, covers, gateway_timeout
from wsgiperf.cache.coalescing import Flights
from wsgiperf.cache.entry import Entry, Varying
from wsgiperf.cache.gathering import Gathering
from wsgiperf.cache.invalidation import changed_urls
from wsgiperf.cache.key import FORWARDING, forwarded, keyed_url
from wsgiperf.cache.lookup import Lookup
from wsgiperf.cache.opening import open_storage
from wsgiperf.cache.purges import Purge
from wsgiperf.cache.refresh import REFRESH, Refresher, environ_for_refresh, run
from wsgiperf.cache.rules import Rules, counting_cookies, ignoring
from wsgiperf.cache.selection import reusable, select
from wsgiperf.events import Cached
from wsgiperf.http.cache_status import member, template
from wsgiperf.http.reuse import FRESH, STALE_WHILE_REVALIDATE, request_directives
from wsgiperf.settings import CacheSettings
from wsgiperf.wsgi import Exchange, Middleware, Response

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from wsgiperf.cache.purges import Kind

__all__ = ["CacheMiddleware"]

_FORWARDING = frozenset(FORWARDING)
_CONDITIONS = frozenset(("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE"))
#: What makes a request more than "give me this".
_SPECIAL = _FORWARDING | _CONDITIONS | {
    "HTTP_AUTHORIZATION", "HTTP_CACHE_CONTROL", "HTTP_PRAGMA", "HTTP_RANGE", "HTTP_TRANSFER_ENCODING",
    "CONTENT_LENGTH", "wsgi.input_terminated", REFRESH,
}  # fmt: skip
_SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
_HIT, _STALE = Cached("hit"), Cached("stale")


class CacheMiddleware(Middleware):
    """Answer GET and HEAD from responses stored before, as RFC 9111 lets a shared cache do.

    :param app: the WSGI application; left out inside a `Stack`.
    :param options: those of `CacheSettings`.
    :raises SettingsError: for an unknown option or a bad value.

    A response without explicit freshness is stored only where a rule says so, or for up to a minute where
    section 4.2.2 allows to guess. A failing store, refresh or journal never fails a request.
    """

    kind = "cache"
    skippable = True

    def __init__(self, app: WSGIApplication | None = None, **options: Any) -> None:
        settings = CacheSettings.of(options)
        self._storage = open_storage(settings)
        self._flights = Flights(self._storage, settings.coalesce_timeout)
        self._rules = Rules(settings.rules)
        self._query = ignoring(settings.ignored_query)
        self._counts = counting_cookies(settings.ignored_cookies)
        self._refresher = Refresher(settings.refresh_threads)
        self._name = settings.status_name
        self._hit = template(self._name, hit=True) if self._name else ""
        self._gathering = Gathering(
            self._storage,
            self._flights,
            settings.coalesce_timeout,
            lambda lookup: self._status(lookup, collapsed=True) if self._name else None,
            lambda: self.inner,
        )
        self._admission = Admission(settings, self._storage, self._rules)
        _all.add(self)
        super().__init__(app)

    def purge(self, kind: Kind, value: str = "", *, soft: bool = False) -> int:
        """Remove stored responses, in every worker and store, or mark them stale.

        :param kind: ``"url"``, ``"prefix"``, ``"tag"`` or ``"all"``.
        :param value: see `Purge.parse`.
        :param soft: mark as stale: who asks next is served the old response while a refresh runs, where the
            response allows that, and has it validated where not.
        :returns: how many were met in the shared store, or else in this process.
        :raises PurgeError: for what can't be understood.
        :raises PurgeFailed: where a tier may have been missed.
        """
        return self._storage.purge(Purge.parse(kind, value, soft=soft))

    def on_request(self, exchange: Exchange) -> Response | None:
        """Answer from what is stored, or let the request pass."""
        method = exchange.method
        if method != "GET" and method != "HEAD":
            return None
        environ = exchange.environ
        special = environ.keys() & _SPECIAL
        key = keyed_url(exchange, self._query)
        if key is None:
            return None
        if special and special & _FORWARDING:
            key = f"{key}\n{forwarded(environ, special)}"
            special -= _FORWARDING
        now = clock.now()
        held = self._storage.get(key)
        if (
            type(held) is Entry
            and now < held.fresh_until
            and not special
            and not (held.anonymous and "HTTP_COOKIE" in environ)
        ):
            status = self._hit % (held.fresh_until - now) if self._hit else None
            response = answer(exchange, held, now, status)
            if response is not None:
                exchange.events.append(_HIT)
                return response
        return self._look_up(exchange, Lookup(key, now, self._storage.position), held, special)

    def _look_up(self, exchange: Exchange, lookup: Lookup, held: Any, special: set[str]) -> Response | None:
        """All that isn't a plain hit."""
        environ = exchange.environ
        if special and self._passes(environ, special):
            return None
        exchange.notes[self] = lookup
        lookup.refresh = REFRESH in special
        lookup.authorized = "HTTP_AUTHORIZATION" in special
        lookup.cookie = "HTTP_COOKIE" in environ and self._counts(environ["HTTP_COOKIE"])
        if "HTTP_CACHE_CONTROL" in special or "HTTP_PRAGMA" in special:
            lookup.directives = request_directives(
                environ.get("HTTP_CACHE_CONTROL"), environ.get("HTTP_PRAGMA")
            )
        if self._rules:
            self._admission.apply_rules(exchange, lookup)
        select(self._storage, environ, lookup, held)
        response = self._stored_answer(exchange, lookup)
        if response is not None:
            return response
        if lookup.directives.only_if_cached:
            self._done(exchange)
            return gateway_timeout(self._status(lookup, detail="only-if-cached"))
        lookup.storable = not lookup.directives.no_store
        if exchange.method == "HEAD" or "HTTP_RANGE" in special or not lookup.storable:
            return None
        response = self._gathering.gather(exchange, lookup)
        if response is None:
            self._ask(exchange, lookup)
            return None
        self._done(exchange)
        return response

    def _passes(self, environ: dict[str, Any], special: set[str]) -> bool:
        """Whether this is no business of the cache: a GET with a body, or a precondition."""
        if special & _CONDITIONS:
            return True
        # A body may shape the answer but isn't in the key (RFC 9110 section 9.3.1).
        return environ.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in special

    def _stored_answer(self, exchange: Exchange, lookup: Lookup) -> Response | None:
        """The response from the entry, if there is one that may be used for this request."""
        entry = lookup.entry
        if entry is None:
            return None
        if entry.anonymous and (lookup.cookie or lookup.authorized):
            lookup.entry, lookup.forward = None, "bypass"
            return None
        if entry.pieces is not None and (
            exchange.method != "GET"
            or "HTTP_RANGE" not in exchange.environ
            or not covers(entry, exchange.environ["HTTP_RANGE"], exchange.environ.get("HTTP_IF_RANGE"))
        ):
            lookup.forward = "partial"
            return None
        now = lookup.requested
        found = reusable(entry, lookup, now)
        if not found.served or lookup.refresh:
            newer = self._newer(lookup, entry)
            if newer is None:
                lookup.forward = found.forward or "stale"
                return None
            entry, found = newer, FRESH
        status = None
        if self._name:
            status = member(self._name, hit=True, ttl=entry.fresh_until - now)
        response = answer(exchange, entry, now, status)
        if response is None:
            lookup.entry = None
            return None
        self._done(exchange)
        if found is STALE_WHILE_REVALIDATE:
            self._refresh(exchange, lookup)
        exchange.events.append(_HIT if found is FRESH else _STALE)
        return response

    def _newer(self, lookup: Lookup, entry: Entry) -> Entry | None:
        """What another process has stored since, where that is fresh."""
        if not self._storage.is_shared:
            return None
        held = self._storage.fetch(lookup.key)
        if type(held) is not Entry or held.requested <= entry.requested:
            return None
        lookup.entry = held
        return held if reusable(held, lookup, lookup.requested) is FRESH else None

    def _ask(self, exchange: Exchange, lookup: Lookup) -> None:
        """Go on to the application: with the entry's conditions where one is stored, else with none."""
        environ = exchange.environ
        entry = lookup.entry
        if lookup.flight is not None or entry is not None:
            lookup.if_none_match = environ.pop("HTTP_IF_NONE_MATCH", None)
            lookup.if_modified_since = environ.pop("HTTP_IF_MODIFIED_SINCE", None)
        if (
            entry is not None
            and entry.pieces is None
            and (entry.template is None or exchange.nonce is not None)
        ):
            if entry.etag is not None:
                environ["HTTP_IF_NONE_MATCH"] = entry.etag
            if entry.last_modified is not None:
                environ["HTTP_IF_MODIFIED_SINCE"] = entry.last_modified
            lookup.validating = entry.etag is not None or entry.last_modified is not None

    # -- the way out

    def on_response(self, exchange: Exchange, response: Response) -> None:
        """Judge the response: store it, or take the stored one in its place."""
        lookup = exchange.notes.get(self)
        if lookup is None:
            if exchange.method not in _SAFE:
                self._invalidate(exchange, response)
            if self._name:
                forward = "bypass" if exchange.method in ("GET", "HEAD") else "method"
                self._say(response, member(self._name, fwd=forward))
            return
        detail = self._admission.admit(exchange, response, lookup)
        if self._name:
            self._say(response, self._status(lookup, stored=detail == "ok", detail=detail))

    def on_close(self, exchange: Exchange) -> None:
        """Let those who wait go, if nothing was stored for them."""
        lookup = exchange.notes.pop(self, None)
        if lookup is None:
            return
        if type(lookup) is Lookup:
            if lookup.flight is not None and lookup.flight.recording is None:
                lookup.flight.share()
        else:
            lookup()  # a refresh that had to wait for the last byte

    def _invalidate(self, exchange: Exchange, response: Response) -> None:
        url = keyed_url(exchange, self._query)
        if url is None:
            return
        environ = exchange.environ
        special = environ.keys() & _FORWARDING
        suffix = f"\n{forwarded(environ, special)}" if special else ""
        for changed in changed_urls(url, response):
            self._storage.invalidate(changed + suffix)

    def _done(self, exchange: Exchange) -> None:
        """The request is answered: nothing is left to do for it."""
        exchange.notes.pop(self, None)

    def _refresh(self, exchange: Exchange, lookup: Lookup) -> None:
        """Have the application make a new response, while the old one is served."""
        if self._flights.under_way(lookup.key):
            return
        keyed = lookup.held.names if type(lookup.held) is Varying else lookup.names
        environ = environ_for_refresh(exchange.environ, keyed)
        if exchange.environ.get("wsgi.multithread", True):
            self._refresher.schedule(lookup.key, lambda: run(self, environ))
        else:
            exchange.notes[self] = lambda: run(self, environ)

    def _status(
        self, lookup: Lookup, *, stored: bool = False, collapsed: bool = False, detail: str | None = None
    ) -> str:
        if detail in ("ok", "stream", "revalidated"):
            detail = None
        return member(
            self._name,
            fwd=lookup.forward,
            stored=stored,
            collapsed=collapsed,
            detail=detail,
        )

    def _say(self, response: Response, status: str) -> None:
        headers = response.headers
        own = headers.fields.get("cache-status")
        if own is None:
            headers.put("Cache-Status", "cache-status", status)
        else:
            headers["Cache-Status"] = f"{own}, {status}"  # RFC 9211 section 2: the nearest to the client last


_all: WeakSet[CacheMiddleware] = WeakSet()


def _after_fork() -> None:
    for cache in list(_all):
        cache._flights.forget()


register_at_fork(after_in_child=_after_fork)
