"""What becomes of a response from the application: stored, used to renew an entry, or passed on as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsgiperf.cache import clock
from wsgiperf.cache.answers import conditions_hold, not_modified_answer
from wsgiperf.cache.entry import Entry, Uncacheable
from wsgiperf.cache.keeping import Keeper, Terms
from wsgiperf.cache.purges import split_tags
from wsgiperf.cache.renewal import covers_up, head_says, renewed, take_place
from wsgiperf.cache.rules import counting_cookies
from wsgiperf.exchange import OPTIONS
from wsgiperf.http.conditional import selects
from wsgiperf.http.headers import Headers
from wsgiperf.http.reuse import ERROR_STATUSES
from wsgiperf.http.storing import StoringRules, Verdict, judge

if TYPE_CHECKING:
    from wsgiperf.cache.lookup import Lookup
    from wsgiperf.cache.rules import Rules
    from wsgiperf.cache.storage import Storage
    from wsgiperf.caching_rules import Rule
    from wsgiperf.settings import CacheSettings
    from wsgiperf.wsgi import Exchange, Response

__all__ = ["Admission"]

#: Seconds for which a URL is remembered as not worth waiting for.
REMEMBERED = 60.0
#: Why a response isn't stored, where that lies in this one request and says nothing about the next.
_OF_THE_REQUEST = frozenset(("authorization", "cookie", "request-no-store"))
_NO_HOOK: dict[str, Any] = {}


class Admission:
    """Judges responses, and stores those that may be.

    :param settings: the cache's options.
    """

    def __init__(self, settings: CacheSettings, storage: Storage, rules: Rules) -> None:
        self._storage, self._rules = storage, rules
        self._ignored = settings.ignored_cookies
        self._keeper = Keeper(settings, storage)
        self._set_cookie = settings.set_cookie
        self._terms = StoringRules(
            targeted=tuple(name.lower() for name in settings.targeted_fields),
            heuristic_fraction=settings.heuristic_fraction,
            heuristic_max=settings.heuristic_max,
            set_cookie=settings.set_cookie,
            stale_while_revalidate_max=settings.stale_while_revalidate_max,
            stale_if_error_max=settings.stale_if_error_max,
            stale_while_revalidate_default=settings.stale_while_revalidate,
            stale_if_error_default=settings.stale_if_error,
        )
        self._speaking = frozenset(("cache-control", "expires", "pragma", *self._terms.targeted))

    def apply_rules(self, exchange: Exchange, lookup: Lookup) -> None:
        """Which rules may apply, and what the first of them puts into the key."""
        lookup.rules = rules = self._rules.for_path(exchange.path)
        if not rules:
            return
        lookup.names = names = rules[0].names
        if names:
            # What is in the key can't reach others.
            lookup.authorized = lookup.authorized and "HTTP_AUTHORIZATION" not in names
            if lookup.cookie and "HTTP_COOKIE" not in names:
                counts = counting_cookies((*self._ignored, *rules[0].key_cookies))
                lookup.cookie = counts(exchange.environ["HTTP_COOKIE"])
            elif lookup.cookie:
                lookup.cookie = False

    def admit(self, exchange: Exchange, response: Response, lookup: Lookup) -> str:
        """Store the response if it may be; a word why not, "ok" where it is."""
        status = int(response.status[:3])
        entry = lookup.entry
        if entry is not None and exchange.method == "GET":
            if status == 304 and lookup.validating:
                return self._revalidated(exchange, response, lookup, entry)
            if status in ERROR_STATUSES and covers_up(entry, lookup.requested):
                self._share(lookup, entry)
                take_place(exchange, response, lookup, entry)
                return "error"
        if exchange.method == "HEAD":
            return self._from_head(response, lookup)
        detail = self._store(exchange, response, lookup, status)
        if detail not in ("ok", "stream"):
            self._refuse(lookup, detail)
        if status == 200 and (lookup.if_none_match is not None or lookup.if_modified_since is not None):
            _answer_condition(response, lookup)
        return detail

    def _store(self, exchange: Exchange, response: Response, lookup: Lookup, status: int) -> str:
        if not lookup.storable:
            return "request-no-store"
        headers = response.headers
        options = exchange.environ.get(OPTIONS)
        hook = _hook(options) if options else _NO_HOOK
        rule = None
        if lookup.rules:
            content_type = headers.fields.get("content-type")
            rule = self._rules.for_response(lookup.rules, exchange.route, content_type)
        if hook and not hook.get("shared") and "ttl" in hook and (lookup.cookie or lookup.authorized):
            return "cookie" if lookup.cookie else "authorization"
        received = clock.now()
        verdict = self._judge(status, headers, lookup, received, hook, rule)
        if not verdict.stored:
            return verdict.reason
        if response.pushed:
            return "pushed"
        terms = Terms(
            verdict,
            received,
            self._is_anonymous(verdict, headers, hook, rule),
            _tags(headers, hook, rule),
            rule is not None and rule.files,
        )
        return self._keeper.keep(exchange, response, lookup, terms)

    def _judge(
        self,
        status: int,
        headers: Headers,
        lookup: Lookup,
        received: float,
        hook: dict[str, Any],
        rule: Rule | None,
    ) -> Verdict:
        fallback = None
        if rule is not None and (rule.shared or not (lookup.cookie or lookup.authorized)):
            fallback = rule.ttl
        return judge(
            "GET",
            status,
            headers,
            authorized=lookup.authorized,
            cookie=lookup.cookie,
            requested=lookup.requested,
            received=received,
            rules=self._terms,
            assigned=hook.get("ttl"),
            fallback=fallback,
        )

    def _is_anonymous(
        self, verdict: Verdict, headers: Headers, hook: dict[str, Any], rule: Rule | None
    ) -> bool:
        """Whether the entry is for requests without cookies: the response itself didn't say who it is for."""
        if "ttl" in hook:
            return not hook.get("shared", False)
        if not verdict.explicit:
            return True
        return rule is not None and not rule.shared and self._speaking.isdisjoint(headers.fields)

    def _refuse(self, lookup: Lookup, detail: str) -> None:
        """Nothing to share: those who wait go on, and who comes next doesn't wait."""
        if lookup.flight is None:
            return
        if detail not in _OF_THE_REQUEST and lookup.entry is None:
            self._storage.put(Uncacheable(lookup.primary, clock.now() + REMEMBERED))
        lookup.flight.share()

    def _share(self, lookup: Lookup, entry: Entry) -> None:
        if lookup.flight is not None:
            lookup.flight.share(entry)

    def _revalidated(self, exchange: Exchange, response: Response, lookup: Lookup, entry: Entry) -> str:
        headers = response.headers
        etag, last_modified = headers.get("ETag"), headers.get("Last-Modified")
        if not selects(entry.etag, entry.last_modified, etag, last_modified, only_asked=True):
            # RFC 9111 section 4.3.4: it is about another response than was asked about.
            self._storage.delete(lookup.key)
            return "validator"
        options = exchange.environ.get(OPTIONS)
        hook = _hook(options) if options else _NO_HOOK
        rule = self._rules.for_response(lookup.rules, exchange.route, entry.fields.get("content-type"))

        def judged(updated: Headers) -> Verdict:
            return self._judge(int(entry.status[:3]), updated, lookup, clock.now(), hook, rule)

        fresh = renewed(entry, headers, lookup, judged, self._set_cookie)
        self._keeper.put(lookup, fresh)
        self._share(lookup, fresh)
        take_place(exchange, response, lookup, fresh)
        return "revalidated"

    def _from_head(self, response: Response, lookup: Lookup) -> str:
        entry = lookup.entry
        if entry is None or entry.pieces is not None:
            return "head"
        said = head_says(entry, response)
        if said == "invalidate":
            entry.stale_from(0.0)
            self._storage.put(entry)
        elif said == "update":

            def judged(updated: Headers) -> Verdict:
                return self._judge(200, updated, lookup, clock.now(), _NO_HOOK, None)

            self._keeper.put(lookup, renewed(entry, response.headers, lookup, judged, self._set_cookie))
        return "head"


