"""Connections with one time limit for everything that is done on them.

A socket's own timeout begins anew with every byte that arrives, so who sends one byte a second is never late.
"""

from __future__ import annotations

import socket
from io import BufferedReader, RawIOBase
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

__all__ = ["Connection", "Deadline", "connected", "connected_to_file"]


class Deadline:
    """The moment at which all has to be done.

    :param seconds: from now on.
    """

    __slots__ = ("_at",)

    def __init__(self, seconds: float) -> None:
        self._at = monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left.

        :raises TimeoutError: where there are none.
        """
        left = self._at - monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left


class Connection:
    """As much of a socket as `http.client` uses, each call within the deadline.

    `close` leaves the socket open: its maker closes it, after the answer was read.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline

    def sendall(self, data: Any) -> None:
        """Send all of it."""
        self._sock.settimeout(self._deadline.left())
        self._sock.sendall(data)

    def makefile(self, mode: str = "rb") -> BufferedReader:
        """What arrives, as a binary stream; there is no other mode."""
        return BufferedReader(_Arriving(self._sock, self._deadline))

    def close(self) -> None:
        """Nothing: see above."""


class _Arriving(RawIOBase):
    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._deadline.left())
        return self._sock.recv_into(buffer)


def connected(host: str, port: int, deadline: Deadline, tls: ssl.SSLContext | None = None) -> socket.socket:
    """A connection to the first of the host's addresses that accepts one.

    Names are resolved by the system, whose own time limits hold for that.

    :param tls: does the handshake, too, and verifies for the host.
    :raises OSError: where none accepts (the last one's error) or the deadline passes (TimeoutError).
    """
    last: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            sock.settimeout(deadline.left())
            sock.connect(address)
            return sock if tls is None else tls.wrap_socket(sock, server_hostname=host)
        except BaseException as error:
            if sock is not None:
                sock.close()
            if not isinstance(error, OSError):
                raise
            deadline.left()
            last = error
    raise last


def connected_to_file(path: str, deadline: Deadline) -> socket.socket:
    """A connection to a socket file.

    :raises OSError: as `connected` does.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(deadline.left())
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return sock
