"""A site behind a cache, at a time that stands still until it is moved."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.unit.client import Environ, Exchanged, Field, ask
from wsgiperf import CacheMiddleware
from wsgiperf.http.dates import format_date

__all__ = [
    "FRESH",
    "HOST",
    "HTML",
    "NOW",
    "OLD",
    "PASSWORD",
    "SESSION",
    "TAG",
    "Clock",
    "Origin",
    "came_from_store",
    "frozen",
    "get",
    "in_thread",
    "post",
    "stored",
    "until",
    "waiting",
    "warmed",
]

#: When the tests begin, in seconds since the epoch.
NOW = 1_800_000_000.0
HOST = "site.example"
FRESH = ("Cache-Control", "max-age=60")
TAG = ("ETag", '"v1"')
HTML = ("Content-Type", "text/html; charset=utf-8")
OLD = ("Last-Modified", format_date(NOW - 86_400))
SESSION = {"Cookie": "session=alice"}
PASSWORD = {"Authorization": "Basic YWxpY2U6cHc="}


class Clock:
    """Stands in for `wsgiperf.cache.clock.now`."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def frozen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    """Time stands still; journals and stores are this test's own."""
    clock = Clock()
    monkeypatch.setattr("wsgiperf.cache.clock.now", clock)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return clock


class Origin:
    """An application that numbers its answers.

    :param fields: the response's; a test may change them between two requests.
    :param body: makes the body of a request; without it the body is the number of the call.
    """

    def __init__(
        self, *fields: Field, status: str = "200 OK", body: Callable[[Environ], bytes] | None = None
    ) -> None:
        self.fields, self.status, self.body = list(fields), status, body
        self.seen: list[Environ] = []  #: the requests, as they came
        self.lock = threading.Lock()

    @property
    def calls(self) -> int:
        """How often it was called."""
        return len(self.seen)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        with self.lock:
            self.seen.append(dict(environ))
            number = len(self.seen)
        start_response(self.status, list(self.fields))
        return [self.body(environ) if self.body else b"call %d" % number]


def get(app: Any, path: str = "/", headers: dict[str, str] | None = None, **more: Any) -> Exchanged:
    """GET, with a Host."""
    return ask(app, path, headers={"Host": HOST, **(headers or {})}, **more)


def post(app: Any, path: str = "/", **more: Any) -> Exchanged:
    """POST, with a Host."""
    return ask(app, path, "POST", {"Host": HOST}, **more)


def stored(origin: Any, **options: Any) -> CacheMiddleware:
    """A cache that has the page already."""
    cache = CacheMiddleware(origin, **options)
    get(cache)
    return cache


def came_from_store(answer: Exchanged) -> bool:
    """Whether the application wasn't asked for it."""
    return "; hit" in (answer["Cache-Status"] or "")


def in_thread(call: Callable[[], Any]) -> Callable[[], Any]:
    """Run it beside; what is returned waits for the result."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result() -> Any:
        thread.join(20)
        assert results, "it hangs"
        return results[0]

    return result


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that another thread brings about."""
    end = monotonic() + 20
    while not holds():
        assert monotonic() < end, "it never came true"
        sleep(0.001)


def warmed(cache: CacheMiddleware) -> CacheMiddleware:
    """A cache that has its journal open: requests that come while that is done don't wait for each other."""
    cache._storage.get("http://nobody.example/", NOW)
    return cache


def waiting(cache: CacheMiddleware) -> int:
    """How many requests wait for another's response."""
    return sum(flight.joined for flight in list(cache._flights._under_way.values()))
