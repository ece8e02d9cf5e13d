"""The figures as JSON: the schema, the sums, and what is said of what isn't known."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wsgiperf.monitor.endpoint.payload import document, encode, payload
from wsgiperf.monitor.snapshot import Snapshot

from .figures import NOW, STARTED, a_board, a_snapshot, series_of, window

EMPTY = Snapshot(taken=NOW, started=NOW)


def keys_of(value: Any) -> Any:
    """The keys, all the way down; of lists those of their first item."""
    if isinstance(value, dict):
        return {name: keys_of(inner) for name, inner in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [keys_of(value[0])]
    return None


def of(names: str) -> dict[str, None]:
    return dict.fromkeys(names.split())


SCHEMA: dict[str, Any] = {
    **of("schema generated started uptime_seconds status saturation respawns"),
    "scope": of("shared reason workers slabs"),
    "performance": {
        "response_times": of("average maximum minimum total_requests p50 p90 p95 p99 p999"),
        "cache": of("hits misses hit_rate"),
        "system": of("memory_usage cpu_usage"),
    },
    "requests": {
        **of("total in_flight errors error_rate stats_requests"),
        "by_status_class": of("1xx 2xx 3xx 4xx 5xx"),
    },
    "recent": of(
        "window_seconds requests per_second errors error_rate average p50 p95 p99 hits misses hit_rate "
        "queries_per_second bytes_saved"
    ),
    "endpoints": [
        {
            **of("route method count errors average minimum maximum p50 p90 p95 p99 p999"),
            "statuses": of("200"),
        }
    ],
    "content_types": [of("content_type hits stale collapsed misses hit_rate")],
    "compression": {
        **of("responses bytes_before bytes_after bytes_saved seconds"),
        "codings": [of("coding responses bytes_before bytes_after seconds")],
    },
    "errors": {
        "by_type": [of("type severity count")],
        "recent": [of("at type severity message route method status seconds request_id")],
    },
    "slowest": [of("at route method status seconds request_id")],
    "database": {
        **of("queries seconds slow n_plus_one per_request per_second"),
        "aliases": [of("alias queries seconds slow errors")],
        "slow_queries": [of("at alias statement seconds route request_id")],
        "pools": [of("pid alias size checked_out overflow")],
    },
    "workers": [of("pid slab started requests in_flight threads cpu_percent memory_bytes")],
    "system": of(
        "cpu_percent memory_percent memory_used_bytes memory_total_bytes memory_limited_by sampled "
        "sampler_pid"
    ),
    "queue": of("count average maximum"),
    "health": {
        "status": None,
        "services": [
            of("name kind region status since checked age_seconds latency p50 p95 uptime_percent error")
        ],
    },
    "alerts": [of("id metric severity subject value threshold message since")],
    "alert_journal": [of("id event at metric severity subject value threshold message")],
    "timeline": {
        "seconds": of("start step 1xx 2xx 3xx 4xx 5xx hits misses bytes_saved queries"),
        "latency": of("start step requests errors p50 p95 p99"),
        "system": {**of("start step cpu memory"), "workers": [of("pid cpu memory_bytes")]},
    },
    "traffic": {"hours": [of("start requests errors")]},
    "overflow": of("series endpoints errors content_types aliases"),
    "versions": of("wsgiperf python implementation"),
}


def without_rows(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {name: without_rows(inner) for name, inner in schema.items()}
    return None


def test_the_schema():
    assert keys_of(payload(a_snapshot(), a_board())) == SCHEMA


def test_every_key_is_there_when_nothing_has_happened():
    found = json.loads(document(EMPTY, {}))
    assert keys_of(found) == without_rows(SCHEMA)
    assert found["performance"]["response_times"] == {
        "total_requests": 0, **dict.fromkeys(("average", "maximum", "minimum")),
        **dict.fromkeys(("p50", "p90", "p95", "p99", "p999")),
    }  # fmt: skip
    assert found["performance"]["cache"] == {"hits": 0, "misses": 0, "hit_rate": None}
    assert found["recent"]["per_second"] == 0
    assert found["recent"]["p95"] is None
    assert found["saturation"] is None
    assert found["status"] == "ok"
    assert found["health"] == {"status": "unknown", "services": []}


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(document(a_snapshot(), a_board()))
    return found


def test_totals(shown):
    times = shown["performance"]["response_times"]
    assert times["total_requests"] == 103
    assert times["average"] == pytest.approx((0.36 + 3 + 0.06 + 0.0005 + 12.5) / 103, abs=1e-6)
    assert (times["minimum"], times["maximum"]) == (0.0005, 12.5)
    assert times["p50"] == pytest.approx(0.004, rel=0.01)
    assert times["p95"] == pytest.approx(0.3, rel=0.01)
    assert times["p999"] == pytest.approx(12.5, rel=0.01)
    assert shown["requests"] == {
        "total": 103,
        "by_status_class": {"1xx": 0, "2xx": 91, "3xx": 1, "4xx": 1, "5xx": 10},
        "in_flight": 3,
        "errors": 10,
        "error_rate": 9.71,
        "stats_requests": 7,
    }
    assert shown["uptime_seconds"] == NOW - STARTED
    assert shown["scope"] == {"shared": True, "reason": None, "workers": 2, "slabs": 16}
    assert shown["performance"]["cache"] == {"hits": 75, "misses": 25, "hit_rate": 75.0}
    assert shown["performance"]["system"] == {"memory_usage": 40.0, "cpu_usage": 12.5}
    assert shown["saturation"] == 37.5
    assert shown["queue"] == {"count": 10, "average": 0.005, "maximum": 0.02}
    assert shown["compression"]["bytes_saved"] == 330_000
    assert shown["database"]["per_request"] == 2.0
    assert shown["database"]["pools"][0] == {
        "pid": 101, "alias": "default", "size": 5, "checked_out": 2, "overflow": -3,
    }  # fmt: skip
    assert shown["overflow"] == {
        "series": 5, "endpoints": 0, "errors": 0, "content_types": 0, "aliases": 0,
    }  # fmt: skip


def test_endpoints_are_added_up_over_statuses_and_ranked_by_their_time(shown):
    rows = shown["endpoints"]
    assert [(row["route"], row["method"]) for row in rows] == [
        ("/big", "GET"), ("/posts/<int:id>", "GET"), ("/posts", "POST"), ("unmatched", "GET"),
    ]  # fmt: skip
    posts = rows[1]
    assert posts["statuses"] == {"200": 90, "500": 10}
    assert (posts["count"], posts["errors"]) == (100, 10)
    assert (posts["minimum"], posts["maximum"]) == (0.004, 0.3)
    assert posts["average"] == pytest.approx(0.0336)
    assert posts["p50"] == pytest.approx(0.004, rel=0.01)
    assert posts["p99"] == pytest.approx(0.3, rel=0.01)


def test_quantiles_lie_within_what_was_seen():
    """A cell's middle may not, and p50 above the maximum looks broken."""
    found = payload(a_snapshot([("/", "GET", 200, 0.0999)] * 3), {})["endpoints"][0]
    assert {found[name] for name in ("minimum", "maximum", "p50", "p90", "p95", "p99", "p999")} == {0.0999}


