"""Health checks as they are configured: checked here, performed by the monitor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import Any, ClassVar

from wsgiperf.http.headers import check_field

__all__ = [
    "MOST_CHECKS",
    "CallableCheck",
    "DatabaseCheck",
    "HealthCheck",
    "HttpCheck",
    "RedisCheck",
    "TcpCheck",
    "checks_of",
]

#: Each has a thread while it runs, and a place in what the workers share.
MOST_CHECKS = 100

#: The client's own: they frame the request or the connection.
_FRAMING = frozenset(("connection", "content-length", "te", "trailer", "transfer-encoding", "upgrade"))


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """What every check has. Use one of the kinds below.

    :param name: of the service, 1 to 100 printable characters; with the region it is unique.
    :param region: a label, up to 100 printable characters.
    :param interval: seconds from one check to the next, 1 to 86400.
    :param timeout: seconds that one check may take in all, 0.1 to 60.
    :param critical: whether the application is ready only while this one is well. Not critical should be what
        it can do without: where all instances depend on one service, its failure takes all of them out.
    :raises ValueError: for a value that is none of these.
    """

    kind: ClassVar[str] = ""
    _schemes: ClassVar[tuple[str, ...]] = ()

    name: str
    _: KW_ONLY
    region: str = ""
    interval: float = 30.0
    timeout: float = 5.0
    critical: bool = True

    def __post_init__(self) -> None:
        if not self.kind:
            raise ValueError(
                "a check is one of a kind: HttpCheck, TcpCheck, RedisCheck, DatabaseCheck, CallableCheck"
            )
        for each in fields(self):
            check, expected = _CHECKS[each.name]
            value = getattr(self, each.name)
            try:
                object.__setattr__(self, each.name, check(value, self))
            except (ValueError, TypeError):
                # A URL and a header may hold a password.
                shown = f": {value!r:.200}" if each.repr else ""
                raise ValueError(
                    f"not a value for a check's {each.name}{shown}; expected {expected}"
                ) from None


@dataclass(frozen=True, slots=True)
class HttpCheck(HealthCheck):
    """A GET request is answered as expected.

    Certificates are verified by the system's authorities; OpenSSL's SSL_CERT_FILE names others. No proxy is
    used. Redirects to the same scheme, host and port are followed, five at most; one that leads elsewhere is
    the answer itself, and so is every one where `expect` holds nothing but redirects.

    :param url: ``http://`` or ``https://``, in ASCII; a user and a password in it are sent as Basic.
    :param expect: the least and the greatest status that is well; a number stands for itself alone. Kept as
        the pair.
    :param headers: more request headers: pairs, or a mapping. Kept as a tuple of pairs.
    """

    kind: ClassVar[str] = "http"
    _schemes: ClassVar[tuple[str, ...]] = ("http", "https")

    url: str = field(repr=False)
    expect: int | tuple[int, int] = field(default=(200, 399), kw_only=True)
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = field(default=(), repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class TcpCheck(HealthCheck):
    """A connection is accepted.

    :param host: a name or an address.
    :param port: 1 to 65535.
    """

    kind: ClassVar[str] = "tcp"

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class RedisCheck(HealthCheck):
    """A Redis server answers PING.

    :param url: as redis-py takes it: ``redis://user:password@host:6379/0``, ``unix:///path``, or ``rediss://``
        for TLS, verified; its query may have ``ssl_ca_certs``, ``ssl_certfile``, ``ssl_keyfile``,
        ``ssl_check_hostname`` and ``ssl_cert_reqs``.
    """

    kind: ClassVar[str] = "redis"
    _schemes: ClassVar[tuple[str, ...]] = ("redis", "rediss", "unix")

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DatabaseCheck(HealthCheck):
    """A query returns.

    :param connect: returns a DB-API connection, which is closed afterwards, or an SQLAlchemy engine, which
        lends one. Called in the check's own thread. Give the driver a time limit of its own, too: a call that
        hangs is reported here, but nothing else can end it.
    :param query: a cheap one.
    """

    kind: ClassVar[str] = "database"

    connect: Callable[[], Any]
    query: str = "SELECT 1"


@dataclass(frozen=True, slots=True)
class CallableCheck(HealthCheck):
    """A function of yours returns something true.

    :param function: without parameters, called in a thread of its own. An exception or a false result, None
        included, tells of a failure.
    """

    kind: ClassVar[str] = "callable"

    function: Callable[[], object]


def _label(least: int) -> Callable[[Any, HealthCheck], str]:
    def check(value: Any, _: HealthCheck) -> str:
        if not isinstance(value, str) or not least <= len(value) <= 100 or not value.isprintable():
            raise ValueError
        return value

    return check


def _between(least: float, most: float) -> Callable[[Any, HealthCheck], float]:
    def check(value: Any, _: HealthCheck) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            raise ValueError
        return float(value)

    return check


def _flag(value: Any, _: HealthCheck) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _url(value: Any, check: HealthCheck) -> str:
    from urllib.parse import urlsplit

    if not isinstance(value, str) or len(value) > 2000 or not (value.isascii() and value.isprintable()):
        raise ValueError
    parts = urlsplit(value)
    if " " in value or parts.scheme not in check._schemes:
        raise ValueError
    if parts.scheme == "unix":
        if not parts.path.strip("/"):
            raise ValueError
    elif not parts.hostname or parts.port == 0:  # a bad port raises ValueError by itself
        raise ValueError
    return value


def _status(value: Any, _: HealthCheck) -> tuple[int, int]:
    least, most = (value, value) if isinstance(value, int) else value
    if type(least) is not int or type(most) is not int or not 100 <= least <= most <= 599:
        raise ValueError
    return least, most


def _headers(value: Any, _: HealthCheck) -> tuple[tuple[str, str], ...]:
    if isinstance(value, str):
        raise ValueError
    pairs = tuple((name, text) for name, text in (value.items() if isinstance(value, Mapping) else value))
    for name, text in pairs:
        if not isinstance(name, str) or not isinstance(text, str) or name.lower() in _FRAMING:
            raise ValueError
        check_field(name, text)
    return pairs


def _host(value: Any, _: HealthCheck) -> str:
    if (
        not isinstance(value, str)
        or not 1 <= len(value) <= 253
        or not value.isprintable()
        or set(" /@") & {*value}
    ):
        raise ValueError
    return value


def _port(value: Any, _: HealthCheck) -> int:
    if type(value) is not int or not 1 <= value <= 65535:
        raise ValueError
    return value


def _query(value: Any, _: HealthCheck) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 10_000:
        raise ValueError
    return value


def _function(value: Any, _: HealthCheck) -> Callable[[], Any]:
    if not callable(value):
        raise ValueError
    return value  # type: ignore[no-any-return]


#: Per field: returns the value as it is kept or raises ValueError or TypeError; and what is expected.
_CHECKS: dict[str, tuple[Callable[[Any, HealthCheck], object], str]] = {
    "name": (_label(1), "1 to 100 printable characters"),
    "region": (_label(0), "up to 100 printable characters"),
    "interval": (_between(1, 86400), "1 to 86400 seconds"),
    "timeout": (_between(0.1, 60), "0.1 to 60 seconds"),
    "critical": (_flag, "true or false"),
    "url": (_url, "an ASCII URL of the check's kind, with a host"),
    "expect": (_status, "a status, or the least and the greatest: 100 to 599"),
    "headers": (_headers, "pairs of a name and a value that may be sent"),
    "host": (_host, "a name or an address"),
    "port": (_port, "1 to 65535"),
    "connect": (_function, "a callable"),
    "query": (_query, "an SQL query of up to 10000 characters"),
    "function": (_function, "a callable"),
}

_KINDS = {each.kind: each for each in (HttpCheck, TcpCheck, RedisCheck, DatabaseCheck, CallableCheck)}


def checks_of(value: object) -> tuple[HealthCheck, ...]:
    """Checks from a list of them, of dictionaries with a ``kind``, or from such a list as JSON.

    :raises ValueError: for anything else, for more than `MOST_CHECKS`, and where two have the same name and
        region.
    """
    if isinstance(value, str):
        import json

        value = json.loads(value) if value.strip() else ()
    if not isinstance(value, (list, tuple)):
        raise ValueError("expected a list of health checks")
    if len(value) > MOST_CHECKS:
        raise ValueError(f"{len(value)} health checks; {MOST_CHECKS} at most")
    checks = tuple(each if isinstance(each, HealthCheck) else _check(each) for each in value)
    known = set()
    for check in checks:
        if (check.name, check.region) in known:
            raise ValueError(f"two health checks are named {check.name!r} in region {check.region!r}")
        known.add((check.name, check.region))
    return checks


def _check(given: object) -> HealthCheck:
    if not isinstance(given, Mapping):
        raise ValueError("a health check is a dictionary, or one of the classes")
    values = dict(given)
    kind = values.pop("kind", None)
    made = _KINDS.get(kind) if isinstance(kind, str) else None
    if made is None:
        raise ValueError(f"a health check's kind is one of {', '.join(_KINDS)}, not {kind!r:.200}")
    known = [each.name for each in fields(made)]
    for name in values:
        if name not in known:
            raise ValueError(f"a check of kind {kind} has no {name!r:.200}; it has {', '.join(known)}")
    try:
        return made(**values)
    except TypeError:
        raise ValueError(f"a check of kind {kind} lacks some of {', '.join(known)}") from None
