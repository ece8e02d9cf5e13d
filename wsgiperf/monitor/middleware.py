"""The part that counts every request, and answers at `/_stats`."""

from __future__ import annotations

import logging
from functools import partial
from os import getpid
from time import time
from typing import TYPE_CHECKING, Any

from wsgiperf.http.forwarded import TrustedProxies
from wsgiperf.monitor.collector import Collector, collector_of
from wsgiperf.monitor.recording.folding import matcher
from wsgiperf.settings import MonitorSettings
from wsgiperf.wsgi import Exchange, Middleware, Response

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from wsgiperf.monitor.endpoint.routing import Endpoint

__all__ = ["MonitorMiddleware"]

_log = logging.getLogger("wsgiperf.monitor")

#: Seconds that a request can have waited in front of a worker: more is a clock that is wrong.
LONGEST_QUEUE = 600.0


class MonitorMiddleware(Middleware):
    """Count every request, exactly over all workers, and tell at `/_stats`.

    :param app: the WSGI application; left out inside a `Stack`.
    :param options: those of `MonitorSettings`.
    :raises SettingsError: for an unknown option or a bad value.

    Durations run to the last byte. A request to the monitor's own pages is in none of its figures but
    `stats_requests`. Without a token, and without other access being chosen, there are no such pages.
    """

    kind = "monitor"
    skippable = True

    def __init__(self, app: WSGIApplication | None = None, **options: Any) -> None:
        self._settings = settings = MonitorSettings.of(options)
        self._match = matcher(settings.routes)
        self._trusts = TrustedProxies(settings.trusted_proxies).trusts
        # The beginnings of the paths that are the monitor's own.
        own = () if settings.is_closed else (settings.path, settings.metrics_path)
        self._paths = tuple(filter(None, own))
        _log.info("%s", settings.access_in_words)
        self._pid = 0
        self._collector: Collector
        self._endpoint: Endpoint | None = None
        super().__init__(app)

    def on_request(self, exchange: Exchange) -> Response | None:
        """Count the request as in flight; answer it if it is the monitor's."""
        if getpid() != self._pid:
            self._begin_here()
        recorder = self._collector.recorder
        if exchange.path.startswith(self._paths):
            answer = self._answer(exchange)
            if answer is not None:
                recorder.own()
                exchange.notes[self] = True  # counted
                return answer
        recorder.begin()
        if "HTTP_X_REQUEST_START" in exchange.environ and self._trusts(exchange.peer):
            waited = _waited(exchange.environ["HTTP_X_REQUEST_START"], time())
            if waited is not None:
                recorder.queued(waited)
        return None

    def on_close(self, exchange: Exchange) -> None:
        """The last byte is out: count the request."""
        if self not in exchange.notes:
            self._collector.recorder.record(exchange, self._match)

    def _begin_here(self) -> None:
        """In a process that hasn't served a request yet: take a slab, and start what runs beside requests."""
        settings = self._settings
        self._collector = collector = collector_of(settings.state, settings.slabs)
        self._pid = collector.pid
        self._endpoint = None
        collector.run(settings)

    def _answer(self, exchange: Exchange) -> Response | None:
        if self._endpoint is None:
            self._endpoint = _endpoint(self._collector, self._settings)
        return self._endpoint.answer(exchange)


def _endpoint(collector: Collector, settings: MonitorSettings) -> Endpoint:
    from wsgiperf.monitor.endpoint.access import Access  # with the first visitor: they bring json and more
    from wsgiperf.monitor.endpoint.routing import Endpoint

    return Endpoint(
        settings.path,
        settings.metrics_path,
        Access(settings.access, settings.token),
        collector.snapshot,
        collector.board,
        counters=partial(collector.snapshot, counters_only=True),
        checks=settings.health_checks,
    )


def _waited(value: str, now: float) -> float | None:
    """Seconds since X-Request-Start, which nginx writes as ``t=1700000000.123`` and others in milli- or
    microseconds; None for what makes no sense."""
    number = value.strip().removeprefix("t=")
    if not (0 < len(number) <= 20 and number.isascii() and number.replace(".", "", 1).isdigit()):
        return None
    started = float(number)
    for unit in (1.0, 1e-3, 1e-6):
        waited = now - started * unit
        if -1.0 < waited < LONGEST_QUEUE:
            return max(0.0, waited)
    return None
