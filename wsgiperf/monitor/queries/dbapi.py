"""Any DB-API 2.0 connection (PEP 249), behind a proxy that counts what its cursors execute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial, wraps
from time import perf_counter
from typing import Any, ParamSpec

from wsgiperf.monitor.queries.counting import alias_of, count

__all__ = ["watched", "watched_connect"]

_P = ParamSpec("_P")

#: Methods of cursors, and of some drivers' connections, that send a query: the first argument tells which.
_SENDING = frozenset(["callproc", "execute", "executemany", "executescript"])
_MYSQL = ("MySQLdb", "asyncmy", "mariadb", "mysql", "pymysql")


def watched(connection: Any, alias: str = "default") -> Any:
    """A proxy for a connection, that counts its queries and is otherwise like it.

    :param connection: of any driver with PEP 249's interface, not of an asynchronous one.
    :param alias: what the database is called.

    Functions written in C want the connection itself: it is the proxy's `__wrapped__`. Where that is in the
    way, sqlite3 takes a class for its connections instead: ``sqlite3.connect(path, factory=...)``.
    """
    if type(connection) is _Connection:
        return connection
    return _Connection(connection, alias_of(alias))


def watched_connect(connect: Callable[_P, Any], alias: str = "default") -> Callable[_P, Any]:
    """A driver's `connect`, that returns such proxies.

    :param connect: such as `psycopg.connect`.
    :param alias: what the database is called.
    """

    @wraps(connect)
    def connecting(*args: _P.args, **kwargs: _P.kwargs) -> Any:
        return watched(connect(*args, **kwargs), alias)

    return connecting


class _Proxy:
    """Passes on everything, and counts what sends a query."""

    __slots__ = ("__weakref__", "__wrapped__", "_wsgiperf_alias")

    def __init__(self, wrapped: Any, alias: str) -> None:
        object.__setattr__(self, "__wrapped__", wrapped)
        object.__setattr__(self, "_wsgiperf_alias", alias)

    @property
    def __class__(self) -> Any:  # for isinstance
        return type(self.__wrapped__)

    @__class__.setter
    def __class__(self, kind: Any) -> None:
        self.__wrapped__.__class__ = kind

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__wrapped__, name)
        return partial(self._send, value) if name in _SENDING else value

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__wrapped__, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__wrapped__, name)

    def __repr__(self) -> str:
        return f"<watched {self.__wrapped__!r}>"

    def __dir__(self) -> list[str]:
        return dir(self.__wrapped__)

    def __enter__(self) -> Any:
        return self._proxied(self.__wrapped__.__enter__())

    def __exit__(self, *error: object) -> Any:
        return self.__wrapped__.__exit__(*error)

    def _send(self, send: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        failed = True
        started = perf_counter()
        try:
            result = send(*args, **kwargs)
            failed = False
        finally:
            seconds = perf_counter() - started
            wrapped = self.__wrapped__
            statement = args[0] if args else next(iter(kwargs.values()), "")
            if type(statement) is not str:
                statement = _text(statement, wrapped)
            mysql = type(wrapped).__module__.startswith(_MYSQL)
            count(self._wsgiperf_alias, statement, seconds, failed, mysql)
        return self._proxied(result)

    def _proxied(self, result: Any) -> Any:
        """The proxy of what a method returned: a cursor returns itself, a connection makes one."""
        return self if result is self.__wrapped__ else result


class _Cursor(_Proxy):
    __slots__ = ("_wsgiperf_connection",)

    def __init__(self, wrapped: Any, alias: str, connection: _Connection) -> None:
        super().__init__(wrapped, alias)
        object.__setattr__(self, "_wsgiperf_connection", connection)

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        connection = self._wsgiperf_connection
        return connection if value is connection.__wrapped__ else value

    def __iter__(self) -> Iterator[Any]:
        return iter(self.__wrapped__)

    def __next__(self) -> Any:
        return next(self.__wrapped__)


class _Connection(_Proxy):
    __slots__ = ()

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        return self._cursor(self.__wrapped__.cursor(*args, **kwargs))

    def _cursor(self, cursor: Any) -> Any:
        return _Cursor(cursor, self._wsgiperf_alias, self)

    def _proxied(self, result: Any) -> Any:
        if result is self.__wrapped__:
            return self
        return self._cursor(result) if hasattr(result, "fetchone") else result


def _text(statement: Any, cursor: Any) -> object:
    """The SQL of what drivers take besides text: bytes, and psycopg's composed statements."""
    try:
        spelled = (
            statement.as_string(cursor) if hasattr(statement, "as_string") else bytes(statement).decode()
        )
    except Exception:
        return statement
    return spelled
