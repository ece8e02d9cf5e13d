"""A receiver of webhooks on loopback that answers as a test wants, and keeps what it was sent."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

PATIENCE = 20.0

OK = b"HTTP/1.1 204 No Content\r\n\r\n"
Answer = Callable[[socket.socket, threading.Event], None]


def saying(head: bytes) -> Answer:
    return lambda connection, stopped: connection.sendall(head)


def silent(connection: socket.socket, stopped: threading.Event) -> None:
    """Until the client goes or the test is over."""
    connection.settimeout(PATIENCE)
    connection.recv(1)


def dripping(connection: socket.socket, stopped: threading.Event) -> None:
    """A byte at a time, each sooner than any single time limit."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not stopped.wait(0.05):
        connection.sendall(b"x")


class Request:
    def __init__(self, head: bytes, body: bytes) -> None:
        line, *fields = head.decode("latin-1").split("\r\n")
        self.line = line
        self.fields = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
        self.body: dict[str, Any] = json.loads(body)


class Receiver:
    """One after the other, the answers; the last for all that come after."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.answers, self.requests = list(answers), list[Request]()
        self.stopped = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?to=ops"

    def serve(self) -> None:
        while not self.stopped.is_set():
            with suppress(OSError):
                connection, _ = self.listener.accept()
                with connection:
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        received = b""
        while b"\r\n\r\n" not in received:
            more = connection.recv(65536)
            if not more:
                return
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        length = int(dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])[b"Content-Length"])
        while len(body) < length:
            body += connection.recv(65536)
        number = min(len(self.requests), len(self.answers) - 1)
        self.requests.append(Request(head, body))
        self.answers[number](connection, self.stopped)


@contextmanager
def receiving(*answers: Answer) -> Iterator[Receiver]:
    receiver = Receiver(answers)
    thread = threading.Thread(target=receiver.serve, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.stopped.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", receiver.port), 1).close()
        thread.join(PATIENCE)
        receiver.listener.close()
        assert not thread.is_alive()
