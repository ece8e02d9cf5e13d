"""A real Prometheus scrapes the metrics, and tells the numbers that were counted."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from unit.monitor.endpoint.figures import REQUESTS

from .prometheus_server import Pages, running_prometheus, served, until

DASHBOARD = Path(__file__).parents[3] / "examples" / "deploy" / "grafana-dashboard.json"
COUNT = "http_server_request_duration_seconds_count"
HOSTILE = '/</script>"quoted"\\back\nline {a="b"} \U0001f600'


@pytest.fixture(scope="module")
def pages():
    return Pages([*REQUESTS, (HOSTILE, "GET", 200, 0.02)])


@pytest.fixture(scope="module")
def prometheus(pages, tmp_path_factory):
    with served(pages) as port, running_prometheus(tmp_path_factory.mktemp("prometheus"), port) as started:
        started.wait_until_ready()
        yield started


def target(prometheus, job):
    """How a job's last scrape went that had an answer: the first may have come too late for its limit."""

    def scraped():
        found = prometheus.ask("targets", state="active")["activeTargets"]
        last[:] = [one for one in found if one["labels"]["job"] == job]
        return next((one for one in last if one["health"] != "unknown" and not timed_out(one)), None)

    last = []
    return until(scraped, lambda: (last, prometheus.log))


def timed_out(found):
    return "deadline exceeded" in found["lastError"]


@pytest.mark.parametrize("job", ["bearer", "basic"])
def test_it_is_let_in_and_reads_all_of_it(prometheus, job):
    found = target(prometheus, job)
    assert (found["health"], found["lastError"]) == ("up", "")


def test_it_is_not_without_the_token(prometheus):
    found = target(prometheus, "nobody")
    assert found["health"] == "down"
    assert "404" in found["lastError"]


def test_it_asks_for_openmetrics(prometheus, pages):
    target(prometheus, "bearer")
    assert any("application/openmetrics-text" in accept for accept in pages.accepted)


@pytest.mark.parametrize("job", ["bearer", "basic"])
def test_the_count_is_exact_to_the_last_request(prometheus, pages, job):
    def counted():
        return prometheus.number(f'sum({COUNT}{{job="{job}"}})') == len(pages.requests)

    until(counted, lambda: prometheus.query(COUNT))
    pages.requests.extend([("/posts", "POST", 302, 0.06)] * 7)
    until(counted, lambda: prometheus.query(COUNT))
    expected = sum(request[3] for request in pages.requests)
    total = f'sum({COUNT.replace("_count", "_sum")}{{job="{job}"}})'
    # After a scrape that timed out there is none until the next.
    assert until(lambda: prometheus.number(total), lambda: prometheus.log) == pytest.approx(expected)


def test_labels_arrive_as_they_were(prometheus):
    target(prometheus, "bearer")
    routes = {
        labels["http_route"] for labels, _ in until(lambda: prometheus.query(f'{COUNT}{{job="bearer"}}'))
    }
    assert routes == {"/posts/<int:id>", "/posts", "unmatched", "/big", HOSTILE}


def test_it_knows_the_types(prometheus):
    target(prometheus, "bearer")
    metadata = until(lambda: prometheus.ask("metadata"))
    expected = {
        "http_server_request_duration_seconds": "histogram",
        "http_server_active_requests": "gauge",
        "wsgiperf_exceptions": "counter",
        "wsgiperf_queue_duration_seconds": "summary",
    }
    assert {name: metadata[name][0]["type"] for name in expected} == expected
    assert metadata["http_server_request_duration_seconds"][0]["unit"] == "seconds"


def expressions():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    values = {"$job": "bearer", "$instance": ".*", "$__rate_interval": "1m"}
    for panel in dashboard["panels"]:
        for wanted in panel["targets"]:
            expression = wanted["expr"]
            for name, value in values.items():
                expression = expression.replace(name, value)
            yield pytest.param(expression, id=f"{panel['title']}-{wanted['refId']}")


@pytest.mark.parametrize("expression", [*expressions()])
def test_every_panel_of_the_dashboard_shows_something(prometheus, expression):
    found = until(lambda: prometheus.query(expression), lambda: prometheus.log)
    assert not [value for _, value in found if math.isinf(value)]


def test_it_has_nothing_to_complain_of(prometheus):
    """No sample out of order, none twice, nothing that could not be read."""
    until(lambda: (prometheus.number('count_over_time(up{job="bearer"}[1m])') or 0) >= 3)
    assert prometheus.log == ""
