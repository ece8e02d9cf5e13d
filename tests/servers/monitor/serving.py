"""A gunicorn with the monitor, of whose master nothing is asked: no hook, nothing installed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from servers.client import Answer, Connection, request

T = TypeVar("T")

HERE = Path(__file__).parent
PATIENCE = 30.0
ROUTES = (
    "/items/{id}", "/stream/{blocks}", "/status/{code}", "/raise", "/late", "/endless", "/gate/{name}",
    "/where", "/mark/{name}",
)  # fmt: skip
MODELS = {
    "gthread": ("--worker-class=gthread", "--threads=4"),
    "gevent": ("--worker-class=gevent",),
    "sync": ("--worker-class=sync",),
}

Count = Counter[tuple[str, str, str]]  # by route, method and status


def until(true: Callable[[], T], within: float = PATIENCE, otherwise: Callable[[], object] = lambda: "") -> T:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + within
    while not (found := true()):
        assert time.monotonic() < deadline, f"not within {within} s: {otherwise()}"
        time.sleep(0.01)
    return found


class Site:
    """One gunicorn.

    :param state: a directory for its log, and for the monitor's file.
    :param kind: how the application is put together.
    :param options: the monitor's.
    :param before: a command in front of gunicorn's.
    :param files: where the monitor finds a place for its file, where that isn't in `state`.
    """

    def __init__(
        self,
        state: Path,
        arguments: Sequence[str],
        *,
        workers: int,
        kind: str,
        options: Mapping[str, Any],
        before: Sequence[str] = (),
        files: Path | None = None,
    ) -> None:
        self.state, self.workers = state, workers
        self.sent: Count = Counter()  #: what was answered, as it should be counted
        self._log = state / "log"
        self._connections: list[Connection] = []
        self.files = files or state / "tmp"
        for needed in (state, self.files):
            needed.mkdir(parents=True, exist_ok=True)
        environ = {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")])),
            "STATE": str(state), "TMPDIR": str(self.files), "KIND": kind,
            "MONITOR": json.dumps({"access": "loopback", "routes": ROUTES, **options}),
        }  # fmt: skip
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *before, sys.executable, "-m", "gunicorn", "--no-control-socket", "--bind=127.0.0.1:0",
                    f"--workers={workers}", "--keep-alive=60", "--timeout=60", "--graceful-timeout=10",
                    "--backlog=512", *arguments, "monitored:application",
                ],
                cwd=state, env={**os.environ, **environ}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_until_ready(self) -> None:
        found = until(self._listening, otherwise=lambda: self.log)
        self.port = int(found[1])
        until(lambda: self.log.count("Booting worker") >= self.workers, otherwise=lambda: self.log)

    def _listening(self) -> re.Match[str] | None:
        assert self.process.poll() is None, self.log
        return re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", self.log)

    def connect(self) -> Connection:
        connection = Connection(self.port, PATIENCE)
        self._connections.append(connection)
        return connection

    def ask(
        self, target: str, *fields: tuple[str, str], on: Connection | None = None, method: str = "GET"
    ) -> Answer:
        connection = on or self.connect()
        try:
            connection.send(request(method, target, *fields))
            return connection.answer(method)
        finally:
            if on is None:
                connection.leave()

    def one_each(self, gone: Iterator[int] | Sequence[int] = ()) -> dict[int, Connection]:
        """An open connection to each worker, by process ID.

        :param gone: workers that are about to end.
        """
        found: dict[int, Connection] = {}
        ignored = set(gone)

        def complete() -> bool:
            # Several at once, or one worker would take them all.
            several = [self.connect() for _ in range(2 * self.workers)]
            for connection in several:
                connection.send(request("GET", "/where"))
            for connection in several:
                pid = int(connection.answer().content)
                self.sent["/where", "GET", "200"] += 1
                if pid in ignored or found.setdefault(pid, connection) is not connection:
                    connection.leave()
            return len(found) >= self.workers

        until(complete, otherwise=lambda: (list(found), self.log))
        return found

    def stats(self, on: Connection | None = None) -> dict[str, Any]:
        answer = self.ask("/_stats/json", on=on)
        assert answer.status == 200, (answer, self.log)
        told: dict[str, Any] = json.loads(answer.content)
        return told

    def metrics(self, on: Connection | None = None) -> str:
        answer = self.ask("/_stats/metrics", on=on)
        assert answer.status == 200, (answer, self.log)
        return answer.content.decode()

    def slab_files(self) -> list[Path]:
        return [path for path in self.files.rglob("*") if path.is_file() and path.suffix == ".slabs"]

    def stop(self) -> None:
        for connection in self._connections:
            connection.leave()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # a session of its own; there is nothing to tidy
        self.process.wait()


@contextmanager
def site(
    folder: Path,
    *arguments: str,
    model: str = "gthread",
    workers: int = 4,
    kind: str = "part",
    files: Path | None = None,
    **options: Any,
) -> Iterator[Site]:
    """A gunicorn while the block runs; `options` are the monitor's."""
    command = [*MODELS[model], *arguments]
    started = Site(folder, command, workers=workers, kind=kind, options=options, files=files)
    try:
        started.wait_until_ready()
        yield started
    finally:
        started.stop()


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