def test_a_route_without_a_fine_histogram_of_its_own():
    series, _ = series_of([("/", "GET", 200, 0.1)])
    found = payload(Snapshot(taken=NOW, started=STARTED, series=series), {})
    assert found["endpoints"][0]["count"] == 1
    assert found["endpoints"][0]["p99"] is None
    assert found["performance"]["response_times"]["p99"] is None


@pytest.mark.parametrize("status", [0, 500, 503, 599, 700])
def test_errors_are_what_the_server_is_to_blame_for(status):
    found = payload(a_snapshot([("/", "GET", status, 0.1)]), {})
    assert found["requests"]["errors"] == found["endpoints"][0]["errors"] == 1
    assert found["requests"]["by_status_class"]["5xx"] == 1
    assert found["requests"]["error_rate"] == 100.0


def test_the_last_minute(shown):
    recent = shown["recent"]
    assert recent["requests"] == 28
    assert recent["errors"] == 4
    assert recent["error_rate"] == 14.29
    assert recent["per_second"] == round(28 / 59.25, 3)
    assert recent["average"] == pytest.approx(3.0 / 28, abs=1e-6)
    assert (recent["hits"], recent["misses"], recent["hit_rate"]) == (6, 2, 75.0)
    assert recent["queries_per_second"] == round(30 / 59.25, 3)
    assert recent["bytes_saved"] == 150
    # The coarse cells grow by 10%. What was slow a minute ago isn't in it.
    assert recent["p50"] == pytest.approx(0.1, rel=0.055)
    assert recent["p99"] == pytest.approx(0.2, rel=0.055)


