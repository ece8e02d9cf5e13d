"""Figures to show: snapshots put together from requests, and what a sampler may have published."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from wsgiperf.monitor.histogram import BOUNDS, CELLS, COARSE_CELLS, bucket_of, cell_of
from wsgiperf.monitor.snapshot import (
    Coding,
    ContentType,
    Database,
    Failure,
    Hour,
    Latencies,
    Queue,
    Second,
    Series,
    SlowQuery,
    SlowRequest,
    Snapshot,
    Window,
    Worker,
)  # fmt: skip

NOW = 1_700_000_123.25
STARTED = NOW - 7200

#: Route, method, status, seconds.
Request = tuple[str, str, int, float]

REQUESTS: list[Request] = [
    *[("/posts/<int:id>", "GET", 200, 0.004)] * 90,
    *[("/posts/<int:id>", "GET", 500, 0.3)] * 10,
    ("/posts", "POST", 302, 0.06),
    ("unmatched", "GET", 404, 0.0005),
    ("/big", "GET", 200, 12.5),
]


def series_of(requests: Iterable[Request]) -> tuple[list[Series], list[Latencies]]:
    """What the slabs would tell of these requests."""
    durations: defaultdict[tuple[str, str, int], list[float]] = defaultdict(list)
    cells: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * CELLS)
    for route, method, status, seconds in requests:
        durations[route, method, status].append(seconds)
        cells[route, method][cell_of(seconds)] += 1
    series = []
    for key, found in durations.items():
        buckets = [0] * (len(BOUNDS) + 1)
        for seconds in found:
            buckets[bucket_of(seconds)] += 1
        series.append(Series(*key, len(found), sum(found), min(found), max(found), tuple(buckets)))
    return series, [Latencies(*key, found) for key, found in cells.items()]


def window(start: int, durations: Iterable[float], errors: int = 0) -> Window:
    """Ten seconds with these requests."""
    cells = [0] * COARSE_CELLS
    found = [*durations]
    for seconds in found:
        cells[cell_of(seconds) // 5] += 1
    return Window(start, len(found), errors, cells)


def a_snapshot(requests: Iterable[Request] = REQUESTS, **more: Any) -> Snapshot:
    """One with something of everything."""
    series, latencies = series_of(requests)
    second = int(NOW)
    figures: dict[str, Any] = {
        "taken": NOW,
        "started": STARTED,
        "slabs": 16,
        "respawns": 2,
        "series": series,
        "latencies": latencies,
        "own": 7,
        "failures": [
            Failure(
                NOW - 1, "ValueError", "error", "no such post", "/posts/<int:id>", "GET", 500, 0.3, "abc"
            ),
            Failure(NOW - 2, "HTTP 503", "error", "", "/big", "GET", 503, 1.5, None),
        ],
        "exceptions": {("ValueError", "error"): 9, ("MemoryError", "critical"): 1},
        "slowest": [SlowRequest(NOW - 5, "/big", "GET", 200, 12.5, "def")],
        "content_types": [ContentType("text/html", 60, 5, 10, 25), ContentType("image/png", 0, 0, 0, 0)],
        "codings": [Coding("br", 40, 400_000, 100_000, 0.02), Coding("gzip", 10, 50_000, 20_000, 0.005)],
        "databases": [Database("default", 206, 0.5, 3, 1), Database("replica", 0, 0.0, 0, 0)],
        "slow_queries": [
            SlowQuery(NOW - 3, "default", "SELECT * FROM posts WHERE id = ?", 0.2, "/posts/<int:id>", None)
        ],
        "repeated": 4,
        "queue": Queue(10, 0.05, 0.02),
        "workers": [
            Worker(101, 0, NOW - 60, 53, 1, 4, (("default", 5, 2, -3),)),
            Worker(102, 3, NOW - 50, 50, 2, 4, (("default", 5, 1, -4),)),
        ],
        "seconds": [
            Second(second - 299, (0, 1, 0, 0, 0), 0.1, 0, 1, 10, 2, 0.01),
            Second(second - 60, (0, 7, 0, 0, 0), 0.7, 0, 0, 0, 0, 0.0),
            Second(second - 59, (0, 10, 0, 0, 0), 1.0, 3, 1, 100, 20, 0.2),
            Second(second, (1, 8, 2, 3, 4), 2.0, 3, 1, 50, 10, 0.1),
        ],
        "windows": [
            window(second // 10 * 10 - 60, [9.0] * 50),
            window(second // 10 * 10 - 50, [0.1] * 50, 2),
            window(second // 10 * 10, [0.2] * 50),
        ],
        "hours": [Hour(second // 3600 * 3600, 103, 10)],
        "overflow": {"series": 5},
    }
    return Snapshot(**(figures | more))


def a_board(**more: Any) -> dict[str, Any]:
    """What a sampler publishes."""
    alert = {
        "id": "a1", "metric": "error_rate", "severity": "warning", "subject": None, "value": 9.7,
        "threshold": 5.0, "message": "error rate 9.7%", "since": NOW - 30,
    }  # fmt: skip
    worse = alert | {"id": "a2", "metric": "health", "severity": "critical", "subject": "posts (eu)"}
    service = {
        "name": "posts", "kind": "http", "region": "eu", "status": "failing", "since": NOW - 90,
        "checked": NOW - 4, "age_seconds": 0.0, "latency": 0.3, "p50": 0.02, "p95": 0.25,
        "uptime_percent": 98.5, "error": "503 Service Unavailable", "counts": {"ok": 1},
    }  # fmt: skip
    well = service | {"name": "cache", "kind": "redis", "region": "", "status": "ok", "error": None}
    return {
        "at": NOW - 0.5,
        "pid": 101,
        "system": {
            "cpu_percent": 12.5, "memory_percent": 40.0, "memory_used_bytes": 4 * 2**30,
            "memory_total_bytes": 10 * 2**30, "memory_limited_by": "cgroup",
        },
        "workers": {"101": {"cpu_percent": 25.0, "memory_bytes": 50 * 2**20}},
        "history": {
            "start": NOW - 15, "step": 5, "cpu": [1.0, None, 3.333333], "memory": [40.0, 41.0, 42.0],
            "workers": {"101": {"cpu": [5.0, 6.0], "memory_bytes": [100, 200]}, "99": {"cpu": [1.0]}},
        },
        "health": [well, service],
        "alerts": {
            "active": [alert, worse],
            "journal": [
                {**alert, "event": "cleared", "at": NOW - 600},
                {**alert, "event": "fired", "at": NOW - 30},
            ],
            "memory": {},
        },
    } | more  # fmt: skip
