"""The real middleware without a server: durations that are known, and a strict server in front."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from math import ceil
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

import wsgiperf
from wsgiperf import exchange
from wsgiperf.monitor.recording import recorder

WITHIN = 0.02
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}

Application = Callable[..., Iterable[bytes]]


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/raise":
        raise LookupError("no such shelf")
    status = "404 Not Found" if environ["PATH_INFO"] == "/none" else "200 OK"
    start_response(status, [("Content-Type", "text/plain")])
    return [b"page"] if environ["REQUEST_METHOD"] != "HEAD" else []


def ask(app: Application, path: str, method: str = "GET", **fields: str) -> tuple[str, bytes]:
    environ: dict[str, Any] = {"SCRIPT_NAME": "", "PATH_INFO": path, "REQUEST_METHOD": method, **fields}
    setup_testing_defaults(environ)
    environ |= {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost", "QUERY_STRING": ""}
    heads: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], object]:
        heads.append(status)
        return lambda data: None

    body = app(environ, start_response)
    try:
        content = b"".join(body)
    finally:
        getattr(body, "close", lambda: None)()
    return heads[-1], content


def lognormal(middle: float, spread: float) -> list[float]:
    draw = random.Random(11)
    return [middle * draw.lognormvariate(0.0, spread) for _ in range(20_000)]


@pytest.mark.parametrize(
    "durations",
    [
        pytest.param(lognormal(0.040, 1.0), id="milliseconds"),
        pytest.param(lognormal(0.0002, 0.7), id="microseconds"),
        pytest.param(lognormal(2.0, 0.5), id="seconds"),
        pytest.param(lognormal(0.010, 0.1) * 4 + lognormal(1.5, 0.1), id="two humps"),
    ],
)
def test_quantiles_are_near(own_files: Path, monkeypatch: pytest.MonkeyPatch, durations: list[float]) -> None:
    """Within 2% of the durations themselves, by endpoint and in all; sums and extremes are exact."""
    app = wsgiperf.MonitorMiddleware(
        application, access="loopback", routes=["/page"], state=str(own_files / "counts")
    )
    left = iter(durations)
    now = 0.0

    def ends() -> float:
        return now + next(left)

    monkeypatch.setattr(exchange, "perf_counter", lambda: now)
    monkeypatch.setattr(recorder, "perf_counter", ends)
    for _ in durations:
        ask(app, "/page")
    told = json.loads(ask(app, "/_stats/json")[1])
    ranked = sorted(durations)
    (row,) = told["endpoints"]
    for found in (row, told["performance"]["response_times"]):
        for name, share in QUANTILES.items():
            true = ranked[ceil(share * len(ranked)) - 1]
            assert found[name] == pytest.approx(true, rel=WITHIN), name
        assert found["average"] == pytest.approx(sum(durations) / len(durations), abs=1e-6)
        assert found["minimum"] == pytest.approx(ranked[0], abs=1e-6)
        assert found["maximum"] == pytest.approx(ranked[-1], abs=1e-6)
    assert row["count"] == len(durations)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"access": "loopback"}, id="loopback"),
        pytest.param({"token": "0123456789abcdef"}, id="token"),
        pytest.param({}, id="closed"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("wrap", [wsgiperf.MonitorMiddleware, None], ids=["part", "everything"])
@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
def test_both_sides_keep_to_the_standard(
    own_files: Path, options: dict[str, Any], method: str, wrap: Callable[..., Any] | None
) -> None:
    """PEP 3333, by `wsgiref.validate` on either side, for pages of the application and of the monitor."""
    options = {"state": str(own_files / "counts"), **options}
    inner = validator(application)
    app = wsgiperf.wrap(inner, monitor=options) if wrap is None else wrap(inner, **options)
    pages = (
        "/", "/none", "/_stats", "/_stats/", "/_stats/json", "/_stats/metrics", "/_stats/health/live",
        "/_stats/health/ready", "/_stats/none", "/_stats/assets/none", "/_statsandmore",
    )  # fmt: skip
    for page in pages:
        for fields in ({}, {"HTTP_ACCEPT": "text/html"}, {"HTTP_ACCEPT_ENCODING": "gzip"}):
            status, content = ask(validator(app), page, method, **fields)
            assert not status.startswith("5")
            assert not content or method != "HEAD"


def test_an_exception_is_counted_and_goes_on(own_files: Path) -> None:
    """To the server, which answers for the application; the failure is kept with its type."""
    state = str(own_files / "counts")
    app = wsgiperf.MonitorMiddleware(application, access="loopback", routes=["/raise"], state=state)
    for _ in range(3):
        with pytest.raises(LookupError, match="no such shelf"):
            ask(app, "/raise")
    told = json.loads(ask(app, "/_stats/json")[1])
    (row,) = told["endpoints"]
    assert row["statuses"] == {"500": 3}
    assert told["errors"]["by_type"] == [{"type": "LookupError", "severity": "error", "count": 3}]
    assert told["errors"]["recent"][0]["route"] == "/raise"
    assert told["requests"]["in_flight"] == 0


def test_requests_count_where_nothing_else_works(own_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one, too, while what runs beside requests can't be started."""

    def fail(*_: object) -> None:
        raise OSError("no such thing")

    monkeypatch.setattr("wsgiperf.monitor.background.Background", fail)
    app = wsgiperf.MonitorMiddleware(application, access="loopback", state=str(own_files / "counts"))
    for _ in range(3):
        assert ask(app, "/")[0] == "200 OK"
    told = json.loads(ask(app, "/_stats/json")[1])
    assert told["requests"]["total"] == 3
    assert told["requests"]["in_flight"] == 0
