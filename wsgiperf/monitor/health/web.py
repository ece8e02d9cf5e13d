"""The HTTP check: one GET request, or a few where redirects stay at home."""

from __future__ import annotations

from base64 import b64encode
from contextlib import closing
from http.client import HTTPConnection, IncompleteRead
from typing import TYPE_CHECKING, cast
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from wsgiperf.health_checks import HttpCheck
from wsgiperf.monitor.health.connecting import Connection, Deadline, connected

if TYPE_CHECKING:
    import ssl

__all__ = ["ask"]

MOST_REDIRECTS = 5
#: Bytes of an answer that are read. It has to arrive, not only to begin.
_BODY = 65536
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset((301, 302, 303, 307, 308))


def ask(check: HttpCheck, deadline: Deadline) -> str | None:
    """What is wrong with the answer; None where nothing is.

    :raises OSError: where there is none.
    :raises http.client.HTTPException: where it is no HTTP.
    """
    least, most = cast("tuple[int, int]", check.expect)
    headers = cast("tuple[tuple[str, str], ...]", check.headers)
    follows = not 300 <= least <= most <= 399
    first = here = urlsplit(check.url)
    for _ in range(MOST_REDIRECTS + 1):
        status, location = _get(here, first, headers, deadline)
        there = _joined(here, location) if follows and status in _REDIRECTS and location else None
        if there is None:
            return None if least <= status <= most else f"status {status}"
        if _origin(there) != _origin(first):
            words = f"status {status}, a redirect to another host, which is not followed"
            return None if least <= status <= most else words
        here = there
    return f"more than {MOST_REDIRECTS} redirects"


def _get(
    url: SplitResult, first: SplitResult, headers: tuple[tuple[str, str], ...], deadline: Deadline
) -> tuple[int, str | None]:
    """The status and the Location field. The credentials are those of `first`, never a redirect's."""
    scheme, host, port = _origin(first)
    names = {name.lower() for name, _ in headers}
    with closing(connected(host, port, deadline, _tls() if scheme == "https" else None)) as sock:
        client = HTTPConnection(host, port)
        client.default_port = _PORTS[scheme]  # which the Host field leaves out
        client.sock, client.auto_open = Connection(sock, deadline), 0
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        client.putrequest("GET", target, skip_host="host" in names, skip_accept_encoding=True)
        if "user-agent" not in names:
            client.putheader("User-Agent", "wsgiperf")
        if first.username is not None and "authorization" not in names:
            pair = f"{unquote(first.username)}:{unquote(first.password or '')}"
            client.putheader("Authorization", "Basic " + b64encode(pair.encode()).decode())
        for name, value in headers:
            client.putheader(name, value.encode("latin-1"))
        client.putheader("Connection", "close")
        client.endheaders()
        with client.getresponse() as response:
            body = response.read(_BODY)
            if response.length and len(body) < _BODY:  # which read() with a size doesn't complain of
                raise IncompleteRead(body, response.length)
            return response.status, response.headers.get("Location")


def _joined(here: SplitResult, location: str) -> SplitResult | None:
    try:
        there = urlsplit(urljoin(here.geturl(), location))
        _ = there.port
    except ValueError:
        return None
    return there


def _origin(url: SplitResult) -> tuple[str, str, int]:
    return url.scheme, url.hostname or "", url.port or _PORTS.get(url.scheme, 0)


def _tls() -> ssl.SSLContext:
    import ssl

    return ssl.create_default_context()
