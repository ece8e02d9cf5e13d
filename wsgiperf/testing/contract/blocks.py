"""The body on its way: blocks in their order, none delayed, none merged; and what is written."""

from __future__ import annotations

from wsgiperf.testing.applications import STREAMED, WRITERS, Application
from wsgiperf.testing.rules import Wrap, expect, rule
from wsgiperf.testing.trial import (
    ENCODED,
    GETS,
    PLAIN,
    asking_faults,
    assert_without_faults,
    delay_faults,
    error_faults,
    protocol_faults,
    response_faults,
    run,
)

BOUNDARIES = "PEP 3333, Middleware Handling of Block Boundaries"


@rule("PEP 3333, The write() Callable")
def write_callable(wrap: Wrap) -> None:
    """What the application gives to write() comes first, in order, then the body it returns."""
    for aspect in (protocol_faults, error_faults, response_faults):
        assert_without_faults(aspect, wrap, WRITERS)


@rule("PEP 3333, Buffering and Streaming")
def no_block_delayed(wrap: Wrap) -> None:
    """The client can read a block before the application is asked for the next, or its write returns."""
    assert_without_faults(delay_faults, wrap, STREAMED)


@rule(BOUNDARIES)
def one_ask_a_block(wrap: Wrap) -> None:
    """One ask of the server is at most one ask of the application; its first may come within the call."""
    assert_without_faults(asking_faults, wrap, STREAMED, (PLAIN, ENCODED), takes=(None, 0, 1, 2, 3))


@rule(BOUNDARIES)
def no_block_merged_or_reordered(wrap: Wrap) -> None:
    """A stream's blocks arrive in their order, and not fewer than the application gave."""
    streams = {name: row for name, row in STREAMED.items() if row.streams and row.fails is None}
    for request in GETS:
        assert_without_faults(response_faults, wrap, streams, [request])
        for name, application in streams.items():
            given, got = _blocks(application), len(run(wrap, application, request).delivery.sent)
            expect(got >= given, f"application {name!r}: {given} blocks became {got}")


def _blocks(application: Application) -> int:
    return sum(1 for block in (*application.written, *application.blocks) if block)
