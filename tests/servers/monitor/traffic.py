"""Clients on raw sockets that keep their connections, and know of each request how it has to be counted."""

from __future__ import annotations

import random
import re
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from servers.client import HOST, request

from .serving import PATIENCE, Count, Site

LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
BODILESS = (b"204", b"304")


class Ask(NamedTuple):
    method: str
    target: str
    route: str
    status: str
    broken: bool = False  #: the response ends before its end
    counts_as: str = ""  #: what stands for the method, where that is none of HTTP's

    @property
    def key(self) -> tuple[str, str, str]:
        return self.route, self.counts_as or self.method, self.status


MIX = [
    (40, lambda pick: Ask("GET", f"/items/{pick(50)}", "/items/{id}", "200")),
    (8, lambda pick: Ask("HEAD", f"/items/{pick(50)}", "/items/{id}", "200")),
    (8, lambda pick: Ask("POST", f"/items/{pick(50)}", "/items/{id}", "201")),
    (4, lambda pick: Ask("DELETE", "/status/204", "/status/{code}", "204")),
    (4, lambda pick: Ask("GET", "/status/304", "/status/{code}", "304")),
    (4, lambda pick: Ask("GET", "/status/302", "/status/{code}", "302")),
    (4, lambda pick: Ask("PUT", "/status/503", "/status/{code}", "503")),
    (10, lambda pick: Ask("GET", f"/stream/{pick(4)}", "/stream/{blocks}", "200")),
    (8, lambda pick: Ask("GET", f"/nothing/{pick(10**6)}.php", "unmatched", "404")),
    (2, lambda pick: Ask("BREW", f"/items/{pick(50)}", "/items/{id}", "200", counts_as="_OTHER")),
    (2, lambda pick: Ask("OPTIONS", "/", "unmatched", "404")),
    (1, lambda pick: Ask("GET", "/raise", "/raise", "500")),
    (1, lambda pick: Ask("GET", "/late", "/late", "200", broken=True)),
]


def mixed(count: int, seed: int = 7) -> list[Ask]:
    """So many requests of all kinds, the same each time."""
    draw = random.Random(seed)
    makers = draw.choices([make for _, make in MIX], [share for share, _ in MIX], k=count)
    return [make(draw.randrange) for make in makers]


class _Client:
    """One connection, and the request under way on it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ask: Ask | None = None
        self.data = b""

    def over(self) -> bool:
        """Whether the response is here to its end."""
        head, found, body = self.data.partition(b"\r\n\r\n")
        if not found or self.ask is None:
            return False
        status = head[9:12]
        assert status.decode() == self.ask.status, (self.ask, head)
        if self.ask.method == "HEAD" or status in BODILESS:
            return True
        length = LENGTH.search(head)
        if length is not None:
            return len(body) >= int(length[1])
        return body.endswith(b"0\r\n\r\n")

    def lasts(self) -> bool:
        return b"\r\nconnection: close" not in self.data.partition(b"\r\n\r\n")[0].lower()


class Traffic:
    """Sends a plan over several connections, each with one request at a time.

    :param actions: by a number of answers, what is done when so many have come; answers wait meanwhile.
    """

    def __init__(
        self,
        served: Site,
        plan: list[Ask],
        connections: int = 24,
        actions: Mapping[int, Callable[[], object]] | None = None,
    ) -> None:
        self._served, self._plan, self._actions = served, iter(plan), dict(actions or {})
        self._poll = select.poll()
        self._clients: dict[int, _Client] = {}
        self.answered: Count = Counter()
        self.cut: Count = Counter()  #: the connection ended before the response
        self.seconds = 0.0
        self._connections = connections

    def run(self) -> Traffic:
        began = heard = time.monotonic()
        for _ in range(self._connections):
            self._open()
        while self._clients:
            ready = self._poll.poll(1000)
            now = time.monotonic()
            heard = now if ready else heard
            assert now - heard < PATIENCE, [client.ask for client in self._clients.values()]
            for number, _ in ready:
                self._read(number)
        self.seconds = time.monotonic() - began
        self._served.sent += self.answered
        return self

    def _open(self) -> None:
        client = _Client(self._served.port)
        self._clients[client.socket.fileno()] = client
        self._poll.register(client.socket, select.POLLIN)
        self._next(client)

    def _close(self, client: _Client) -> None:
        self._poll.unregister(client.socket)
        del self._clients[client.socket.fileno()]
        client.socket.close()

    def _next(self, client: _Client) -> None:
        client.ask, client.data = next(self._plan, None), b""
        if client.ask is None:
            self._close(client)
            return
        body = b"" if client.ask.method == "POST" else None
        try:
            client.socket.sendall(request(client.ask.method, client.ask.target, body=body))
        except ConnectionError:
            self._broken(client)

    def _read(self, number: int) -> None:
        client = self._clients[number]
        try:
            data = client.socket.recv(262144)
        except ConnectionError:
            data = b""
        client.data += data
        if not data:
            self._broken(client)
        elif client.over():
            self._done(client)
            if client.lasts():
                self._next(client)
            else:
                self._close(client)
                self._open()

    def _done(self, client: _Client) -> None:
        assert client.ask is not None
        self.answered[client.ask.key] += 1
        action = self._actions.pop(self.answered.total(), None)
        if action is not None:
            action()

    def _broken(self, client: _Client) -> None:
        assert client.ask is not None
        if client.ask.broken and b"\r\n\r\n" in client.data:
            self._done(client)
        else:
            self.cut[client.ask.key] += 1
        self._close(client)
        self._open()
