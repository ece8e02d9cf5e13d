"""The single requests and queries that are kept with their particulars: failed, slowest, slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsgiperf.events import Raised
from wsgiperf.monitor.raised import record_of
from wsgiperf.monitor.recording import layout
from wsgiperf.monitor.recording.folding import method_name, status_code
from wsgiperf.monitor.recording.layout import FAILURES, SLOW_QUERIES, SLOWEST
from wsgiperf.monitor.recording.slab import fitted

if TYPE_CHECKING:
    from wsgiperf.exchange import Exchange
    from wsgiperf.monitor.recording.slab import Slab

__all__ = ["Records", "cause_of"]


class Records:
    """Writes the rings of one slab. Whoever calls holds the slab's lock."""

    def __init__(self, slab: Slab) -> None:
        self._slab = slab
        self._hour = 0
        self._slow: dict[int, int] = {}  # cell -> nanoseconds, of this hour
        #: Nanoseconds from which on a request is among the slowest of this hour.
        self.slow_beyond = 0

    def failed(
        self, exchange: Exchange, route: str, seconds: float, now: float, cause: tuple[str, str, str]
    ) -> None:
        """:param cause: as `cause_of` tells it."""
        kind, severity, message = cause
        words = self._slab.words
        cell = words[layout.FAILURES_NEXT]
        words[layout.FAILURES_NEXT] = cell + 1
        record = _described(exchange, route, now, seconds)
        record |= {"type": fitted(kind, 80), "severity": severity, "message": message}
        self._slab.put(FAILURES, cell, record, "message")

    def slow(self, exchange: Exchange, route: str, ns: int, now: float) -> None:
        """A request slower than `slow_beyond`: among the slowest of its hour that there is room for."""
        hour, slow = int(now) // 3600, self._slow
        if hour != self._hour:
            self._hour, self.slow_beyond = hour, 0
            slow.clear()
        cell = len(slow) if len(slow) < SLOWEST.cells else min(slow, key=slow.__getitem__)
        slow[cell] = ns
        if len(slow) == SLOWEST.cells:
            self.slow_beyond = min(slow.values())
        self._slab.put(SLOWEST, cell, _described(exchange, route, now, ns / 1e9), "route")

    def slow_query(
        self,
        alias: str,
        statement: str,
        seconds: float,
        now: float,
        exchange: Exchange | None = None,
        route: str = "",
    ) -> None:
        """:param statement: without parameters."""
        words = self._slab.words
        cell = words[layout.SLOW_QUERIES_NEXT]
        words[layout.SLOW_QUERIES_NEXT] = cell + 1
        record: dict[str, Any] = {"at": now, "seconds": seconds}
        if exchange is not None:
            record = _described(exchange, route, now, seconds)
        record |= {"alias": fitted(alias, 60), "statement": statement}
        self._slab.put(SLOW_QUERIES, cell, record, "statement")


def cause_of(exchange: Exchange) -> tuple[str, str, str]:
    """Why a request failed: type, severity, and a message fit to be shown."""
    raised = next((event for event in exchange.events if type(event) is Raised), None)
    if raised is None and exchange.error is not None:
        raised = record_of(exchange.error)
    if raised is not None:
        return raised.kind, raised.severity, raised.message
    return f"HTTP {status_code(exchange.status)}", "error", ""


def _described(exchange: Exchange, route: str, now: float, seconds: float) -> dict[str, Any]:
    return {
        "at": now,
        "route": fitted(route, 80),
        "method": method_name(exchange.method),
        "status": status_code(exchange.status),
        "seconds": seconds,
        "request_id": exchange.request_id and fitted(exchange.request_id, 80),
    }
