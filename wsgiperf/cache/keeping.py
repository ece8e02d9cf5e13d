"""Responses on their way into the store: whole, streamed, in part, or with a nonce cut out."""

from __future__ import annotations

from binascii import hexlify
from os import urandom
from typing import TYPE_CHECKING, NamedTuple

from wsgiperf.cache import clock
from wsgiperf.cache.entry import Entry, Varying
from wsgiperf.cache.key import secondary, vary_names
from wsgiperf.cache.nonces import cut, holes_in_headers, make_private, weakened
from wsgiperf.cache.recording import Recorded, Recording
from wsgiperf.http.headers import Headers
from wsgiperf.http.memo import memoised
from wsgiperf.http.ranges import Pieces, combinable, parse_content_range
from wsgiperf.http.storing import stored_fields, stored_headers
from wsgiperf.wsgi import Exchange, Response, Stream

if TYPE_CHECKING:
    from wsgiperf.cache.lookup import Lookup
    from wsgiperf.cache.nonces import Template
    from wsgiperf.cache.storage import Storage
    from wsgiperf.http.storing import Verdict
    from wsgiperf.settings import CacheSettings

__all__ = ["Keeper", "Terms"]

#: Request fields a URL's responses may vary by, all told.
MOST_NAMES = 8


class Terms(NamedTuple):
    """On what terms a response is stored."""

    verdict: Verdict
    born: float  #: when it would have had age 0, wall clock
    anonymous: bool  #: for requests without cookies and credentials only
    tags: tuple[str, ...]
    files: bool  #: even where the server could send it as a file


