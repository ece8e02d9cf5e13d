"""The body on its way: blocks in their order, none delayed, none merged; and what is written."""

from __future__ import annotations

from wsgiperf.testing.applications import STREAMED, WRITERS, Application
from wsgiperf.testing.rules import Wrap, expect, rule
from wsgiperf.testing.trial import (
    ENCODED,
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
    """What the application writes comes first, in order, and then what it returns; start_response gives that callable."""
    for aspect in (protocol_faults, error_faults, response_faults):
        assert_without_faults(aspect, wrap, WRITERS)


@rule("PEP 3333, Buffering and Streaming")
def no_block_delayed(wrap: Wrap) -> None:
    """The client can read every block, decoded, before the application is asked for the next or its write returns."""
    assert_without_faults(delay_faults, wrap, STREAMED)


@rule(BOUNDARIES)
def one_ask_a_block(wrap: Wrap) -> None:
    """For each block the server asks for, the application is asked for one at most (the first may be asked in the call)."""
    takes = (None, 0, 1, 2, 3)
    assert_without_faults(asking_faults, wrap, STREAMED, takes=takes)


@rule(BOUNDARIES)
def no_block_merged_or_reordered(wrap: Wrap) -> None:
    """A stream's blocks arrive in their order, and not fewer than the application gave."""
    streams = {name: row for name, row in STREAMED.items() if row.streams and row.fails is None}
    for request in (PLAIN, ENCODED):
        assert_without_faults(response_faults, wrap, streams, [request])
        for name, application in streams.items():
            given, got = _blocks(application), len(run(wrap, application, request).delivery.sent)
            expect(got >= given, f"application {name!r}: {given} blocks became {got}")


def _blocks(application: Application) -> int:
    return sum(1 for block in (*application.written, *application.blocks) if block)
