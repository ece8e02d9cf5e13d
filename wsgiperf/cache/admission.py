"""What becomes of a response from the application: stored, used to renew an entry, or passed on as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsgiperf.cache import clock
from wsgiperf.cache.answers import conditions_hold, not_modified_answer
from wsgiperf.cache.entry import Entry, Uncacheable
from wsgiperf.cache.keeping import Keeper, Terms
from wsgiperf.cache.lookup import Lookup
from wsgiperf.cache.nonces import weak
from wsgiperf.cache.purges import LONGEST_TAG, MOST_TAGS, split_tags
from wsgiperf.cache.renewal import covers_up, head_says, renewed, take_place
from wsgiperf.cache.rules import counting_cookies
from wsgiperf.calling import called
from wsgiperf.exchange import OPTIONS
from wsgiperf.http.cache_control import field_names, parse_directives
from wsgiperf.http.conditional import selects
from wsgiperf.http.headers import Headers
from wsgiperf.http.memo import memoised
from wsgiperf.http.reuse import ERROR_STATUSES
from wsgiperf.http.storing import NEVER_STORED, StoringRules, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from wsgiref.types import WSGIApplication

    from wsgiperf.cache.rules import Rules
    from wsgiperf.cache.storage import Storage
    from wsgiperf.caching_rules import Rule
    from wsgiperf.settings import CacheSettings
    from wsgiperf.wsgi import Exchange, Response

__all__ = ["WITH_COOKIES", "Admission"]

#: Seconds for which a URL is remembered as not worth waiting for.
REMEMBERED = 60.0
#: Why a response isn't stored, where that lies in this one request and says nothing about the next.
_OF_THE_REQUEST = frozenset(("authorization", "request-no-store", "status"))
#: Why a 304 to one request may not renew what is stored for others.
_OF_THE_CLIENT = frozenset(("authorization", "cookie"))
#: Why a response isn't stored, where Cache-Control alone settles that.
_FORBIDDEN = frozenset(("no-store", "private"))
#: Why what is stored may not stay, where a 304 says so.
_WITHDRAWN = frozenset(("must-understand", "no-store", "private", "vary-star"))
#: Statuses of a response to one request, or to a part of it: what is stored may be right all the same.
_OF_THIS_ONE = NEVER_STORED | {206}
#: Bytes for the tags of a response: a purge finds them among the first of its frame.
ROOM_FOR_TAGS = 4096
#: After a primary key: the note that requests with cookies need not wait for each other.
WITH_COOKIES = "\n@"
_NO_HOOK: dict[str, Any] = {}


class Admission:
    """Judges responses, and stores those that may be.

    :param settings: the cache's options.
    :param inner: the application, where it has to be asked again.
    """

    def __init__(
        self, settings: CacheSettings, storage: Storage, rules: Rules, inner: Callable[[], WSGIApplication]
    ) -> None:
        self._storage, self._rules = storage, rules
        self._inner = inner
        self._counts = {
            rule: counting_cookies(settings.ignored_cookies, rule.key_cookies) for rule in settings.rules
        }
        self._keeper = Keeper(settings, storage)
        self._set_cookie = settings.set_cookie
        self._policy = StoringRules(
            targeted=tuple(name.lower() for name in settings.targeted_fields),
            heuristic_fraction=settings.heuristic_fraction,
            heuristic_max=settings.heuristic_max,
            set_cookie=settings.set_cookie,
            stale_while_revalidate_max=settings.stale_while_revalidate_max,
            stale_if_error_max=settings.stale_if_error_max,
            stale_while_revalidate_default=settings.stale_while_revalidate,
            stale_if_error_default=settings.stale_if_error,
        )
        self._targeted = frozenset(self._policy.targeted)
        self._speaking = frozenset(("cache-control", "expires", "pragma", *self._policy.targeted))
        self._telling = self._speaking | {"last-modified"}
        # What a verdict turns on beside Cache-Control.
        self._unusual = frozenset(("age", "date", "expires", "set-cookie", "vary", *self._policy.targeted))
        self._verdicts: dict[str, Verdict] = {}

    def apply_rules(self, exchange: Exchange, lookup: Lookup) -> None:
        """Which rules may apply, and what the first of them puts into the key."""
        lookup.rules = rules = self._rules.for_path(exchange.path)
        if not rules:
            return
        lookup.names = names = rules[0].names
        if names:
            # What is in the key can't reach others.
            if "HTTP_AUTHORIZATION" in names and "HTTP_AUTHORIZATION" in exchange.environ:
                lookup.authorized = False
            if lookup.cookie and "HTTP_COOKIE" not in names:
                lookup.cookie = self._counts[rules[0]](exchange.environ["HTTP_COOKIE"])
            elif lookup.cookie:
                lookup.cookie = False

    def admit(self, exchange: Exchange, response: Response, lookup: Lookup) -> str:
        """Store the response if it may be; a word why not, "ok" where it is."""
        status = int(response.status[:3])
        entry = lookup.entry
        if entry is not None and exchange.method == "GET":
            if response.pushed:
                pass  # the body has begun: another can't take its place
            elif status == 304 and lookup.validating:
                if self._revalidated(exchange, response, lookup, entry):
                    return "revalidated"
                status = int(response.status[:3])
            elif status in ERROR_STATUSES and covers_up(entry, lookup.requested):
                self._share(lookup, entry)
                take_place(exchange, response, lookup, entry)
                return "error"
        if exchange.method == "HEAD":
            return self._from_head(exchange, response, lookup)
        detail = self._store(exchange, response, lookup, status)
        if detail not in ("ok", "stream"):
            self._refuse(lookup, detail, status, response.headers.fields)
        if status == 200 and (lookup.if_none_match is not None or lookup.if_modified_since is not None):
            _answer_condition(response, lookup)
        return detail

    def is_hopeless(self, exchange: Exchange, response: Response) -> bool:
        """Whether, at a glance, the response may not be stored: of a URL whose last one might not."""
        if OPTIONS in exchange.environ:
            return False
        fields = response.headers.fields
        cache_control = fields.get("cache-control")
        if cache_control is None:
            return self._telling.isdisjoint(fields)
        return _forbids(cache_control) and self._targeted.isdisjoint(fields)

    def is_storable(self, exchange: Exchange, response: Response, lookup: Lookup) -> bool:
        """Whether `admit` would store the response, as far as that can be told without its body."""
        terms = self._terms_of(exchange, response, lookup, int(response.status[:3]))
        return type(terms) is Terms and not self._keeper.obstacle(response, terms)

    def _store(self, exchange: Exchange, response: Response, lookup: Lookup, status: int) -> str:
        terms = self._terms_of(exchange, response, lookup, status)
        return terms if isinstance(terms, str) else self._keeper.keep(exchange, response, lookup, terms)

    def _terms_of(self, exchange: Exchange, response: Response, lookup: Lookup, status: int) -> Terms | str:
        """On what terms the response may be stored; a word why it may not."""
        if not lookup.storable:
            return "request-no-store"
        headers = response.headers
        if _sent_away(exchange):
            return "option"
        options = exchange.environ.get(OPTIONS)
        hook = _hook(options) if options else _NO_HOOK
        rule = None
        if lookup.rules:
            content_type = headers.fields.get("content-type")
            rule = self._rules.for_response(lookup.rules, exchange.route, content_type)
        if hook and not hook.get("shared") and "ttl" in hook and (lookup.cookie or lookup.authorized):
            return "cookie" if lookup.cookie else "authorization"
        verdict = None
        if status == 200 and not (lookup.cookie or lookup.authorized or hook) and lookup.method == "GET":
            verdict = self._remembered(headers.fields)
        if verdict is not None:
            born = lookup.requested
        else:
            received = clock.now()
            verdict = self._judge(status, headers, lookup, received, hook, rule)
            born = received - verdict.initial_age
        if not verdict.stored:
            return verdict.reason
        if response.pushed:
            return "pushed"
        return Terms(
            verdict,
            born,
            self._is_anonymous(verdict, headers, hook, rule),
            _tags(headers, hook, rule),
            rule is not None and rule.files,
        )

    def _remembered(self, fields: Mapping[str, str]) -> Verdict | None:
        """The verdict on a 200 that says nothing of its freshness but by Cache-Control, if that lets it be
        stored and used, or forbids it: most of an application's pages say the same. Without Age and Date it
        was born when it was asked for (RFC 9111 section 4.2.3)."""
        cache_control = fields.get("cache-control")
        if cache_control is None or len(cache_control) > 256 or not self._unusual.isdisjoint(fields):
            return None
        verdict = self._verdicts.get(cache_control)
        if verdict is None:
            if len(self._verdicts) >= 256:
                self._verdicts.clear()
            headers = Headers((("Cache-Control", cache_control),))
            lookup = Lookup("", 0.0, 0)
            verdict = self._verdicts[cache_control] = self._judge(200, headers, lookup, 0.0, _NO_HOOK, None)
        if verdict.stored:
            return None if verdict.always_revalidate or verdict.withheld else verdict
        return verdict if verdict.reason in _FORBIDDEN else None

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
            lookup.method,
            status,
            headers,
            authorized=lookup.authorized,
            cookie=lookup.cookie,
            requested=lookup.requested,
            received=received,
            rules=self._policy,
            assigned=hook.get("ttl"),
            fallback=fallback,
            located=lookup.method == "POST",
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

    def _refuse(self, lookup: Lookup, detail: str, status: int, fields: Mapping[str, str]) -> None:
        """Nothing to share: those who wait go on, and who comes next doesn't wait."""
        general, held = detail not in _OF_THE_REQUEST and not lookup.authorized, lookup.held
        replaced = status < 500 and status not in _OF_THIS_ONE
        if general and replaced and lookup.entry is not None and not lookup.cookie:
            # RFC 9111 section 4.3.3, if by something that isn't stored.
            self._storage.delete(lookup.key)
            held = None if held is lookup.entry else held
        if lookup.flight is None:
            return
        if general and lookup.cookie and (lookup.rules or detail == "cookie" or "last-modified" in fields):
            # What isn't stored for who sends cookies may well be for others, by rule or by guess.
            self._storage.put(Uncacheable(f"{lookup.primary}{WITH_COOKIES}", clock.now() + REMEMBERED))
        elif general and (held is None or type(held) is Uncacheable):
            # Never in the place of the note that leads to other variants.
            self._storage.put(Uncacheable(lookup.primary, clock.now() + REMEMBERED))
        lookup.flight.share()

    def _share(self, lookup: Lookup, entry: Entry) -> None:
        if lookup.flight is not None:
            lookup.flight.share(entry)

    def _revalidated(self, exchange: Exchange, response: Response, lookup: Lookup, entry: Entry) -> bool:
        """Renew the entry and answer from it; False where the 304 is about another response, or not for us.

        Then the application is asked again, without conditions (RFC 9111 section 4.3.4).
        """
        headers = response.headers
        etag, last_modified = headers.get("ETag"), headers.get("Last-Modified")
        if etag is not None and entry.template is not None:
            etag = weak(etag)  # as we have it
        sent_away = _sent_away(exchange)
        if sent_away or not selects(entry.etag, entry.last_modified, etag, last_modified, only_asked=True):
            if not sent_away:
                self._storage.delete(lookup.key)
            environ = exchange.environ
            environ.pop("HTTP_IF_NONE_MATCH", None)
            environ.pop("HTTP_IF_MODIFIED_SINCE", None)
            again = called(self._inner(), environ)
            response.status, response.headers, response.body = again.status, again.headers, again.body
            response._held += again._held
            return False
        fresh, reason = self._renew(exchange, headers, lookup, entry)
        if reason in _WITHDRAWN and (entry.template is None or "cache-control" in headers.fields):
            self._storage.delete(lookup.key)
        elif reason not in _OF_THE_CLIENT:
            self._keeper.put(lookup, fresh)
            self._share(lookup, fresh)
        cookies = [] if self._set_cookie else headers.getlist("Set-Cookie")
        take_place(exchange, response, lookup, fresh)
        for cookie in cookies:  # this client's
            response.headers.add("Set-Cookie", cookie)
        return True

    def _renew(self, exchange: Exchange, headers: Headers, lookup: Lookup, entry: Entry) -> tuple[Entry, str]:
        """The entry with these fields, and what is to be thought of storing that, in a word."""
        options = exchange.environ.get(OPTIONS)
        hook = _hook(options) if options else _NO_HOOK
        rule = self._rules.for_response(lookup.rules, exchange.route, entry.fields.get("content-type"))
        reason = "ok"

        def judged(updated: Headers) -> Verdict:
            nonlocal reason
            verdict = self._judge(int(entry.status[:3]), updated, lookup, clock.now(), hook, rule)
            reason = verdict.reason
            return verdict

        return renewed(entry, headers, lookup, judged, self._set_cookie), reason

    def _from_head(self, exchange: Exchange, response: Response, lookup: Lookup) -> str:
        entry = lookup.entry
        if entry is None or entry.pieces is not None:
            return "head"
        said = head_says(entry, response)
        if said == "invalidate":
            entry.stale_from(lookup.requested)
            self._storage.put(entry)
        elif said == "update":
            fresh, reason = self._renew(exchange, response.headers, lookup, entry)
            if reason not in _OF_THE_CLIENT | _WITHDRAWN:
                self._keeper.put(lookup, fresh)
        return "head"


