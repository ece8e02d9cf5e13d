"""The HTTP check against servers that work, fail, hang and drip."""

from __future__ import annotations

import base64
import socket
import ssl
from contextlib import closing
from pathlib import Path

import pytest

from servers.monitor.answering import (
    LIMIT,
    Answer,
    Server,
    begins,
    certificate_in,
    drips,
    hangs,
    late,
    says,
    serving,
    status,
    tls_of,
)
from wsgiperf.health_checks import HttpCheck
from wsgiperf.monitor.health.checks import perform


@pytest.mark.parametrize(
    ("code", "expect", "error"),
    [
        (200, (200, 399), None),
        (204, (200, 399), None),
        (304, (200, 399), None),
        (404, (200, 399), "status 404"),
        (500, (200, 399), "status 500"),
        (503, (200, 399), "status 503"),
        (404, 404, None),
        (200, 204, "status 200"),
        (302, (301, 302), None),
    ],
)
def test_http_statuses(code: int, expect: int | tuple[int, int], error: str | None) -> None:
    """Those expected are well."""
    with serving(health=status(code, "Location: /gone")) as server:
        outcome = perform(HttpCheck("x", server.url + "/health", expect=expect))
        assert (outcome.ok, outcome.error) == (error is None, error)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        hangs,
        begins,
        drips("HTTP/1.1 200 OK\n" + "X: y\n" * 80),
        drips("HTTP/1.1 100 Continue\n\n" * 10),
        drips("HTTP/1.1 200 OK\nContent-Length: 1000\n\n" + "x" * 1000),
        drips("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n" + "1\nx\n" * 1000),
    ],
    ids=["silence", "half a body", "dripping fields", "dripping 100s", "dripping body", "dripping chunks"],
)
def test_http_has_one_limit_for_all(answer: Answer) -> None:
    """However the time is spent."""
    with serving(health=answer) as server:
        assert late(perform(HttpCheck("x", server.url + "/health", timeout=LIMIT)))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says(""), "RemoteDisconnected"),
        (says("SSH-2.0-OpenSSH\n"), "BadStatusLine"),
        (says("HTTP/1.1 200 OK\nX: " + "y" * 70000 + "\n\n"), "LineTooLong"),
        (says("HTTP/1.1 200 OK\n" + "X: y\n" * 200 + "\n"), "HTTPException"),
        (says("HTTP/1.1 200 OK\nContent-Length: 9\n\nx"), "IncompleteRead"),
        (says("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nzz\n"), "IncompleteRead"),
    ],
    ids=["closed", "no HTTP", "long line", "many fields", "cut off", "bad chunk"],
)
def test_http_that_is_none(answer: Answer, error: str) -> None:
    """Told by its kind, in little memory."""
    with serving(health=answer) as server:
        outcome = perform(HttpCheck("x", server.url + "/health"))
        assert not outcome.ok
        assert outcome.error is not None
        assert outcome.error.startswith(error)
        assert len(outcome.error) <= 200


def test_http_reads_the_beginning_of_an_endless_body() -> None:
    """And is content with it."""

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with serving(health=endless) as server:
        outcome = perform(HttpCheck("x", server.url + "/health", timeout=5))
        assert outcome.ok
        assert outcome.seconds < 4


def test_http_request() -> None:
    """What is sent: the credentials, the fields, nothing of a fragment."""
    with serving(**{"health?x=1": status(200)}) as server:
        url = f"http://us%40er:hun%2Fter2@127.0.0.1:{server.port}/health?x=1#part"
        assert perform(HttpCheck("x", url, headers={"Host": "posts.example", "X-A": "é"})).ok
        (request,) = server.requests
        head, *fields = request.rstrip("\r\n").split("\r\n")
        assert head == "GET /health?x=1 HTTP/1.1"
        assert sorted(fields) == [
            "Authorization: Basic " + base64.b64encode(b"us@er:hun/ter2").decode(),
            "Connection: close",
            "Host: posts.example",
            "User-Agent: wsgiperf",
            "X-A: é",
        ]


def test_http_follows_redirects_at_home() -> None:
    """The last answer counts, and everyone gets the credentials, which stay at home with them."""
    with serving(
        a=status(302, "Location: /b"),
        b=status(307, "Location: c"),
        c=status(500),
        again=status(302, "Location: /again"),
    ) as server:
        outcome = perform(HttpCheck("x", server.url + "/a", headers={"X-Token": "t"}))
        assert outcome.error == "status 500"
        assert len(server.requests) == 3
        assert all("X-Token: t" in request for request in server.requests)
        assert perform(HttpCheck("x", server.url + "/again")).error == "more than 5 redirects"
        assert len(server.requests) == 3 + 6


@pytest.mark.parametrize(
    "location", ["http://localhost:{0}/b", "//127.0.0.1:1/b", "https://127.0.0.1:{0}/b", "file:///etc/b"]
)
def test_http_does_not_follow_redirects_elsewhere(location: str) -> None:
    """Another host, port or scheme: the redirect is the answer."""
    listener: list[Server] = []

    def answer(connection: socket.socket) -> None:
        status(302, "Location: " + location.format(listener[0].port))(connection)

    with serving(a=answer, b=status(500)) as server:
        listener.append(server)
        assert perform(HttpCheck("x", server.url + "/a")).ok
        error = "status 302, a redirect to another host, which is not followed"
        assert perform(HttpCheck("x", server.url + "/a", expect=200)).error == error
        assert len(server.requests) == 2


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_in(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    return tls_of(certificate)


def test_https_verifies(certificate: Path, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority and the name."""
    with serving(tls, health=status(200)) as server:
        refused = perform(HttpCheck("x", server.url + "/health"))
        assert refused.error is not None
        assert refused.error.startswith("SSLCertVerificationError")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert perform(HttpCheck("x", server.url + "/health")).ok
        other = perform(HttpCheck("x", f"https://localhost:{server.port}/health"))
        assert other.error is not None
        assert "Hostname mismatch" in other.error
        assert len(server.requests) == 1


def test_https_has_one_limit_for_all(
    certificate: Path, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the handshake and without."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(tls, health=drips("HTTP/1.1 200 OK\n" + "X: y\n" * 80)) as server:
        assert late(perform(HttpCheck("x", server.url + "/health", timeout=LIMIT)))
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        assert late(perform(HttpCheck("x", url, timeout=LIMIT)))
