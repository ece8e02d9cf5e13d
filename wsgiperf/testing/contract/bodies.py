"""What the client gets: the application's own response, or an encoding of it that says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from wsgiperf.testing.applications import (
    AWKWARD,
    COMPLETE,
    HTML,
    LINES,
    TEXT,
    Application,
    Shape,
)
from wsgiperf.testing.rules import Level, Wrap, expect, rule
from wsgiperf.testing.server import Fields, deliver
from wsgiperf.testing.trial import (
    ENCODED,
    HEAD,
    HEAD_ENCODED,
    PLAIN,
    REQUESTS,
    assert_without_faults,
    encoding_faults,
    protocol_faults,
    response_faults,
    run,
)

UPGRADE: Fields = (("Connection", "Upgrade"), ("Upgrade", "echo"), ("Content-Type", "text/plain"))

_BODILESS = {
    "no content": Application((), status="204 No Content", fields=()),
    "no content, streamed": Application((), Shape.GENERATOR, status="204 No Content", fields=()),
    "not modified": Application((), status="304 Not Modified", fields=(("ETag", '"abc"'),)),
    "not modified, streamed": Application((), Shape.ITERABLE, status="304 Not Modified", fields=()),
    "switching protocols": Application((), status="101 Switching Protocols", fields=UPGRADE),
}

_SIZED: Fields = (*HTML, ("Content-Length", "4711"))


@rule("PEP 3333, Middleware: Components that Play Both Sides")
def response_unchanged(wrap: Wrap) -> None:
    """Status, header fields and content are the application's own, once a content coding is undone."""
    assert_without_faults(response_faults, wrap, AWKWARD, REQUESTS)
    assert_without_faults(protocol_faults, wrap, COMPLETE, REQUESTS)


@rule("RFC 9110, sections 8.4, 8.8.3 and 12.5")
def encoding_declared(wrap: Wrap) -> None:
    """An encoding is one the client accepts; Vary, ETag and digests tell it from the plain bytes."""
    assert_without_faults(encoding_faults, wrap, COMPLETE, REQUESTS)


@rule("RFC 9110, section 9.3.2")
def head_left_alone(wrap: Wrap) -> None:
    """An empty answer to HEAD stays empty, and its Content-Length is the application's own or absent."""
    for request in (HEAD, HEAD_ENCODED):
        for fields in (HTML, _SIZED):
            for shape in (Shape.LIST, Shape.TUPLE, Shape.GENERATOR, Shape.ITERABLE):
                application = Application((), shape, fields=fields)
                delivery = run(wrap, application, request).delivery
                _expect_no_content(delivery.content, shape.value)
                own = [value for name, value in fields if name == "Content-Length"]
                length = delivery.values("Content-Length")
                expect(length in ([], own), f"{shape.value}: Content-Length {own} became {length}")


@rule("RFC 9110, sections 6.4.1 and 8.6")
def bodiless_statuses_left_alone(wrap: Wrap) -> None:
    """Answers of status 1xx, 204 and 304 get no content, no Content-Length and no Content-Encoding."""
    assert_without_faults(response_faults, wrap, _BODILESS)
    for request in (PLAIN, ENCODED):
        for name, application in _BODILESS.items():
            delivery = run(wrap, application, request).delivery
            _expect_no_content(delivery.content, name)
            for field in ("Content-Length", "Content-Encoding"):
                expect(not delivery.values(field), f"{name}: {field} was added")


@rule("PEP 3333, Handling the Content-Length Header: servers ask len()", Level.WSGIPERF)
def lists_keep_a_length(wrap: Wrap) -> None:
    """What comes of a list or tuple has a len(), which is the number of its blocks."""
    for shape in (Shape.LIST, Shape.TUPLE):
        for blocks in ((b"Hello",), (b"Hello, ", b"world"), LINES):
            for request in (PLAIN, ENCODED):
                delivery = run(wrap, Application(blocks, shape, fields=HTML), request).delivery
                body: Any = delivery.body
                expect(hasattr(body, "__len__"), f"a {shape.value} became {body!r}")
                expect(len(body) == len(delivery.blocks), f"len() is {len(body)} of {delivery.blocks}")


@rule("gunicorn and cheroot send a list of several blocks chunked", Level.WSGIPERF)
def content_length_of_lists(wrap: Wrap) -> None:
    """A list or tuple gets its Content-Length: not over the application's own, not where no content is."""
    for shape in (Shape.LIST, Shape.TUPLE):
        for blocks in ((), (b"Hello",), (b"Hello, ", b"world"), LINES):
            for request in (PLAIN, ENCODED):
                delivery = run(wrap, Application(blocks, shape, fields=HTML), request).delivery
                length = delivery.values("Content-Length")
                sent = len(delivery.content)
                expect(length == [str(sent)], f"{shape.value} of {sent} bytes: Content-Length {length}")
        sloppy = run(wrap, Application((TEXT,), shape, fields=_SIZED)).delivery
        length = sloppy.values("content-length")
        expect(length == ["4711"], f"the application's own length became {length}")
        left_out = run(wrap, Application((), shape), HEAD).delivery.values("Content-Length")
        expect(not left_out, f"an answer to HEAD got the Content-Length {left_out}")


@rule("gunicorn's asynchronous workers compare it with ALREADY_HANDLED", Level.WSGIPERF)
def answered_elsewhere(wrap: Wrap) -> None:
    """What an application returns without calling start_response at all is returned as that very object."""
    already_handled: Any = object()

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return already_handled  # type: ignore[no-any-return]

    delivery = deliver(wrap(application), take=0)
    expect(delivery.error is None, f"it raised {delivery.error!r}")
    expect(delivery.body is already_handled, f"it became {delivery.body!r}")
    expect(not delivery.heads, "start_response was called")


def _expect_no_content(content: bytes, name: str) -> None:
    expect(not content, f"{name}: {len(content)} bytes were sent where there is no content")
