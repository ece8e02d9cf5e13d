"""Responses made from entries: whole, not modified, in ranges, or with a nonce put in.

A hit costs two copies and two fields more, so what could be known when the entry was stored is in it already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsgiperf.cache.variants import Filled
from wsgiperf.exchange import Response
from wsgiperf.http.conditional import if_range_holds, not_modified, not_modified_fields
from wsgiperf.http.dates import format_date
from wsgiperf.http.headers import Headers
from wsgiperf.http.ranges import parse_range, partial

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from wsgiperf.cache.entry import Entry
    from wsgiperf.exchange import Exchange

__all__ = [
    "answer",
    "conditional_answer",
    "conditions_hold",
    "covers",
    "gateway_timeout",
    "hit",
    "not_modified_answer",
]


def hit(exchange: Exchange, entry: Entry, now: float, cache_status: str) -> Response | None:
    """The response to a plain request from a fresh entry: what most hits are. None where it can't give one.

    :param cache_status: Cache-Status with a place for the seconds left; empty sends none.
    """
    if entry.pieces is not None:
        return None
    ready = entry.ready
    age = int(now - entry.born)
    if ready is None or ready[0] != age:
        status = cache_status % (entry.fresh_until - now) if cache_status else None
        headers = _headers(entry, now, status)
        entry.ready = ready = (age, headers.pairs, headers.fields)
    _, pairs, fields = ready
    if entry.template is not None:
        return _filled(exchange, entry, pairs.copy(), fields.copy())
    response = Response.of(entry.status, pairs.copy(), fields.copy(), [entry.body])
    response.variants = entry.variants
    return response


def conditional_answer(
    environ: WSGIEnvironment, entry: Entry, now: float, cache_status: str
) -> Response | None:
    """A 304 for a plain request with conditions, if they hold; `cache_status` as for `hit`."""
    if entry.status[:3] != "200":
        return None
    wanted = environ.get("HTTP_IF_NONE_MATCH")
    if not (wanted and wanted == entry.etag) and not conditions_hold(
        wanted, environ.get("HTTP_IF_MODIFIED_SINCE"), entry
    ):
        return None
    ready = entry.ready_304
    age = int(now - entry.born)
    if ready is None or ready[0] != age:
        status = cache_status % (entry.fresh_until - now) if cache_status else None
        headers = not_modified_answer(entry, now, status).headers
        entry.ready_304 = ready = (age, headers.pairs, headers.fields)
    _, pairs, fields = ready
    return Response.of("304 Not Modified", pairs.copy(), fields.copy(), [])


def answer(exchange: Exchange, entry: Entry, now: float, cache_status: str | None) -> Response | None:
    """The response to a GET or HEAD from an entry; None where it can't give one.

    :param now: seconds since the epoch, for Age.
    :param cache_status: the Cache-Status field; None sends none.
    """
    environ = exchange.environ
    if entry.status[:3] == "200":
        if ("HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ) and conditions_hold(
            environ.get("HTTP_IF_NONE_MATCH"), environ.get("HTTP_IF_MODIFIED_SINCE"), entry
        ):
            return not_modified_answer(entry, now, cache_status)
        if "HTTP_RANGE" in environ and exchange.method == "GET" and entry.template is None:
            ranged = _ranged(environ, entry, now, cache_status)
            if ranged is not None:
                return ranged
    if entry.pieces is not None:
        return None
    headers = _headers(entry, now, cache_status)
    if entry.template is not None:
        return _filled(exchange, entry, headers.pairs, headers.fields)
    response = Response.of(entry.status, headers.pairs, headers.fields, [entry.body])
    response.variants = entry.variants
    return response


def _headers(entry: Entry, now: float, cache_status: str | None) -> Headers:
    # Section 4.2.3, and section 5.1: a cache sends Age with what it has stored.
    age = str(int(now - entry.born)) if now > entry.born else "0"
    pairs, fields = entry.pairs.copy(), entry.fields.copy()
    pairs.append(("Age", age))
    fields["age"] = age
    if cache_status is not None:
        pairs.append(("Cache-Status", cache_status))
        fields["cache-status"] = cache_status
    return Headers.of(pairs, fields)


def conditions_hold(if_none_match: str | None, if_modified_since: str | None, entry: Entry) -> bool:
    """Whether the client has what the entry holds: RFC 9111 section 4.3.2."""
    date = entry.fields.get("date")
    if date is None and entry.last_modified is None:
        date = format_date(entry.born)
    return not_modified(if_none_match, if_modified_since, entry.etag, entry.last_modified, date)


def not_modified_answer(entry: Entry, now: float, cache_status: str | None) -> Response:
    """A 304, without what it would carry of a policy that a kept page has its nonce in."""
    if entry.not_modified_pairs is None:
        entry.not_modified_pairs = not_modified_fields(entry.pairs)
    age = str(int(now - entry.born)) if now > entry.born else "0"
    pairs = [*entry.not_modified_pairs, ("Age", age)]
    if cache_status is not None:
        pairs.append(("Cache-Status", cache_status))
    return Response("304 Not Modified", pairs, [])


def covers(entry: Entry, wanted: str, if_range: str | None) -> bool:
    """Whether an entry of which only parts are known has all that a Range field asks for."""
    pieces = entry.pieces
    if pieces is None:
        return True
    ranges = parse_range(wanted, pieces.size)
    if not ranges or not if_range_holds(if_range, entry.etag, entry.last_modified, entry.fields.get("date")):
        return False
    return all(pieces.covers(first, last) for first, last in ranges)


def _ranged(environ: WSGIEnvironment, entry: Entry, now: float, cache_status: str | None) -> Response | None:
    """206 or 416; None where the Range field doesn't count."""
    if_range = environ.get("HTTP_IF_RANGE")
    if not if_range_holds(if_range, entry.etag, entry.last_modified, entry.fields.get("date")):
        return None
    source = entry.body if entry.pieces is None else entry.pieces
    size = len(entry.body) if entry.pieces is None else entry.pieces.size
    ranges = parse_range(environ["HTTP_RANGE"], size)
    if ranges is None or (entry.pieces is not None and not covers(entry, environ["HTTP_RANGE"], if_range)):
        return None
    status, pairs, body = partial(_headers(entry, now, cache_status), source, ranges)
    return Response(status, pairs, body)


def _filled(
    exchange: Exchange, entry: Entry, pairs: list[tuple[str, str]], fields: dict[str, str]
) -> Response | None:
    """The page with the nonce of this exchange, which the policy then names."""
    template, splices = entry.template, entry.splices
    if exchange.nonce is None or template is None or splices is None:
        return None
    nonce = str(exchange.nonce).encode("latin-1")
    if len(nonce) != template.width:
        return None
    response = Response.of(entry.status, pairs, fields, [template.fill(nonce)])
    response.variants = Filled(splices, nonce)
    return response


def gateway_timeout(cache_status: str | None) -> Response:
    """RFC 9111 section 5.2.1.7: the client wants only what is stored, and there is nothing."""
    pairs = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "24")]
    if cache_status is not None:
        pairs.append(("Cache-Status", cache_status))
    return Response("504 Gateway Timeout", pairs, [b"nothing stored for this\n"])