class Keeper:
    """Makes entries and stores them.

    :param settings: the cache's options.
    """

    def __init__(self, settings: CacheSettings, storage: Storage) -> None:
        self._storage = storage
        self._largest = settings.maximum_body_size
        self._set_cookie = settings.set_cookie

    def keep(self, exchange: Exchange, response: Response, lookup: Lookup, terms: Terms) -> str:
        """Store the response, now ("ok") or while its body passes ("stream"); else a word why not."""
        obstacle = self.obstacle(response, terms)
        if obstacle:
            return obstacle
        if exchange.nonce is None and lookup.entry is not None and lookup.entry.template is not None:
            return "nonce"  # made where there is none: its policy would block it
        length = _length(response.headers.fields.get("content-length"))
        body = response.body
        if isinstance(body, (list, tuple)):
            whole = body[0] if len(body) == 1 else b"".join(body)
            if (length is not None and length != len(whole)) or len(whole) > self._largest:
                return "size" if len(whole) > self._largest else "truncated"
            return self._keep_whole(exchange, response, lookup, terms, whole)
        if type(body) is Stream and body.first is not None and len(body.first) == length:
            # All of it is in hand: so frameworks answer, by an iterator over one block.
            return self._keep_whole(exchange, response, lookup, terms, body.first)
        return self._record(exchange, response, lookup, terms, length)

    def obstacle(self, response: Response, terms: Terms) -> str:
        """Why a response isn't stored, as far as that can be told without its body; else empty."""
        length = _length(response.headers.fields.get("content-length"))
        if length is not None and length > self._largest:
            return "size"
        body = response.body
        if isinstance(body, (list, tuple)) or type(body) is Stream or terms.files:
            return ""
        return "file"  # the server may have a quicker way to send it than we

    def put(self, lookup: Lookup, entry: Entry) -> None:
        """Store an entry, unless it was purged while it was made."""
        if self._storage.was_purged_since(lookup.position, entry):
            return
        self._storage.put(entry)
        if self._storage.was_purged_since(lookup.position, entry):
            self._storage.invalidate(entry.key)  # others may have fetched it since

    def _keep_whole(
        self, exchange: Exchange, response: Response, lookup: Lookup, terms: Terms, whole: bytes
    ) -> str:
        template = None
        if exchange.nonce is not None and exchange.nonce.used:
            nonce = str(exchange.nonce).encode("latin-1")
            if holes_in_headers(response.headers, nonce):
                return "nonce"
            if nonce in whole:
                template = cut(whole, nonce)
                if template is None or response.status[:3] == "206":
                    return "nonce"
                make_private(response.headers)
            elif _may_hide(response):
                return "nonce"
        if response.status[:3] == "206":
            return self._keep_part(exchange, response, lookup, terms, whole)
        entry = self._entry(exchange, response, lookup, terms, whole, template)
        self.put(lookup, entry)
        if lookup.flight is not None:
            lookup.flight.share(entry)
        if template is None:
            response.variants = entry.variants
        return "ok"

    def _record(
        self, exchange: Exchange, response: Response, lookup: Lookup, terms: Terms, length: int | None
    ) -> str:
        """Store a stream when it has passed."""
        status, headers = response.status, response.headers
        if status[:3] == "206":
            return "partial-stream"
        nonce = exchange.nonce
        marked = nonce is not None and nonce.used
        if marked:
            if _may_hide(response) or holes_in_headers(headers, str(nonce).encode("latin-1")):
                return "nonce"
            make_private(headers)
        stored = Response(status, headers.pairs, ())
        flight = lookup.flight

        def finish(whole: bytes | None) -> None:
            entry = None
            try:
                if whole is not None:
                    entry = self._recorded(exchange, stored, lookup, terms, whole, marked)
                    if entry is not None:
                        self.put(lookup, entry)
            finally:
                if flight is not None:
                    flight.share(entry)
                    flight.land()

        names = vary_names(headers.fields.get("vary"), "content-encoding" in headers.fields)
        recording = Recording(
            (status, stored_fields(headers.pairs, terms.verdict, self._set_cookie)),
            length,
            self._largest,
            terms.anonymous,
            lambda environ: secondary(environ, names),
            lookup.fields(exchange.environ),
            finish,
        )
        recording.route = exchange.route
        response.body = Recorded(response.blocks(), recording)
        if flight is not None and terms.verdict.always_revalidate:
            flight.share()
        elif flight is not None and not marked:
            flight.share(recording=recording)
        return "stream"

    def _recorded(
        self, exchange: Exchange, stored: Response, lookup: Lookup, terms: Terms, whole: bytes, marked: bool
    ) -> Entry | None:
        template = None
        nonce = exchange.nonce
        if nonce is not None and nonce.used:
            value = str(nonce).encode("latin-1")
            if value in whole:
                template = cut(whole, value) if marked else None
                if template is None:
                    return None
        return self._entry(exchange, stored, lookup, terms, whole, template)

    def _entry(
        self, exchange: Exchange, response: Response, lookup: Lookup, terms: Terms, whole: bytes,
        template: Template | None = None, pieces: Pieces | None = None,
    ) -> Entry:  # fmt: skip
        verdict = terms.verdict
        headers = stored_headers(response.headers, verdict, self._set_cookie)
        status = response.status
        if pieces is None and status[:3] != "204":  # RFC 9110 section 8.6
            length = str(len(whole) if template is None else template.length)
            if headers.fields.get("content-length") != length:
                headers["Content-Length"] = length
        if template is not None:
            headers = Headers(weakened(headers.pairs))
        entry = Entry(
            "", status, headers, b"" if template is not None or pieces is not None else whole,
            requested=lookup.requested, born=terms.born, lifetime=verdict.lifetime,
            stale_while_revalidate=verdict.stale_while_revalidate, stale_if_error=verdict.stale_if_error,
            must_revalidate=verdict.must_revalidate, always_revalidate=verdict.always_revalidate,
            anonymous=terms.anonymous, tags=terms.tags, template=template, pieces=pieces,
        )  # fmt: skip
        entry.route = exchange.route
        entry.move_to(self._place(exchange, lookup, response.headers, entry.kept_until))
        return entry

    def _place(self, exchange: Exchange, lookup: Lookup, headers: Headers, until: float) -> str:
        """The key to store under; where the response varies, with a note at the primary one."""
        fields = headers.fields
        names = {*lookup.names, *vary_names(fields.get("vary"), "content-encoding" in fields)}
        if not names:
            return lookup.primary
        held = lookup.held
        if type(held) is Varying and names.issubset(held.names):
            now, salt = held.names, held.salt
        else:
            if type(held) is Varying and len(names.union(held.names)) <= MOST_NAMES:
                names.update(held.names)
            now, salt = tuple(sorted(names)), hexlify(urandom(8)).decode()
        if type(held) is not Varying or held.names != now or held.kept_until < until:
            lookup.held = Varying(lookup.primary, now, salt, 2 * until - clock.now())
            self._storage.put(lookup.held)
        return f"{lookup.primary}\n{salt}\n{secondary(lookup.fields(exchange.environ), now)}"

    def _keep_part(
        self, exchange: Exchange, response: Response, lookup: Lookup, terms: Terms, block: bytes
    ) -> str:
        """RFC 9111 section 3.3 and 3.4: a 206, joined to what is there of the same representation."""
        headers = response.headers
        span = parse_content_range(headers.fields.get("content-range", ""))
        first, last, size = span or (0, -1, None)
        if size is None or last - first + 1 != len(block):
            return "range"
        if size > self._largest:
            return "size"
        entry = lookup.entry
        pieces = Pieces(size)
        if entry is not None and combinable(entry.fields, headers.fields):
            if entry.pieces is None:
                return "complete" if len(entry.body) == size else "range"
            if entry.pieces.size == size:
                pieces = entry.pieces
        pieces = pieces.add(first, block)
        whole = pieces.complete
        pairs = [pair for pair in headers.pairs if pair[0].lower() not in ("content-range", "content-length")]
        made = Response("200 OK", pairs)
        stored = self._entry(
            exchange, made, lookup, terms, whole or b"", None, None if whole is not None else pieces
        )
        self.put(lookup, stored)
        return "ok"


@memoised
def _length(value: str | None) -> int | None:
    """The number in a Content-Length field; None where there is none."""
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 19 else None


def _may_hide(response: Response) -> bool:
    """Whether a nonce may be in the body without being seen: the body is encoded, or part of one."""
    return "content-encoding" in response.headers.fields or response.status[:3] == "206"
