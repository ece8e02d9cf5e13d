"""The Redis check: AUTH where the URL has a password, and PING.

Spoken by hand (RESP, the Redis serialization protocol): redis-py sends several commands to open a connection
and gives each the whole time limit, where here all together have one.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from wsgiperf.monitor.health.connecting import Connection, Deadline, connected, connected_to_file

if TYPE_CHECKING:
    import ssl

__all__ = ["ping"]

_PORT = 6379
#: Bytes of a reply's line that are read; an error fits.
_LINE = 1000


def ping(url: str, deadline: Deadline) -> str | None:
    """What is wrong with the server; None where nothing is.

    :raises OSError: where it can't be reached or says nothing in time.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if parts.scheme == "unix":
        sock = connected_to_file(unquote(parts.path), deadline)
    else:
        tls = _tls(options) if parts.scheme == "rediss" else None
        sock = connected(parts.hostname or "", parts.port or _PORT, deadline, tls)
    with closing(sock):
        connection = Connection(sock, deadline)
        stream = connection.makefile()
        credentials = _credentials(parts, options)
        if credentials:
            connection.sendall(_command("AUTH", *credentials))
            if (reply := _reply(stream)) != "+OK":
                return f"AUTH was answered {reply!r}"
        connection.sendall(_command("PING"))
        reply = _reply(stream)
        return None if reply == "+PONG" else f"PING was answered {reply!r}"


def _credentials(parts: SplitResult, options: dict[str, str]) -> list[str]:
    user = unquote(parts.username or "") or options.get("username", "")
    password = unquote(parts.password or "") or options.get("password", "")
    if not password:
        return []
    return [user, password] if user else [password]


def _command(*words: str) -> bytes:
    encoded = [word.encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)


def _reply(stream: BinaryIO) -> str:
    line = stream.readline(_LINE)
    if not line:
        raise ConnectionError("the server closed the connection")
    return line.decode("latin-1").rstrip("\r\n")


def _tls(options: dict[str, str]) -> ssl.SSLContext:
    """Verified, unless the URL says in redis-py's words that it isn't to be."""
    import ssl

    context = ssl.create_default_context(cafile=options.get("ssl_ca_certs"))
    if certificate := options.get("ssl_certfile"):
        context.load_cert_chain(certificate, options.get("ssl_keyfile"))
    if options.get("ssl_check_hostname", "").lower() in ("false", "no", "0"):
        context.check_hostname = False
    if options.get("ssl_cert_reqs") == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
