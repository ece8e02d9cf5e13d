"""Response compression: the codings of RFC 9110 section 8.4.1, chosen by its section 12.5.3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsgiperf.compression.codecs import load
from wsgiperf.compression.policy import encodable
from wsgiperf.compression.streams import Encoded, Replaced
from wsgiperf.events import Compressed
from wsgiperf.http.accept import Negotiated, negotiator
from wsgiperf.http.etag import strip_codings, with_coding
from wsgiperf.http.headers import Fields, Headers
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
    (name, "")
    for name in (
        "Content-Length", "Accept-Ranges", "Content-MD5", "Digest", "Content-Digest", "Repr-Digest",
    )
)  # fmt: skip


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
        self._vary = varies_by("Accept-Encoding")
        #: The application's own tags end as ours do: it passes on those of another server that runs this.
        self._keep_both = False
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
        if not self._may_encode(response.status, headers):
            if response.status[:3] == "304":
                self._not_modified(exchange, headers)
            return
        self._merge_vary(headers)
        wanted = self._negotiate(exchange.accept_encoding)
        if wanted.coding is not None and not response.pushed:
            if exchange.method == "HEAD":
                self._describe(response, wanted)
            else:
                self._encode(exchange, response, wanted)

    def _merge_vary(self, headers: Headers) -> None:
        own = headers.fields.get("vary")
        if own is None:
            headers.put("Vary", "vary", "Accept-Encoding")
        elif (merged := self._vary(own)) != own:
            headers["Vary"] = merged

    def _encode(self, exchange: Exchange, response: Response, wanted: Negotiated) -> None:
        length = _declared_length(response.headers)
        if self._too_small(length, wanted):
            return
        whole, rest = _whole(response, length)
        if whole is None:
            coding: str = wanted.coding  # type: ignore[assignment]
            encoded = Encoded(response.blocks(), self._codecs[coding].encoder(), length)
            self._mark(response.headers, coding)
            response.body = encoded
        elif length is None or length == len(whole):  # else the client is to see that something is wrong
            self._encode_whole(exchange, response, wanted, whole, rest)

    def _encode_whole(
        self, exchange: Exchange, response: Response, wanted: Negotiated, whole: bytes, rest: Stream | None
    ) -> None:
        if not whole or self._too_small(len(whole), wanted):
            return
        coding: str = wanted.coding  # type: ignore[assignment]
        variants = response.variants
        encoded = None if variants is None else variants.get(coding)
        if encoded is None:
            encoded = self._codecs[coding].encode(whole)
            if len(encoded) >= len(whole) and wanted.identity_allowed:
                return
            if variants is not None:
                variants[coding] = encoded
        self._mark(response.headers, coding)
        response.headers.put("Content-Length", "content-length", str(len(encoded)))
        response.body = [encoded] if rest is None else Replaced(encoded, rest)
        exchange.events.append(Compressed(coding, len(whole), len(encoded)))

    def _describe(self, response: Response, wanted: Negotiated) -> None:
        """HEAD: the headers of GET, without a length that only encoding would tell (RFC 9110 9.3.2)."""
        size = _declared_length(response.headers)
        body = response.body
        if size is None and isinstance(body, (list, tuple)):
            size = sum(map(len, body)) or None
        if size != 0 and not self._too_small(size, wanted):
            self._mark(response.headers, wanted.coding)  # type: ignore[arg-type]

    def _too_small(self, size: int | None, wanted: Negotiated) -> bool:
        return size is not None and size < self._minimum_size and wanted.identity_allowed

    def _mark(self, headers: Headers, coding: str) -> None:
        etag = headers.fields.get("etag")
        if etag is not None:
            if strip_codings(etag, self._codings)[1]:
                self._keep_both = True
            if (tagged := with_coding(etag, coding)) != etag:
                headers["ETag"] = tagged
        headers.drop(_OUTDATED)
        headers.put("Content-Encoding", "content-encoding", coding)

    def _not_modified(self, exchange: Exchange, headers: Headers) -> None:
        """A 304 carries what the 200 would (RFC 9110 section 15.4.5): the tag the client knows, and Vary."""
        content_type = headers.get("Content-Type")
        if content_type is not None and not self._may_encode("200 OK", headers):
            return
        sent = exchange.notes.get(self)
        etag = headers.get("ETag")
        if sent and etag is not None:
            headers["ETag"] = sent.get(etag.removeprefix("W/"), etag)
        self._merge_vary(headers)


def _whole(response: Response, length: int | None) -> tuple[bytes | None, Stream | None]:
    """The body's bytes where all of them are in hand; and the iterator they came from, if it is one."""
    body = response._body
    if isinstance(body, (list, tuple)):
        return (body[0] if len(body) == 1 else b"".join(body)), None
    if type(body) is Stream:
        if body.first is None:
            return b"", body
        if len(body.first) == length:
            return body.first, body
    return None, None


def _declared_length(headers: Headers) -> int | None:
    value = headers.fields.get("content-length")
    return int(value) if value is not None and value.isascii() and value.isdigit() else None