@memoised
def _forbids(cache_control: str) -> bool:
    """Whether Cache-Control alone settles that nothing is stored, unless a targeted field overrules it."""
    directives = parse_directives(cache_control)
    if "must-understand" in directives:
        return False
    return "no-store" in directives or ("private" in directives and not field_names(directives["private"]))


def _hook(options: dict[str, Any]) -> dict[str, Any]:
    """What the application says of this response: a dict under `OPTIONS` ["cache"]."""
    hook = options.get("cache")
    return hook if isinstance(hook, dict) else _NO_HOOK


def _sent_away(exchange: Exchange) -> bool:
    """Whether the application wants this response kept out of the cache."""
    options = exchange.environ.get(OPTIONS)
    return options is not None and options.get("cache") is False


def _tags(headers: Headers, hook: dict[str, Any], rule: Rule | None) -> tuple[str, ...]:
    tags: tuple[str, ...] = () if rule is None else rule.tags
    fields = headers.fields
    if "surrogate-key" in fields:
        tags += split_tags(fields["surrogate-key"], " ")
    if "cache-tag" in fields:
        tags += split_tags(fields["cache-tag"], ",")
    if "tags" in hook:
        own = hook["tags"]
        tags += tuple(filter(_is_tag, (own,) if isinstance(own, str) else own or ()))
    if not tags:
        return ()
    room = ROOM_FOR_TAGS
    return tuple(tag for tag in tags[:MOST_TAGS] if (room := room - len(tag) - 1) >= 0)


def _is_tag(tag: object) -> bool:
    """Whether a purge could name it."""
    return isinstance(tag, str) and 0 < len(tag) <= LONGEST_TAG and tag.isascii() and tag.isprintable()


def _answer_condition(response: Response, lookup: Lookup) -> None:
    """The client's condition, which the application wasn't asked with (RFC 9110 section 13.2)."""
    if response.pushed or not isinstance(response.body, (list, tuple)):
        return  # it has begun, or it is being recorded, perhaps: all of it has to pass
    seen = Entry(
        "", response.status, response.headers.pairs, b"", requested=0.0, born=lookup.requested, lifetime=0.0
    )
    if conditions_hold(lookup.if_none_match, lookup.if_modified_since, seen):
        made = not_modified_answer(seen, lookup.requested, None)
        response.status = made.status
        cookies = [("Set-Cookie", value) for value in response.headers.getlist("Set-Cookie")]
        response.headers = Headers([*(pair for pair in made.headers.pairs if pair[0] != "Age"), *cookies])
        response.body = []
