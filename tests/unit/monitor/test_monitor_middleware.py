"""The part in a stack: what it counts, and who gets an answer."""

import json

import pytest

from unit.client import HTML, answering, ask
from wsgiperf import MonitorMiddleware, SettingsError, wrap
from wsgiperf.alert_rules import with_defaults
from wsgiperf.monitor.middleware import _waited
from wsgiperf.settings import MonitorSettings

TOKEN = "a-token-that-is-long-enough"
number = iter(range(10**6))


@pytest.fixture
def state(tmp_path):
    return str(tmp_path / "state")


def figures(app, path="/_stats/json"):
    got = ask(app, path=path, peer="127.0.0.1", headers={"Host": "localhost"})
    assert got.status == "200 OK", got
    return json.loads(got.body)


def open_monitor(app, state, **options):
    return MonitorMiddleware(app, access="loopback", state=state, **options)


def test_requests_are_counted_and_told_of(state):
    app = open_monitor(answering(HTML), state)
    for _ in range(3):
        ask(app, path="/somewhere")
    found = figures(app)
    assert found["requests"]["total"] == 3
    assert [(one["route"], one["method"], one["count"]) for one in found["endpoints"]] == [
        ("unmatched", "GET", 3)
    ]
    assert found["requests"]["in_flight"] == 0


def test_its_own_pages_are_in_no_total(state):
    app = open_monitor(answering(HTML), state)
    for _ in range(3):
        figures(app)
    found = figures(app)
    assert (found["requests"]["total"], found["requests"]["stats_requests"]) == (0, 3)


def test_patterns_name_the_routes(state):
    app = open_monitor(answering(HTML), state, routes=["/posts/{id}", "/static/*"])
    for path in ("/posts/1", "/posts/2", "/static/a/b", "/other"):
        ask(app, path=path)
    counts = {one["route"]: one["count"] for one in figures(app)["endpoints"]}
    assert counts == {"/posts/{id}": 2, "/static/*": 1, "unmatched": 1}


def test_without_a_token_there_are_no_pages(state):
    app = MonitorMiddleware(answering(HTML, body=b"the application's"), state=state)
    for path in ("/_stats", "/_stats/json", "/_stats/metrics", "/_stats/health/live"):
        assert (
            ask(app, path=path, peer="127.0.0.1", headers={"Host": "localhost"}).body == b"the application's"
        )


def test_with_a_token_its_bearer_sees_them(state):
    app = MonitorMiddleware(answering(HTML), token=TOKEN, state=state)
    assert ask(app, path="/_stats/json", headers={"Authorization": f"Bearer {TOKEN}"}).status == "200 OK"
    assert ask(app, path="/_stats/json", headers={"Authorization": "Bearer x"}).status == "404 Not Found"
    assert ask(app, path="/_stats/json").status == "404 Not Found"


def test_paths_that_only_begin_alike_are_the_applications(state):
    app = open_monitor(answering(HTML, body=b"mine"), state)
    assert ask(app, path="/_statsx", peer="127.0.0.1", headers={"Host": "localhost"}).body == b"mine"
    assert figures(app)["requests"]["total"] == 1


def test_metrics_are_where_prometheus_looks(state):
    app = open_monitor(answering(HTML), state, metrics_path="/metrics")
    ask(app, path="/x")
    for path in ("/metrics", "/metrics/", "/_stats/metrics"):
        got = ask(app, path=path, peer="127.0.0.1", headers={"Host": "localhost"})
        assert b"http_server_request_duration_seconds_count" in got.body


def test_two_monitors_of_a_process_count_together_and_each_request_once(state):
    inner = open_monitor(answering(HTML), state)
    outer = open_monitor(lambda environ, start: inner(environ, start), state)
    other = open_monitor(answering(HTML), state)
    ask(outer, path="/a")
    ask(other, path="/b")
    assert figures(outer)["requests"]["total"] == figures(other)["requests"]["total"] == 2


def test_an_application_that_raises_is_counted_with_its_exception(state):
    def failing(environ, start_response):
        raise LookupError("no such thing")

    app = open_monitor(failing, state)
    with pytest.raises(LookupError):
        app({"REQUEST_METHOD": "GET", "PATH_INFO": "/x"}, lambda *_: None)
    found = figures(app)
    assert found["requests"]["by_status_class"]["5xx"] == 1
    assert found["errors"]["by_type"] == [{"type": "LookupError", "severity": "error", "count": 1}]
    assert found["requests"]["in_flight"] == 0


def test_it_sees_what_every_part_did(state):
    app = wrap(
        answering(HTML, ("Cache-Control", "max-age=60"), body=b"<p>" * 2000),
        monitor={"access": "loopback", "state": state},
    )
    for _ in range(4):
        ask(app, path="/page", headers={"Accept-Encoding": "br"})
    found = figures(app)
    assert found["performance"]["cache"] == {"hits": 3, "misses": 1, "hit_rate": 75.0}
    assert [(one["content_type"], one["hits"], one["misses"]) for one in found["content_types"]] == [
        ("text/html", 3, 1)
    ]
    assert found["compression"]["responses"] == 4
    assert found["compression"]["bytes_before"] == 4 * 6000


def test_the_queue_is_told_by_trusted_proxies_alone(state, monkeypatch):
    monkeypatch.setattr("wsgiperf.monitor.middleware.time", lambda: 1_800_000_002.0)
    app = open_monitor(answering(HTML), state, trusted_proxies=["10.0.0.1"])
    headers = {"X-Request-Start": "t=1800000000.000"}
    ask(app, peer="10.0.0.1", headers=headers)
    ask(app, peer="10.0.0.2", headers=headers)
    queue = figures(app)["queue"]
    assert queue["count"] == 1
    assert queue["average"] == pytest.approx(2)


@pytest.mark.parametrize(
    ("value", "waited"),
    [
        ("t=1700000000.5", 1.5),
        ("1700000000.5", 1.5),
        ("1700000000500", 1.5),
        ("t=1700000000500000", 1.5),
        ("1700000002.5", 0.0),
        ("1600000000", None),
        ("", None),
        ("t=", None),
        ("1e9", None),
        ("-1700000000", None),
        ("nan", None),
        ("1" * 400, None),
        ("1.7.0", None),
        ("²", None),
    ],
    ids=lambda value: str(value)[:20] or "empty",
)
def test_when_a_request_started(value, waited):
    assert _waited(value, 1700000002.0) == (None if waited is None else pytest.approx(waited))


@pytest.mark.parametrize(
    "options",
    [
        {"path": "stats"},
        {"path": "/"},
        {"path": "/_stats/"},
        {"path": "/a b"},
        {"metrics_path": "/_stats"},
        {"access": "everybody"},
        {"token": "short"},
        {"slabs": 0},
        {"routes": ["posts"]},
        {"alert_webhook": "ftp://example.com"},
        {"alert_rules": [{"metric": "luck", "threshold": 1}]},
        {"alert_sinks": [1]},
        {"health_checks": [{"kind": "none"}]},
        {"no_such": 1},
    ],
    ids=str,
)
def test_a_bad_option_is_a_clear_error(options):
    with pytest.raises(SettingsError, match="monitor"):
        MonitorMiddleware(**options)


def test_rules_replace_the_default_ones_of_their_metric():
    settings = MonitorSettings(alert_rules=[{"metric": "cpu", "threshold": 99.0}])
    rules = with_defaults(settings.alert_rules)
    assert [rule.threshold for rule in rules if rule.metric == "cpu"] == [99.0]
    assert {rule.metric for rule in rules} >= {"memory", "error_rate", "hit_rate", "response_time"}
