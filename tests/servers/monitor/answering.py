"""A server that answers as a test says, byte by byte; and what a check's time limit has to look like."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from wsgiperf.monitor.health.checks import Outcome

LIMIT = 0.5
#: What a machine that is busy adds to the limit.
SLACK = 1.0

Answer = Callable[[socket.socket], None]


class Server:
    """Answers each connection as its path says, byte by byte as a test wants it."""

    def __init__(self, answers: dict[str, Answer], tls: ssl.SSLContext | None = None) -> None:
        self._answers, self._tls = answers, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests: list[str] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(10)
            if self._tls is None:
                self._reply(connection)
            else:
                with self._tls.wrap_socket(connection, server_side=True) as secure:
                    self._reply(secure)

    def _reply(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request and (piece := connection.recv(65536)):
            request += piece
        self.requests.append(request.decode("latin-1"))
        if request:
            self._answers[request.split(b" ")[1].decode()](connection)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(15)


@contextmanager
def serving(tls: ssl.SSLContext | None = None, **answers: Answer) -> Iterator[Server]:
    """Answers by path, where a name stands for a path of that name."""
    server = Server({f"/{name}": answer for name, answer in answers.items()}, tls)
    try:
        yield server
    finally:
        server.close()


def says(text: str) -> Answer:
    """All at once."""
    return lambda connection: connection.sendall(text.replace("\n", "\r\n").encode())


def status(code: int, *fields: str) -> Answer:
    """An answer without a body."""
    return says("\n".join((f"HTTP/1.1 {code} Whatever", "Content-Length: 0", *fields, "", "")))


def drips(text: str) -> Answer:
    """A byte every 50 ms: each arrives long before a socket's own timeout."""

    def answer(connection: socket.socket) -> None:
        for byte in text.replace("\n", "\r\n").encode():
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    return answer


def hangs(connection: socket.socket) -> None:
    """Until the client goes."""
    connection.recv(1)


def begins(connection: socket.socket) -> None:
    """And never ends."""
    says("HTTP/1.1 200 OK\nContent-Length: 1000\n\nx")(connection)
    hangs(connection)


def late(outcome: Outcome) -> bool:
    """Whether the limit ended it, and in time."""
    return (
        not outcome.ok
        and outcome.error == f"timed out after {LIMIT} s"
        and LIMIT <= outcome.seconds < LIMIT + SLACK
    )


def certificate_in(folder: Path) -> Path:
    """A certificate for 127.0.0.1, signed by itself, with its key behind it."""
    if shutil.which("openssl") is None:
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says("openssl is not installed")
    path = folder / "both.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "both.pem",
        ],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    path.write_text(path.read_text() + (folder / "key.pem").read_text())
    return path


def tls_of(certificate: Path) -> ssl.SSLContext:
    """A server's side of TLS with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
