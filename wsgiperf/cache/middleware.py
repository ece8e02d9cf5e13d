"""An HTTP cache inside one application: RFC 9111 as a shared cache.

On the way in a request is answered from the store, or goes on to the application: as the leader of those who
ask for the same thing at once, or by itself. On the way out its response is judged, and stored before the
first byte is sent where it is whole by then, else while it passes.
"""

from __future__ import annotations

import logging
from os import register_at_fork
from time import perf_counter
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from wsgiperf.cache import clock
from wsgiperf.cache.admission import Admission
from wsgiperf.cache.answers import answer, conditional_answer, covers, gateway_timeout, hit
from wsgiperf.cache.coalescing import Flights
from wsgiperf.cache.entry import Entry, Uncacheable, Varying
from wsgiperf.cache.gathering import Gathering
from wsgiperf.cache.invalidation import Change
from wsgiperf.cache.key import FORWARDING, OVERRIDES, Keys, forwarded
from wsgiperf.cache.lookup import Lookup
from wsgiperf.cache.opening import open_storage
from wsgiperf.cache.purges import Purge
from wsgiperf.cache.refresh import NONCE, REFRESH, Refresher, environ_for_refresh, run
from wsgiperf.cache.renewal import covers_up
from wsgiperf.cache.reporting import Reporter
from wsgiperf.cache.rules import Rules, counting_cookies, ignoring
from wsgiperf.cache.selection import reusable, select
from wsgiperf.cache.upgrading import HOT, Upgrader
from wsgiperf.calling import called
from wsgiperf.events import Cached
from wsgiperf.http.reuse import FRESH, STALE_WHILE_REVALIDATE, request_directives
from wsgiperf.settings import CacheSettings
from wsgiperf.wsgi import Exchange, Middleware, Response

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from wsgiperf.cache.purges import Kind

__all__ = ["CacheMiddleware"]

_log = logging.getLogger("wsgiperf.cache")

