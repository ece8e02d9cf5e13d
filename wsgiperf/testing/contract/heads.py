"""start_response: once, late, restarted, refused."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgiperf.testing.applications import (
    COMPLETE,
    HTML,
    LATE_AFTER_EMPTY_BLOCKS,
    RESTARTS_IN_TIME,
    RESTARTS_TOO_LATE,
)
from wsgiperf.testing.probe import StagedError
from wsgiperf.testing.rules import Level, Wrap, expect, rule
from wsgiperf.testing.server import deliver
from wsgiperf.testing.trial import (
    assert_without_faults,
    error_faults,
    protocol_faults,
    response_faults,
    run,
)

CALLABLE = "PEP 3333, The start_response() Callable"
ERRORS = "PEP 3333, Error Handling"


@rule(CALLABLE)
def start_response_once(wrap: Wrap) -> None:
    """For an application that calls start_response once, the server sees one call, before the body."""
    assert_without_faults(protocol_faults, wrap, COMPLETE)
    for name, application in COMPLETE.items():
        calls = len(run(wrap, application).delivery.heads)
        expect(calls == 1, f"application {name!r}: start_response was called {calls} times")


@rule(CALLABLE)
def explicit_none_as_exc_info(wrap: Wrap) -> None:
    """An application may pass None as exc_info, which is the same as leaving it out."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(HTML), None)
        return [b"Hello"]

    delivery = deliver(wrap(application))
    expect(delivery.error is None, f"it raised {delivery.error!r}")
    expect(delivery.status == "200 OK", f"the status became {delivery.status!r}")


@rule(CALLABLE)
def late_start_response(wrap: Wrap) -> None:
    """An application may call start_response as late as when it is asked for its first block."""
    late = {name: row for name, row in COMPLETE.items() if row.late == 0}
    assert_without_faults(protocol_faults, wrap, late)
    assert_without_faults(response_faults, wrap, late)


@rule("servers accept empty blocks before the head, wsgiref.validate does not", Level.WSGIPERF)
def late_start_with_empty_blocks_first(wrap: Wrap) -> None:
    """Empty blocks before a late start_response work, and the server never sees a block before the head."""
    assert_without_faults(protocol_faults, wrap, LATE_AFTER_EMPTY_BLOCKS)
    assert_without_faults(response_faults, wrap, LATE_AFTER_EMPTY_BLOCKS)
    for name, application in LATE_AFTER_EMPTY_BLOCKS.items():
        early = run(wrap, application).delivery.blocks_before_head
        expect(not early, f"application {name!r}: {early} blocks came before the head")


@rule("granian takes a head only until the call returns", Level.WSGIPERF)
def head_before_the_call_returns(wrap: Wrap) -> None:
    """The head is known when the call returns, however late the application gives it."""
    late = {name: row for name, row in COMPLETE.items() if row.late is not None}
    for name, application in {**late, **LATE_AFTER_EMPTY_BLOCKS}.items():
        at_once = run(wrap, application, take=0).delivery
        expect(at_once.heads, f"application {name!r}: the call returned without a head")


@rule(ERRORS)
def exc_info_before_commit(wrap: Wrap) -> None:
    """Until a byte is sent, start_response with exc_info replaces the head; the client sees the second."""
    assert_without_faults(protocol_faults, wrap, RESTARTS_IN_TIME)
    assert_without_faults(response_faults, wrap, RESTARTS_IN_TIME)
    assert_without_faults(error_faults, wrap, RESTARTS_IN_TIME)


@rule("gunicorn and cheroot send both heads' fields", Level.WSGIPERF)
def one_clean_head(wrap: Wrap) -> None:
    """A head replaced in time never reaches the server, which sees a single call of start_response."""
    for name, application in RESTARTS_IN_TIME.items():
        heads = run(wrap, application).delivery.heads
        expect(len(heads) == 1, f"application {name!r}: the server saw {len(heads)} heads")


@rule(ERRORS)
def exc_info_after_commit(wrap: Wrap) -> None:
    """Once a byte is sent, start_response with exc_info raises that exception; no second head is sent."""
    assert_without_faults(error_faults, wrap, RESTARTS_TOO_LATE)
    assert_without_faults(response_faults, wrap, RESTARTS_TOO_LATE)


@rule("PEP 3333, The Server/Gateway Side: avoid dangling circular ref", Level.WSGIPERF)
def exc_info_reference_dropped(wrap: Wrap) -> None:
    """Nobody keeps exc_info: the exception is freed with the exchange, without a garbage collection."""
    for committed in (False, True):
        kept = _exception_outlives(wrap, committed)
        moment = "after" if committed else "before"
        expect(not kept, f"an exception {moment} the commit outlives the exchange")


def _exception_outlives(wrap: Wrap, committed: bool) -> bool:
    seen: list[weakref.ref[StagedError]] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", list(HTML))
        if committed:
            yield b"Hello"
        try:
            failure = StagedError("for exc_info")
            seen.append(weakref.ref(failure))
            raise failure
        except StagedError:
            try:
                start_response("500 Internal Server Error", list(HTML), sys.exc_info())
            except StagedError:
                pass
            finally:
                del failure
        yield b"sorry"

    enabled = gc.isenabled()
    gc.disable()
    try:
        deliver(wrap(application))
        return not seen or seen[0]() is not None
    finally:
        if enabled:
            gc.enable()


@rule(CALLABLE)
def start_response_twice_without_exc_info(wrap: Wrap) -> None:
    """A second call of start_response without exc_info raises at that call, and replaces no head."""
    for body_first in (False, True):
        raised: list[BaseException] = []
        delivery = deliver(wrap(_starts_twice(body_first, raised)))
        expect(raised, "the second call did not raise")
        expect(delivery.status in ("200 OK", ""), f"the status became {delivery.status!r}")


def _starts_twice(body_first: bool, raised: list[BaseException]) -> WSGIApplication:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", list(HTML))
        if body_first:
            yield b"Hello"
        _note(raised, lambda: start_response("404 Not Found", list(HTML)))
        yield b"world"

    return application


def _note(raised: list[BaseException], action: Callable[[], object]) -> None:
    try:
        action()
    except Exception as error:
        raised.append(error)
        raise