def test_a_rate_is_of_the_time_there_was():
    """Ten requests in the first two seconds are five a second."""
    second = a_snapshot().seconds[2]
    found = payload(a_snapshot(started=NOW - 2, seconds=[second]), {})
    assert found["recent"]["per_second"] == 5.0


def test_timelines_have_a_fixed_length_and_end_now(shown):
    line = shown["timeline"]["seconds"]
    assert (line["start"], line["step"]) == (int(NOW) - 299, 1)
    assert {len(values) for values in line.values() if isinstance(values, list)} == {300}
    assert line["2xx"][0] == 1
    assert [line[name][-1] for name in ("1xx", "2xx", "3xx", "4xx", "5xx")] == [1, 8, 2, 3, 4]
    assert sum(line["2xx"]) == 26
    assert line["bytes_saved"][-60] == 100
    line = shown["timeline"]["latency"]
    assert line["start"] + 89 * 10 == int(NOW) // 10 * 10
    assert {len(values) for values in line.values() if isinstance(values, list)} == {90}
    assert line["requests"][-7:] == [50, 50, 0, 0, 0, 0, 50]
    assert line["errors"][-6] == 2
    assert line["p50"][-5:-1] == [None] * 4
    assert line["p95"][-1] == pytest.approx(0.2, rel=0.055)
    line = shown["timeline"]["system"]
    assert {len(line["cpu"]), len(line["memory"])} == {180}
    assert line["cpu"][-4:] == [None, 1.0, None, 3.33]
    assert line["start"] + 180 * line["step"] == NOW
    assert [one["pid"] for one in line["workers"]] == [101]  # of those that live
    assert line["workers"][0]["cpu"][-3:] == [None, 5.0, 6.0]
    assert line["workers"][0]["memory_bytes"][-3:] == [None, 100, 200]


def test_seconds_from_another_time_are_left_out():
    """A clock that was set back leaves seconds in the future."""
    old = a_snapshot().seconds[0]
    seconds = [old._replace(start=int(NOW) + away) for away in (-100_000, -300, 1, 100_000)]
    windows = [window(int(NOW) // 10 * 10 + away, [1.0]) for away in (-900, 10)]
    found = payload(a_snapshot(seconds=seconds, windows=windows), {})
    assert sum(found["timeline"]["seconds"]["2xx"]) == 0
    assert sum(found["timeline"]["latency"]["requests"]) == 0
    assert found["recent"]["requests"] == 0


def test_workers_and_what_the_sampler_measured_of_them(shown):
    first, second = shown["workers"]
    assert first == {
        "pid": 101, "slab": 0, "started": NOW - 60, "requests": 53, "in_flight": 1, "threads": 4,
        "cpu_percent": 25.0, "memory_bytes": 50 * 2**20,
    }  # fmt: skip
    assert (second["pid"], second["cpu_percent"], second["memory_bytes"]) == (102, None, None)
    assert shown["system"] == {
        "cpu_percent": 12.5, "memory_percent": 40.0, "memory_used_bytes": 4 * 2**30,
        "memory_total_bytes": 10 * 2**30, "memory_limited_by": "cgroup", "sampled": NOW - 0.5,
        "sampler_pid": 101,
    }  # fmt: skip


def test_health_tells_how_old_it_is_now(shown):
    health = shown["health"]
    assert health["status"] == "failing"
    assert [(one["name"], one["status"]) for one in health["services"]] == [
        ("posts", "failing"), ("cache", "ok"),
    ]  # fmt: skip
    assert health["services"][0]["age_seconds"] == 4.0
    assert health["services"][0]["error"] == "503 Service Unavailable"


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], "unknown"),
        (["ok", "ok"], "ok"),
        (["ok", "unknown"], "unknown"),
        (["ok", "hung"], "failing"),
        (["unknown", "failing"], "failing"),
        (["splendid"], "unknown"),
    ],
)
def test_health_in_one_word(statuses, expected):
    services = [{"name": str(at), "status": status} for at, status in enumerate(statuses)]
    assert payload(EMPTY, {"health": services})["health"]["status"] == expected


