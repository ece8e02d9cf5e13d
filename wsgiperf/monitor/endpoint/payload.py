"""The figures as JSON: every key is always there, null where something isn't known.

Durations are seconds, times of day seconds since the epoch, shares percent.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from wsgiperf.monitor.endpoint import published, tables
from wsgiperf.monitor.endpoint.texts import LIMITS, Limits, clipped, epoch, percent, ratio, seconds
from wsgiperf.monitor.endpoint.timelines import CLASSES, timeline
from wsgiperf.monitor.histogram import COARSE_CELLS, coarse_quantile, merged
from wsgiperf.monitor.snapshot import Snapshot

__all__ = ["MOST_BYTES", "SCHEMA", "document", "encode", "payload", "saturation", "versions"]

#: Changes when a key changes its meaning or goes; new keys may come.
SCHEMA = 1
#: Of `document`, before compression.
MOST_BYTES = 256 * 1024

_RECENT = 60
_OVERFLOWS = ("series", "endpoints", "errors", "content_types", "aliases")


def document(snapshot: Snapshot, board: Mapping[str, Any]) -> bytes:
    """`payload` as JSON of at most `MOST_BYTES`: texts and lists are shortened where it would be longer."""
    body = b""
    for limits in LIMITS:
        body = encode(payload(snapshot, board, limits))
        if len(body) <= MOST_BYTES:
            break
    return body


def encode(value: Mapping[str, Any]) -> bytes:
    """JSON in ASCII, without spaces, that may stand inside an HTML element.

    :raises ValueError: for infinities and what isn't a number.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    # They stand inside strings only. Escaped, nothing there ends the element or begins a comment.
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return text.encode("ascii")


def payload(snapshot: Snapshot, board: Mapping[str, Any], limits: Limits = LIMITS[0]) -> dict[str, Any]:
    """All figures, by the documented schema.

    :param snapshot: what was counted.
    :param board: what the sampler published; ``{}`` where nothing was, and nothing in it is taken on trust.
    :param limits: how much is shown of what has no bound.
    """
    alerts = tables.alert_rows(board, limits)
    rows, unlisted = tables.endpoint_rows(snapshot, limits)
    overflow = {name: snapshot.overflow.get(name, 0) for name in _OVERFLOWS}
    overflow["endpoints"] += unlisted
    machine = published.system(board)
    workers = tables.worker_rows(snapshot, board)
    hits, misses = _cache(snapshot)
    requests = _requests(snapshot)
    recent = _recent(snapshot)
    return {
        "schema": SCHEMA,
        "generated": epoch(snapshot.taken),
        "started": epoch(snapshot.started),
        "uptime_seconds": round(max(0.0, snapshot.taken - snapshot.started), 3),
        "status": alerts[0]["severity"] if alerts else "ok",
        "scope": {
            "shared": snapshot.shared,
            "reason": snapshot.reason,
            "workers": len(workers),
            "slabs": snapshot.slabs,
        },
        "performance": {
            "response_times": _response_times(snapshot, requests["total"]),
            "cache": {"hits": hits, "misses": misses, "hit_rate": percent(hits, hits + misses)},
            "system": {"memory_usage": machine.memory_percent, "cpu_usage": machine.cpu_percent},
        },
        "requests": requests,
        "recent": recent,
        "endpoints": rows,
        "content_types": tables.content_type_rows(snapshot, limits),
        "compression": _compression(snapshot, limits),
        "errors": _errors(snapshot, limits),
        "slowest": tables.slow_rows(snapshot.slowest, limits),
        "database": _database(snapshot, requests["total"], recent["queries_per_second"], limits),
        "workers": workers,
        "system": machine._asdict(),
        "queue": {
            "count": snapshot.queue.count,
            "average": ratio(snapshot.queue.seconds, snapshot.queue.count),
            "maximum": seconds(snapshot.queue.most) if snapshot.queue.count else None,
        },
        "saturation": percent(*saturation(snapshot)),
        "respawns": snapshot.respawns,
        "health": tables.health_section(board, snapshot.taken, limits),
        "alerts": alerts,
        "alert_journal": tables.journal_rows(board, limits),
        "timeline": timeline(snapshot, board, limits),
        "traffic": {"hours": [hour._asdict() for hour in snapshot.hours[-168:]]},
        "overflow": overflow,
        "versions": versions(),
    }


def versions() -> dict[str, str | None]:
    """Of the library, and of what runs it."""
    library = sys.modules.get(__name__.partition(".")[0])  # it can't be imported from below
    return {
        "wsgiperf": getattr(library, "__version__", None),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
    }


def saturation(snapshot: Snapshot) -> tuple[int, int]:
    """Requests in flight, and threads, of the workers whose threads are known."""
    known = [worker for worker in snapshot.workers if worker.threads > 0]
    return sum(worker.in_flight for worker in known), sum(worker.threads for worker in known)


