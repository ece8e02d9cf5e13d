"""close: exactly once, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from wsgiref.types import StartResponse, WSGIEnvironment

from wsgiperf.testing.applications import FAILURES, HTML, LINES, Application, Shape
from wsgiperf.testing.probe import Probe
from wsgiperf.testing.rules import Wrap, expect, rule
from wsgiperf.testing.server import Delivery
from wsgiperf.testing.trial import (
    ENCODED,
    HEAD,
    PLAIN,
    assert_without_faults,
    closing_faults,
)

CLOSE = "PEP 3333, Specification Details"

_BODIES = {
    f"{shape.value}, {name}": replace(application, shape=shape)
    for shape in (Shape.GENERATOR, Shape.ITERABLE, Shape.ITERATOR, Shape.SEQUENCE)
    for name, application in {
        "answers": Application(LINES, fields=HTML),
        "answers late": Application(LINES, fields=HTML, late=0),
        "answers nothing": Application(()),
        **FAILURES,
    }.items()
}


@rule(CLOSE)
def close_exactly_once(wrap: Wrap) -> None:
    """The body's close is called once: read to the end, half, or never, and whatever raises on the way."""
    requests = (PLAIN, ENCODED, HEAD)
    assert_without_faults(closing_faults, wrap, _BODIES, requests, takes=(None, 0, 1, 2))


@rule(CLOSE)
def close_when_the_server_refuses_the_head(wrap: Wrap) -> None:
    """A body is closed once also where the server's start_response raises, because the client has gone."""
    for late in (None, 0):
        probe = Probe(Application(LINES, Shape.ITERATOR, late=late))
        delivery = _Refusing(wrap(probe), PLAIN.environ())
        delivery.run()
        journal = probe.journals[0]
        expect(delivery.error is delivery.refusal, f"the server caught {delivery.error!r}, not its own")
        if journal.closable:
            expect(journal.closings == 1, f"close was called {journal.closings} times")


class _Refusing(Delivery):
    refusal = ConnectionResetError("the client has gone")

    def start_response(self, *head: object) -> Callable[[bytes], object]:
        raise self.refusal


@rule(CLOSE)
def bodies_without_close(wrap: Wrap) -> None:
    """A body need not have close."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(HTML))
        return map(bytes, LINES)

    for take in (None, 0, 1):
        delivery = Delivery(wrap(application), ENCODED.environ())
        delivery.run(take)
        expect(delivery.error is None, f"it raised {delivery.error!r}")
