"""Which page is where, who gets which answer, and how it is sent."""

from __future__ import annotations

import gzip
import json
from types import SimpleNamespace
from typing import Any

import pytest

from unit.client import environ_of
from wsgiperf.exchange import Exchange, Response
from wsgiperf.health_checks import TcpCheck
from wsgiperf.http.etag import with_coding
from wsgiperf.monitor.endpoint import routing
from wsgiperf.monitor.endpoint.access import Access
from wsgiperf.monitor.endpoint.routing import Endpoint

from .figures import NOW, a_board, a_snapshot

TOKEN = "a token of these tests: #1"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
SCRIPT = SimpleNamespace(
    body=b"let script;\n" * 200,
    content_type="text/javascript; charset=utf-8",
    etag='"0123abcd"',
    gzipped=gzip.compress(b"let script;\n" * 200),
)
PLACES = [
    "/_stats", "/_stats/", "/_stats/json", "/_stats/metrics", "/_stats/metrics/", "/_stats/health/live",
    "/_stats/health/ready", "/_stats/assets/main.js", "/metrics", "/metrics/",
]  # fmt: skip
NOT_THERE = ["/_stats/x", "/_stats/json/", "/_stats//", "/_stats/assets/", "/_stats/assets/../page.py"]


@pytest.fixture(autouse=True)
def _dashboard(monkeypatch):
    """A page that tells what it was made of, with one file."""

    def page(base: str, payload: bytes) -> bytes:
        return b"<title>%s</title>%s" % (base.encode(), payload)

    fake = SimpleNamespace(
        page=page, asset={"main.js": SCRIPT}.get, POLICY="default-src 'none'; script-src 'self'"
    )
    monkeypatch.setattr(routing, "dashboard", fake)


def endpoint(access: Access | None = None, **more: Any) -> Endpoint:
    options: dict[str, Any] = {"snapshot": a_snapshot, "board": a_board, "metrics_path": "/metrics"} | more
    return Endpoint(
        options.pop("path", "/_stats"),
        options.pop("metrics_path"),
        access or Access("token", TOKEN),
        **options,
    )


def ask(
    path: str, *fields: dict[str, str], method: str = "GET", to: Endpoint | None = None, **environ: Any
) -> Response | None:
    headers = {name: value for some in fields for name, value in some.items()}
    exchange = Exchange(environ_of(path, method, headers, **environ), frozenset())
    return (to or endpoint()).answer(exchange)


def answer(*args: Any, **more: Any) -> Response:
    found = ask(*args, **more)
    assert found is not None
    return found


def body(response: Response) -> bytes:
    found = b"".join(response.body)
    assert response.headers["Content-Length"] == str(len(found))
    return gzip.decompress(found) if response.headers.get("Content-Encoding") == "gzip" else found


# -- where


@pytest.mark.parametrize("path", PLACES)
def test_every_page_is_there_for_who_has_the_token(path):
    assert answer(path, BEARER).status == "200 OK"


@pytest.mark.parametrize("path", NOT_THERE)
def test_no_other_page_is(path):
    assert answer(path, BEARER).status == "404 Not Found"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/_stat",
        "/_statsx",
        "/_stats.json",
        "/x/_stats",
        "/metricsx",
        "/metrics/x",
        "//_stats",
        "/_STATS",
    ],
)
def test_other_paths_are_the_applications(path):
    assert ask(path, BEARER) is None
    assert ask(path) is None


def test_metrics_are_elsewhere_only_where_that_is_configured():
    assert ask("/metrics", BEARER, to=endpoint(metrics_path="")) is None
    assert ask("/", BEARER, to=endpoint(metrics_path="")) is None


def test_paths_are_compared_as_servers_pass_them():
    path = "/\u00fcbersicht"
    assert answer(path.encode().decode("latin-1"), BEARER, to=endpoint(path=path)).status == "200 OK"


# -- who


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "PURGE", "<x>"])
@pytest.mark.parametrize(
    "fields", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic \xff"}], ids=repr
)
@pytest.mark.parametrize("path", PLACES + NOT_THERE)
def test_without_the_token_nothing_is_there(path, fields, method):
    """One and the same answer for pages that are there and pages that aren't, and no figure is looked at."""

    def untouched() -> Any:
        raise AssertionError("somebody looked")

    closed = endpoint(snapshot=untouched, board=untouched)
    response = answer(path, fields, method=method, to=closed)
    assert response.status == "404 Not Found"
    assert response.headers.pairs == answer("/_stats/nothing", BEARER).headers.pairs
    assert body(response) == b"Not Found\n"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/_stats", "/_stats/"])
