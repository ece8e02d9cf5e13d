"""Performing one check: what is done, and what came of it.

The network's part of the standard library is imported when a check first runs, by its own thread.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from time import monotonic
from typing import Any, NamedTuple, cast

from wsgiperf.health_checks import (
    CallableCheck,
    DatabaseCheck,
    HealthCheck,
    HttpCheck,
    RedisCheck,
    TcpCheck,
)
from wsgiperf.monitor.health.wording import bounded, described

__all__ = ["Outcome", "perform"]


class Outcome(NamedTuple):
    """What came of a check."""

    ok: bool
    seconds: float  #: it took
    error: str | None = None  #: what is wrong, in a short line without secrets


def perform(check: HealthCheck) -> Outcome:
    """Do it now. Raises nothing; takes no longer than the check's timeout, but for code that isn't ours.

    A name's resolution, a database's driver and a callable have no end that could be set from outside. What
    ends well after the timeout is a failure all the same.
    """
    secrets: list[str] = []
    started = monotonic()
    try:
        secrets = _secrets(check)
        wrong = _DONE[check.kind](check)
    except BaseException as error:  # a callable's SystemExit must not end its thread without a word
        late = isinstance(error, TimeoutError) and monotonic() - started >= check.timeout
        wrong = f"timed out after {check.timeout:g} s" if late else described(error, secrets)
    seconds = monotonic() - started
    if wrong is None and seconds > check.timeout:
        wrong = f"took {seconds:.1f} s, more than {check.timeout:g} s"
    return Outcome(wrong is None, seconds, wrong if wrong is None else bounded(wrong, secrets))


def _http(check: HttpCheck) -> str | None:
    from wsgiperf.monitor.health.connecting import Deadline
    from wsgiperf.monitor.health.web import ask

    return ask(check, Deadline(check.timeout))


def _tcp(check: TcpCheck) -> str | None:
    from wsgiperf.monitor.health.connecting import Deadline, connected

    connected(check.host, check.port, Deadline(check.timeout)).close()
    return None


def _redis(check: RedisCheck) -> str | None:
    from wsgiperf.monitor.health.connecting import Deadline
    from wsgiperf.monitor.health.ping import ping

    return ping(check.url, Deadline(check.timeout))


def _database(check: DatabaseCheck) -> str | None:
    source = check.connect()
    if hasattr(source, "cursor"):  # PEP 249
        with closing(source), closing(source.cursor()) as cursor:
            cursor.execute(check.query)
            cursor.fetchone()
    elif hasattr(source, "exec_driver_sql"):  # an SQLAlchemy connection
        with source:
            source.exec_driver_sql(check.query).fetchone()
    elif hasattr(source, "connect"):  # an SQLAlchemy engine
        with source.connect() as connection:
            connection.exec_driver_sql(check.query).fetchone()
    else:
        return f"connect() returned {type(source).__name__}, which is no connection and no engine"
    return None


def _callable(check: CallableCheck) -> str | None:
    result = check.function()
    if result:
        return None
    # Else the type alone: the value may be anything.
    return f"returned {result if result is None or result is False else 'a false ' + type(result).__name__}"


_DONE: dict[str, Callable[[Any], str | None]] = {
    HttpCheck.kind: _http,
    TcpCheck.kind: _tcp,
    RedisCheck.kind: _redis,
    DatabaseCheck.kind: _database,
    CallableCheck.kind: _callable,
}


def _secrets(check: HealthCheck) -> list[str]:
    """What of a check must not appear in what is told of it, longest first."""
    found: set[str] = set()
    if isinstance(check, HttpCheck):
        found.update(value for _, value in cast("tuple[tuple[str, str], ...]", check.headers))
    if isinstance(check, (HttpCheck, RedisCheck)):
        from urllib.parse import parse_qs, unquote, urlsplit

        parts = urlsplit(check.url)
        found.update((parts.password or "", unquote(parts.password or "")))
        found.update(parse_qs(parts.query).get("password", ()))
    # Shorter ones would blacken ordinary words, and are found by what stands around them.
    return sorted((each for each in found if len(each) > 3), key=len, reverse=True)
