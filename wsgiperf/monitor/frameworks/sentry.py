"""Sentry's events with what is known of the request: its ID, its route, and how long it has taken so far."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from wsgiperf.exchange import current

__all__ = ["install"]

_installed = False


def install() -> None:
    """Have each event that is sent while a request is served carry its tags. Once is enough."""
    global _installed
    if _installed:
        return
    from sentry_sdk.scope import add_global_event_processor

    add_global_event_processor(_tagged)
    _installed = True


def _tagged(event: Any, _hint: Any) -> Any:
    """The event with `request_id`, `route` and `elapsed_ms`, but for tags of the application's own."""
    exchange = current.get()
    if exchange is None:
        return event
    tags = {
        "request_id": exchange.request_id,
        "route": exchange.route,
        "elapsed_ms": f"{(perf_counter() - exchange.started) * 1000:.0f}",
    }
    own = event.get("tags") or {}
    if isinstance(own, dict):
        event["tags"] = {name: value for name, value in tags.items() if value is not None} | own
    return event
