"""The figures as metrics, by the semantic conventions where they have a name for one.

A metric of a worker has its slab's number: it stays when another process takes the slab over, where a process
ID would begin a new series each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from wsgiperf.monitor.endpoint import published
from wsgiperf.monitor.endpoint.families import Exposition, labels
from wsgiperf.monitor.endpoint.payload import saturation, versions
from wsgiperf.monitor.snapshot import Snapshot

__all__ = ["exposition"]


def exposition(snapshot: Snapshot, board: Mapping[str, Any], *, openmetrics: bool) -> bytes:
    """All metrics, in UTF-8.

    :param snapshot: what was counted.
    :param board: what the sampler published; ``{}`` where nothing was, and nothing in it is taken on trust.
    :param openmetrics: in OpenMetrics 1.0.0, else in Prometheus's text format 0.0.4.
    """
    text = Exposition(openmetrics=openmetrics)
    _requests(text, snapshot)
    _failures(text, snapshot)
    _cache(text, snapshot)
    _compression(text, snapshot)
    _database(text, snapshot)
    _workers(text, snapshot, board)
    _machine(text, board)
    _health(text, board)
    _itself(text, snapshot)
    return text.encoded()


@lru_cache(1024)
def _series(route: str, method: str, status: int) -> str:
    return labels(http_request_method=method, http_route=route, http_response_status_code=str(status))


def _requests(text: Exposition, snapshot: Snapshot) -> None:
    text.histogram(
        "http_server_request_duration_seconds",
        "How long requests took, to the last byte.",
        [(_series(*one[:3]), one.buckets, one.seconds) for one in snapshot.series],
    )
    text.gauge(
        "http_server_active_requests",
        "Requests that are being answered.",
        {"": sum(worker.in_flight for worker in snapshot.workers)},
    )
    queue = snapshot.queue
    text.summary(
        "wsgiperf_queue_duration_seconds",
        "How long requests waited for a worker, as X-Request-Start tells.",
        queue.count,
        queue.seconds,
    )


def _failures(text: Exposition, snapshot: Snapshot) -> None:
    text.counter(
        "wsgiperf_exceptions_total",
        "Requests that failed, by the exception's type.",
        {
            labels(type=kind, severity=severity): count
            for (kind, severity), count in snapshot.exceptions.items()
        },
    )


def _cache(text: Exposition, snapshot: Snapshot) -> None:
    outcomes = {"hit": "hits", "stale": "stale", "collapsed": "collapsed", "miss": "misses"}
    text.counter(
        "wsgiperf_cache_requests_total",
        "Requests by what the cache did.",
        {
            labels(content_type=one.content_type, outcome=outcome): getattr(one, field)
            for one in snapshot.content_types
            for outcome, field in outcomes.items()
        },
    )


def _compression(text: Exposition, snapshot: Snapshot) -> None:
    codings = {labels(coding=one.coding): one for one in snapshot.codings}
    for name, help_text, field in (
        ("responses", "Responses that were compressed.", "responses"),
        ("input_bytes", "Their bytes before.", "before"),
        ("output_bytes", "Their bytes after.", "after"),
        ("seconds", "Time it took to compress them.", "seconds"),
    ):
        samples = {key: getattr(one, field) for key, one in codings.items()}
        text.counter(f"wsgiperf_compression_{name}_total", help_text, samples)


def _database(text: Exposition, snapshot: Snapshot) -> None:
    aliases = {labels(alias=one.alias): one for one in snapshot.databases}
    for name, help_text, field in (
        ("queries", "Queries.", "queries"),
        ("query_seconds", "Time that queries took.", "seconds"),
        ("slow_queries", "Queries that took longer than the limit.", "slow"),
        ("query_errors", "Queries that failed.", "errors"),
    ):
        samples = {key: getattr(one, field) for key, one in aliases.items()}
        text.counter(f"wsgiperf_database_{name}_total", help_text, samples)
    text.counter(
        "wsgiperf_database_repeating_requests_total",
        "Requests that sent one query many times (N+1).",
        {"": snapshot.repeated},
    )
    sizes: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for worker in snapshot.workers:
        for alias, size, checked_out, _ in worker.pools:
            sizes[labels(alias=alias)] += size
            used[labels(alias=alias)] += checked_out
    text.gauge("wsgiperf_database_pool_connections_limit", "Connections that all pools keep.", sizes)
    text.gauge("wsgiperf_database_pool_connections_used", "Connections that are checked out.", used)


def _workers(text: Exposition, snapshot: Snapshot, board: Mapping[str, Any]) -> None:
    usages = published.workers(board)
    workers = {labels(worker=str(worker.slab)): worker for worker in snapshot.workers}
    usage = {key: usages.get(worker.pid, published.Usage(None, None)) for key, worker in workers.items()}
    text.gauge("wsgiperf_workers", "Living worker processes.", {"": len(workers)})
    text.counter(
        "wsgiperf_worker_respawns_total", "Workers that took a dead one's place.", {"": snapshot.respawns}
    )
    text.gauge(
        "wsgiperf_worker_active_requests",
        "Requests that a worker is answering.",
        {key: worker.in_flight for key, worker in workers.items()},
    )
    text.gauge(
        "wsgiperf_worker_threads",
        "Requests that a worker can answer at once.",
        {key: worker.threads or None for key, worker in workers.items()},
    )
    text.gauge(
        "wsgiperf_worker_memory_bytes",
        "Resident memory of a worker.",
        {key: one.memory_bytes for key, one in usage.items()},
    )
    text.gauge(
        "wsgiperf_worker_cpu_ratio",
        "CPU that a worker uses: 1 is one core.",
        {key: _ratio(one.cpu_percent) for key, one in usage.items()},
    )
    in_flight, threads = saturation(snapshot)
    text.gauge(
        "wsgiperf_saturation_ratio",
        "Requests in flight to threads.",
        {"": in_flight / threads if threads else None},
    )


def _machine(text: Exposition, board: Mapping[str, Any]) -> None:
    system = published.system(board)
    for name, help_text, value in (
        ("cpu_ratio", "CPU in use, of all there is.", _ratio(system.cpu_percent)),
        ("memory_ratio", "Memory in use, of all there is.", _ratio(system.memory_percent)),
        ("memory_used_bytes", "Memory in use.", system.memory_used_bytes),
        (
            "memory_limit_bytes",
            "Memory there is, or that the control group may use.",
            system.memory_total_bytes,
        ),
        ("sampled_timestamp_seconds", "When these were measured.", system.sampled),
    ):
        text.gauge(f"wsgiperf_system_{name}", help_text, {"": value})


def _health(text: Exposition, board: Mapping[str, Any]) -> None:
    services = {labels(service=one["name"], region=one["region"]): one for one in published.services(board)}
    text.gauge(
        "wsgiperf_health_up",
        "Whether a service's last check succeeded.",
        {
            key: None if one["status"] == "unknown" else int(one["status"] == "ok")
            for key, one in services.items()
        },
    )
    text.gauge(
        "wsgiperf_health_latency_seconds",
        "How long a service's last check took.",
        {key: published.number(one.get("latency")) for key, one in services.items()},
    )
    text.gauge(
        "wsgiperf_health_checked_timestamp_seconds",
        "When a service was last checked.",
        {key: published.number(one.get("checked")) for key, one in services.items()},
    )
    firing = Counter(
        labels(metric=one["metric"], severity=one["severity"]) for one in published.active_alerts(board)
    )
    # There without an alert, too: a rule can tell none from nobody knows.
    text.gauge("wsgiperf_alerts", "Alerts that are firing.", {"": firing.total()})
    text.gauge("wsgiperf_alerts_firing", "Alerts that are firing, by metric.", firing)


def _itself(text: Exposition, snapshot: Snapshot) -> None:
    text.counter(
        "wsgiperf_monitor_requests_total",
        "Requests to the monitor's own pages, which nothing else counts.",
        {"": snapshot.own},
    )
    text.counter(
        "wsgiperf_overflow_total",
        "What was counted under another name because a table was full.",
        {labels(table=name): count for name, count in snapshot.overflow.items()},
    )
    text.gauge(
        "wsgiperf_shared", "Whether all of this is of all workers, not of one.", {"": int(snapshot.shared)}
    )
    text.gauge("wsgiperf_started_timestamp_seconds", "Since when this is counted.", {"": snapshot.started})
    known = {name: value or "" for name, value in versions().items()}
    build = labels(version=known["wsgiperf"], python=known["python"], implementation=known["implementation"])
    text.gauge("wsgiperf_build_info", "What runs.", {build: 1})


def _ratio(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
