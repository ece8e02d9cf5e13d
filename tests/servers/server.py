"""The servers of the contract, and a running one."""

import importlib.util
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from . import payload
from .client import Answer, Connection, request

TESTS = Path(__file__).parents[1]
APPLICATION = "servers.application:application"

GUNICORN = [
    "-m", "gunicorn", APPLICATION, "--bind=127.0.0.1:0", "--workers=1", "--no-control-socket",
    "--graceful-timeout=2",
]  # fmt: skip
UWSGI = [
    "-c", "import pyuwsgi; pyuwsgi.run()", f"--mount={payload.MOUNT}={APPLICATION}",
    "--manage-script-name", "--single-interpreter", "--need-app", "--master", "--die-on-term",
    "--threads=4",
]  # fmt: skip
# uWSGI has two ways of speaking HTTP. The worker's own socket ends each answer by closing; the
# router in front adds keep-alive, chunked answers and Expect, and hides how a worker broke off.
UWSGI_SOCKET = [*UWSGI, "--http-socket=127.0.0.1:0"]
UWSGI_ROUTER = [
    *UWSGI, "--shared-socket=127.0.0.1:0", "--http==0", "--http-keepalive", "--http-auto-chunked",
    "--http-chunked-input", "--http-manage-expect",
]  # fmt: skip
WAITRESS = [
    "-m", "waitress", "--listen=127.0.0.1:0", f"--url-prefix={payload.MOUNT}", APPLICATION,
]  # fmt: skip


@dataclass(frozen=True)
class Server:
    name: str
    arguments: list[str]
    needs: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    # Where the log tells which free port was taken.
    port: str = r"listening on 127\.0\.0\.1:(\d+)"

    def missing(self) -> list[str]:
        return [module for module in self.needs if importlib.util.find_spec(module) is None]


def gunicorn(worker: str, *options: str, needs: tuple[str, ...] = ()) -> Server:
    return Server(
        f"gunicorn-{worker}",
        [*GUNICORN, f"--worker-class={worker}", *options],
        ("gunicorn", *needs),
        {"SCRIPT_NAME": payload.MOUNT},
        r"Listening at: http://127\.0\.0\.1:(\d+)",
    )


SERVERS = {
    server.name: server
    for server in (
        gunicorn("sync"),
        gunicorn("gthread", "--threads=4"),
        gunicorn("gevent", needs=("gevent",)),
        Server("waitress", WAITRESS, ("waitress",), port=r"Serving on http://127\.0\.0\.1:(\d+)"),
        Server("cheroot", ["-m", "servers.serve", "cheroot"], ("cheroot",)),
        Server("uwsgi", UWSGI_SOCKET, ("pyuwsgi",), port=r"TCP address 127\.0\.0\.1:(\d+)"),
        Server("uwsgi-router", UWSGI_ROUTER, ("pyuwsgi",), port=r"http bound on 127\.0\.0\.1:(\d+)"),
        Server("wsgiref", ["-m", "servers.serve", "wsgiref"]),
        # The standard library's validator on both sides of the wrapper.
        Server("validated", ["-m", "servers.serve", "wsgiref"], environ={"VALIDATE": "1"}),
    )
}


class Site:
    """One server process with the application, bare or wrapped."""

    def __init__(self, server: Server, app: str, state: Path) -> None:
        self.server = server
        self.state = state
        self.log_path = state / "log"
        self.tokens = (f"request-{number}" for number in itertools.count(1))
        self.timeout = 30.0
        (state / payload.FILE_NAME).write_bytes(payload.FILE_BYTES)
        (state / payload.TEXT_FILE_NAME).write_bytes(payload.TEXT_FILE_BYTES)
        environ = {
            **os.environ, **server.environ, "APP": app, "STATE": str(state),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")])),
        }  # fmt: skip
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *server.arguments],
                cwd=state,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Started apart from waiting, so that several sites start at the same time."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(self.server.port, self.log()):
                self.port = int(found[1])
                with suppress(AssertionError, OSError):
                    self.worker()
                    return
            time.sleep(0.02)
        raise RuntimeError(f"{self.server.name} did not start:\n{self.log()}")

    def stop(self) -> bool:
        """Whether asking politely was enough."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(timeout=6)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            return False
        return True

    @contextmanager
    def patience(self, seconds: float) -> Iterator[None]:
        """Waits no longer than this for anything."""
        usual, self.timeout = self.timeout, seconds
        try:
            yield
        finally:
            self.timeout = usual

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def connect(self) -> Connection:
        return Connection(self.port, self.timeout)

    def request(
        self,
        route: str,
        accept: str,
        token: str = "",
        *,
        fields: Iterable[tuple[str, str]] = (),
        method: str = "GET",
        version: str = "1.1",
        body: bytes | None = None,
        close: bool = False,
    ) -> bytes:
        target = f"{payload.MOUNT}/{route}?token={token or next(self.tokens)}"
        fields = [("Accept-Encoding", accept), *fields]
        if close:
            fields.append(("Connection", "close"))
        return request(method, target, *fields, version=version, body=body)

    def ask(self, route: str, accept: str, *fields: tuple[str, str], method: str = "GET") -> Answer:
        """One request on a connection of its own, and what the application must see of its end."""
        token = next(self.tokens)
        with self.connect() as connection:
            connection.send(self.request(route, accept, token, fields=fields, method=method))
            answer = connection.answer(method)
        self.expect_closed_once(token)
        return answer

    def worker(self) -> str:
        """The process that answers now."""
        return self.ask("process", "identity").content.decode()

    def files_sent(self) -> int:
        """How many files the server has sent so far without reading them in Python."""
        return len(self.recorded("sendfile")) + self.log().count("via sendfile()")

    def gate(self, token: str) -> "Gate":
        return Gate(self.state / f"{token}.gate")

    def recorded(self, name: str) -> list[str]:
        path = self.state / name
        return path.read_text().split("\n")[:-1] if path.exists() else []

    def expect_closed_once(self, token: str) -> None:
        """What the application opened for this request was closed, and once."""
        self.until(lambda: len(self.recorded(token)) != 1, "opened and not closed")
        assert self.recorded(token) in ([], ["opened", "closed"])

    def until(self, true: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + self.timeout
        while not true():
            assert time.monotonic() < deadline, f"{otherwise} within {self.timeout} s"
            time.sleep(0.005)


class Gate:
    """Lets a waiting application go on.

    It is a pipe, since a server with one worker serves no second request meanwhile.
    """

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        # Open for reading too, or opening would wait for the application.
        self.pipe = os.open(path, os.O_RDWR)

    def __enter__(self) -> "Gate":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.pipe)

    def release(self, times: int = 1) -> None:
        os.write(self.pipe, b"." * times)