@pytest.mark.parametrize("fields", [{}, {"Authorization": "Basic eDp5"}], ids=["no token", "a wrong one"])
def test_a_browser_is_asked_for_the_token(path, fields, method):
    response = answer(path, BROWSER, fields, method=method)
    assert response.status == "401 Unauthorized"
    assert response.headers["WWW-Authenticate"] == 'Basic realm="monitor", charset="UTF-8"'
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", [*PLACES[2:], *NOT_THERE])
def test_a_browser_is_asked_for_it_at_the_dashboard_only(path):
    assert answer(path, BROWSER).status == "404 Not Found"
    assert answer("/_stats", BROWSER, method="POST").status == "404 Not Found"


@pytest.mark.parametrize(
    "access", [Access("token", ""), Access("loopback", TOKEN), Access(lambda environ: False, TOKEN)]
)
def test_nobody_is_asked_for_a_token_that_does_not_help(access):
    for path in PLACES:
        assert answer(path, BROWSER, BEARER, to=endpoint(access)).status == "404 Not Found"


def test_a_token_in_the_url_is_none():
    for query in (f"token={TOKEN}", f"access_token={TOKEN}"):
        assert answer("/_stats/json", QUERY_STRING=query).status == "404 Not Found"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PURGE"])
@pytest.mark.parametrize("path", [*PLACES, "/_stats/x"])
def test_pages_are_read_only(path, method):
    response = answer(path, BEARER, method=method)
    assert response.status == "405 Method Not Allowed"
    assert response.headers["Allow"] == "GET, HEAD"


# -- what


@pytest.mark.parametrize("path", ["/_stats", "/_stats/"])
def test_browsers_get_the_dashboard_with_its_data(path):
    response = answer(path, BEARER, BROWSER, mount="/app")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Content-Security-Policy"] == routing.dashboard.POLICY
    page = body(response)
    assert page.startswith(b"<title>/app/_stats</title>")
    assert json.loads(page.partition(b"</title>")[2])["requests"]["total"] == 103


@pytest.mark.parametrize("path", ["/_stats", "/_stats/"])
@pytest.mark.parametrize("fields", [{}, {"Accept": "*/*"}, {"Accept": "application/json"}], ids=repr)
def test_others_get_json(path, fields):
    response = answer(path, BEARER, fields)
    assert response.headers["Content-Type"] == "application/json"
    assert json.loads(body(response))["generated"] == NOW


def test_json_is_json_for_browsers_too():
    assert answer("/_stats/json", BEARER, BROWSER).headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["/_stats/metrics", "/_stats/metrics/", "/metrics", "/metrics/"])
def test_metrics_in_two_formats(path):
    text = answer(path, BEARER)
    assert text.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert body(text).startswith(b"# HELP http_server_request_duration_seconds ")
    other = answer(path, BEARER, OPENMETRICS)
    assert other.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert body(other).endswith(b"\n# EOF\n")


def test_metrics_may_take_a_lesser_snapshot():
    found = endpoint(counters=lambda: a_snapshot(own=4711))
    assert b"wsgiperf_monitor_requests_total 4711\n" in body(answer("/metrics", BEARER, to=found))
    assert json.loads(body(answer("/_stats/json", BEARER, to=found)))["requests"]["stats_requests"] == 7


def test_every_answer_is_as_of_now():
    """What was counted before the request is in it."""
    taken = []
    counting = endpoint(snapshot=lambda: a_snapshot(own=len(taken), taken=taken.append(1) or NOW))
    found = [json.loads(body(answer("/_stats/json", BEARER, to=counting))) for _ in range(3)]
    assert [one["requests"]["stats_requests"] for one in found] == [0, 1, 2]


def test_alive_whatever_is_the_matter():
    def fails() -> Any:
        raise RuntimeError("broken")

    response = answer("/_stats/health/live", BEARER, to=endpoint(snapshot=fails, board=fails))
    assert response.status == "200 OK"
    assert json.loads(body(response)) == {"status": "ok"}


CHECKS = (
    TcpCheck("posts", "posts", 80, region="eu"),
    TcpCheck("cache", "cache", 6379),
    TcpCheck("mail", "mail", 25, critical=False),
)


