"""The socket a server is to listen on, opened before the server starts.

The server inherits it. A taken port is therefore known at once (gunicorn would try for five seconds), and
between asking and starting nobody else can take it.
"""

from __future__ import annotations

import errno
import socket

from wsgiperf.cli.problem import Problem

__all__ = ["listen", "split_address"]

BACKLOG = 2048  # gunicorn's own default: it leaves a socket that listens already as it is


def listen(host: str, port: int, advice: str) -> socket.socket:
    """A listening socket that a program started by `exec` keeps.

    :param advice: what to do where the port is taken.
    :raises Problem: when it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        where = f"port {port} of {host}"
        if error.errno == errno.EADDRINUSE:
            raise Problem(f"{where} is taken by another program: {advice}") from error
        raise Problem(f"cannot listen on {where}: {error.strerror}") from error
    listener.set_inheritable(True)
    return listener


def split_address(address: str) -> tuple[str, int]:
    """`127.0.0.1:8000` or `[::1]:8000` as host and port.

    :raises Problem: for anything else.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise Problem(f"--bind takes HOST:PORT or unix:PATH, not {address!r}")
    return host.strip("[]") or "0.0.0.0", int(port)
