"""Figures of a made-up service, for the dashboard: plausible, never twice the same, some of them hostile."""

import math

from .dashboard_timelines import CLASSES, PIDS, hours, memory, timeline, wave

#: What a request, an exception or a query may bring into the figures.
HOSTILE = "</script><img src=x onerror=\"document.title='taken over'\"><!-- <script>"
ROUTES = [
    ("GET", "/", 40, 0.004),
    ("GET", "/posts/<int:id>", 55, 0.018),
    ("GET", "/api/posts", 30, 0.031),
    ("POST", "/posts/<int:id>/comments", 4, 0.052),
    ("GET", "/search", 9, 0.210),
    ("POST", "/login", 2, 0.180),
    ("GET", "/static/<path:name>", 70, 0.0012),
    ("PUT", "/api/posts/<int:id>", 1, 0.047),
    ("GET", "/reports/monthly", 0.2, 1.850),
    ("DELETE", "/api/posts/<int:id>", 0.4, 0.039),
    ("GET", "unmatched", 3, 0.0008),
    ("GET", f"/hostile/{HOSTILE}", 0.5, 0.003),
]
STATEMENT = (
    "SELECT posts.id, posts.title, posts.body FROM posts "
    "WHERE posts.author_id = ? AND posts.shown ORDER BY posts.at DESC LIMIT ?"
)


