"""The configurations of examples/deploy: accepted by their programs, and about metrics that exist."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from wsgiperf.monitor.endpoint.prometheus import exposition
from wsgiperf.monitor.snapshot import (
    Coding,
    ContentType,
    Database,
    Latencies,
    Queue,
    Series,
    Snapshot,
    Worker,
)

DEPLOY = Path(__file__).parents[2] / "examples" / "deploy"
METRIC = re.compile(r"\b(?:http_server|wsgiperf)_[a-z0-9_]+")
NOW = 1_700_000_000.0


def emitted() -> set[str]:
    """The names of all samples."""
    snapshot = Snapshot(
        taken=NOW,
        started=NOW,
        series=[Series("/", "GET", 200, 1, 0.1, 0.1, 0.1, (0,) * 14 + (1,))],
        latencies=[Latencies("/", "GET", [1])],
        exceptions={("ValueError", "error"): 1},
        content_types=[ContentType("text/html", 1, 1, 1, 1)],
        codings=[Coding("br", 1, 2, 1, 0.1)],
        databases=[Database("default", 1, 0.1, 0, 0)],
        queue=Queue(1, 0.1, 0.1),
        workers=[Worker(1, 0, NOW, 1, 0, 4, (("default", 5, 1, 0),))],
        overflow={"series": 0},
    )
    board = {
        "at": NOW,
        "pid": 1,
        "system": {"cpu_percent": 1, "memory_percent": 1, "memory_used_bytes": 1, "memory_total_bytes": 2},
        "workers": {"1": {"cpu_percent": 1, "memory_bytes": 1}},
        "health": [{"name": "posts", "status": "ok", "latency": 0.1, "checked": NOW}],
        "alerts": {"active": [{"metric": "p95", "severity": "info"}]},
    }
    text = exposition(snapshot, board, openmetrics=False).decode()
    return {re.split("[{ ]", line)[0] for line in text.splitlines() if not line.startswith("#")}


def dashboard() -> dict:
    return json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", ["grafana-dashboard.json", "alerts.yml"])
def test_every_metric_that_is_asked_for_is_one_of_ours(file):
    asked = set(METRIC.findall((DEPLOY / file).read_text(encoding="utf-8")))
    assert len(asked) > 5
    assert asked - emitted() == set()


def test_every_metric_but_a_few_is_on_the_dashboard():
    """Those left out say when, of what release, or the same as another one."""
    shown = set(METRIC.findall(json.dumps(dashboard())))
    assert emitted() - shown == {
        "http_server_active_requests",
        "wsgiperf_alerts_firing",
        "wsgiperf_build_info",
        "wsgiperf_health_checked_timestamp_seconds",
        "wsgiperf_monitor_requests_total",
        "wsgiperf_shared",
        "wsgiperf_started_timestamp_seconds",
        "wsgiperf_system_memory_limit_bytes",
        "wsgiperf_system_memory_used_bytes",
        "wsgiperf_system_sampled_timestamp_seconds",
        "wsgiperf_worker_threads",
    }


def test_panels_neither_overlap_nor_stick_out():
    taken: set[tuple[int, int]] = set()
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_dashboard_names_no_data_source_of_ours():
    """Whoever imports it chooses one."""
    found = re.findall(r'"uid": "([^"]*)"', json.dumps(dashboard()))
    assert set(found) == {"${datasource}", "wsgiperf"}


@pytest.fixture
def configured(tmp_path):
    """A copy with the file that holds the token, as the README has it made."""
    if shutil.which("promtool") is None:
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says("promtool is not installed (Debian: apt install prometheus)")
    for name in ("prometheus.yml", "alerts.yml"):
        shutil.copy(DEPLOY / name, tmp_path)
    (tmp_path / "stats-token").write_text("a token of these tests: #1")
    return tmp_path


def promtool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["promtool", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def test_prometheus_takes_the_configuration_and_its_rules(configured):
    checked = promtool(configured, "check", "config", "prometheus.yml")
    assert checked.returncode == 0, checked.stderr
    assert "SUCCESS: 1 rule files found" in checked.stdout
    assert "SUCCESS: 8 rules found" in checked.stdout


def test_it_wants_the_token(configured):
    (configured / "stats-token").unlink()
    checked = promtool(configured, "check", "config", "prometheus.yml")
    assert checked.returncode != 0
    assert "stats-token" in checked.stderr


RULES = """
rule_files: [alerts.yml]
evaluation_interval: 5s
tests:
  - interval: 5s
    input_series:
      - series: up{job="wsgiperf", instance="a"}
        values: 1x60 0x60
      - series: wsgiperf_health_up{job="wsgiperf", instance="a", service="posts", region="eu"}
        values: 0x120
      - series: http_server_request_duration_seconds_count{job="wsgiperf", http_response_status_code="200"}
        values: 0+90x120
      - series: http_server_request_duration_seconds_count{job="wsgiperf", http_response_status_code="503"}
        values: 0+10x120
    alert_rule_test:
      - {alertname: SiteDown, eval_time: 5m}
      - alertname: SiteDown
        eval_time: 6m
        exp_alerts:
          - exp_labels: {job: wsgiperf, instance: a, severity: critical}
            exp_annotations: {summary: "a doesn't answer"}
      - alertname: ServiceFailing
        eval_time: 2m
        exp_alerts:
          - exp_labels: {job: wsgiperf, instance: a, service: posts, region: eu, severity: critical}
            exp_annotations: {summary: "posts eu fails, a says"}
      - alertname: ManyErrors
        eval_time: 3m
        exp_alerts:
          - exp_labels: {job: wsgiperf, severity: warning}
            exp_annotations: {summary: "10% of the requests fail"}
      - {alertname: SlowResponses, eval_time: 3m}
      - {alertname: WorkersSaturated, eval_time: 3m}
"""


def test_the_rules_fire_when_they_should(configured):
    (configured / "tests.yml").write_text(RULES)
    checked = promtool(configured, "test", "rules", "tests.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
