"""Microseconds that each part adds to a request, over the bare application.

The limits are meant for a machine on which a wrapper that only passes `start_response` on costs 0.22
microseconds; the column "scaled" is what the parts would take there. "goal" and "ok" are said of that column,
"here" where a limit holds on this machine but would not there, "OVER" where it holds on neither.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks import site
from benchmarks.measure import Application, Batch, Measured, measure, options, own_code, print_table, requests
from wsgiperf import (
    CompressionMiddleware,
    Middleware,
    RequestIdMiddleware,
    SecurityHeadersMiddleware,
    TimingMiddleware,
    wrap,
)

#: What `empty_wrap` costs on the machine that the limits are meant for.
REFERENCE = 0.22

#: The limits; the goal is half of each.
PART, IDLE, ALL = 3.5, 3.0, 8.0


def four(app: Application, **sections: object) -> Application:
    """The parts that see every response. Cache and monitor have programs of their own."""
    return wrap(app, cache=False, monitor=False, **sections)


def empty_wrap(app: Application) -> Application:
    """The least that a middleware can do that sees the head."""

    def wrapped(environ, start_response):
        def start(status, headers, exc_info=None):
            return start_response(status, headers, exc_info)

        return app(environ, start)

    return wrapped


class Onlooker(Middleware):
    """A part that looks at the response and leaves it as it is: what it costs is the primitive."""

    def on_response(self, exchange, response):
        pass


def strict(app: Application) -> Application:
    return SecurityHeadersMiddleware(app, preset="strict")


@dataclass(frozen=True)
class Case:
    """One thing around one application."""

    name: str
    around: Callable[[Application], Application]
    scenario: str = "page"
    limit: float | None = None


CASES = [
    Case("start_response passed on (calibration)", empty_wrap),
    Case("a part that only looks on", Onlooker),
    Case("RequestIdMiddleware", RequestIdMiddleware, limit=PART),
    Case("TimingMiddleware", TimingMiddleware, limit=PART),
    Case("SecurityHeadersMiddleware, balanced", SecurityHeadersMiddleware, limit=PART),
    Case("SecurityHeadersMiddleware, strict", strict, limit=PART),
    Case("CompressionMiddleware, page below minimum", CompressionMiddleware, limit=IDLE),
    Case("CompressionMiddleware, client wants none", CompressionMiddleware, "no coding", IDLE),
    Case("CompressionMiddleware, already encoded", CompressionMiddleware, "encoded", IDLE),
    Case("CompressionMiddleware, image", CompressionMiddleware, "image", IDLE),
    Case("the four, page", four, limit=ALL),
    Case("the four, client wants no coding", four, "no coding", ALL),
    Case("the four, seven headers", four, "seven headers", ALL),
    Case("the four, Content-Length is missing", four, "no length", ALL),
    Case("the four, image", four, "image", ALL),
    Case("the four, two streamed blocks", four, "stream", ALL),
    Case("the four, security='strict', page", lambda app: four(app, security="strict"), limit=ALL),
]


def candidates() -> dict[str, Batch]:
    """Every case, and the bare application of every scenario."""
    batches = {}
    for name, (app, environ) in site.SCENARIOS.items():
        batches[name] = requests(own_code(app), environ)
    for case in CASES:
        app, environ = site.SCENARIOS[case.scenario]
        batches[case.name] = requests(case.around(own_code(app)), environ)
    return batches


def report(measured: dict[str, Measured]) -> bool:
    """Print the table; whether every limit holds."""
    cost = {case.name: measured[case.name].least - measured[case.scenario].least for case in CASES}
    scale = REFERENCE / cost[CASES[0].name]
    head = ("microseconds over the bare application", "here", "scaled", "limit", "goal", "")
    rows: list[Sequence[object]] = [head]
    for case in CASES:
        scaled = cost[case.name] * scale
        verdict = None
        if case.limit is not None:
            verdict = verdict_on(cost[case.name], scaled, case.limit)
        rows.append((case.name, cost[case.name], scaled, case.limit, case.limit and case.limit / 2, verdict))
    print_table(rows)
    bare = measured["page"]
    noise = bare.median / bare.least
    print(f"Bare application and loop: {bare.least:.2f}, and {noise:.2f} times that in the median.")
    left = {scenario: left_over(scenario) for scenario in ("page", "stream")}
    print(f"Objects left to the garbage collector: {left['page']} a page, {left['stream']} a stream.")
    return all(row[-1] != "OVER" for row in rows)


def verdict_on(here: float, scaled: float, limit: float) -> str:
    if scaled <= limit:
        return "goal" if scaled <= limit / 2 else "ok"
    return "here" if here <= limit else "OVER"


def left_over(scenario: str, count: int = 200) -> float:
    """How many objects in cycles a request through `wrap` leaves behind: collecting them is a cost that the
    least batch would hide."""
    app, environ = site.SCENARIOS[scenario]
    batch = requests(wrap(app), environ)
    batch(count)
    gc.collect()
    gc.disable()
    batch(count)
    found = gc.collect()
    gc.enable()
    return found / count


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = options(__doc__, arguments)
    held = report(measure(candidates(), 100 if chosen.quick else 1000))
    return 1 if chosen.check and not held else 0


if __name__ == "__main__":
    sys.exit(main())