def figures(now, *, started, alerts=(), quiet=False):
    """What `/json` answers at that time.

    :param alerts: severities of the alerts that are active.
    :param quiet: a service that has just begun, with nothing to show yet.
    """
    up = 0 if quiet else now - started
    alerts = [alert(severity, number, now) for number, severity in enumerate(alerts)]
    endpoints = [] if quiet else [endpoint(*one, up, number) for number, one in enumerate(ROUTES)]
    total = sum(one["count"] for one in endpoints)
    errors = sum(one["errors"] for one in endpoints)
    recent = None if quiet else 60 * 200
    return {
        "schema": 1,
        "generated": now,
        "started": started,
        "uptime_seconds": now - started,
        "status": alerts[0]["severity"] if alerts else "ok",
        "scope": {"shared": True, "reason": None, "workers": len(PIDS), "slabs": 16},
        "performance": {
            "response_times": {
                "average": None if quiet else 0.021,
                "maximum": 4.2,
                "minimum": 0.0002,
                "total_requests": total,
                "p50": 0.011,
                "p90": 0.041,
                "p95": 0.068,
                "p99": 0.31,
                "p999": None if quiet else 1.9,
            },
            "cache": {"hits": 3 * total // 4, "misses": total // 4, "hit_rate": None if quiet else 75.0},
            "system": {"memory_usage": 41.3, "cpu_usage": 23.5},
        },
        "requests": {
            "total": total,
            "by_status_class": {name: int(total * part) for name, part in CLASSES.items()},
            "in_flight": 5,
            "errors": errors,
            "error_rate": 100 * errors / total if total else None,
            "stats_requests": 812,
        },
        "recent": {
            "window_seconds": 60,
            "requests": recent or 0,
            "per_second": (recent or 0) / 60 + wave(now, 40),
            "errors": 7,
            "error_rate": recent and 0.58,
            "average": recent and 0.02,
            "p50": recent and 0.0113,
            "p95": recent and 0.068 * (1 + wave(now, 90)),
            "p99": recent and 0.312,
            "hits": 900,
            "misses": 260,
            "hit_rate": recent and 77.6,
            "queries_per_second": recent and 812.5,
            "bytes_saved": 48_230_112,
        },
        "endpoints": sorted(endpoints, key=lambda one: -one["count"] * one["average"]),
        "content_types": []
        if quiet
        else [
            {
                "content_type": kind,
                "hits": hits + int(up),
                "stale": hits // 50,
                "collapsed": 3,
                "misses": misses,
                "hit_rate": 100 * hits / (hits + misses),
            }
            for kind, hits, misses in (
                ("text/html", 81_200, 9_220),
                ("application/json", 20_411, 18_211),
                ("image/svg+xml", 900, 12),
            )
        ],
        "compression": {
            "responses": 0 if quiet else 91_222,
            "bytes_before": 8_123_456_789,
            "bytes_after": 1_523_456_789,
            "bytes_saved": 6_600_000_000,
            "seconds": 41.2,
            "codings": []
            if quiet
            else [
                {
                    "coding": "br",
                    "responses": 71_222,
                    "bytes_before": 6_123_456_789,
                    "bytes_after": 1_123_456_789,
                    "seconds": 33.1,
                },
                {
                    "coding": "gzip",
                    "responses": 20_000,
                    "bytes_before": 2_000_000_000,
                    "bytes_after": 400_000_000,
                    "seconds": 8.1,
                },
            ],
        },
        "errors": {
            "by_type": []
            if quiet
            else [
                {"type": "sqlalchemy.exc.OperationalError", "severity": "critical", "count": 12},
                {"type": "ValueError", "severity": "error", "count": 41},
                {"type": HOSTILE, "severity": "error", "count": 2},
            ],
            "recent": [] if quiet else [failure(number, now) for number in range(25)],
        },
        "slowest": [] if quiet else [slow(number, started) for number in range(20)],
        "database": database(quiet, up, now),
        "workers": [worker(pid, slab, now, started, quiet) for slab, pid in enumerate(PIDS)],
        "system": {
            "cpu_percent": None if quiet else 23.5,
            "memory_percent": None if quiet else 41.3,
            "memory_used_bytes": 3_400_000_000,
            "memory_total_bytes": 8_232_000_000,
            "memory_limited_by": "cgroup",
            "sampled": now - 0.4,
            "sampler_pid": PIDS[0],
        },
        "queue": {"count": 0 if quiet else 1200, "average": 0.0021, "maximum": 0.4},
        "saturation": None if quiet else 31.25,
        "respawns": 3,
        "health": {"status": "failing", "services": [] if quiet else services(now)},
        "alerts": alerts,
        "alert_journal": [] if quiet else journal(now, alerts),
        "timeline": timeline(now, quiet),
        "traffic": {"hours": [] if quiet else hours(now)},
        "overflow": {"series": 0, "endpoints": 14, "errors": 0, "content_types": 0, "aliases": 0},
        "versions": {"wsgiperf": "0.2.0", "python": "3.11.9", "implementation": "CPython"},
    }


def endpoint(method, route, per_second, seconds, up, number):
    count = int(per_second * up) + 1
    errors = int(count * (0.002 if number % 3 else 0.011))
    return {
        "route": route,
        "method": method,
        "count": count,
        "errors": errors,
        "average": seconds * 1.2,
        "minimum": seconds / 8,
        "maximum": seconds * 30,
        "p50": seconds,
        "p90": seconds * 2,
        "p95": seconds * 2.6,
        "p99": seconds * 6,
        "p999": seconds * 14,
        "statuses": {"200": count - errors, "500": errors},
    }


def alert(severity, number, now):
    name = ("p95", "cpu", "error_rate")[number % 3]
    return {
        "id": f"{name}-{number}",
        "metric": name,
        "severity": severity,
        "subject": None,
        "value": 2.41,
        "threshold": 2.0,
        "message": f"{name} is 2.41, above 2.0, for 60 s",
        "since": now - 95 - number,
    }


def journal(now, alerts):
    fired = [
        {key: one[key] for key in ("id", "metric", "severity", "subject", "value", "threshold", "message")}
        | {"event": "fired", "at": one["since"]}
        for one in alerts
    ]
    old = {
        "id": "old",
        "metric": "cpu",
        "severity": "warning",
        "subject": None,
        "value": 91.0,
        "threshold": 80.0,
        "message": "CPU is 91 %, above 80 %",
    }
    return [
        *fired,
        old | {"event": "cleared", "at": now - 140, "value": 44.0},
        old | {"event": "fired", "at": now - 260},
    ]


def failure(number, now):
    at = math.floor(now / 30) * 30 - 37.5 * number
    return {
        "at": at,
        "type": "ValueError" if number % 2 else "HTTP 503",
        "severity": "error",
        "message": HOSTILE if number == 3 else "the upstream did not answer in time",
        "route": "/search",
        "method": "GET",
        "status": 500,
        "seconds": 0.21,
        "request_id": f"{int(at):032x}" if number % 5 else None,
    }


def slow(number, started):
    return {
        "at": started + 60 * number,
        "route": "/reports/monthly",
        "method": "GET",
        "status": 200,
        "seconds": 9.1 - number / 4,
        "request_id": f"{number + 1000:032x}",
    }


def database(quiet, up, now):
    if quiet:
        return {
            "queries": 0,
            "seconds": 0,
            "slow": 0,
            "n_plus_one": 0,
            "per_request": None,
            "per_second": None,
            "aliases": [],
            "slow_queries": [],
            "pools": [],
        }
    return {
        "queries": int(800 * up),
        "seconds": 0.9 * up,
        "slow": 44,
        "n_plus_one": 2,
        "per_request": 3.8,
        "per_second": 812.5,
        "aliases": [
            {"alias": "default", "queries": int(700 * up), "seconds": 0.8 * up, "slow": 41, "errors": 2},
            {"alias": "replica", "queries": int(100 * up), "seconds": 0.1 * up, "slow": 3, "errors": 0},
        ],
        "slow_queries": [
            {
                "at": now - 60 * number,
                "alias": "default",
                "statement": STATEMENT if number else HOSTILE,
                "seconds": 0.8 + number / 10,
                "route": "/search",
                "request_id": None,
            }
            for number in range(6)
        ],
        "pools": [
            {"pid": pid, "alias": "default", "size": 5, "checked_out": 2, "overflow": 0} for pid in PIDS
        ],
    }


def worker(pid, slab, now, started, quiet):
    return {
        "pid": pid,
        "slab": slab,
        "started": started,
        "requests": int((now - started) * (20 + slab)),
        "in_flight": 1 + slab % 2,
        "threads": 4,
        "cpu_percent": None if quiet else 20 + 10 * wave(now, 120, slab),
        "memory_bytes": None if quiet else memory(now, slab),
    }


def services(now):
    common = {
        "region": None,
        "checked": now - 3,
        "age_seconds": 3.0,
        "latency": 0.0041,
        "p50": 0.004,
        "p95": 0.011,
    }
    return [
        common
        | {
            "name": "database",
            "kind": "database",
            "status": "ok",
            "since": now - 86_000,
            "uptime_percent": 99.98,
            "error": None,
        },
        common
        | {
            "name": "search",
            "kind": "http",
            "region": "eu",
            "status": "failing",
            "since": now - 130,
            "uptime_percent": 97.1,
            "error": f"503 {HOSTILE}",
        },
        common
        | {
            "name": "mail",
            "kind": "tcp",
            "status": "hung",
            "since": now - 42,
            "uptime_percent": 88.0,
            "error": "no answer within 5 s",
        },
        common
        | {
            "name": "queue",
            "kind": "redis",
            "status": "unknown",
            "since": None,
            "checked": None,
            "age_seconds": None,
            "latency": None,
            "p50": None,
            "p95": None,
            "uptime_percent": None,
            "error": None,
        },
    ]
