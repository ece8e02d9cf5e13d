"""Images in the best format that a client takes, in front of whatever serves them.

The application is asked each time: with a plain GET, and with the validators of the picture that a variant
was made of. Its 304 lets the variant out; its refusal is final. What has no variant yet goes out as it is
stored, for this once, while the variant is made.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from wsgiperf.calling import called
from wsgiperf.exchange import OPTIONS
from wsgiperf.http.conditional import freshened, selects
from wsgiperf.media.serving.answers import answer, forbid_storing, vary_by_accept
from wsgiperf.media.serving.bodies import read_whole
from wsgiperf.media.serving.encoding import encode
from wsgiperf.media.serving.library import Library
from wsgiperf.media.serving.negotiation import NO_WISH, is_needed, negotiator
from wsgiperf.media.serving.picture import Picture
from wsgiperf.media.serving.request import Asked
from wsgiperf.media.serving.selection import (
    asked_width,
    counting_cookies,
    is_convertible,
    is_keepable,
    resource_name,
    varying,
)
from wsgiperf.media.serving.variants import TAG, Variant, variant_name
from wsgiperf.settings import MediaSettings
from wsgiperf.wsgi import Exchange, Middleware, Response

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    from wsgiperf.media.serving.flights import Flight
    from wsgiperf.media.serving.negotiation import Wish

__all__ = ["MediaMiddleware"]

_log = logging.getLogger("wsgiperf.media")

#: Preconditions are for the application, and so is the body of a GET.
_PASSING = frozenset(("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_TRANSFER_ENCODING"))


class MediaMiddleware(Middleware):
    """Send images as AVIF or WebP to clients that name these in Accept, and narrower where `?w=` asks so.

    :param app: the WSGI application; left out inside a `Stack`.
    :param options: those of `MediaSettings`.
    :raises SettingsError: for an unknown option or a bad value.

    JPEG, PNG, GIF, WebP and AVIF are converted, never SVG or what moves. Nothing is kept of a response that
    is private, no-store or sets a cookie, nor, unless it is public, of one to a request with credentials. An
    image that can't be converted goes out as it is stored. Needs Pillow, the extra `media`.

    Source: RFC 9110 section 12.5.1.
    """

    kind = "media"
    skippable = True
    excusable = False  # an answer to our own question isn't for the client

    def __init__(self, app: WSGIApplication | None = None, **options: Any) -> None:
        settings = MediaSettings.of(options)
        offered = [name for name in settings.formats if name != "webp" or settings.auto_webp]
        self._negotiate = negotiator(tuple(f"image/{name}" for name in offered))
        self._settings = settings
        self._widths = frozenset(settings.widths)
        self._cookies = counting_cookies(settings.ignored_cookies)
        self._library = Library(settings, encode)
        _look_for_pillow()
        super().__init__(app)

    # -- the way in

    def on_request(self, exchange: Exchange) -> None:
        """Ask the application in our words where a picture is known that the client wants otherwise."""
        if exchange.method != "GET" and exchange.method != "HEAD":
            return
        environ = exchange.environ
        wish, width = self._wanted(environ)
        knows_ours = TAG in environ.get("HTTP_IF_NONE_MATCH", "")
        if width is None and wish.says_nothing and not knows_ours:
            return
        exchange.notes[self] = asked = Asked(environ, wish, width, self._name(exchange))
        if asked.name is not None and (width is not None or not wish.says_nothing):
            self._look_up(environ, asked)
        if knows_ours and not asked.is_ours:
            asked.hide_date()

    def _wanted(self, environ: WSGIEnvironment) -> tuple[Wish, int | None]:
        if "no-transform" in environ.get("HTTP_CACHE_CONTROL", "").lower():  # RFC 9111 section 5.2.1.6
            return NO_WISH, None
        query = environ.get("QUERY_STRING")
        width = asked_width(query, self._widths) if query and self._widths else None
        return self._negotiate(environ.get("HTTP_ACCEPT")), width

    def _name(self, exchange: Exchange) -> str | None:
        environ = exchange.environ
        if not _PASSING.isdisjoint(environ) or environ.get("CONTENT_LENGTH") not in (None, "", "0"):
            return None
        return resource_name(exchange)

    def _look_up(self, environ: WSGIEnvironment, asked: Asked) -> None:
        record = self._library.record(asked.name or "")
        if record is None or not record.is_for(environ):
            return
        asked.record = record
        target = asked.wish.target(record.media_type)
        if target is None and asked.width is None:
            return
        variant = self._library.variant(
            self._variant_name(record.content, target or record.media_type, asked)
        )
        if variant is None:
            asked.ask()  # its source is needed, and all of it
        elif variant.media_type:
            asked.variant = variant
            asked.ask(record if record.is_trusted else None)

    def _variant_name(self, content: str, target: str, asked: Asked) -> str:
        return variant_name(content, target, asked.width, self._settings.quality)

    # -- the way out

    def on_response(self, exchange: Exchange, response: Response) -> None:
        """Put a variant in the picture's place, or see that there will be one."""
        asked = exchange.notes.get(self)
        environ = exchange.environ
        excused = (environ.get(OPTIONS) or {}).get(self.kind) is False
        if asked is None:
            if not excused and (exchange.method == "GET" or exchange.method == "HEAD"):
                self._describe(response)
            return
        asked.restore()
        if asked.sent is not None and response.status[:3] == "304":
            try:
                if not excused and self._confirmed(response, asked):
                    return
            except Exception:
                _log.exception("a variant could not be served")
            self._ask_again(response, asked.sent)
        if not excused:
            self._treat(exchange, response, asked)
        if asked.is_head and asked.is_ours:
            response.body = []

    def _describe(self, response: Response) -> None:
        if response.status[:3] in ("200", "206") and self._kind(response) is not None:
            vary_by_accept(response.headers)

    def _kind(self, response: Response) -> str | None:
        fields = response.headers.fields
        return is_convertible(fields, self._settings.minimum_size, self._settings.maximum_size)

    def _confirmed(self, response: Response, asked: Asked) -> bool:
        """Answer from the variant, where this 304 is about the picture it was made of."""
        record, variant, fields = asked.record, asked.variant, response.headers.fields
        if record is None or variant is None:
            return False
        known = (record.etag, record.last_modified, fields.get("etag"), fields.get("last-modified"))
        if not selects(*known, only_asked=True):
            return False
        answer(response, asked, freshened(record.fields, response.headers.pairs, set_cookie=True), variant)
        return True

    def _ask_again(self, response: Response, sent: WSGIEnvironment) -> None:
        """The 304 answered our question, so it is no answer to the client's."""
        try:
            again = called(self.inner, sent)
        except Exception:
            _log.exception("the application failed when it was asked again")
            again = Response("500 Internal Server Error", [("Content-Length", "0")], [])
        response.status, response.headers, response.body = again.status, again.headers, again.body

    def _treat(self, exchange: Exchange, response: Response, asked: Asked) -> None:
        status = response.status[:3]
        if status == "304" and asked.record is not None:
            vary_by_accept(response.headers)
        kind = self._kind(response) if status in ("200", "206") else None
        if kind is None:
            return
        dependent = varying(exchange.environ, response.headers.fields.get("vary"))
        vary_by_accept(response.headers)
        target = asked.wish.target(kind)
        if asked.name is None or response.pushed or (target is None and asked.width is None):
            return
        variant = self._known(response, asked, target or kind)
        if variant is None:
            if dependent is None or not is_keepable(exchange.environ, response.headers, self._cookies):
                return
            if status == "200" and (asked.is_ours or not asked.is_head):
                variant = self._produced(exchange, Picture(response, kind, dependent), asked, target or kind)
        if variant is None:
            forbid_storing(response.headers)
            if asked.is_head:
                # By the time of a GET it may be the variant's.
                del response.headers["Content-Length"], response.headers["ETag"]
        elif variant.media_type and status == "200":
            answer(response, asked, response.headers.pairs, variant)

    def _known(self, response: Response, asked: Asked, target: str) -> Variant | None:
        """The variant of a picture that need not be read, for it has the validators of one that was."""
        record = asked.record
        if record is None or not record.is_of(response.headers.fields):
            return None
        return self._library.variant(self._variant_name(record.content, target, asked)) or asked.variant

    def _produced(self, exchange: Exchange, picture: Picture, asked: Asked, target: str) -> Variant | None:
        """The variant, where it is there or quick to be had; None while it is made."""
        library, record = self._library, asked.record
        waits = asked.width is not None or is_needed(picture.kind, target)
        seconds = self._settings.wait_seconds if waits else 0.0
        fields = picture.response.headers.fields
        if record is not None and record.is_of(fields):
            name = self._variant_name(record.content, target, asked)
            flight = library.flights.under_way(name)
            if flight is not None or library.flights.is_elsewhere(name):
                return library.awaited(name, flight, seconds)
        if not picture.is_told:
            return self._made(exchange, picture, asked, target, None, seconds)
        reading, leads = library.flights.join((asked.name, target, asked.width, picture.told))
        if not leads:
            reading.wait(seconds)
            return reading.variant or library.awaited(reading.name, None, seconds)
        try:
            return self._made(exchange, picture, asked, target, reading, seconds)
        finally:
            reading.land()

    def _made(
        self,
        exchange: Exchange,
        picture: Picture,
        asked: Asked,
        target: str,
        reading: Flight | None,
        seconds: float,
    ) -> Variant | None:
        """Read the picture, write down what it is, and have the variant made.

        :param reading: for those who ask for the same meanwhile.
        :param seconds: how long to wait for it.
        """
        library = self._library
        source = read_whole(picture.response, self._settings.maximum_size)
        if source is None or len(source) < self._settings.minimum_size:
            none = Variant.none()
            if reading is not None:
                reading.land(none)
            return none
        record = picture.record(source)
        library.remember(asked.name or "", record)
        name = self._variant_name(record.content, target, asked)
        flight, leads = library.flights.join(name)
        if reading is not None:
            reading.land(name=name)  # who waited for it finds the flight
        if leads:
            work = library.making(flight, name, source, target, asked.width)
            if library.variant(name) is not None or (seconds and _is_alone(exchange)):
                work()
            elif _is_alone(exchange):
                exchange.at_end(work)
            else:
                library.submit(flight, work, len(source))
        return library.awaited(name, flight, seconds)


def _is_alone(exchange: Exchange) -> bool:
    """Whether the server has no other thread: what takes time is done behind the last byte."""
    return not exchange.environ.get("wsgi.multithread", True)


def _look_for_pillow() -> None:
    from importlib.util import find_spec

    if find_spec("PIL") is None:
        _log.warning("images go out as they are stored: Pillow, the extra `media`, is not installed")
