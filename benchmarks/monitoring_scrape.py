"""What reading the counts of many workers takes: a scrape, and the sampler's turn."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from time import thread_time, time
from typing import Any

from benchmarks import frameworks, site
from benchmarks.caching_peers import answer
from benchmarks.measure import Measured, calls, measure, print_table, requests
from benchmarks.monitoring_peers import metrics, prometheus
from benchmarks.overhead import verdict_on
from wsgiperf import MonitorMiddleware
from wsgiperf.alert_rules import with_defaults
from wsgiperf.exchange import EXCHANGE
from wsgiperf.monitor import background  # noqa: F401  (each process would import it for itself)
from wsgiperf.monitor.alerting.book import AlertBook
from wsgiperf.monitor.collector import collector_of
from wsgiperf.monitor.recording import recorder
from wsgiperf.monitor.sampling.alone import Alone
from wsgiperf.monitor.sampling.processes import Processes
from wsgiperf.monitor.sampling.sampler import Sampler
from wsgiperf.settings import MonitorSettings

WORKERS, SERIES = 8, 200
#: Milliseconds of a scrape.
SCRAPE = 5.0
PROMETHEUS = "prometheus_client, multiprocess mode"
SLABS = MonitorSettings().slabs

_STATUSES = ("200 OK", "304 Not Modified", "404 Not Found", "500 Internal Server Error")
_METHODS = ("GET", "POST")
_ROUTES = SERIES // len(_STATUSES) // len(_METHODS)
_NUMBER = "benchmarks.number"
_fork = multiprocessing.get_context("fork")


# -- processes


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns in a process of its own."""
    receiver, sender = _fork.Pipe(duplex=False)
    process = _fork.Process(target=lambda: sender.send(function(*arguments)), daemon=True)
    process.start()
    sender.close()
    try:
        return receiver.recv()
    finally:
        process.join()


