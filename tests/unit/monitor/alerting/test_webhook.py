"""The webhook against receivers on loopback: what they get, and that none keeps it longer than the limit."""

from __future__ import annotations

import socket
import time

import pytest
from servers.redis_server import until

from wsgiperf.monitor.alerting.outbox import Outbox
from wsgiperf.monitor.alerting.records import Change
from wsgiperf.monitor.alerting.sinks import DeliveryError
from wsgiperf.monitor.alerting.webhook import WebhookSink

from .receiver import OK, dripping, receiving, saying, silent

FIRED = Change("a1b2", "fired", 1000.5, "health", "critical", "db", 12.0, 0.0, "Dienst für \u2028 down", 2)


def test_the_receiver_gets_the_change_as_json_with_a_key_of_its_own():
    """The alert's ID and the delivery's are both in it."""
    with receiving(saying(OK)) as receiver:
        WebhookSink(receiver.url, headers={"Authorization": "Bearer secret"})(FIRED)
    (request,) = receiver.requests
    assert request.line == "POST /hook?to=ops HTTP/1.1"
    assert request.body == {
        "id": "a1b2",
        "event": "fired",
        "at": 1000.5,
        "metric": "health",
        "severity": "critical",
        "subject": "db",
        "value": 12.0,
        "threshold": 0.0,
        "message": "Dienst für \u2028 down",
        "delivery": "a1b2-2",
        "text": "[critical] Dienst für \u2028 down",
    }
    assert request.fields["idempotency-key"] == '"a1b2-2"'
    assert request.fields["content-type"] == "application/json"
    assert request.fields["host"] == f"127.0.0.1:{receiver.port}"
    assert request.fields["authorization"] == "Bearer secret"


def test_credentials_in_the_url_are_sent_as_such():
    """RFC 7617; they are in neither the target nor the Host."""
    with receiving(saying(OK)) as receiver:
        WebhookSink(receiver.url.replace("127", "ops:p%40ss@127"))(FIRED)
    (request,) = receiver.requests
    assert request.fields["authorization"] == "Basic b3BzOnBAc3M="
    assert "@" not in request.line + request.fields["host"]


FAILURES = {
    "an error": (saying(b"HTTP/1.1 500 Oh\r\n\r\n"), "status 500"),
    "a refusal": (saying(b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno"), "status 404"),
    "no HTTP": (saying(b"220 smtp ready\r\n"), "BadStatusLine"),
    "no answer": (saying(b""), "RemoteDisconnected"),
    "an endless head": (saying(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000), "LineTooLong"),
}


@pytest.mark.parametrize(("answer", "said"), FAILURES.values(), ids=[n.replace(" ", "_") for n in FAILURES])
def test_whatever_isnt_2xx_is_a_failure(answer, said):
    """It says why, and never the URL, which may have a token in it."""
    with receiving(answer) as receiver, pytest.raises(DeliveryError, match=said) as caught:
        WebhookSink(receiver.url)(FIRED)
    assert "to=ops" not in str(caught.value)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(status):
    """Neither to another host nor to the same one."""
    with receiving(saying(OK)) as other:
        answer = saying(f"HTTP/1.1 {status} There\r\nLocation: {other.url}\r\n\r\n".encode())
        with receiving(answer) as receiver, pytest.raises(DeliveryError, match=str(status)):
            WebhookSink(receiver.url)(FIRED)
        assert len(receiver.requests) == 1
        assert other.requests == []


@pytest.mark.parametrize("answer", [silent, dripping], ids=["silent", "dripping"])
def test_the_time_limit_is_of_all_together(answer):
    """A receiver that sends a byte at a time doesn't extend it."""
    with receiving(answer) as receiver:
        began = time.monotonic()
        with pytest.raises(DeliveryError, match="timed out"):
            WebhookSink(receiver.url, seconds=0.3)(FIRED)
        assert 0.25 < time.monotonic() - began < 3.0


def test_a_receiver_that_isnt_there():
    """Refused is a failure like others."""
    with socket.socket() as bound:  # it doesn't listen, and nobody else has the port meanwhile
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(DeliveryError, match="ConnectionRefused"):
            WebhookSink(f"http://127.0.0.1:{bound.getsockname()[1]}/")(FIRED)


def test_a_receiver_without_tls_doesnt_get_what_was_meant_for_one_with():
    """The handshake fails before anything is sent."""
    with receiving(saying(OK)) as receiver:
        sink = WebhookSink(receiver.url.replace("http:", "https:"), seconds=0.5)
        with pytest.raises(DeliveryError):
            sink(FIRED)
    assert receiver.requests == []


def test_an_interim_answer_is_none():
    """RFC 9110 section 15.2: the final one follows."""
    with receiving(saying(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)) as receiver:
        WebhookSink(receiver.url)(FIRED)
    assert len(receiver.requests) == 1


def test_it_is_tried_again_with_the_same_key_until_the_receiver_takes_it():
    """500, then a connection that breaks, then 200: three attempts, and no fourth."""
    answers = saying(b"HTTP/1.1 500 Oh\r\n\r\n"), saying(b""), saying(b"HTTP/1.1 200 OK\r\n\r\n")
    pauses: list[float] = []
    with receiving(*answers) as receiver:
        outbox = Outbox([WebhookSink(receiver.url)], wait=pauses.append)
        outbox.add([FIRED])
        outbox.claim()
        outbox.send()
        until(lambda: not outbox.state())
    assert [request.fields["idempotency-key"] for request in receiver.requests] == ['"a1b2-2"'] * 3
    assert pauses == [1.0, 2.0]


def test_after_a_few_attempts_it_is_given_up(caplog):
    """With a line in the log; what comes next is sent as if nothing had been."""
    taken = saying(OK)
    with receiving(*[saying(b"HTTP/1.1 503 Later\r\n\r\n")] * 5, taken) as receiver:
        outbox = Outbox([WebhookSink(receiver.url)], wait=lambda seconds: None)
        outbox.add([FIRED, FIRED._replace(event="cleared", number=3)])
        outbox.claim()
        outbox.send()
        until(lambda: not outbox.state())
    assert [request.body["event"] for request in receiver.requests] == ["fired"] * 5 + ["cleared"]
    assert "status 503" in caplog.text


URLS = {
    "no scheme": "hooks.example/x",
    "another scheme": "ftp://hooks.example/",
    "a file": "file:///etc/hostname",
    "no host": "https:///x",
    "no port": "https://hooks.example:x/",
    "two lines": "https://hooks.example/\r\nX: y",
    "a split host": "https://hooks.exam\nple/",
}


@pytest.mark.parametrize("url", URLS.values(), ids=[name.replace(" ", "_") for name in URLS])
def test_a_wrong_url_is_refused(url):
    """When the sink is made."""
    with pytest.raises(ValueError):  # noqa: PT011 - some are urlsplit's
        WebhookSink(url)


@pytest.mark.parametrize("headers", [{"X": "a\r\nb"}, {"Content-Length": "1"}, {"host": "x"}], ids=str)
def test_a_field_that_would_break_the_request_is_refused(headers):
    """When the sink is made."""
    with pytest.raises(ValueError):  # noqa: PT011
        WebhookSink("https://hooks.example/", headers=headers)


def test_what_a_url_may_not_contain_is_encoded():
    """So that the request stays one."""
    with receiving(saying(OK)) as receiver:
        WebhookSink(receiver.url.replace("/hook?to=ops", "/a b/ü%20c?d=é f"))(FIRED)
    assert receiver.requests[0].line == "POST /a%20b/%C3%BC%20c?d=%C3%A9%20f HTTP/1.1"
