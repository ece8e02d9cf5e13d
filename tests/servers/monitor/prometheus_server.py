"""A site with the monitor's metrics, and a real Prometheus that scrapes it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from unit.monitor.endpoint.figures import Request, a_board, a_snapshot

from servers.redis_server import free_port
from wsgiperf.exchange import Exchange, Response
from wsgiperf.monitor.endpoint.access import Access
from wsgiperf.monitor.endpoint.routing import Endpoint
from wsgiperf.wsgi import Middleware

TOKEN = "a token of these tests: #1"
PATIENCE = 30.0

CONFIGURATION = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: bearer
    metrics_path: /_stats/metrics
    authorization: {{type: Bearer, credentials_file: token}}
    static_configs: [targets: ["127.0.0.1:{port}"]]
  - job_name: basic
    metrics_path: /metrics/
    basic_auth: {{username: prometheus, password_file: token}}
    static_configs: [targets: ["127.0.0.1:{port}"]]
  - job_name: nobody
    metrics_path: /_stats/metrics
    static_configs: [targets: ["127.0.0.1:{port}"]]
"""


def until(true: Callable[[], Any], otherwise: Callable[[], object] = lambda: "") -> Any:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {otherwise()}"
        time.sleep(0.05)
    return found


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing."""


class Pages(Middleware):
    """The monitor's pages, of requests that a test makes up."""

    def __init__(self, requests: list[Request]) -> None:
        self.requests = requests
        self.accepted: set[str] = set()
        self._endpoint = Endpoint("/_stats", "/metrics", Access("token", TOKEN), self._snapshot, self._board)
        super().__init__(self._nothing)

    def on_request(self, exchange: Exchange) -> Response | None:
        self.accepted.add(exchange.environ.get("HTTP_ACCEPT", ""))
        return self._endpoint.answer(exchange)

    def _snapshot(self) -> Any:
        return a_snapshot([*self.requests], taken=time.time(), started=time.time() - 60)

    def _board(self) -> dict[str, Any]:
        return a_board(at=time.time())

    @staticmethod
    def _nothing(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [])
        return []


@contextmanager
def served(pages: Pages) -> Iterator[int]:
    """The port that the pages are at."""
    with make_server("127.0.0.1", 0, pages, server_class=_Server, handler_class=_Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class Prometheus:
    """A running one.

    :param folder: for its configuration, its data and its log.
    """

    def __init__(self, folder: Path, site: int) -> None:
        self._folder, self._log = folder, folder / "log"
        (folder / "token").write_text(TOKEN)
        (folder / "prometheus.yml").write_text(CONFIGURATION.format(port=site))
        self._start()

    def _start(self) -> None:
        self._port, folder = free_port(), self._folder
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "prometheus", f"--config.file={folder / 'prometheus.yml'}", "--log.level=warn",
                    f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{self._port}",
                ],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def wait_until_ready(self) -> None:
        """Until it has scraped something."""

        def scraped() -> bool:
            if self._process.poll() is not None and "address already in use" in self.log:
                self._start()  # another program was quicker to take the port
            return bool(self.query("up"))

        until(scraped, lambda: self.log)

    @property
    def log(self) -> str:
        """What it complained of."""
        return self._log.read_text()

    def ask(self, path: str, **query: str) -> Any:
        """The data of an answer of its API; None while it doesn't listen, or listens and isn't ready yet."""
        assert self._process.poll() is None, self.log
        try:
            with urlopen(
                f"http://127.0.0.1:{self._port}/api/v1/{path}?{urlencode(query)}", timeout=PATIENCE
            ) as answer:
                return json.load(answer)["data"]
        except ConnectionError:
            return None
        except OSError as error:
            if isinstance(error, HTTPError) and error.code == 503:
                return None
            if isinstance(getattr(error, "reason", None), ConnectionError):
                return None
            raise AssertionError(f"{path} {query}: {error}: {getattr(error, 'read', bytes)()!r}") from error

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Labels and values, as they are now."""
        found = self.ask("query", query=expression)
        return [(one["metric"], float(one["value"][1])) for one in found["result"]] if found else []

    def number(self, expression: str) -> float | None:
        """The only value; None while there is none."""
        found = self.query(expression)
        assert len(found) < 2, found
        return found[0][1] if found else None

    def stop(self) -> None:
        """It has nothing to tidy up."""
        self._process.kill()
        self._process.wait()


@contextmanager
def running_prometheus(folder: Path, site: int) -> Iterator[Prometheus]:
    """One for as long as the block runs; skips, or fails where all programs have to be there."""
    if shutil.which("prometheus") is None:
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says("prometheus is not installed (Debian: apt install prometheus)")
    started = Prometheus(folder, site)
    try:
        yield started
    finally:
        started.stop()