@contextmanager
def workers(count: int, function: Callable[[Path], None], folder: Path) -> Iterator[None]:
    """So many processes that have called the function, and live on."""
    done = _fork.Barrier(count + 1)

    def work() -> None:
        function(folder)
        done.wait(60)
        Event().wait()

    processes = [_fork.Process(target=work, daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        done.wait(60)
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.join()


# -- the same series in both


def varied(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answers each of the series, and as if it had taken some time."""
    exchange, number = environ[EXCHANGE], environ[_NUMBER]
    exchange.route = _route(number)
    exchange.started -= _duration()
    start_response(_status(number), [("Content-Type", "text/html"), ("Content-Length", "500")])
    return [site.PAGE]


def _route(number: int) -> str:
    return f"/sections/{number % _ROUTES}/<int:post>"


def _method(number: int) -> str:
    return _METHODS[number // _ROUTES % len(_METHODS)]


def _status(number: int) -> str:
    return _STATUSES[number // _ROUTES // len(_METHODS)]


def _duration() -> float:
    return random.lognormvariate(-2.5, 0.6)


def fill(folder: Path) -> None:
    """Serve all series, over a week: every ring of the slab is full."""
    monitor = MonitorMiddleware(varied, state=str(folder / "state"), access="loopback")
    now = time()
    moments = [now - 3600 * hours for hours in range(168, 0, -1)] + [
        now - 900 + second for second in range(900)
    ]
    try:
        for number, moment in enumerate(moments):
            recorder.time = lambda moment=moment: moment  # type: ignore[assignment]
            serve(monitor, number % SERIES)
    finally:
        recorder.time = time


def serve(monitor: MonitorMiddleware, number: int) -> None:
    answer(monitor, site.ENVIRON | {_NUMBER: number, "REQUEST_METHOD": _method(number)})


def fill_prometheus(folder: Path) -> None:
    """The same series in prometheus_client's files."""
    count_in_prometheus(folder, SERIES)


def count_in_prometheus(folder: Path, series: int) -> None:
    with prometheus(folder) as client:
        durations, counted = metrics(client)
        for number in range(series):
            labels = _method(number), _route(number), _status(number)[:3]
            durations.labels(*labels).observe(_duration())
            counted.labels(*labels).inc()


# -- reading


def page(monitor: Any, name: str, **fields: str) -> bytes:
    """One of the monitor's pages, as it is without a content coding unless one is asked for."""
    environ = {**site.NO_CODING, "PATH_INFO": f"/_stats/{name}", **fields}
    (status, _), body = answer(monitor, environ)
    if status != "200 OK":
        raise RuntimeError(f"{name}: {status}")
    return body


def report(folder: Path, rounds: int, scale: float) -> bool:
    """Print what a scrape takes, and the sampler; whether the limit holds."""
    with workers(WORKERS, fill, folder):
        scraped, sizes = _scraped(folder, rounds)
        turn = _turn(str(folder / "state"), rounds)
    if absent := frameworks.missing("prometheus_client"):
        print(f"not installed: {', '.join(absent)}")
    else:
        scraped[PROMETHEUS], sizes[PROMETHEUS] = _scraped_from_prometheus(folder / "prometheus", rounds)
    ours = scraped["/_stats/metrics"].least
    head = ("milliseconds a scrape", "here", "scaled", "limit", "times ours", "KB", "")
    rows: list[Sequence[object]] = [head]
    for name, each in scraped.items():
        here, limit = each.least / 1000, SCRAPE if name == "/_stats/metrics" else None
        verdict = limit and verdict_on(here, here * scale, limit)
        rows.append((name, here, here * scale, limit, each.least / ours, sizes[name] // 1000, verdict))
    print_table(rows)
    print(f"Of {WORKERS} workers with {SERIES} series each; our rings are full, as after a week.")
    print(f"The sampler's turn, once a second in one of them, takes {turn:.1f} ms of CPU time.")
    return all(row[-1] != "OVER" for row in rows)


def _scraped(folder: Path, rounds: int) -> tuple[dict[str, Measured], dict[str, int]]:
    """What our pages take, and their sizes."""
    monitor = MonitorMiddleware(varied, state=str(folder / "state"), access="loopback")
    if page(monitor, "metrics").count(b"http_server_request_duration_seconds_count{") != SERIES:
        raise RuntimeError("these are other series")
    pages: dict[str, tuple[str, dict[str, str]]] = {
        "/_stats/metrics": ("metrics", {}),
        "/_stats/metrics, gzip": ("metrics", {"HTTP_ACCEPT_ENCODING": "gzip"}),
        "/_stats/json": ("json", {}),
    }
    environ = {
        name: {**site.NO_CODING, "PATH_INFO": f"/_stats/{of}", **more} for name, (of, more) in pages.items()
    }
    sizes = {name: len(page(monitor, of, **more)) for name, (of, more) in pages.items()}
    return measure({name: requests(monitor, environ[name]) for name in pages}, rounds), sizes


def _turn(state: str, rounds: int) -> float:
    """Milliseconds of CPU time that the sampler takes once a second, at the least."""
    collector = collector_of(state, SLABS)
    sampler = Sampler(
        Alone(),
        partial(collector.recent, 60.0),
        Processes(),
        None,
        AlertBook(with_defaults(()), origin="benchmarks"),
        [],
    )
    now = time()
    sampler.step(now)  # takes over
    taken = []
    for second in range(1, rounds + 1):
        started = thread_time()
        sampler.step(now + second)
        taken.append(thread_time() - started)
    return min(taken) * 1000


def _scraped_from_prometheus(folder: Path, rounds: int) -> tuple[Measured, int]:
    """What the same series take from files of prometheus_client's, and how long the text is."""
    with workers(WORKERS, fill_prometheus, folder), prometheus(folder) as client:
        from prometheus_client.multiprocess import MultiProcessCollector

        def generate() -> bytes:
            registry = client.CollectorRegistry()
            MultiProcessCollector(registry)
            text: bytes = client.generate_latest(registry)
            return text

        size = len(generate())
        return measure({"": calls(generate)}, rounds)[""], size


def begin_unaccompanied(monitor: MonitorMiddleware, state: str) -> None:
    """As the first request has a process begin, but for what runs beside requests."""
    monitor._collector = collector = collector_of(state, SLABS)
    monitor._pid = collector.pid
