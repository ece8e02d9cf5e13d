"""Where and when a response is made: threads, contexts, interleaving; both sides under wsgiref.validate."""

from __future__ import annotations

import gc
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr
from contextvars import ContextVar, Token, copy_context
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment
from wsgiref.validate import validator

from wsgiperf.testing.applications import COMPLETE, HTML, LINES, Application, Shape
from wsgiperf.testing.fields import added_codings
from wsgiperf.testing.probe import Probe
from wsgiperf.testing.rules import Level, Wrap, expect, rule
from wsgiperf.testing.server import Delivery, Request, deliver
from wsgiperf.testing.trial import ENCODED, PLAIN, Decoded

_SHAPES = {
    "late": Application(LINES, Shape.GENERATOR, fields=HTML, late=0),
    "list": Application(LINES, fields=HTML),
    "iterable": Application(LINES, Shape.ITERABLE, fields=HTML),
    "written": Application(LINES[1:], Shape.ITERATOR, fields=HTML, written=LINES[:1]),
    "fails": Application(LINES, Shape.ITERATOR, fields=HTML, fails=2),
}

_own: ContextVar[str] = ContextVar("the application's own", default="unset")


@rule("no server promises that one thread does it all", Level.WSGIPERF)
def other_threads(wrap: Wrap) -> None:
    """The call, each block and close may each happen on a thread of its own."""

    def on_its_own_thread(action: Callable[[], object]) -> object:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(action).result()

    for name, application in _SHAPES.items():
        probe = Probe(application)
        delivery = Delivery(wrap(probe), ENCODED.environ(), on_its_own_thread)
        delivery.run()
        _expect_served(delivery, probe, name)


@rule("a worker's next request would see what was left", Level.WSGIPERF)
def context_variables_do_not_leak(wrap: Wrap) -> None:
    """After the call, after each block and after close every context variable is as it was before."""
    leaked: list[str] = []

    def watched(action: Callable[[], object]) -> object:
        before = dict(copy_context().items())
        try:
            return action()
        finally:
            after = dict(copy_context().items())
            leaked.extend(
                variable.name
                for variable in before.keys() | after.keys()
                if before.get(variable, before) is not after.get(variable, before)
            )

    for name, application in _SHAPES.items():
        for take in (None, 0, 1):
            delivery = Delivery(wrap(Probe(application)), ENCODED.environ(), watched)
            copy_context().run(delivery.run, take)
            expect(not leaked, f"{name}: {leaked} changed")


@rule("OpenTelemetry resets in close what it set in the call", Level.WSGIPERF)
def context_variables_of_the_application_kept(wrap: Wrap) -> None:
    """The application runs in the server's context, not a copy: set in the call, reset in close."""
    seen: list[str] = []

    class Body:
        def __init__(self, token: Token[str]) -> None:
            self.token = token

        def __iter__(self) -> Iterator[bytes]:
            for block in LINES:
                seen.append(_own.get())
                yield block

        def close(self) -> None:
            _own.reset(self.token)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(HTML))
        return Body(_own.set("set"))

    for request in (PLAIN, ENCODED):
        delivery = Delivery(wrap(application), request.environ())
        copy_context().run(delivery.run)
        expect(delivery.error is None, f"close raised {delivery.error!r}")
        expect(set(seen) == {"set"}, f"in iteration the application found {seen}")


@rule("PEP 3333, Thread Support")
def interleaved_streams(wrap: Wrap) -> None:
    """Responses made at the same time, by one thread or many, know nothing of each other."""
    probe = Probe(Application(LINES, Shape.ITERABLE, fields=HTML))
    wrapped = wrap(probe)
    running = [Delivery(wrapped, request.environ()) for request in (PLAIN, ENCODED, ENCODED, PLAIN)]
    for delivery in running:
        delivery.call()
    remaining = list(running)
    while remaining:
        remaining = [delivery for delivery in remaining if delivery.pull()]
    for delivery in reversed(running):
        delivery.close()
    at_once = [Delivery(wrapped, request.environ()) for request in (PLAIN, ENCODED) * 4]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Delivery.run, at_once))
    for delivery in (*running, *at_once):
        _expect_served(delivery, probe, "interleaved")


@rule("PEP 3333, checked by wsgiref.validate")
def valid_on_both_sides(wrap: Wrap) -> None:
    """With wsgiref's validator around and inside the middleware, neither side finds fault."""
    with _found_by_destructors() as found:
        for name, application in COMPLETE.items():
            for request in (PLAIN, ENCODED):
                fault = _validate(wrap, application, request)
                expect(not fault, f"{name}: {fault}")
                expect(not found, f"{name}: {found}")
    expect(not found, f"{found}")


def _validate(wrap: Wrap, application: Application, request: Request) -> str:
    validated: Any = validator(wrap(validator(Probe(application))))
    delivery = deliver(validated, request)
    # Text only: an exception would keep the bodies alive that the validator's destructors have to judge.
    return "; ".join([*delivery.complaints, *([repr(delivery.error)] if delivery.error else [])])


@contextmanager
def _found_by_destructors() -> Iterator[list[str]]:
    """Collect what the validator reports of bodies that nobody closed, which it cannot raise."""
    found: list[str] = []
    hook, sys.unraisablehook = sys.unraisablehook, lambda error: found.append(str(error.exc_value))
    try:
        with redirect_stderr(io.StringIO()):
            try:
                yield found
            finally:
                gc.collect()  # what is held by a cycle
    finally:
        sys.unraisablehook = hook


def _expect_served(delivery: Delivery, probe: Probe, name: str) -> None:
    error = probe.journals[0].error
    expect(delivery.error is error, f"{name}: the server caught {delivery.error!r}")
    expect(not delivery.complaints, f"{name}: {delivery.complaints}")
    closings = {journal.closings for journal in probe.journals if journal.closable}
    expect(closings <= {1}, f"{name}: close was called {closings} times")
    content = Decoded(delivery.sent, added_codings(HTML, delivery.fields)).content
    expect(error or content == b"".join(LINES), f"{name}: the content differs")
