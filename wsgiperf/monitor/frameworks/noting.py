"""To which exchange it belongs, what a framework tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsgiperf.exchange import EXCHANGE, Exchange, current
from wsgiperf.monitor.raised import note_raised

__all__ = ["note_exception", "note_route"]


def note_route(environ: Mapping[str, Any], route: str) -> None:
    """Set the exchange's route.

    :param environ: the request's. Where middleware made a new one for the application, the exchange that runs
        now is meant; if that has a route already, it is a view that called another application.
    :param route: the template.
    """
    exchange: Exchange | None = environ.get(EXCHANGE)
    if exchange is None:
        exchange = current.get()
        if exchange is not None and exchange.route is not None:
            return
    if exchange is not None:
        exchange.route = route


def note_exception(environ: Mapping[str, Any], error: BaseException | None) -> None:
    """Add the exception to the exchange's events; where there are both."""
    exchange: Exchange | None = environ.get(EXCHANGE) or current.get()
    if exchange is not None and error is not None:
        note_raised(exchange, error)
