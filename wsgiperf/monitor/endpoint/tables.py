"""The JSON's tables: a row for each endpoint, content type, failure, service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wsgiperf.monitor.endpoint import published
from wsgiperf.monitor.endpoint.published import number, word
from wsgiperf.monitor.endpoint.texts import Limits, clipped, epoch, percent, seconds
from wsgiperf.monitor.histogram import quantile
from wsgiperf.monitor.snapshot import Failure, Series, SlowQuery, SlowRequest, Snapshot

__all__ = [
    "QUANTILES", "alert_rows", "content_type_rows", "database_rows", "endpoint_rows", "failure_rows",
    "health_section", "is_error", "journal_rows", "quantiles_of", "slow_query_rows", "slow_rows",
    "worker_rows",
]  # fmt: skip

Row = dict[str, Any]

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def is_error(status: int) -> bool:
    """Whether the server is to blame. Without a head it answers for the application: 500."""
    return status >= 500 or status < 100


def quantiles_of(cells: Sequence[int], least: float, most: float) -> Row:
    """All of `QUANTILES`; a cell's middle may lie outside of what was really seen."""
    found = quantile(cells, *QUANTILES.values())
    return {
        name: None if value is None else seconds(min(max(value, least), most))
        for name, value in zip(QUANTILES, found, strict=True)
    }


class _Endpoint:
    """One route and method, over all statuses."""

    __slots__ = ("cells", "count", "errors", "least", "most", "seconds", "statuses")

    def __init__(self) -> None:
        self.count = self.errors = 0
        self.seconds = self.most = 0.0
        self.least = float("inf")
        self.statuses: dict[str, int] = {}
        self.cells: Sequence[int] = ()

    def add(self, one: Series) -> None:
        self.count += one.count
        self.seconds += one.seconds
        self.least = min(self.least, one.least)
        self.most = max(self.most, one.most)
        self.errors += one.count if is_error(one.status) else 0
        status = str(one.status)
        self.statuses[status] = self.statuses.get(status, 0) + one.count

    def row(self, route: str, method: str) -> Row:
        return {
            "route": route,
            "method": method,
            "count": self.count,
            "errors": self.errors,
            "average": seconds(self.seconds / self.count),
            "minimum": seconds(self.least),
            "maximum": seconds(self.most),
            **quantiles_of(self.cells, self.least, self.most),
            "statuses": self.statuses,
        }


def endpoint_rows(snapshot: Snapshot, limits: Limits) -> tuple[list[Row], int]:
    """A row for each route and method, by the time they took; and how many requests are in none of them."""
    found: dict[tuple[str, str], _Endpoint] = {}
    for one in snapshot.series:
        if one.count > 0:
            found.setdefault((one.route, one.method), _Endpoint()).add(one)
    for route, method, cells in snapshot.latencies:
        if (route, method) in found:
            found[route, method].cells = cells
    ranked = sorted(found.items(), key=lambda item: item[1].seconds, reverse=True)
    rows = [
        endpoint.row(clipped(route, limits.text), clipped(method, limits.text))
        for (route, method), endpoint in ranked[: limits.endpoints]
    ]
    return rows, sum(endpoint.count for _, endpoint in ranked[limits.endpoints :])


def content_type_rows(snapshot: Snapshot, limits: Limits) -> list[Row]:
    """What the cache did, most used first."""
    ranked = sorted(snapshot.content_types, key=lambda one: sum(one[1:]), reverse=True)
    return [
        {
            "content_type": clipped(one.content_type, limits.text),
            "hits": one.hits,
            "stale": one.stale,
            "collapsed": one.collapsed,
            "misses": one.misses,
            "hit_rate": percent(sum(one[1:4]), sum(one[1:])),
        }
        for one in ranked[: limits.rows]
    ]


def _told(one: Failure | SlowRequest | SlowQuery, limits: Limits) -> Row:
    """The fields of what happened once, in JSON's own terms."""
    times = {"at": epoch, "seconds": seconds}
    return {
        name: times[name](value) if name in times else clipped(value, limits.text) if word(value) else value
        for name, value in one._asdict().items()
    }


