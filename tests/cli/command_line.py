"""How the tests run a command: to its end, or as a server that is asked to stop."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

from wsgiperf.configuration import ALIASES, PREFIX

COMMAND = [sys.executable, "-W", "error::ResourceWarning", "-m", "wsgiperf"]
# What a shell may have set that a command listens to.
HEARD = {*ALIASES, "APP", "PORT", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS", "DJANGO_SETTINGS_MODULE"}


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without anything that would change what is tested, and what is given."""
    kept = {n: v for n, v in os.environ.items() if n not in HEARD and not n.startswith(PREFIX)}
    return kept | {"PYTHONUNBUFFERED": "1"} | given


def hear_ctrl_c() -> None:
    """In a new process: what started the tests may have it ignore Ctrl-C, as shells do in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(*arguments: str, command: list[str] = COMMAND, cwd: Path | None = None, **given: str):
    """Run a command to its end."""
    return subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        env=environment(given),
        stdin=subprocess.DEVNULL,
    )


def without(*packages: str) -> list[str]:
    """The command line as it is where packages are not installed."""
    hidden = f"import sys; sys.modules.update(dict.fromkeys({packages!r}))"
    return [sys.executable, "-c", f"{hidden}; from wsgiperf.cli import main; main()"]


def said(done) -> str:
    """What a command that failed wrote: a line for people, and no traceback."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


class Server:
    """A command that serves, in a process group of its own as a terminal starts it."""

    def __init__(self, log: Path, *arguments: str, cwd: Path | None = None, **given: str) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*COMMAND, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=cwd,
                env=environment(given),
                start_new_session=True,
                preexec_fn=hear_ctrl_c,
            )

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):  # usually all are gone
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def expect(self, pattern: str, within: float = 60) -> re.Match[str]:
        """Wait until the log holds something."""
        deadline = time.monotonic() + within
        while not (found := re.search(pattern, self.log)):
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)
        return found

    def interrupt(self) -> int:
        """What Ctrl-C does: the signal reaches every process of the group. Gives the exit code."""
        return self.stop(signal.SIGINT, whole_group=True)

    def stop(self, number: signal.Signals, *, whole_group: bool = False) -> int:
        (os.killpg if whole_group else os.kill)(self._process.pid, number)
        return self._process.wait(timeout=30)

    def expect_nothing_left(self) -> None:
        """No process of the group is alive."""
        deadline = time.monotonic() + 10
        with suppress(ProcessLookupError):
            while time.monotonic() < deadline:
                os.killpg(self._process.pid, 0)
                time.sleep(0.02)
            raise AssertionError(f"a process outlived the command:\n{self.log}")


def wait_for_workers(port: int, many: int) -> None:
    """Until so many processes have answered, which say in X-Worker who they are."""
    found: set[str] = set()
    deadline = time.monotonic() + 60
    while len(found) < many:
        assert time.monotonic() < deadline, found
        # Several at once, or one would take them all.
        connections = [HTTPConnection("127.0.0.1", port, timeout=30) for _ in range(4 * many)]
        for connection in connections:
            connection.request("GET", "/", headers={"Connection": "close"})
        for connection in connections:
            with connection.getresponse() as response:
                found.add(response.headers["X-Worker"])
                response.read()
            connection.close()


def get(port: int, path: str = "/", **headers: str) -> HTTPResponse:
    """One answer, its body read and kept as `content`."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={n.replace("_", "-"): v for n, v in headers.items()})
        response = connection.getresponse()
        response.content = response.read()
        return response
    finally:
        connection.close()
