"""Entries that are still good, or good enough: validated, freshened by HEAD, or shown instead of an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsgiperf.cache import clock
from wsgiperf.cache.answers import answer
from wsgiperf.cache.entry import Entry
from wsgiperf.cache.nonces import make_private, weakened
from wsgiperf.http.conditional import freshened, head_freshens
from wsgiperf.http.headers import Headers
from wsgiperf.http.reuse import may_serve_on_error
from wsgiperf.http.storing import Verdict, stored_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgiperf.cache.lookup import Lookup
    from wsgiperf.wsgi import Exchange, Response

__all__ = ["covers_up", "head_says", "renewed", "take_place"]


def renewed(
    entry: Entry, headers: Headers, lookup: Lookup, judge: Callable[[Headers], Verdict], set_cookie: bool
) -> Entry:
    """The entry with the fields of the 304 that validated it: RFC 9111 sections 3.2 and 4.3.4.

    :param judge: what is to be thought of the updated response.
    """
    # Frameworks state a type for any response, also for one without a body: the stored body keeps its own.
    new = [pair for pair in headers.pairs if pair[0].lower() != "content-type" or "text/html" not in pair[1]]
    pairs = freshened(entry.pairs, new, set_cookie=set_cookie)
    verdict = judge(Headers(pairs))
    if not verdict.stored:
        verdict = Verdict(True, "ok", always_revalidate=True)
    pairs = stored_fields(pairs, verdict, set_cookie)
    if entry.template is not None:
        # What holds for a page with a nonce, the application doesn't know.
        updated = Headers(pairs)
        make_private(updated)
        pairs = weakened(updated.pairs)
    fresh = Entry(
        entry.key, entry.status, pairs, entry.body,
        requested=lookup.requested, born=clock.now() - verdict.initial_age, lifetime=verdict.lifetime,
        stale_while_revalidate=verdict.stale_while_revalidate, stale_if_error=verdict.stale_if_error,
        must_revalidate=verdict.must_revalidate, always_revalidate=verdict.always_revalidate,
        anonymous=entry.anonymous, tags=entry.tags, template=entry.template, pieces=entry.pieces,
    )  # fmt: skip
    fresh.route = entry.route
    for coding, encoded in entry.variants.items():
        fresh.variants.load(coding, encoded)
    return fresh


def covers_up(entry: Entry, now: float) -> bool:
    """Whether the stale entry may be served rather than an error: RFC 5861 section 4."""
    # What is to be validated each time is never fresh, but was stored with a lifetime all the same.
    lifetime = entry.lifetime if entry.always_revalidate else entry.fresh_until - entry.born
    return entry.pieces is None and may_serve_on_error(
        now - entry.born, lifetime, entry.stale_if_error, entry.must_revalidate
    )


def take_place(exchange: Exchange, response: Response, lookup: Lookup, entry: Entry) -> None:
    """Put the entry in the place of the application's response, by the client's own conditions."""
    environ = exchange.environ
    conditions: Any = (lookup.if_none_match, lookup.if_modified_since)
    for name, value in zip(("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"), conditions, strict=True):
        environ.pop(name, None)
        if value is not None:
            environ[name] = value
    made = answer(exchange, entry, clock.now(), None)
    if made is not None:
        response.status, response.headers = made.status, made.headers
        response.variants, response.body = made.variants, made.body


def head_says(entry: Entry, response: Response) -> str:
    """What a response to HEAD tells about the entry: RFC 9111 section 4.3.5."""
    size = len(entry.body) if entry.template is None else entry.template.length
    return head_freshens(entry.fields, response.headers.fields, status=response.status, size=size)
