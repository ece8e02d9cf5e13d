"""Microseconds that counting a request takes, beside other monitors; what reading the counts takes.

Everything is counted over the same application without it, in one run. Limits, "scaled", "goal", "ok" and
"here" are as in `overhead`.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import frameworks, site
from benchmarks import monitoring_files as files
from benchmarks import monitoring_peers as peers
from benchmarks import monitoring_scrape as scrape
from benchmarks.caching_peers import answer
from benchmarks.measure import Application, Batch, Measured, measure, options, own_code, print_table, requests
from benchmarks.monitoring_peers import BARE, BARE_FLASK, PEERS, REQUEST, ROUTE
from benchmarks.overhead import REFERENCE, empty_wrap, verdict_on
from wsgiperf import MonitorMiddleware, wrap
from wsgiperf.exchange import EXCHANGE

#: Microseconds that everything together may take, and the goal.
LIMIT, GOAL = 6.0, 4.0

CALIBRATION = "start_response passed on (calibration)"
OURS, OURS_FLASK = "MonitorMiddleware, everything on", "MonitorMiddleware around Flask"
STACK = "wrap(monitor=False)"
FAILING, BARE_FAILING = "a failure, with its record", "failure"


def told(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The page from a framework that says which route it is."""
    environ[EXCHANGE].route = ROUTE
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "500")])
    return [site.PAGE]


def failure(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("500 Internal Server Error", [("Content-Type", "text/html"), ("Content-Length", "500")])
    return [site.PAGE]


@dataclass(frozen=True)
class Case:
    """Our monitor around one application."""

    name: str
    around: Callable[[Any, str], Application]  #: gets the application, and the path of the shared file
    app: Any = site.page
    over: str = BARE
    limit: float | None = LIMIT


def alone(app: Application, state: str, **chosen: Any) -> Application:
    """The part with queries, alerts and all its pages, which the access rule is needed for."""
    return MonitorMiddleware(app, state=state, access="loopback", **chosen)


def patterns(app: Application, state: str) -> Application:
    return alone(app, state, routes=("/members/{slug}", "/posts/{id}", "/static/*"))


def stack(app: Application, state: str) -> Application:
    return wrap(app, monitor={"state": state, "access": "loopback"})


CASES = [
    Case(OURS, alone),
    Case("the same, with patterns of routes", patterns),
    Case("the same, the application tells the route", alone, told),
    Case("in wrap(), over wrap(monitor=False)", stack, over=STACK),
    Case(FAILING, alone, failure, BARE_FAILING, limit=None),
]


def candidates(state: str) -> dict[str, Batch]:
    """Every case, and what it is counted over."""
    batches = {
        BARE: requests(own_code(site.page), REQUEST),
        CALIBRATION: requests(empty_wrap(own_code(site.page)), REQUEST),
        STACK: requests(wrap(own_code(site.page), monitor=False), REQUEST),
        BARE_FAILING: requests(own_code(failure), REQUEST),
    }
    for case in CASES:
        batches[case.name] = requests(case.around(own_code(case.app), state), REQUEST)
    if not frameworks.missing("flask"):
        app = alone(frameworks.flask(), state)
        answer(app, REQUEST)
        if ROUTE not in scrape.page(app, "metrics").decode():
            raise RuntimeError("Flask doesn't tell its routes")
        batches[OURS_FLASK] = requests(app, REQUEST)
    return batches


def measured_by_size(batches: dict[str, Batch], rounds: int) -> dict[str, Measured]:
    """What is around Flask, and the rest: two runs, for so many large applications taking turns would each
    find the processor's caches full of the others."""
    large = {OURS_FLASK, BARE_FLASK} | {name for name, peer in PEERS.items() if peer.over == BARE_FLASK}
    found = {}
    for group in (batches.keys() - large, batches.keys() & large):
        found |= measure({name: batch for name, batch in batches.items() if name in group}, rounds)
    return found


def without_sampler(state: str, rounds: int) -> Measured:
    """The first case over the bare application in a process without a thread beside the requests."""
    monitor = MonitorMiddleware(own_code(site.page), state=state, access="loopback")
    monitor._begin_here = lambda: scrape.begin_unaccompanied(monitor, state)  # type: ignore[method-assign]
    found = measure({BARE: requests(own_code(site.page), REQUEST), OURS: requests(monitor, REQUEST)}, rounds)
    return Measured(found[OURS].least - found[BARE].least, found[OURS].median - found[BARE].median)


def report(measured: dict[str, Measured], unaccompanied: Measured) -> bool:
    """Print the table of our own; whether every limit holds."""
    scale = scale_of(measured)
    costs = [(case, measured[case.name].least - measured[case.over].least) for case in CASES]
    costs.insert(1, (Case("the same in a process without the sampler", alone), unaccompanied.least))
    rows: list[Sequence[object]] = [
        ("microseconds over the same without it", "here", "scaled", "limit", "goal", "")
    ]
    for case, cost in costs:
        verdict = None
        if case.limit is not None:
            verdict = verdict_on(cost, cost * scale, case.limit)
            if verdict in ("ok", "goal"):
                verdict = "goal" if cost * scale <= GOAL else "ok"
        rows.append((case.name, cost, cost * scale, case.limit, case.limit and GOAL, verdict))
    print_table(rows)
    bare = measured[BARE]
    noise = bare.median / bare.least
    print(f"Bare application and loop: {bare.least:.2f}, and {noise:.2f} times that in the median.")
    print(
        f"The calibration takes {REFERENCE / scale:.2f} here and {REFERENCE} where the limits are meant for."
    )
    return all(row[-1] != "OVER" for row in rows)


def scale_of(measured: dict[str, Measured]) -> float:
    """What figures of here are to be multiplied with, to be those of where the limits are meant for."""
    return REFERENCE / (measured[CALIBRATION].least - measured[BARE].least)


def report_peers(measured: dict[str, Measured], absent: dict[str, str]) -> None:
    """Print what other monitors take, from the same run."""
    rows: list[Sequence[object]] = [("microseconds over the same without it", "here", "times ours")]
    for ours, over in ((OURS, BARE), (OURS_FLASK, BARE_FLASK)):
        if ours not in measured or over not in measured:
            rows.append((ours, "", absent.get(over, "not installed: flask")))
            continue
        cost = measured[ours].least - measured[over].least
        rows.append((ours, cost, 1.0))
        for name, peer in PEERS.items():
            if name in measured and name != BARE_FLASK and peer.over == over:
                taken = measured[name].least - measured[over].least
                rows.append((name, taken, taken / cost))
    rows += [(name, "", why) for name, why in absent.items()]
    print_table(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = options(__doc__, arguments)
    rounds = 100 if chosen.quick else 600
    logging.getLogger("wsgiperf").addHandler(
        logging.NullHandler()
    )  # the failures are meant: no alert is news
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # The files first: processes are forked for them, and for that the fewer threads the better.
        held = [files.report_files(folder)]
        print()
        unaccompanied = scrape.apart(without_sampler, str(folder / "alone"), rounds)
        others, absent = peers.batches(folder)
        measured = measured_by_size(candidates(str(folder / "requests")) | others, rounds)
        held.append(report(measured, unaccompanied))
        print()
        report_peers(measured, absent)
        print()
        held.append(scrape.report(folder, 30 if chosen.quick else 60, scale_of(measured)))
        print()
        held.append(files.report_quantiles())
    return 1 if chosen.check and not all(held) else 0


if __name__ == "__main__":
    sys.exit(main())
