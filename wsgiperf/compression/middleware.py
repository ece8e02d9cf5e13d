"""Response compression: the codings of RFC 9110 section 8.4.1, chosen by its section 12.5.3."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from wsgiperf.compression.codecs import load
from wsgiperf.compression.policy import Choice, encodable
from wsgiperf.compression.streams import Encoded, Replaced
from wsgiperf.events import Compressed
from wsgiperf.http.accept import negotiator
from wsgiperf.http.etag import strip_codings, with_coding
from wsgiperf.http.headers import Fields, Headers
from wsgiperf.http.memo import LONGEST_QUESTION, MOST_ANSWERS, memoised
from wsgiperf.http.vary import varies_by
from wsgiperf.settings import CompressionSettings
from wsgiperf.wsgi import Exchange, Middleware, Response, Stream

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from wsgiperf.compression.codecs.protocol import Codec

__all__ = ["CompressionMiddleware"]

# RFC 9530 and its forerunners: sums over bytes that are about to change. Accept-Ranges: ranges would be of
# the encoded bytes, which no two answers need share.
_OUTDATED = Fields(
    (name, "") for name in ("Accept-Ranges", "Content-MD5", "Digest", "Content-Digest", "Repr-Digest")
)
_COUNTED = (list, tuple)
_VARY = ("Vary", "Accept-Encoding")
# A record by the tuple's own constructor: half the time of the generated one.
_record = tuple.__new__


class CompressionMiddleware(Middleware):
    """Encode responses with br, zstd or gzip, as the client prefers.

    :param app: the WSGI application; left out inside a `Stack`.
    :param options: those of `CompressionSettings`.
    :raises SettingsError: for an unknown option or a bad value.

    A list, or a first block as long as Content-Length, is encoded whole; any other body block by block, each
    decodable before the next is asked for. A response that may be encoded says Vary: Accept-Encoding.
    """

    kind = "compression"
    skippable = True

    def __init__(self, app: WSGIApplication | None = None, **options: Any) -> None:
        settings = CompressionSettings.of(options)
        levels = {"br": settings.brotli_level, "zstd": settings.zstd_level, "gzip": settings.gzip_level}
        codecs = {name: load(name, levels[name]) for name in settings.codings}
        self._codecs: dict[str, Codec] = {name: codec for name, codec in codecs.items() if codec}
        self._codings = tuple(self._codecs)
        self._minimum_size = settings.minimum_size
        self._may_encode = encodable(settings.content_types)
        self._negotiate = negotiator(self._codings)
        self._choice = memoised(self._choose)
        self._vary = varies_by("Accept-Encoding")
        #: The application's own tags end as ours do: it passes on those of another server that runs this.
        self._keep_both = False
        self._tagged: dict[tuple[str, str], str] = {}  #: what became of tags: stored responses come again
        super().__init__(app)

    def on_request(self, exchange: Exchange) -> None:
        """Put the application's entity tags in the place of ours (RFC 9110 section 13.1.1 and 13.1.2).

        If-Range stays: a range of the plain body doesn't continue an encoded one.
        """
        environ = exchange.environ
        if "HTTP_IF_NONE_MATCH" in environ:
            # A 304 for a coding that the client no longer accepts would have it use what it can't read.
            acceptable = self._negotiate(exchange.accept_encoding).acceptable
            environ["HTTP_IF_NONE_MATCH"], sent = strip_codings(
                environ["HTTP_IF_NONE_MATCH"], acceptable, self._keep_both
            )
            if sent:
                exchange.notes[self] = sent
        if "HTTP_IF_MATCH" in environ:
            environ["HTTP_IF_MATCH"], _ = strip_codings(
                environ["HTTP_IF_MATCH"], self._codings, self._keep_both
            )

    def on_response(self, exchange: Exchange, response: Response) -> None:
        """Encode the body where the head allows it and the client wants it."""
        headers = response.headers
        fields = headers.fields
        if not self._may_encode(response.status, fields):
            if response.status[:3] == "304":
                self._not_modified(exchange, headers)
            elif response.status[:3] == "206":
                self._partial(headers)
            return
        if "vary" in fields:
            self._merge_vary(headers)
        else:
            headers.pairs.append(_VARY)
            fields["vary"] = "Accept-Encoding"
        choice = self._choice(exchange.accept_encoding)
        if choice is None or response.pushed:
            return
        body = response._body
        if exchange.method == "HEAD":
            self._describe(response, choice)
        elif isinstance(body, _COUNTED):
            whole = body[0] if len(body) == 1 else b"".join(body)
            self._encode_whole(exchange, response, choice, whole)
        else:
            self._encode_stream(exchange, response, choice)

    def _choose(self, accept_encoding: str | None) -> Choice | None:
        wanted = self._negotiate(accept_encoding)
        if wanted.coding is None:
            return None
        return Choice(wanted, self._codecs[wanted.coding], self._minimum_size)

    def _merge_vary(self, headers: Headers) -> None:
        own = headers.fields.get("vary")
        if (merged := self._vary(own)) != own:
            headers["Vary"] = merged

    def _encode_whole(
        self, exchange: Exchange, response: Response, choice: Choice, whole: bytes, rest: Stream | None = None
    ) -> None:
        """:param rest: the iterator that `whole` is all of, if it came from one."""
        size = len(whole)
        if size < choice.least:
            return
        headers = response.headers
        declared = headers.fields.get("content-length")
        # As it is spelt nearly always: taken for a number only where it isn't.
        if declared is not None and declared != str(size) and _declared_length(headers) not in (None, size):
            return  # the client is to see that something is wrong
        coding, variants = choice.coding, response.variants
        encoded = None if variants is None else variants.get(coding)
        seconds = 0.0
        if encoded is None:
            started = perf_counter()
            encoded = choice.encode(whole)
            seconds = perf_counter() - started
            if len(encoded) >= size and choice.plain_allowed:
                return
            if variants is not None:
                variants[coding] = encoded
        encoded_size = len(encoded)
        self._mark(headers, choice, encoded_size)
        if rest is None:
            response._body = [encoded]  # nothing to close
        else:
            response.body = Replaced(encoded, rest)
        exchange.events.append(_record(Compressed, (coding, size, encoded_size, seconds)))

    def _encode_stream(self, exchange: Exchange, response: Response, choice: Choice) -> None:
        body = response._body
        length = _declared_length(response.headers)
        if length is not None and length < choice.least:
            return
        if type(body) is Stream:
            first = body.first
            if first is None:
                return
            if len(first) == length:
                self._encode_whole(exchange, response, choice, first, body)
                return
        encoded = Encoded(response.blocks(), choice.codec.encoder(), length)
        self._mark(response.headers, choice)
        response.body = encoded

    def _describe(self, response: Response, choice: Choice) -> None:
        """HEAD: the headers of GET, without a length that only encoding would tell (RFC 9110 9.3.2)."""
        size = _declared_length(response.headers)
        body = response._body
        if size is None and isinstance(body, _COUNTED):
            size = sum(map(len, body)) or None
        if size is None or size >= choice.least:
            self._mark(response.headers, choice)

    def _mark(self, headers: Headers, choice: Choice, size: int | None = None) -> None:
        """Describe the encoded body; `size` is how many bytes it has, if that is known."""
        pairs, fields = headers.pairs, headers.fields
        if "etag" in fields:
            self._tag(headers, fields["etag"], choice.coding)
        if not _OUTDATED.names.isdisjoint(fields):
            headers.drop(_OUTDATED)
        # Put into the list and its index directly: that saves the calls.
        pairs.append(choice.field)
        fields["content-encoding"] = choice.coding
        if size is None:
            del headers["Content-Length"]
            return
        length = str(size)
        try:
            pairs[pairs.index(("Content-Length", fields["content-length"]))] = ("Content-Length", length)
        except (KeyError, ValueError):  # there is none, or it is spelt in another way
            headers["Content-Length"] = length
        else:
            fields["content-length"] = length

    def _tag(self, headers: Headers, etag: str, coding: str) -> None:
        tagged = self._tagged.get((etag, coding)) or self._learn_tag(etag, coding)
        if tagged == etag:
            return
        pairs = headers.pairs
        try:
            pairs[pairs.index(("ETag", etag))] = ("ETag", tagged)  # as it is spelt nearly always
        except ValueError:
            headers["ETag"] = tagged
        else:
            headers.fields["etag"] = tagged

    def _learn_tag(self, etag: str, coding: str) -> str:
        if strip_codings(etag, self._codings)[1]:
            self._keep_both = True
        tagged = with_coding(etag, coding)
        if len(etag) <= LONGEST_QUESTION:
            if len(self._tagged) >= MOST_ANSWERS:
                self._tagged.clear()
            self._tagged[etag, coding] = tagged
        return tagged

    def _not_modified(self, exchange: Exchange, headers: Headers) -> None:
        """A 304 carries what the 200 would (RFC 9110 section 15.4.5): the tag the client knows, and Vary."""
        content_type = headers.get("Content-Type")
        if content_type is not None and not self._may_encode("200 OK", headers.fields):
            return
        sent = exchange.notes.get(self)
        etag = headers.get("ETag")
        if sent and etag is not None:
            headers["ETag"] = sent.get(etag.removeprefix("W/"), etag)
        self._merge_vary(headers)

    def _partial(self, headers: Headers) -> None:
        """A 206 goes out as it is, with the Vary that the 200 would have (RFC 9110 section 15.3.7)."""
        whole = {name: value for name, value in headers.fields.items() if name != "content-range"}
        if self._may_encode("200 OK", whole):
            self._merge_vary(headers)


def _declared_length(headers: Headers) -> int | None:
    value = headers.fields.get("content-length")
    return int(value) if value is not None and value.isascii() and value.isdigit() else None
