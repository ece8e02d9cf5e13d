"""Microseconds per run, for many candidates at once.

The candidates take turns, one short batch each, so that whatever else the machine does hits all alike; then
each one's least batch counts, for noise only ever adds. Differences and ratios within one run mean something;
those between runs, less.

The interpreter specialises code by what it meets there, and a loop that had met every candidate would be fast
for none: so harness and applications are copied for each. The library's own code they share. (A process for
each would share nothing, and was tried: of six equal ones, one then took 30% longer than another, by where
its memory lay.)

The garbage collector stays on, as in a server; what was there before is frozen, so that it is not looked at.
"""

from __future__ import annotations

import gc
import statistics
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from types import FunctionType
from typing import Any

Batch = Callable[[int], float]  # runs so often, returns how many seconds that took
Application = Callable[..., Iterable[bytes]]

BATCH_SECONDS = 0.001
WARM_UP_SECONDS = 0.02


@dataclass(frozen=True)
class Measured:
    """What one candidate took, in microseconds per run."""

    least: float
    median: float


def measure(
    candidates: Mapping[str, Batch], rounds: int, batch_seconds: float = BATCH_SECONDS
) -> dict[str, Measured]:
    """Each candidate's time, by `rounds` batches of so many seconds."""
    counts = {name: _warmed_up(batch, batch_seconds) for name, batch in candidates.items()}
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    there_and_back = [[*candidates], [*reversed([*candidates])]]
    gc.collect()
    gc.freeze()
    for turn in range(rounds):
        for name in there_and_back[turn % 2]:
            taken[name].append(candidates[name](counts[name]) / counts[name])
    gc.unfreeze()
    return {name: Measured(min(times) * 1e6, statistics.median(times) * 1e6) for name, times in taken.items()}


def _warmed_up(batch: Batch, batch_seconds: float) -> int:
    """How many runs fill a batch."""
    count, total = 1, 0.0
    while total < WARM_UP_SECONDS:
        seconds = batch(count)
        total += seconds
        count = count * 2 if seconds < batch_seconds / 2 else max(1, round(count * batch_seconds / seconds))
    return count


def own_code(function: Any) -> Any:
    """The same function with code of its own, for the interpreter to specialise."""
    return FunctionType(
        function.__code__.replace(),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )


def calls(function: Callable[..., object], *args: object) -> Batch:
    """A batch of plain calls."""

    def batch(count: int) -> float:
        started = perf_counter()
        for _ in repeat(None, count):
            function(*args)
        return perf_counter() - started

    return own_code(batch)


def requests(app: Application, environ: Mapping[str, Any]) -> Batch:
    """A batch of requests as a server makes them: a fresh environ each, iterated, closed.

    What this loop itself takes is in the bare application's time too, so it goes away by subtraction.
    """

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> object:
        return None

    start = own_code(start_response)

    def batch(count: int) -> float:
        copy = dict(environ).copy
        started = perf_counter()
        for _ in repeat(None, count):
            body = app(copy(), start)
            for _block in body:
                pass
            if hasattr(body, "close"):
                body.close()
        return perf_counter() - started

    return own_code(batch)


def options(description: str | None, arguments: Sequence[str] | None) -> Namespace:
    """The command line that all these programs have."""
    parser = ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds: for a first look")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a limit does not hold")
    return parser.parse_args(arguments)


def print_table(rows: Iterable[Sequence[object]]) -> None:
    """The first row is the head; the first column is text, the others are set to the right."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for first, *others in texts:
        line = first.ljust(widths[0])
        for cell, width in zip(others, widths[1:], strict=True):
            line += "  " + cell.rjust(width)
        print(line.rstrip())


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:,.2f}" if isinstance(cell, float) else str(cell)
