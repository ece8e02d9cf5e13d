"""What reading the counts of many workers takes, the files they are in, and how exact they are."""

from __future__ import annotations

import multiprocessing
import random
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from math import ceil
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
from wsgiperf.monitor.histogram import BOUNDS, CELLS, bucket_of, cell_of, quantile
from wsgiperf.monitor.recording import recorder
from wsgiperf.monitor.sampling.alone import Alone
from wsgiperf.monitor.sampling.processes import Processes
from wsgiperf.monitor.sampling.sampler import Sampler
from wsgiperf.settings import MonitorSettings

WORKERS, SERIES, RESTARTS = 8, 200, 50
#: Milliseconds of a scrape, megabytes of all files, and the share that a quantile may be off by.
SCRAPE, MEGABYTES, ERROR = 5.0, 16.0, 0.02
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


def _varied(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
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
    monitor = MonitorMiddleware(_varied, state=str(folder / "state"), access="loopback")
    now = time()
    moments = [now - 3600 * hours for hours in range(168, 0, -1)] + [
        now - 900 + second for second in range(900)
    ]
    try:
        for number, moment in enumerate(moments):
            recorder.time = lambda moment=moment: moment  # type: ignore[assignment]
            _serve(monitor, number % SERIES)
    finally:
        recorder.time = time


def _serve(monitor: MonitorMiddleware, number: int) -> None:
    answer(monitor, site.ENVIRON | {_NUMBER: number, "REQUEST_METHOD": _method(number)})


def fill_prometheus(folder: Path) -> None:
    """The same series in prometheus_client's files."""
    _count_in_prometheus(folder, SERIES)


def _count_in_prometheus(folder: Path, series: int) -> None:
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
        monitor = MonitorMiddleware(_varied, state=str(folder / "state"), access="loopback")
        sizes = {"metrics": len(page(monitor, "metrics")), "json": len(page(monitor, "json"))}
        text = page(monitor, "metrics").decode()
        if text.count("http_server_request_duration_seconds_count{") != SERIES:
            raise RuntimeError("these are other series")
        zipped = {"HTTP_ACCEPT_ENCODING": "gzip"}
        asked = site.NO_CODING | {"PATH_INFO": "/_stats/metrics"}
        measured = measure(
            {
                "metrics": requests(monitor, asked),
                "metrics, gzip": requests(monitor, asked | zipped),
                "json": requests(monitor, asked | {"PATH_INFO": "/_stats/json"}),
            },
            rounds,
        )
        sizes["metrics, gzip"] = len(page(monitor, "metrics", **zipped))
        turn = _turn(str(folder / "state"), rounds)
    theirs = _prometheus_scrape(folder / "prometheus", rounds)
    head = (
        f"milliseconds, {WORKERS} workers with {SERIES} series",
        "here",
        "median",
        "scaled",
        "limit",
        "",
        "KB",
    )
    rows: list[Sequence[object]] = [head]
    for name, each in measured.items():
        least = each.least / 1000
        limit = SCRAPE if name == "metrics" else None
        verdict = verdict_on(least, least * scale, SCRAPE) if limit else None
        rows.append(
            (f"/_stats/{name}", least, each.median / 1000, least * scale, limit, verdict, sizes[name] // 1000)
        )
    if isinstance(theirs, str):
        rows.append(("prometheus_client, multiprocess mode", theirs, *[""] * 5))
    else:
        each, size = theirs
        rows.append(("prometheus_client, multiprocess mode", each.least / 1000, each.median / 1000,
                     each.least / 1000 * scale, None, None, size // 1000))  # fmt: skip
    print_table(rows)
    if not isinstance(theirs, str):
        print(f"Theirs takes {theirs[0].least / measured['metrics'].least:.1f} times as long as ours.")
    print(f"The sampler's turn takes the one worker that leads {turn:.1f} ms of CPU time a second: what its "
          f"requests take grows by {turn / 10:.1f}% when it is busy all the time.")  # fmt: skip
    return all(row[-2] != "OVER" for row in rows)


def _turn(state: str, rounds: int) -> float:
    """Milliseconds of CPU time that the sampler takes once a second, at the least."""
    collector = collector_of(state, SLABS)
    sampler = Sampler(
        Alone(), collector.snapshot, Processes(), None, AlertBook(with_defaults(()), origin="benchmarks"), []
    )
    now = time()
    sampler.step(now)  # takes over
    taken = []
    for second in range(1, rounds + 1):
        started = thread_time()
        sampler.step(now + second)
        taken.append(thread_time() - started)
    return min(taken) * 1000


def _prometheus_scrape(folder: Path, rounds: int) -> tuple[Measured, int] | str:
    if missing := frameworks.missing("prometheus_client"):
        return "not installed: " + ", ".join(missing)
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


# -- files


def _live_and_die(folder: Path) -> None:
    monitor = MonitorMiddleware(_varied, state=str(folder / "state"), access="loopback")
    for number in range(4):
        _serve(monitor, number)


def _live_and_die_with_prometheus(folder: Path) -> None:
    _count_in_prometheus(folder, 4)


def report_files(folder: Path) -> bool:
    """Print what workers leave behind; whether ours stays as it is."""
    rows: list[Sequence[object]] = [
        ("what workers leave behind, one after the other", "files", "MB", "limit", "")
    ]
    kinds: dict[str, Callable[[Path], None]] = {"ours": _live_and_die}
    if not frameworks.missing("prometheus_client"):
        kinds["prometheus_client, multiprocess mode"] = _live_and_die_with_prometheus
    for number, (name, live) in enumerate(kinds.items()):
        place = folder / f"workers-{number}"
        place.mkdir()
        for restart in range(RESTARTS + 1):
            apart(live, place)
            if restart in (0, RESTARTS):
                files = [file.stat() for file in place.iterdir()]
                taken = sum(file.st_blocks for file in files) * 512 / 1e6
                mine = name == "ours"
                held = len(files) == 1 and taken <= MEGABYTES
                verdict = ("ok" if held else "OVER") if mine else None
                what = f"{name}, after {restart} restarts"
                rows.append((what, len(files), taken, MEGABYTES if mine else None, verdict))
    print_table(rows)
    return all(row[-1] != "OVER" for row in rows)


# -- quantiles


def report_quantiles(count: int = 50_000) -> bool:
    """Print how far quantiles of lognormal durations are off; whether ours are within the limit."""
    drawn = random.Random(1)
    rows: list[Sequence[object]] = [("error of p99, lognormal durations", "ours", "14 bounds", "limit", "")]
    for median in (0.004, 0.02, 0.08, 0.3, 1.2):
        sample = sorted(median * drawn.lognormvariate(0.0, 0.5) for _ in range(count))
        true = sample[ceil(0.99 * count) - 1]
        cells, buckets = [0] * CELLS, [0] * (len(BOUNDS) + 1)
        for seconds in sample:
            cells[cell_of(seconds)] += 1
            buckets[bucket_of(seconds)] += 1
        ours = abs((quantile(cells, 0.99)[0] or 0.0) / true - 1)
        theirs = abs(histogram_quantile(0.99, buckets) / true - 1)
        verdict = "ok" if ours <= ERROR else "OVER"
        rows.append((f"median {median * 1000:.0f} ms, p99 {true * 1000:.0f} ms",
                     f"{ours:.1%}", f"{theirs:.1%}", f"{ERROR:.0%}", verdict))  # fmt: skip
    print_table(rows)
    return all(row[-1] != "OVER" for row in rows)


def histogram_quantile(share: float, buckets: Sequence[int]) -> float:
    """As Prometheus' function of this name tells it: by a straight line between two bounds."""
    running = list(accumulate(buckets))
    rank = share * running[-1]
    bucket = bisect_left(running, rank)
    if bucket == len(BOUNDS):
        return BOUNDS[-1]
    lower, below = (BOUNDS[bucket - 1], running[bucket - 1]) if bucket else (0.0, 0)
    return lower + (BOUNDS[bucket] - lower) * (rank - below) / buckets[bucket]