def _cache(snapshot: Snapshot) -> tuple[int, int]:
    """Hits, stale and collapsed ones among them, and misses."""
    hits = sum(one.hits + one.stale + one.collapsed for one in snapshot.content_types)
    return hits, sum(one.misses for one in snapshot.content_types)


def _extremes(snapshot: Snapshot) -> tuple[float, float]:
    seen = [one for one in snapshot.series if one.count > 0]
    least = min((one.least for one in seen), default=0.0)
    return least, max((one.most for one in seen), default=0.0)


def _response_times(snapshot: Snapshot, total: int) -> dict[str, Any]:
    least, most = _extremes(snapshot)
    cells = merged(one.cells for one in snapshot.latencies)
    return {
        "average": ratio(sum(one.seconds for one in snapshot.series), total),
        "maximum": seconds(most) if total else None,
        "minimum": seconds(least) if total else None,
        "total_requests": total,
        **(tables.quantiles_of(cells, least, most) if total else dict.fromkeys(tables.QUANTILES)),
    }


def _requests(snapshot: Snapshot) -> dict[str, Any]:
    by_class = dict.fromkeys(CLASSES, 0)
    errors = total = 0
    for one in snapshot.series:
        total += one.count
        errors += one.count if tables.is_error(one.status) else 0
        by_class[CLASSES[min(one.status // 100, 5) - 1]] += one.count
    return {
        "total": total,
        "by_status_class": by_class,
        "in_flight": sum(worker.in_flight for worker in snapshot.workers),
        "errors": errors,
        "error_rate": percent(errors, total),
        "stats_requests": snapshot.own,
    }


def _recent(snapshot: Snapshot) -> dict[str, Any]:
    since = int(snapshot.taken) - _RECENT + 1
    last = [second for second in snapshot.seconds if since <= second.start <= snapshot.taken]
    # The last second isn't over, and there may not have been a whole minute yet.
    elapsed = max(1.0, min(snapshot.taken - since, snapshot.taken - snapshot.started))
    requests = sum(sum(second.classes) for second in last)
    errors = sum(second.classes[4] for second in last)
    hits, misses = sum(second.hits for second in last), sum(second.misses for second in last)
    windows = [window.cells for window in snapshot.windows if window.start > snapshot.taken - _RECENT]
    return {
        "window_seconds": _RECENT,
        "requests": requests,
        "per_second": ratio(requests, elapsed, 3),
        "errors": errors,
        "error_rate": percent(errors, requests),
        "average": ratio(sum(second.seconds for second in last), requests),
        **_coarse(snapshot, windows),
        "hits": hits,
        "misses": misses,
        "hit_rate": percent(hits, hits + misses),
        "queries_per_second": ratio(sum(second.queries for second in last), elapsed, 3),
        "bytes_saved": sum(second.saved for second in last),
    }


def _coarse(snapshot: Snapshot, windows: Sequence[Sequence[int]]) -> dict[str, float | None]:
    least, most = _extremes(snapshot)
    found = coarse_quantile(merged(windows, COARSE_CELLS), 0.5, 0.95, 0.99)
    limited = [None if value is None else min(max(value, least), most) for value in found]
    return dict(zip(("p50", "p95", "p99"), map(seconds, limited), strict=True))


def _compression(snapshot: Snapshot, limits: Limits) -> dict[str, Any]:
    codings = snapshot.codings
    before, after = sum(one.before for one in codings), sum(one.after for one in codings)
    return {
        "responses": sum(one.responses for one in codings),
        "bytes_before": before,
        "bytes_after": after,
        "bytes_saved": before - after,
        "seconds": seconds(sum(one.seconds for one in codings)),
        "codings": [
            {
                "coding": clipped(one.coding, limits.text),
                "responses": one.responses,
                "bytes_before": one.before,
                "bytes_after": one.after,
                "seconds": seconds(one.seconds),
            }
            for one in codings[: limits.rows]
        ],
    }


def _errors(snapshot: Snapshot, limits: Limits) -> dict[str, Any]:
    ranked = sorted(snapshot.exceptions.items(), key=lambda item: item[1], reverse=True)
    return {
        "by_type": [
            {"type": clipped(kind, limits.text), "severity": severity, "count": count}
            for (kind, severity), count in ranked[: limits.rows]
        ],
        "recent": tables.failure_rows(snapshot.failures, limits),
    }


def _database(snapshot: Snapshot, requests: int, per_second: float | None, limits: Limits) -> dict[str, Any]:
    queries = sum(one.queries for one in snapshot.databases)
    aliases, pools = tables.database_rows(snapshot, limits)
    return {
        "queries": queries,
        "seconds": seconds(sum(one.seconds for one in snapshot.databases)),
        "slow": sum(one.slow for one in snapshot.databases),
        "n_plus_one": snapshot.repeated,
        "per_request": ratio(queries, requests, 3),
        "per_second": per_second,
        "aliases": aliases,
        "slow_queries": tables.slow_query_rows(snapshot.slow_queries, limits),
        "pools": pools,
    }
