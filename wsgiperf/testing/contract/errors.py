"""Errors: the application's own, all the way to the server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgiperf.testing.applications import FAILURES, HTML, LINES
from wsgiperf.testing.decoding import Decoder
from wsgiperf.testing.fields import added_codings
from wsgiperf.testing.rules import Level, Wrap, expect, rule
from wsgiperf.testing.server import Delivery, Request, deliver
from wsgiperf.testing.trial import (
    ENCODED,
    GETS,
    HEAD,
    PLAIN,
    assert_without_faults,
    error_faults,
)


class _Exit(BaseException):
    """Neither Exception nor one of Python's own: how servers and gevent stop a request."""


@rule("PEP 3333, Error Handling")
def exception_passes_unchanged(wrap: Wrap) -> None:
    """The server catches the very exception the application raised, in the call, in iteration or in close."""
    assert_without_faults(error_faults, wrap, FAILURES, (PLAIN, ENCODED, HEAD))
    for error in (_Exit(), SystemExit(1), MemoryError()):
        for streamed in (False, True):
            delivery = deliver(wrap(_raising(error, streamed)), ENCODED)
            expect(delivery.error is error, f"{error!r} became {delivery.error!r}")


@rule("RFC 9112, section 8: an incomplete message is the client's only signal")
def failed_stream_stays_incomplete(wrap: Wrap) -> None:
    """After an exception in mid-stream nothing more is sent, not even the regular end of an encoding."""
    for request in GETS:
        _expect_incomplete(wrap, request)


def _expect_incomplete(wrap: Wrap, request: Request) -> None:
    sent_before = 0

    def stream() -> Iterator[bytes]:
        nonlocal sent_before
        yield LINES[0]
        yield LINES[1]
        sent_before = len(delivery.sent)
        raise ValueError("in mid-stream")

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(HTML))
        return stream()

    delivery = Delivery(wrap(application), request.environ())
    delivery.call()
    while delivery.pull():
        pass
    delivery.pull()  # some servers ask again
    delivery.close()
    expect(len(delivery.sent) == sent_before, "the body went on after its exception")
    for coding in added_codings(HTML, delivery.fields):
        decoder = Decoder(coding)
        for chunk in delivery.sent:
            decoder.feed(chunk)
        expect(not decoder.finished, f"the {coding} stream came to its regular end")


@rule("gunicorn then closes the connection, as one who took the socket over wants", Level.WSGIPERF)
def stop_iteration_out_of_the_call(wrap: Wrap) -> None:
    """A StopIteration raised in the call is an exception like any other, and reaches the server."""
    error = StopIteration()
    delivery = Delivery(wrap(_raising(error, streamed=False)), PLAIN.environ())
    expect(not delivery.call(), "the call returned a body")
    expect(delivery.error is error, f"it became {delivery.error!r}")


def _raising(error: BaseException, streamed: bool) -> WSGIApplication:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not streamed:
            raise error
        start_response("200 OK", list(HTML))
        return stream()

    def stream() -> Iterator[bytes]:
        yield LINES[0]
        yield LINES[1]
        raise error

    return application
