"""What workers leave behind when they go, and how exact the quantiles are."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from math import ceil
from pathlib import Path

from benchmarks import frameworks
from benchmarks.measure import print_table
from benchmarks.monitoring_scrape import PROMETHEUS, apart, count_in_prometheus, serve, varied
from wsgiperf import MonitorMiddleware
from wsgiperf.monitor.histogram import BOUNDS, CELLS, bucket_of, cell_of, quantile

RESTARTS = 50
#: Megabytes of all files, and the share that a quantile may be off by.
MEGABYTES, ERROR = 16.0, 0.02


def _live_and_die(folder: Path) -> None:
    monitor = MonitorMiddleware(varied, state=str(folder / "state"), access="loopback")
    for number in range(4):
        serve(monitor, number)


def _live_and_die_with_prometheus(folder: Path) -> None:
    count_in_prometheus(folder, 4)


def report_files(folder: Path) -> bool:
    """Print what workers leave behind; whether ours stays as it is."""
    rows: list[Sequence[object]] = [
        ("what workers leave behind, one after the other", "files", "MB", "limit", "")
    ]
    kinds: dict[str, Callable[[Path], None]] = {"ours": _live_and_die}
    if not frameworks.missing("prometheus_client"):
        kinds[PROMETHEUS] = _live_and_die_with_prometheus
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
