"""SQLAlchemy: its engines' queries by events, and the state of their connection pools."""

from __future__ import annotations

from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from wsgiperf.monitor.queries.counting import alias_of, count

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine, ExceptionContext
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["pools", "watch_all", "watch_engine"]

# Under which names it is noted on objects of SQLAlchemy's, for that is quicker than a weak dictionary: on an
# execution context when it started; on a dialect, which an engine shares with what its `execution_options`
# returns, how it is watched.
_STARTED = "_wsgiperf_started"
_WATCHED = "_wsgiperf_watched"


class _Watched(NamedTuple):
    alias: str
    mysql: bool


_lock = Lock()
_engines: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def watch_engine(engine: Engine | AsyncEngine, alias: str | None = None) -> None:
    """Count the queries of one engine; a second time changes nothing but the alias.

    :param engine: synchronous or asynchronous. Connections that are in use already are not watched.
    :param alias: what the database is called; else its name in the URL, or the driver's.

    Each execution of a cursor counts as one, an `executemany` too.
    """
    synchronous = getattr(engine, "sync_engine", engine)
    _adopt(synchronous, alias)
    _listen(synchronous)


def watch_all() -> None:
    """Count the queries of every engine there is or will be; a second time changes nothing."""
    from sqlalchemy.engine import Engine

    _listen(Engine)


def pools() -> list[tuple[str, int, int, int]]:
    """The pools of the watched engines: alias, size, connections checked out, those above the size.

    Engines that `watch_all` covers are known from their first query on. Pools that keep no count of what they
    gave out (NullPool, StaticPool, SingletonThreadPool) are left out.
    """
    with _lock:
        engines = list(_engines.items())
    found = []
    for engine, alias in engines:
        try:
            pool = engine.pool
            found.append((alias, pool.size(), pool.checkedout(), max(0, pool.overflow())))
        except (AttributeError, TypeError):  # a method that this pool lacks, or has as a number
            continue
    return found


def _listen(target: Any) -> None:
    from sqlalchemy import event

    for name, listener in (
        ("before_cursor_execute", _before),
        ("after_cursor_execute", _after),
        ("handle_error", _failed),
    ):
        if not event.contains(target, name, listener):
            event.listen(target, name, listener)


def _adopt(engine: Any, alias: str | None = None) -> _Watched:
    engine = getattr(engine, "_proxied", engine)  # what `Engine.execution_options` returns is short-lived
    watched: _Watched | None = getattr(engine.dialect, _WATCHED, None)
    if watched is None or alias is not None:
        alias = _alias_in(engine.url) if alias is None else alias_of(alias)
        watched = _Watched(alias, engine.dialect.name in ("mysql", "mariadb"))
        setattr(engine.dialect, _WATCHED, watched)
    with _lock:
        _engines[engine] = watched.alias
    return watched


def _alias_in(url: Any) -> str:
    """The database's name, of a file's path the last part."""
    database = (url.database or "").replace("\\", "/").rstrip("/")
    return alias_of(database.rpartition("/")[2] or url.drivername)


# An engine watched by itself and with all others calls each of these twice: the second call counts nothing.


def _before(
    _conn: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _executemany: bool
) -> None:
    if context is not None:
        setattr(context, _STARTED, perf_counter())


def _after(
    conn: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _executemany: bool
) -> None:
    started = getattr(context, _STARTED, None)
    if started is not None:
        setattr(context, _STARTED, None)
        seconds = perf_counter() - started
        watched = getattr(conn.dialect, _WATCHED, None) or _adopt(conn.engine)
        count(watched.alias, statement, seconds, False, watched.mysql)


def _failed(error: ExceptionContext) -> None:
    """Any error of the engine's: also one before a query was sent, or while its rows are fetched."""
    context = error.execution_context
    started = getattr(context, _STARTED, None)
    if started is not None and error.engine is not None:
        setattr(context, _STARTED, None)
        seconds = perf_counter() - started
        watched = getattr(error.engine.dialect, _WATCHED, None) or _adopt(error.engine)
        count(watched.alias, error.statement, seconds, True, watched.mysql)