@pytest.mark.parametrize(
    ("statuses", "failing"),
    [
        (("ok", "ok", "ok"), []),
        (("ok", "ok", "failing"), []),
        (("failing", "ok", "ok"), [{"name": "posts", "region": "eu"}]),
        (("ok", "hung", "ok"), [{"name": "cache", "region": ""}]),
        (("ok", "unknown", "ok"), [{"name": "cache", "region": ""}]),
    ],
)
def test_ready_while_all_critical_checks_are_well(statuses, failing):
    services = [
        {"name": check.name, "region": check.region, "status": status}
        for check, status in zip(CHECKS, statuses, strict=True)
    ]
    found = endpoint(checks=CHECKS, board=lambda: a_board(health=services))
    response = answer("/_stats/health/ready", BEARER, to=found)
    assert response.status == ("503 Service Unavailable" if failing else "200 OK")
    assert json.loads(body(response)) == {"status": "failing" if failing else "ok", "failing": failing}


def test_ready_without_checks_whatever_the_board_says():
    for board in (dict, a_board, lambda: None, lambda: 1 / 0):
        response = answer("/_stats/health/ready", BEARER, to=endpoint(board=board))
        assert response.status == "200 OK"


@pytest.mark.parametrize("path", ["/_stats", "/_stats/json", "/metrics"])
def test_figures_without_a_board(path, caplog):
    def fails() -> Any:
        raise OSError("the file is gone")

    response = answer(path, BEARER, to=endpoint(board=fails))
    assert response.status == "200 OK"
    assert "the file is gone" in caplog.text


def test_no_figures_at_all_is_said_without_details(caplog):
    def fails() -> Any:
        raise OSError("the file /secret/place is gone")

    response = answer("/_stats/json", BEARER, to=endpoint(snapshot=fails))
    assert response.status == "500 Internal Server Error"
    assert b"secret" not in body(response)
    assert "the file /secret/place is gone" in caplog.text


# -- how


@pytest.mark.parametrize("fields", [{}, BROWSER, OPENMETRICS], ids=["plain", "browser", "openmetrics"])
@pytest.mark.parametrize("path", PLACES)
def test_headers(path, fields):
    headers = answer(path, BEARER, fields).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "Accept-Encoding" in headers["Vary"]
    assert "Set-Cookie" not in headers
    if "assets" not in path:
        assert headers["Cache-Control"] == "no-store"
    names = [name.lower() for name, _ in headers]
    assert len(names) == len({*names})


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        (None, None),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "gzip"),
        ("br", None),
        ("gzip;q=0, *", None),
        ("identity;q=1, gzip;q=0.5", None),
        ("*", "gzip"),
        ("\udcff;q=\xff", None),
    ],
)
@pytest.mark.parametrize("path", ["/_stats", "/_stats/json", "/metrics", "/_stats/assets/main.js"])
def test_compression(path, accept_encoding, coding):
    fields = {} if accept_encoding is None else {"Accept-Encoding": accept_encoding}
    response = answer(path, BEARER, fields)
    assert response.headers.get("Content-Encoding") == coding
    plain = body(answer(path, BEARER))
    assert body(response) == plain
    assert (len(b"".join(response.body)) < len(plain) / 2) == (coding == "gzip")


def test_what_is_short_is_sent_as_it_is():
    response = answer("/_stats/health/live", BEARER, {"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in response.headers


def test_assets_are_kept_by_the_browser_and_by_nobody_else():
    response = answer("/_stats/assets/main.js", BEARER)
    assert response.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert response.headers["ETag"] == SCRIPT.etag
    assert response.headers["Content-Type"] == SCRIPT.content_type


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("{}", "304"),
        ("W/{}", "304"),
        ('"x", {}', "304"),
        ("*", "304"),
        ('"x"', "200"),
        ("", "200"),
        ("\udcff", "200"),
    ],
)
def test_an_asset_that_the_browser_has_is_not_sent_again(condition, status, zipped):
    tag = with_coding(SCRIPT.etag, "gzip") if zipped else SCRIPT.etag
    fields = {"If-None-Match": condition.format(tag)} | ({"Accept-Encoding": "gzip"} if zipped else {})
    response = answer("/_stats/assets/main.js", BEARER, fields)
    assert response.status[:3] == status
    assert response.headers["ETag"] == tag
    if status == "304":
        assert list(response.body) == []
        assert "Content-Length" not in response.headers


def test_the_other_codings_tag_does_not_count():
    """The bytes it stands for are others."""
    fields = {"If-None-Match": with_coding(SCRIPT.etag, "gzip")}
    assert answer("/_stats/assets/main.js", BEARER, fields).status == "200 OK"
    fields = {"If-None-Match": SCRIPT.etag, "Accept-Encoding": "gzip"}
    assert answer("/_stats/assets/main.js", BEARER, fields).status == "200 OK"
