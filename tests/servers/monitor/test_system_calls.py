"""What the monitor asks of the kernel in a request: nothing but the process's ID."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from .serving import MODELS, ROUTES, Site, until

REQUESTS = 200
#: By which Python gets or gives back a piece of memory for thousands of objects: whoever makes the last asks.
MEMORY = {"brk", "madvise", "mmap", "munmap"}
CALL = re.compile(r"^(\w+)\(")


def calls_of(state: Path, kind: str) -> list[list[str]]:
    """The names of the system calls of each of many requests, from its connection to its end.

    A worker that has one thread for requests, and looks after nothing else meanwhile; what other threads of
    it ask for is in other files.
    """
    state.mkdir()
    strace = ["strace", "-ff", "-qq", "-o", str(state / "trace")]
    served = Site(state, MODELS["sync"], workers=1, kind=kind, options={"routes": ROUTES}, before=strace)
    try:
        served.wait_until_ready()
        for _ in range(20):
            served.ask("/items/1")
        pid = int(served.ask("/where").content)
        served.ask("/mark/begin")
        for _ in range(REQUESTS):
            served.ask("/items/1")
        served.ask("/mark/end")
        trace = state / f"trace.{pid}"
        until(lambda: "/mark-end" in trace.read_text())
    finally:
        served.stop()
    return requests_in(trace.read_text())


def requests_in(trace: str) -> list[list[str]]:
    """Between the marks, what lies between accepting a connection and closing it."""
    lines = trace.split("\n")
    first, last = (
        next(at for at, line in enumerate(lines) if mark in line) for mark in ("/mark-begin", "/mark-end")
    )
    found: list[list[str]] = []
    connection = None
    for line in lines[first:last]:
        accepted = re.match(r"accept4?\(.* = (\d+)$", line)
        if accepted:
            connection = accepted[1]
            found.append([])
        elif connection is not None and (call := CALL.match(line)):
            found[-1].append(call[1])
            connection = None if line.startswith(f"close({connection})") else connection
    return found[:REQUESTS]


@pytest.mark.timeout(240)
def test_only_the_process_id_is_asked_for(tmp_path: Path) -> None:
    """For each request, in the thread that it has."""
    if shutil.which("strace") is None:
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says("strace is not installed (Debian: apt install strace)")
    without = calls_of(tmp_path / "without", "none")
    monitored = calls_of(tmp_path / "with", "part")
    assert len(without) == len(monitored) == REQUESTS
    usual, seen = (Counter(map(tuple, found)).most_common(1)[0][0] for found in (without, monitored))
    assert "getpid" not in usual
    assert [call for call in seen if call != "getpid"] == list(usual)
    assert 1 <= seen.count("getpid") <= 2
    grown = 0
    for calls in monitored:
        # Python's threads take turns by futex: once a second the sampler has its own.
        more = set(Counter(calls) - Counter(seen)) - {"futex"}
        assert more <= MEMORY, calls
        assert not Counter(seen) - Counter(calls), calls
        grown += bool(more)
    assert grown <= REQUESTS / 100
