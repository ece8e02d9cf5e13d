"""Django: the queries of its connections, by the wrapper that it lets one put around their execution."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from wsgiperf.monitor.queries.counting import alias_of, count

__all__ = ["watch_connections"]


def watch_connections() -> bool:
    """Count the queries of every connection, under its alias; a second time changes nothing.

    :returns: False where Django has no settings, so that this process is no Django site.

    Connections that another thread has open already are watched from when they connect again. Procedures that
    are called by `cursor.callproc` pass no wrapper, and are not counted.
    """
    from django.conf import settings

    if not settings.configured:
        return False
    from django.db import connections
    from django.db.backends.signals import connection_created

    connection_created.connect(_connected, weak=False, dispatch_uid="wsgiperf.monitor")
    for connection in connections.all(initialized_only=True):
        _watch(connection)
    return True


def _connected(connection: Any, **_more: Any) -> None:
    _watch(connection)


def _watch(connection: Any) -> None:
    wrappers = connection.execute_wrappers
    if _counted not in wrappers:
        # First, not last: `connection.execute_wrapper(...)` takes the last away at its end, and connections
        # are made meanwhile.
        wrappers.insert(0, _counted)


def _counted(
    execute: Callable[..., Any], sql: object, params: object, many: bool, context: dict[str, Any]
) -> Any:
    failed = True
    started = perf_counter()
    try:
        result = execute(sql, params, many, context)
        failed = False
        return result
    finally:
        seconds = perf_counter() - started
        connection = context["connection"]
        count(alias_of(connection.alias), sql, seconds, failed, connection.vendor == "mysql")