def failure_rows(failures: Sequence[Failure], limits: Limits) -> list[Row]:
    """The last requests that failed, newest first."""
    rows = [_told(one, limits) for one in failures[: limits.rows]]
    return [{"type" if name == "kind" else name: value for name, value in row.items()} for row in rows]


def slow_rows(slowest: Sequence[SlowRequest], limits: Limits) -> list[Row]:
    """The slowest requests, slowest first."""
    return [_told(one, limits) for one in slowest[: limits.rows]]


def slow_query_rows(queries: Sequence[SlowQuery], limits: Limits) -> list[Row]:
    """The last slow queries, newest first."""
    return [_told(one, limits) for one in queries[: limits.rows]]


def database_rows(snapshot: Snapshot, limits: Limits) -> tuple[list[Row], list[Row]]:
    """A row for each database, and one for each connection pool of each worker."""
    aliases = [
        {**one._asdict(), "alias": clipped(one.alias, limits.text), "seconds": seconds(one.seconds)}
        for one in snapshot.databases[: limits.rows]
    ]
    pools = [
        {
            "pid": worker.pid,
            "alias": clipped(alias, limits.text),
            "size": size,
            "checked_out": checked_out,
            "overflow": overflow,
        }
        for worker in snapshot.workers
        for alias, size, checked_out, overflow in worker.pools
    ]
    return aliases, pools[: limits.rows]


def worker_rows(snapshot: Snapshot, board: Mapping[str, Any]) -> list[Row]:
    """A row for each living worker, by slab."""
    usages = published.workers(board)
    rows = []
    for worker in snapshot.workers:
        cpu, memory = usages.get(worker.pid, published.Usage(None, None))
        rows.append(
            {
                "pid": worker.pid,
                "slab": worker.slab,
                "started": epoch(worker.started),
                "requests": worker.requests,
                "in_flight": worker.in_flight,
                "threads": worker.threads or None,
                "cpu_percent": cpu,
                "memory_bytes": memory,
            }
        )
    return sorted(rows, key=lambda row: row["slab"])


def health_section(board: Mapping[str, Any], now: float, limits: Limits) -> Row:
    """All services, those in trouble first, and what they come to."""
    found = published.services(board)
    found.sort(key=lambda one: one["status"] == "ok")
    statuses = {one["status"] for one in found}
    trouble = not statuses.isdisjoint(("failing", "hung"))
    status = "failing" if trouble else "ok" if statuses == {"ok"} else "unknown"
    return {"status": status, "services": [_service(one, now, limits) for one in found[: limits.rows]]}


def _service(one: Row, now: float, limits: Limits) -> Row:
    checked, error = number(one.get("checked")), word(one.get("error"))
    return {
        "name": clipped(one["name"], limits.text),
        "kind": clipped(one["kind"], limits.text),
        "region": clipped(one["region"], limits.text),
        "status": one["status"],
        "since": epoch(one.get("since")),
        "checked": epoch(checked),
        "age_seconds": None if checked is None else round(max(0.0, now - checked), 3),
        "latency": seconds(one.get("latency")),
        "p50": seconds(one.get("p50")),
        "p95": seconds(one.get("p95")),
        "uptime_percent": published.hundredths(one.get("uptime_percent")),
        "error": None if error is None else clipped(error, limits.text),
    }


def _alert(one: Row, limits: Limits) -> Row:
    subject = word(one.get("subject"))
    return {
        "id": clipped(str(one.get("id") or ""), limits.text),
        "metric": clipped(one["metric"], limits.text),
        "severity": one["severity"],
        "subject": None if subject is None else clipped(subject, limits.text),
        "value": seconds(one.get("value")),
        "threshold": seconds(one.get("threshold")),
        "message": clipped(word(one.get("message")) or "", limits.text),
    }


def alert_rows(board: Mapping[str, Any], limits: Limits) -> list[Row]:
    """The active alerts, most severe first."""
    found = published.active_alerts(board)[: limits.rows]
    return [{**_alert(one, limits), "since": epoch(one.get("since"))} for one in found]


def journal_rows(board: Mapping[str, Any], limits: Limits) -> list[Row]:
    """What fired and cleared, newest first."""
    found = published.journal(board)[: limits.rows]
    return [{"event": one["event"], "at": epoch(one.get("at")), **_alert(one, limits)} for one in found]
