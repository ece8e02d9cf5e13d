"""The metrics, as readers of both formats take them."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from wsgiperf.monitor.endpoint.payload import payload
from wsgiperf.monitor.endpoint.prometheus import exposition
from wsgiperf.monitor.histogram import BOUNDS
from wsgiperf.monitor.snapshot import ContentType, Database, Snapshot

from .figures import NOW, STARTED, a_board, a_snapshot
from .test_payload import GARBAGE, HOSTILE

DURATION = "http_server_request_duration_seconds"
EMPTY = Snapshot(taken=NOW, started=NOW)

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def families(text: bytes, openmetrics: bool) -> list[Any]:
    return [*(parse_openmetrics if openmetrics else parse_text)(text.decode())]


def samples(snapshot: Snapshot, board: dict[str, Any], openmetrics: bool = False) -> Samples:
    """By name and labels; none may be there twice."""
    found: Samples = {}
    for family in families(exposition(snapshot, board, openmetrics=openmetrics), openmetrics):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found
            found[key] = sample.value
    return found


def value(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


both = pytest.mark.parametrize("openmetrics", [False, True], ids=["text", "openmetrics"])


@both
def test_the_histogram(openmetrics):
    found = samples(a_snapshot(), a_board(), openmetrics)
    labels = {
        "http_route": "/posts/<int:id>",
        "http_request_method": "GET",
        "http_response_status_code": "200",
    }
    buckets = {
        dict(key[1])["le"]: count
        for key, count in found.items()
        if key[0] == f"{DURATION}_bucket" and labels.items() <= dict(key[1]).items()
    }
    assert [float(bound) for bound in buckets] == [*BOUNDS, math.inf]
    assert set(buckets.values()) == {90}
    assert value(found, f"{DURATION}_count", **labels) == 90
    assert value(found, f"{DURATION}_sum", **labels) == pytest.approx(0.36)
    slow = {"http_route": "/big", "http_request_method": "GET", "http_response_status_code": "200"}
    assert value(found, f"{DURATION}_bucket", le="10.0", **slow) == 0
    assert value(found, f"{DURATION}_bucket", le="+Inf", **slow) == 1


@both
def test_the_metrics_and_the_json_agree(openmetrics):
    snapshot = a_snapshot()
    found, shown = samples(snapshot, a_board(), openmetrics), payload(snapshot, a_board())
    counts = [count for (name, _), count in found.items() if name == f"{DURATION}_count"]
    sums = [total for (name, _), total in found.items() if name == f"{DURATION}_sum"]
    assert sum(counts) == shown["requests"]["total"]
    average = shown["performance"]["response_times"]["average"]
    assert sum(sums) / sum(counts) == pytest.approx(average, abs=1e-6)
    assert value(found, "http_server_active_requests") == shown["requests"]["in_flight"]
    assert value(found, "wsgiperf_monitor_requests_total") == shown["requests"]["stats_requests"]
    assert value(found, "wsgiperf_saturation_ratio") == shown["saturation"] / 100
    of_page = {"content_type": "text/html"}
    for outcome, field in {
        "hit": "hits",
        "stale": "stale",
        "collapsed": "collapsed",
        "miss": "misses",
    }.items():
        shown_count = shown["content_types"][0][field]
        assert value(found, "wsgiperf_cache_requests_total", outcome=outcome, **of_page) == shown_count


@both
@pytest.mark.parametrize(
    ("expected", "name", "labels"),
    [
        (9, "wsgiperf_exceptions_total", {"type": "ValueError", "severity": "error"}),
        (1, "wsgiperf_exceptions_total", {"type": "MemoryError", "severity": "critical"}),
        (400_000, "wsgiperf_compression_input_bytes_total", {"coding": "br"}),
        (100_000, "wsgiperf_compression_output_bytes_total", {"coding": "br"}),
        (0.005, "wsgiperf_compression_seconds_total", {"coding": "gzip"}),
        (206, "wsgiperf_database_queries_total", {"alias": "default"}),
        (0.5, "wsgiperf_database_query_seconds_total", {"alias": "default"}),
        (3, "wsgiperf_database_slow_queries_total", {"alias": "default"}),
        (4, "wsgiperf_database_repeating_requests_total", {}),
        (10, "wsgiperf_database_pool_connections_limit", {"alias": "default"}),
        (3, "wsgiperf_database_pool_connections_used", {"alias": "default"}),
        (10, "wsgiperf_queue_duration_seconds_count", {}),
        (0.05, "wsgiperf_queue_duration_seconds_sum", {}),
        (2, "wsgiperf_workers", {}),
        (2, "wsgiperf_worker_respawns_total", {}),
        (2, "wsgiperf_worker_active_requests", {"worker": "3"}),
        (50 * 2**20, "wsgiperf_worker_memory_bytes", {"worker": "0"}),
        (0.25, "wsgiperf_worker_cpu_ratio", {"worker": "0"}),
        (None, "wsgiperf_worker_cpu_ratio", {"worker": "3"}),
        (0.4, "wsgiperf_system_memory_ratio", {}),
        (0.125, "wsgiperf_system_cpu_ratio", {}),
        (0, "wsgiperf_health_up", {"service": "posts", "region": "eu"}),
        (1, "wsgiperf_health_up", {"service": "cache", "region": ""}),
        (NOW - 4, "wsgiperf_health_checked_timestamp_seconds", {"service": "posts", "region": "eu"}),
        (2, "wsgiperf_alerts", {}),
        (1, "wsgiperf_alerts_firing", {"metric": "health", "severity": "critical"}),
        (5, "wsgiperf_overflow_total", {"table": "series"}),
        (1, "wsgiperf_shared", {}),
        (STARTED, "wsgiperf_started_timestamp_seconds", {}),
    ],
)
def test_each_figure(expected, name, labels, openmetrics):
    assert value(samples(a_snapshot(), a_board(), openmetrics), name, **labels) == expected


@both
def test_what_is_not_known_has_no_sample(openmetrics):
    board = a_board(system={}, workers={}, health=[{"name": "new", "status": "unknown"}], alerts={})
    found = samples(a_snapshot(), board, openmetrics)
    names = {name for name, _ in found}
    assert not {name for name in names if name.startswith("wsgiperf_system_cpu")}
    assert "wsgiperf_health_up" not in names
    assert "wsgiperf_worker_memory_bytes" not in names
    assert value(found, "wsgiperf_alerts") == 0


@both
def test_nothing_has_happened(openmetrics):
    found = samples(EMPTY, {}, openmetrics)
    assert value(found, "http_server_active_requests") == 0
    assert value(found, "wsgiperf_queue_duration_seconds_count") == 0
    assert not {name for name, _ in found if name.startswith(DURATION)}


def test_counters_metadata_is_as_each_format_wants_it():
    text = exposition(a_snapshot(), a_board(), openmetrics=False).decode()
    assert "# TYPE wsgiperf_exceptions_total counter\n" in text
    assert "# UNIT" not in text
    assert "# EOF" not in text
    other = exposition(a_snapshot(), a_board(), openmetrics=True).decode()
    assert "# TYPE wsgiperf_exceptions counter\n" in other
    assert f"# UNIT {DURATION} seconds\n" in other
    assert other.endswith("\n# EOF\n")
    lines = [line for line in other.splitlines() if not line.startswith("#")]
    # A scraper that comes to prefer the other format goes on with the same series.
    assert [line for line in text.splitlines() if not line.startswith("#")] == lines


@both
@pytest.mark.parametrize(
    "text",
    [
        '"', "\\", "\n", '\\"', "\\n", "\\\n", '"} 1\nforged 1 ', "{}", "%d %s %", "a,b=c", "\U0001f600", "é",
        "</script>", " ", "# EOF", "",
    ],
    ids=ascii,
)  # fmt: skip
def test_labels_come_back_as_they_were(text, openmetrics):
    snapshot = a_snapshot(
        [(text, text, 200, 0.1)],
        content_types=[ContentType(text, 1, 0, 0, 0)],
        databases=[Database(text, 1, 0.1, 0, 0)],
        exceptions={(text, text): 3},
    )
    board = a_board(health=[{"name": text or "-", "region": text, "status": "ok"}])
    found = samples(snapshot, board, openmetrics)
    route = {"http_route": text, "http_request_method": text, "http_response_status_code": "200"}
    assert value(found, f"{DURATION}_count", **route) == 1
    assert value(found, "wsgiperf_cache_requests_total", content_type=text, outcome="hit") == 1
    assert value(found, "wsgiperf_database_queries_total", alias=text) == 1
    assert value(found, "wsgiperf_exceptions_total", type=text, severity=text) == 3
    assert value(found, "wsgiperf_health_up", service=text or "-", region=text) == 1
    assert not any(name == "forged" for name, _ in found)


@both
@pytest.mark.parametrize("character", [*map(chr, range(32)), "\x7f", "\x85", "\u2028", "\udfff"], ids=ascii)
def test_no_character_breaks_a_line(character, openmetrics):
    """Control characters have no escape in either format: they are shown."""
    text = f"a{character}b"
    body = exposition(a_snapshot([(text, "GET", 200, 0.1)]), {}, openmetrics=openmetrics)
    routes = [
        sample.labels["http_route"]
        for family in families(body, openmetrics)
        for sample in family.samples
        if sample.name == f"{DURATION}_count"
    ]
    assert len(routes) == 1
    assert routes[0].startswith("a")
    assert routes[0].endswith("b")


@both
@pytest.mark.parametrize("garbage", GARBAGE, ids=repr)
@pytest.mark.parametrize("name", ["at", "pid", "system", "workers", "health", "alerts"])
def test_a_board_of_anything_leaves_metrics_that_can_be_read(name, garbage, openmetrics):
    found = samples(a_snapshot(), a_board(**{name: garbage}), openmetrics)
    assert sum(count for (sample, _), count in found.items() if sample == f"{DURATION}_count") == 103
    assert not [key for key, number in found.items() if not math.isfinite(number)]


def test_services_of_one_name_are_one_sample():
    service = {"name": "posts", "region": "eu", "status": "ok", "latency": 0.1}
    assert samples(a_snapshot(), a_board(health=[service, service | {"kind": "tcp"}]))


def test_promtool_has_nothing_to_say():
    if shutil.which("promtool") is None:
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says("promtool is not installed (Debian: apt install prometheus)")
    snapshot = a_snapshot([(HOSTILE, "GET", 200, 0.1), ("/", "GET", 500, 20.0)])
    body = exposition(snapshot, a_board(), openmetrics=False)
    checked = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, timeout=60)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