def test_alerts_the_worst_first(shown):
    assert shown["status"] == "critical"
    assert [one["id"] for one in shown["alerts"]] == ["a2", "a1"]
    assert shown["alerts"][0]["subject"] == "posts (eu)"
    assert [(one["event"], one["at"]) for one in shown["alert_journal"]] == [
        ("fired", NOW - 30), ("cleared", NOW - 600),
    ]  # fmt: skip


GARBAGE: list[Any] = [
    None, 1, -1.5, "x", [], {}, [None], [[]], [{}], {"x": 1}, {"1": None}, float("nan"), float("inf"),
    10**400, True, "\udcff", {"active": [1], "journal": {}},
    {"active": [{"metric": "p95", "severity": ["info"]}]},
    [{"name": "x", "status": ["ok"], "checked": "then", "since": float("nan"), "error": 5}],
    {"start": "x", "step": 0, "cpu": "x", "memory": [float("nan"), "x"], "workers": {"101": 5}},
    {"start": 1e308, "step": -5, "cpu": [1e308], "workers": []},
]  # fmt: skip


@pytest.mark.parametrize("garbage", GARBAGE, ids=repr)
@pytest.mark.parametrize("name", ["at", "pid", "system", "workers", "history", "health", "alerts"])
def test_a_board_of_anything_is_shown_as_unknown(name, garbage):
    """The keys stay, nothing is raised, and the JSON is JSON."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    found = json.loads(document(a_snapshot(), a_board(**{name: garbage})), parse_constant=refuse)
    assert found.keys() == SCHEMA.keys()
    assert found["requests"]["total"] == 103


@pytest.mark.parametrize("garbage", GARBAGE, ids=repr)
@pytest.mark.parametrize("place", ["system", "health", "alert", "history", "worker"])
def test_any_value_on_the_board_may_be_garbage(place, garbage):
    board = a_board()
    spoilt = {
        "system": board["system"],
        "health": board["health"][0],
        "alert": board["alerts"]["active"][0],
        "history": board["history"],
        "worker": board["workers"]["101"],
    }[place]
    for name in [*spoilt]:
        before, spoilt[name] = spoilt[name], garbage
        json.loads(document(a_snapshot(), board))
        spoilt[name] = before


HOSTILE = "</script><!--\u2028\u2029&amp;\"'\\\n\r\0\x1b\x7f\U0001f600\ud800é"


def test_hostile_text_comes_back_as_it_was_and_cannot_leave_the_page():
    """But for surrogates, which no UTF-8 has."""
    requests = [(HOSTILE, HOSTILE, 200, 0.1)]
    board = a_board(health=[{"name": HOSTILE, "status": "failing", "error": HOSTILE}])
    body = document(a_snapshot(requests, exceptions={(HOSTILE, "error"): 1}), board)
    assert body.isascii()
    assert not set(b"<>&\n\r\0") & set(body)
    found = json.loads(body)
    expected = HOSTILE.replace("\ud800", "?")
    assert found["endpoints"][0]["route"] == expected
    assert found["errors"]["by_type"][0]["type"] == expected
    assert found["health"]["services"][0]["error"] == expected


def test_nothing_that_is_no_number_is_encoded():
    with pytest.raises(ValueError, match="JSON compliant"):
        encode({"value": float("nan")})
