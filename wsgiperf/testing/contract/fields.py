"""Header fields: whose they are, and which a middleware may not add."""

from __future__ import annotations

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from wsgiperf.testing.applications import COMPLETE, HTML, LINES, TEXT, Application, Shape
from wsgiperf.testing.probe import Probe
from wsgiperf.testing.rules import Level, Wrap, expect, rule
from wsgiperf.testing.server import Fields, deliver
from wsgiperf.testing.trial import (
    ENCODED,
    PLAIN,
    REQUESTS,
    assert_without_faults,
    hop_by_hop_faults,
    run,
)

_REPEATED: Fields = (
    *HTML,
    ("Set-Cookie", "a=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT"),
    ("Link", "</a>; rel=preload"),
    ("Set-Cookie", "b=2"),
    ("X-Own", "one"),
    ("X-Own", "two"),
)


@rule("PEP 3333, The start_response() Callable; RFC 9110, section 5.3")
def application_fields_kept(wrap: Wrap) -> None:
    """Repeated fields stay repeated, and in their order."""
    for shape in (Shape.LIST, Shape.GENERATOR):
        for request in (PLAIN, ENCODED):
            delivery = run(wrap, Application((TEXT,), shape, fields=_REPEATED), request).delivery
            for name in ("Set-Cookie", "Link", "X-Own"):
                own = [value for key, value in _REPEATED if key == name]
                got = delivery.values(name)
                expect([value for value in got if value in own] == own, f"{name}: {own} became {got}")


@rule("applications keep constant lists", Level.WSGIPERF)
def application_header_list_never_mutated(wrap: Wrap) -> None:
    """The list the application passed is unchanged: it may be a constant that serves every request."""
    constant = [*HTML, ("ETag", '"v1"'), ("Vary", "Cookie"), ("Accept-Ranges", "bytes")]
    before = list(constant)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", constant)
        return list(LINES)

    for request in REQUESTS:
        deliver(wrap(application), request)
        expect(constant == before, f"{request.method}: {before} became {constant}")


@rule("PEP 3333, The start_response() Callable")
def header_list_belongs_to_the_server(wrap: Wrap) -> None:
    """The server may change the list it is given; nothing of it shows in a later response."""
    wrapped = wrap(Probe(Application((TEXT,), fields=HTML)))
    for request in (PLAIN, ENCODED):
        first = deliver(wrapped, request)
        first.heads[0].given.append(("X-Server", "one"))
        second = deliver(wrapped, request)
        expect(not second.values("X-Server"), "the server's field came back in the next response")


@rule("PEP 3333, Other HTTP Features")
def hop_by_hop_fields_never_added(wrap: Wrap) -> None:
    """Connection, Transfer-Encoding and the other hop-by-hop fields are the server's: none is added."""
    assert_without_faults(hop_by_hop_faults, wrap, COMPLETE, REQUESTS)


@rule("an upgrade needs them, and the server knows what to do", Level.WSGIPERF)
def application_hop_by_hop_fields_pass(wrap: Wrap) -> None:
    """Hop-by-hop fields that the application itself sends reach the server."""
    own: Fields = (*HTML, ("Connection", "close"), ("Upgrade", "echo"))
    for request in (PLAIN, ENCODED):
        for shape in (Shape.LIST, Shape.ITERABLE):
            delivery = run(wrap, Application((TEXT,), shape, fields=own), request).delivery
            for name, value in own[1:]:
                got = delivery.values(name)
                expect(got == [value], f"{name}: {value} became {got}")
