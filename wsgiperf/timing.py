"""How long requests take: in headers to the head, in the events and the slow log to the end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from wsgiperf.events import Span, Timed
from wsgiperf.exchange import current
from wsgiperf.settings import TimingSettings
from wsgiperf.wsgi import Exchange, Middleware, Response

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["TimingMiddleware", "span"]

_log = logging.getLogger("wsgiperf.slow")

# RFC 9110 section 5.6.2: a metric's name is a token; anything else becomes "_".
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
#: More spans than these stay out of the header, which servers and proxies limit; the events have them all.
MOST_METRICS = 20
LONGEST_NAME = 100


@contextmanager
def span(name: str) -> Iterator[None]:
    """Measure a piece of the application's work: ``with timing.span("db"): ...``.

    It appears in Server-Timing if it ends before the head is sent, and in any case in the exchange's events.
    Spans of one name are added up in the header. Outside of a request nothing is measured.

    :param name: the metric's name.
    """
    exchange = current.get()
    if exchange is None:
        yield
        return
    started = perf_counter()
    try:
        yield
    finally:
        exchange.events.append(Span(name, started, perf_counter() - started))


# A record by the tuple's own constructor: half the time of the generated one.
_record = tuple.__new__
# Spelled at the start: to format a float takes three times as long as to look it up.
_MILLISECONDS = tuple(f"{milliseconds / 1000:.3f}s" for milliseconds in range(1000))


class TimingMiddleware(Middleware):
    """Tell how long a request took: Server-Timing, X-Processing-Time, and a log line where it was slow.

    :param app: the WSGI application; left out inside a `Stack`.
    :param options: those of `TimingSettings`.
    :raises SettingsError: for an unknown option or a bad value.

    Server-Timing (W3C Server Timing, section 3) is appended to the application's own entries.
    """

    kind = "timing"
    skippable = True

    def __init__(self, app: WSGIApplication | None = None, **options: Any) -> None:
        settings = TimingSettings.of(options)
        self._server_timing = settings.server_timing
        self._processing_time = settings.processing_time
        self._slow_seconds = settings.slow_seconds or float("inf")
        super().__init__(app)

    def on_response(self, exchange: Exchange, response: Response) -> None:
        """The head is about to go out: so much it took."""
        seconds = perf_counter() - exchange.started
        exchange.head_seconds = seconds
        # Appended to the list and its index directly: two calls fewer.
        headers = response.headers
        pairs, fields = headers.pairs, headers.fields
        if self._processing_time and "x-processing-time" not in fields:
            spelled = _MILLISECONDS[int(seconds * 1000 + 0.5)] if seconds < 0.999 else f"{seconds:.3f}s"
            pairs.append(("X-Processing-Time", spelled))
            fields["x-processing-time"] = spelled
        if self._server_timing:
            ours = f"total;dur={seconds * 1000:.3f}"
            if exchange.events:
                ours = _metrics(exchange) + ours
            if "server-timing" in fields:
                headers["Server-Timing"] = f"{fields['server-timing']}, {ours}"
            else:
                pairs.append(("Server-Timing", ours))
                fields["server-timing"] = ours

    def on_close(self, exchange: Exchange) -> None:
        """The last byte is out: the event; and the log line where the first was late."""
        seconds = perf_counter() - exchange.started
        exchange.events.append(_record(Timed, (exchange.head_seconds, seconds)))
        if seconds > self._slow_seconds:  # else the first byte wasn't late either
            self._log_slow(exchange, seconds)

    def _log_slow(self, exchange: Exchange, seconds: float) -> None:
        # Without a head the wait was for nothing. With one that this part was kept from, it isn't known.
        waited = seconds if exchange.status is None else exchange.head_seconds
        if waited is not None and waited > self._slow_seconds:
            _log.warning(
                "slow request: %s %s %s in %.3f s, request ID %s",
                _escaped(exchange.method),
                _escaped(exchange.mount + exchange.path),
                "no answer" if exchange.status is None else _escaped(exchange.status[:3]),
                waited,
                exchange.request_id or "-",
            )


def _metrics(exchange: Exchange) -> str:
    """The spans so far, as members that stand before our own."""
    sums: dict[str, float] = {}
    for event in exchange.events:
        if type(event) is Span:
            sums[event.name] = sums.get(event.name, 0.0) + event.seconds
    if not sums:
        return ""
    members = [f"{_token(name)};dur={seconds * 1000:.3f}, " for name, seconds in sums.items()]
    return "".join(members[:MOST_METRICS])


def _token(name: str) -> str:
    name = name[:LONGEST_NAME]
    if name and _TOKEN.issuperset(name):
        return name
    return "".join(letter if letter in _TOKEN else "_" for letter in name) or "_"


def _escaped(text: str) -> str:
    """What a client sent, made fit for a line of a log: PEP 3333 strings are bytes in latin-1 clothing."""
    text = text[:2000].encode("latin-1", "replace").decode("utf-8", "backslashreplace")
    return text.encode("unicode_escape").decode("ascii").replace(" ", "\\x20")[:2000]
