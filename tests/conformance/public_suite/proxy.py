"""A reverse proxy as a WSGI application, between the cache and the public suite's own origin server.

It is faithful: lines and their order as they came, nothing decoded, nothing followed, nothing retried. Fields
of the connection go no further (RFC 9110 section 7.6.1); a server that hangs up before it answered is a 502.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import quote

HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
     "proxy-authenticate", "proxy-authentication-info", "proxy-authorization")
)  # fmt: skip
BLOCK = 1 << 16


class Exchange:
    """One connection to the origin server, and the body that comes over it."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self.connection, self.response = connection, response

    def __iter__(self) -> Iterator[bytes]:
        while block := self.response.read1(BLOCK):
            yield block
        if self.response.length:  # read1 does not mind that a body breaks off
            raise ConnectionError(f"{self.response.length} bytes are missing")

    def close(self) -> None:
        self.response.close()
        self.connection.close()


def proxy(port: int):
    """An application that passes everything on to a server on this machine."""

    def application(environ, start_response):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            _send(connection, environ)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            start_response("502 Bad Gateway", [("Content-Type", "text/plain")])
            return [f"the origin server did not answer: {error!r}\n".encode()]
        exchange = Exchange(connection, response)
        start_response(f"{response.status} {response.reason or 'Unknown'}", _passed_on(response.getheaders()))
        if environ["REQUEST_METHOD"] == "HEAD" or response.status in (204, 304):
            exchange.close()
            return []
        return exchange

    return application


def _send(connection: http.client.HTTPConnection, environ) -> None:
    connection.putrequest(
        environ["REQUEST_METHOD"], _target(environ), skip_host=True, skip_accept_encoding=True
    )
    for name, value in environ.items():
        if (
            name.startswith("HTTP_")
            and (field := name[5:].replace("_", "-").title()).lower() not in HOP_BY_HOP
        ):
            connection.putheader(field, value.encode("latin-1"))
    if content_type := environ.get("CONTENT_TYPE"):
        connection.putheader("Content-Type", content_type)
    length = environ.get("CONTENT_LENGTH")
    body = environ["wsgi.input"].read(int(length)) if length else None
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Connection", "close")
    connection.endheaders(body)


def _target(environ) -> str:
    # Both servers keep the target as it came; a proxy must not change it (RFC 9110 section 7.7).
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if target:
        return target
    path = quote(environ["PATH_INFO"].encode("latin-1"))
    return f"{path}?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else path


def _passed_on(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """All but those of the connection, and what Connection names."""
    named = {
        option.strip().lower()
        for name, value in fields
        if name.lower() == "connection"
        for option in value.split(",")
    }
    return [(name, value) for name, value in fields if name.lower() not in HOP_BY_HOP | named]
