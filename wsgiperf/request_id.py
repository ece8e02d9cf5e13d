"""One ID for everything that happens on behalf of a request, inside this process and beyond it."""

from __future__ import annotations

import logging
from os import urandom
from typing import TYPE_CHECKING, Any

from wsgiperf.exchange import current
from wsgiperf.http.forwarded import TrustedProxies
from wsgiperf.http.trace_context import TraceContext
from wsgiperf.settings import RequestIdSettings
from wsgiperf.wsgi import Exchange, Middleware, Response

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["RequestIdFilter", "RequestIdMiddleware", "get_request_id", "outgoing_headers"]

#: The environ key of the request's ID.
REQUEST_ID = "wsgiperf.request_id"

#: A longer inbound ID is not an ID.
LONGEST = 128
_BESIDES = str.maketrans("", "", "._~+/=:@-")


def get_request_id() -> str | None:
    """The ID of the request that this code runs for; None outside of requests."""
    exchange = current.get()
    return None if exchange is None else exchange.request_id


def outgoing_headers() -> dict[str, str]:
    """The header fields that make a request of ours part of the one we are answering.

    They are the request's ID, and `traceparent` and `tracestate` of W3C Trace Context level 2 with a span of
    ours as the parent. Outside of a request there are none.
    """
    exchange = current.get()
    if exchange is None or exchange.request_id is None:
        return {}
    headers = {exchange.request_id_header: exchange.request_id}
    if exchange.trace is not None:
        headers.update(exchange.trace.headers())
    return headers


class RequestIdFilter(logging.Filter):
    """Gives every log record a `request_id`, `-` outside of requests.

    Put it on a handler, whose format may then say ``%(request_id)s``.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the attribute, unless the record has one; nothing is filtered out."""
        if not hasattr(record, "request_id"):
            record.request_id = get_request_id() or "-"
        return True


class RequestIdMiddleware(Middleware):
    """Give each request an ID, and take a well-formed one that it brings.

    :param app: the WSGI application; left out inside a `Stack`.
    :param options: those of `RequestIdSettings`.
    :raises SettingsError: for an unknown option or a bad value.

    The ID is in `environ["wsgiperf.request_id"]`, in the response, in `get_request_id()` by way of a context
    variable, in log records through `RequestIdFilter`, and in the traceback of an exception that the
    application lets through.
    """

    kind = "request_id"

    def __init__(self, app: WSGIApplication | None = None, **options: Any) -> None:
        settings = RequestIdSettings.of(options)
        self._header = settings.header
        self._name = settings.header.lower()
        self._key = "HTTP_" + settings.header.upper().replace("-", "_")
        self._accept = settings.accept
        self._trusts = TrustedProxies(settings.trusted_proxies).trusts
        self._trace_context = settings.trace_context
        super().__init__(app)

    def on_request(self, exchange: Exchange) -> None:
        """Find or make the ID."""
        environ = exchange.environ
        request_id = environ.get(self._key)
        if request_id is None or not self._acceptable(request_id, exchange):
            # 128 random bits. A pool of them would need a guard for forks, and gain nothing.
            request_id = urandom(16).hex()
        environ[REQUEST_ID] = request_id
        exchange.request_id, exchange.request_id_header = request_id, self._header
        if self._trace_context:
            exchange.trace = TraceContext(environ.get("HTTP_TRACEPARENT"), environ.get("HTTP_TRACESTATE"))

    def _acceptable(self, request_id: str, exchange: Exchange) -> bool:
        if self._accept == "never" or (self._accept == "trusted" and not self._trusts(exchange.peer)):
            return False
        return well_formed(request_id)

    def on_response(self, exchange: Exchange, response: Response) -> None:
        """Tell the client; the application's own header wins."""
        headers = response.headers
        if self._name not in headers.fields:
            headers.put(self._header, self._name, exchange.request_id or "")


def well_formed(request_id: str) -> bool:
    """Whether it is 1 to 128 characters of ``[A-Za-z0-9._~+/=:@-]``."""
    if not 0 < len(request_id) <= LONGEST or not request_id.isascii():
        return False
    return request_id.isalnum() or (request_id.translate(_BESIDES) or "0").isalnum()