_FORWARDING = frozenset(FORWARDING)
#: What is for the application alone: its preconditions, and another method in the clothes of GET.
_PASSING = frozenset(("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE", *OVERRIDES))
#: What makes a request more than "give me this".
_SPECIAL = _FORWARDING | _PASSING | {
    "HTTP_AUTHORIZATION", "HTTP_CACHE_CONTROL", "HTTP_PRAGMA", "HTTP_RANGE", "HTTP_TRANSFER_ENCODING",
    "CONTENT_LENGTH", "REMOTE_USER", REFRESH,
}  # fmt: skip
_NOTHING: frozenset[str] = frozenset()
_SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
_HIT, _STALE, _MISS = Cached("hit"), Cached("stale"), Cached("miss")
#: In the place of a look-up: this request is none of the cache's business.
_BYPASS = object()


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
    excusable = False  # whoever is sent away too late keeps others waiting

    def __init__(self, app: WSGIApplication | None = None, **options: Any) -> None:
        settings = CacheSettings.of(options)
        self._storage = open_storage(settings)
        self._flights = Flights(self._storage, settings.coalesce_timeout)
        self._rules = Rules(settings.rules)
        self._has_rules = bool(settings.rules)
        self._key_of = Keys(ignoring(settings.ignored_query)).of
        self._counts = counting_cookies(settings.ignored_cookies)
        self._refresher = Refresher(settings.refresh_threads)
        self._upgrader = Upgrader() if settings.best_compression else None
        self._purge_token = settings.purge_token.encode("ascii")
        self._says = says = Reporter(settings.status_name)
        self._hit = says.hit
        self._gathering = Gathering(
            self._storage,
            self._flights,
            settings.coalesce_timeout,
            lambda lookup: says.forwarded(lookup, collapsed=True),
            lambda: self.inner,
        )
        self._admission = Admission(settings, self._storage, self._rules, lambda: self.inner)
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
            return self._take_note(exchange, method)
        environ = exchange.environ
        special = _NOTHING if _SPECIAL.isdisjoint(environ) else _SPECIAL & environ.keys()
        key = self._key_of(exchange)
        if key is None:
            exchange.notes[self] = _BYPASS
            return None
        if special and special & _FORWARDING:
            key = f"{key}\n{forwarded(environ, special)}"
            special -= _FORWARDING
        now = clock.now()
        held = self._storage.get(key, now)
        if not special:
            if type(held) is Entry:
                if now < held.fresh_until and not (held.anonymous and "HTTP_COOKIE" in environ):
                    response = self._answer_hit(exchange, held, now)
                    if response is not None:
                        return response
            elif type(held) is Uncacheable and now < held.kept_until and not self._has_rules:
                exchange.notes[self] = held  # its response is glanced at
                return None
        return self._look_up(exchange, Lookup(key, now, self._storage.followed), held, special)

    def _take_note(self, exchange: Exchange, method: str) -> Response | None:
        """Of a method that isn't answered from the store, but may change what is in it."""
        if method == "PURGE" and self._purge_token:
            from wsgiperf.cache.endpoint import purge_answer  # brings json and hmac

            return purge_answer(exchange, self._storage, self._purge_token, self._key_of(exchange))
        if method not in _SAFE:
            url = self._key_of(exchange)
            exchange.notes[self] = _BYPASS if url is None else Change(url, exchange.environ.copy())
        return None

    def _answer_hit(self, exchange: Exchange, entry: Entry, now: float) -> Response | None:
        """A plain request for a fresh entry: what a cache is for. None where it isn't enough after all."""
        environ = exchange.environ
        response = None
        if "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ:
            response = conditional_answer(environ, entry, now, self._hit)
        if response is None:
            response = hit(exchange, entry, now, self._hit)
            if response is None:
                return None
        if entry.route is not None:
            exchange.route = entry.route
        exchange.events.append(_HIT)
        variants = entry.variants
        variants.hits = hits = variants.hits + 1
        if hits == HOT and self._upgrader is not None:
            self._upgrader.consider(entry)
        return response

    def _look_up(
        self, exchange: Exchange, lookup: Lookup, held: Any, special: frozenset[str]
    ) -> Response | None:
        """All that isn't a plain hit."""
        environ = exchange.environ
        if special and self._passes(environ, special):
            exchange.notes[self] = _BYPASS
            return None
        exchange.notes[self] = lookup
        lookup.refresh = REFRESH in special
        if lookup.refresh:
            exchange.nonce = environ.get(NONCE)
        # Servers that ask for the password themselves keep the field and name the user.
        lookup.authorized = "HTTP_AUTHORIZATION" in special or bool(environ.get("REMOTE_USER"))
        lookup.cookie = "HTTP_COOKIE" in environ and self._counts(environ["HTTP_COOKIE"])
        if "HTTP_CACHE_CONTROL" in special or "HTTP_PRAGMA" in special:
            lookup.directives = request_directives(
                environ.get("HTTP_CACHE_CONTROL"), environ.get("HTTP_PRAGMA")
            )
        if self._has_rules:
            self._admission.apply_rules(exchange, lookup)
        select(self._storage, environ, lookup, held)
        response = self._stored_answer(exchange, lookup)
        if response is not None:
            return response
        if lookup.directives.only_if_cached:
            self._done(exchange)
            return gateway_timeout(self._says.refused("only-if-cached"))
        lookup.sent = environ.copy()  # what the application makes of it is in nobody else's request
        lookup.storable = not lookup.directives.no_store
        if exchange.method == "HEAD" or "HTTP_RANGE" in special or not lookup.storable:
            return None
        response = None if lookup.alone else self._gathering.gather(exchange, lookup)
        if response is not None:
            self._done(exchange)
            return response
        self._ask(exchange, lookup)
        entry = lookup.entry
        if entry is not None and not lookup.refresh and covers_up(entry, lookup.requested):
            return self._ask_under_cover(exchange, lookup, entry)
        return None

    def _ask_under_cover(self, exchange: Exchange, lookup: Lookup, entry: Entry) -> Response | None:
        """Call the application here, for the entry may stand in for an exception (RFC 5861 section 4)."""
        try:
            response = called(self.inner, exchange.environ)
        except Exception:
            _log.exception("the application failed; what is stored is served in its place")
            response = Response("500 Internal Server Error", [("Content-Length", "0")], [])
        self._admit(exchange, response, lookup)
        return response

    def _admit(self, exchange: Exchange, response: Response, lookup: Lookup) -> None:
        answered = response.status[:3]
        detail = self._admission.admit(exchange, response, lookup)
        told = int(answered) if answered != response.status[:3] or detail == "revalidated" else None
        flight = lookup.flight
        if flight is not None and flight.done:
            exchange.not_at_end(flight.share)
        if detail == "ok" or detail == "stream":
            exchange.events.append(_MISS)
        elif detail == "revalidated":
            exchange.events.append(_HIT)
        said = self._says.forwarded(lookup, stored=detail == "ok", detail=detail, told=told)
        self._says.say(response, said)

    def _passes(self, environ: dict[str, Any], special: frozenset[str]) -> bool:
        """Whether this is no business of the cache: a GET with a body, or a precondition."""
        if special & _PASSING:
            return True
        # A body may shape the answer but isn't in the key (RFC 9110 section 9.3.1).
        return environ.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in special

    def _stored_answer(self, exchange: Exchange, lookup: Lookup) -> Response | None:
        """The response from the entry, if there is one that may be used for this request."""
        entry = lookup.entry
        if entry is None:
            return None
        if entry.anonymous and (lookup.cookie or lookup.authorized):
            lookup.entry, lookup.forward, lookup.alone = None, "bypass", True
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
        response = answer(exchange, entry, now, self._says.served(entry.fresh_until - now))
        if response is None:
            lookup.entry = None
            return None
        self._done(exchange)
        if found is STALE_WHILE_REVALIDATE:
            self._refresh(exchange, lookup)
        exchange.route = entry.route
        exchange.events.append(_HIT if found is FRESH else _STALE)
        return response

    def _newer(self, lookup: Lookup, entry: Entry) -> Entry | None:
        """What another process has stored since, where that is fresh."""
        if not self._storage.is_shared:
            return None
        held = self._storage.fetch(lookup.key)
        if type(held) is not Entry or held.requested <= entry.requested:
            return None
        if held.anonymous and (lookup.cookie or lookup.authorized):
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
        if type(lookup) is Lookup:
            self._admit(exchange, response, lookup)
        elif lookup is _BYPASS:
            self._says.say(response, self._says.bypass)
        elif type(lookup) is Uncacheable:
            if exchange.method == "GET" and not self._admission.is_hopeless(exchange, response):
                self._reconsider(exchange, response, lookup)
            self._says.say(response, self._says.missed)
        else:
            if type(lookup) is Change:
                self._carry_out(exchange, response, lookup)
            self._says.say(response, self._says.method)

    def _reconsider(self, exchange: Exchange, response: Response, known: Uncacheable) -> None:
        """A URL remembered as uncacheable says something else: who asks next has the response stored.

        Not this one's, for the request as it came was not kept.
        """
        lookup = self._looked_up_late(exchange, known.key, self._storage.followed, exchange.environ)
        if (
            self._admission.is_storable(exchange, response, lookup)
            and type(self._storage.get(known.key, clock.now())) is Uncacheable  # not what another has stored
        ):
            self._storage.delete(known.key)

    def _carry_out(self, exchange: Exchange, response: Response, change: Change) -> None:
        """An unsafe method has done what it does: RFC 9111 section 4.4."""
        for key in change.keys(response):
            self._storage.invalidate(key)
        if exchange.method == "POST" and change.names_itself(response):
            # RFC 9110 section 9.3.3: it says that a GET would be answered by the same.
            made = self._looked_up_late(exchange, change.key, self._storage.position, change.sent)
            made.method = "POST"
            self._admission.admit(exchange, response, made)

    def _looked_up_late(self, exchange: Exchange, key: str, position: int, sent: dict[str, Any]) -> Lookup:
        """The look-up of a request for which none was made on its way in.

        :param position: the journal's, then.
        :param sent: the request, as it came.
        """
        lookup = Lookup(key, clock.now() - (perf_counter() - exchange.started), position)
        lookup.sent = sent
        lookup.authorized = "HTTP_AUTHORIZATION" in sent or bool(sent.get("REMOTE_USER"))
        lookup.cookie = "HTTP_COOKIE" in sent and self._counts(sent["HTTP_COOKIE"])
        return lookup

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
            exchange.at_end(lambda: run(self, environ))


_all: WeakSet[CacheMiddleware] = WeakSet()


def _after_fork() -> None:
    for cache in list(_all):
        cache._flights.forget()


register_at_fork(after_in_child=_after_fork)