def _hook(options: dict[str, Any]) -> dict[str, Any]:
    """What the application says of this response: a dict under `OPTIONS` ["cache"]."""
    hook = options.get("cache")
    return hook if isinstance(hook, dict) else _NO_HOOK


def _tags(headers: Headers, hook: dict[str, Any], rule: Rule | None) -> tuple[str, ...]:
    tags: tuple[str, ...] = () if rule is None else rule.tags
    fields = headers.fields
    if "surrogate-key" in fields:
        tags += split_tags(fields["surrogate-key"], " ")
    if "cache-tag" in fields:
        tags += split_tags(fields["cache-tag"], ",")
    return tags + tuple(hook["tags"]) if "tags" in hook else tags


def _answer_condition(response: Response, lookup: Lookup) -> None:
    """The client's condition, which the application wasn't asked with (RFC 9110 section 13.2)."""
    if not isinstance(response.body, (list, tuple)):
        return  # it is being recorded, perhaps: all of it has to pass
    seen = Entry(
        "", response.status, response.headers.pairs, b"", requested=0.0, born=lookup.requested, lifetime=0.0
    )
    if conditions_hold(lookup.if_none_match, lookup.if_modified_since, seen):
        made = not_modified_answer(seen, lookup.requested, None)
        response.status = made.status
        response.headers = Headers(pair for pair in made.headers.pairs if pair[0] != "Age")
        response.body = []
