"""A private redis-server that tests may stop, kill and hang; and one that says what a test wants."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PROGRAM = "redis-server"
PATIENCE = 60.0


def until(true: Callable[[], object], within: float = PATIENCE) -> None:
    """Wait for something to become true. What raises isn't."""
    deadline = time.monotonic() + within
    while True:
        with suppress(Exception):
            if true():
                return
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.005)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """One redis-server, on loopback, that keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """On the same port as the last time, so that clients find it again."""
        for _ in range(5):
            with (self.folder / "log").open("ab") as log:
                self.process = subprocess.Popen(
                    [
                        PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                        "--appendonly", "no", "--dir", str(self.folder), "--enable-debug-command", "yes",
                    ],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
            with suppress(AssertionError):
                until(lambda: self.process.poll() is not None or self.answers())
                if self.process.poll() is None:
                    return
            self.stop()
            self.port = free_port()  # another program was quicker
        raise RuntimeError(f"no {PROGRAM}:\n{(self.folder / 'log').read_text()}")

    def answers(self) -> bool:
        return self.say("PING") == b"+PONG\r\n"

    def say(self, command: str) -> bytes:
        """One command in one line, and the beginning of its reply."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(command.encode() + b"\r\n")
            return connection.recv(65536)

    def connections(self) -> int:
        """How many clients are connected, but for the one that asks."""
        return self.say("CLIENT LIST TYPE normal").count(b"id=") - 1

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """It hangs: the kernel still accepts connections and bytes for it, and nothing comes back."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.resume()
            self.process.send_signal(how)
            self.process.wait(PATIENCE)


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """A server for as long as the block runs; skips, or fails where all programs have to be there."""
    if shutil.which(PROGRAM) is None:
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says(f"{PROGRAM} is not installed")
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.kill()


class ScriptedRedis:
    """Answers each command with what `reply` makes of its words: pieces of bytes; after None it stalls.

    Commands about the connection are answered well.
    """

    def __init__(self, reply: Callable[[list[bytes]], Iterator[bytes | None]]) -> None:
        self._reply = reply
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listener]
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self.connections = 0
        self._threads = [self._start(self._accept)]

    def __enter__(self) -> ScriptedRedis:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    @staticmethod
    def _start(target: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        thread.start()
        return thread

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                self._threads.append(self._start(self._serve, connection))

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection, connection.makefile("rb") as stream:
            while line := stream.readline():
                words = []
                for _ in range(int(line[1:])):
                    size = int(stream.readline()[1:])
                    words.append(stream.read(size + 2)[:-2])
                if words[0] in (b"CLIENT", b"SELECT"):
                    connection.sendall(b"+OK\r\n")
                    continue
                for piece in self._reply(words):
                    if piece is None:  # until the client has had enough
                        stream.read(1)
                        return
                    connection.sendall(piece)
