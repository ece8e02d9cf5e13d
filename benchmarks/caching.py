"""Microseconds that a request takes through the cache: hits, 304s, misses; beside other caches.

Hits call no application, so what they take is counted over the loop that asks; misses over the bare
application. Limits, "scaled", "goal", "ok" and "here" are as in `overhead`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, repeat
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks import caching_peers as peers
from benchmarks import caching_stores as stores
from benchmarks import site
from benchmarks.measure import Application, Batch, Measured, measure, options, own_code, print_table, requests
from benchmarks.overhead import REFERENCE, empty_wrap, verdict_on
from wsgiperf import CacheMiddleware, CompressionMiddleware, wrap

#: The limits, in microseconds.
HIT, STACK, NONCE, UNSTORED, STORED = 5.0, 10.0, 12.0, 3.0, 15.0
#: The goals, where they aren't half of the limit.
GOALS = {HIT: 2.0}

BROWSER = peers.ENVIRON | {"HTTP_ACCEPT_ENCODING": site.ENVIRON["HTTP_ACCEPT_ENCODING"]}
GZIP = peers.ENVIRON | {"HTTP_ACCEPT_ENCODING": "gzip"}
CALIBRATION = "start_response passed on (calibration)"


def private(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [*peers.FIELDS[:2], ("Cache-Control", "private")])
    return [peers.PAGE]


def silent(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [*peers.FIELDS[:2]])
    return [peers.PAGE]


def with_nonce(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The page with two scripts in it."""
    script = f'<script nonce="{environ["wsgiperf.csp_nonce"]}">1</script>'.encode()
    whole = peers.PAGE[:4000] + script + peers.PAGE[4000:-1000] + script
    start_response("200 OK", [peers.FIELDS[0], ("Content-Length", str(len(whole))), peers.FIELDS[2]])
    return [whole]


def fresh_urls(app: Application, environ: Mapping[str, Any]) -> Batch:
    """`requests`, each for a page that nobody asked for before."""

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> object:
        return None

    start = own_code(start_response)
    numbers = count()

    def batch(count: int) -> float:
        copy = dict(environ).copy
        started = perf_counter()
        for _ in repeat(None, count):
            environ_of = copy()
            environ_of["PATH_INFO"] = f"/posts/{next(numbers)}"
            body = app(environ_of, start)
            for _block in body:
                pass
            if hasattr(body, "close"):
                body.close()
        return perf_counter() - started

    return own_code(batch)


@dataclass(frozen=True)
class Case:
    """One request through one cache."""

    name: str
    around: Callable[[Application], Application]
    limit: float | None
    app: Any = peers.page
    environ: dict[str, Any] = field(default_factory=lambda: peers.ENVIRON)
    fresh: bool = False  #: each request is for another page
    status: str = "200"
    says: str = "; hit"  #: what Cache-Status has when the page is asked for again

    @property
    def bare(self) -> str:
        """What its time is counted over."""
        if self.says == "; hit":
            return "loop"
        return f"bare {self.app.__name__}{', fresh' if self.fresh else ''}"

    def batch(self, app: Application) -> Batch:
        return (fresh_urls if self.fresh else requests)(app, self.environ)


def small(app: Application) -> Application:
    """With room for so few pages that storing one lets go of another."""
    return CacheMiddleware(app, memory_size=4 * 2**20)


def unmonitored(app: Application) -> Application:
    """The stack; `benchmarks.monitoring` has what the monitor adds to it."""
    return wrap(app, monitor=False)


def strict(app: Application) -> Application:
    return wrap(app, security="strict", monitor=False)


def compressed(app: Application) -> Application:
    return CompressionMiddleware(CacheMiddleware(app))


CONDITION = {"HTTP_IF_NONE_MATCH": dict(peers.FIELDS)["ETag"]}
CASES = [
    Case("hit", CacheMiddleware, HIT),
    Case("hit, no Cache-Status", lambda app: CacheMiddleware(app, status_name=""), HIT),
    Case("304", CacheMiddleware, HIT, environ=peers.ENVIRON | CONDITION, status="304"),
    Case("compression + cache, hit in gzip", compressed, HIT, environ=GZIP),
    Case("wrap(app), hit without coding", unmonitored, STACK),
    Case("wrap(app), hit in gzip", unmonitored, STACK, environ=GZIP),
    Case("wrap(app), hit for a browser", unmonitored, STACK, environ=BROWSER),
    Case("strict, page with nonces, no coding", strict, NONCE, with_nonce),
    Case("strict, page with nonces, gzip", strict, NONCE, with_nonce, GZIP),
    Case("strict, page with nonces, browser", strict, NONCE, with_nonce, BROWSER),
    Case("miss, private, known", CacheMiddleware, UNSTORED, private, says="uri-miss"),
    Case("miss, says nothing, known", CacheMiddleware, UNSTORED, silent, says="uri-miss"),
    Case("miss, private, page never seen", small, UNSTORED, private, fresh=True, says="uri-miss"),
    Case("miss stored", small, STORED, fresh=True, says="stored"),
]


def candidates() -> dict[str, Batch]:
    """Every case, what it is counted over, and the calibration."""
    batches = {
        "loop": requests(own_code(_nothing), peers.ENVIRON),
        "bare page": requests(own_code(peers.page), peers.ENVIRON),
        CALIBRATION: requests(empty_wrap(own_code(peers.page)), peers.ENVIRON),
    }
    for case in CASES:
        if case.bare not in batches:
            batches[case.bare] = case.batch(own_code(case.app))
        app = case.around(own_code(case.app))
        _check(case, app)
        batches[case.name] = case.batch(app)
    return batches


def _nothing(environ: Any, start_response: Any) -> tuple[bytes, ...]:
    return ()


def _check(case: Case, app: Application) -> None:
    """That it is measured what its name says."""
    for number in range(3):
        environ = case.environ | ({"PATH_INFO": f"/checks/{number}"} if case.fresh else {})
        (status, fields), _ = peers.answer(app, environ)
    # A hit has an Age, whether or not it says more.
    said = fields.get("cache-status", "; hit" if "age" in fields else "")
    if not status.startswith(case.status) or case.says not in said:
        raise RuntimeError(f"{case.name}: {status}, {said!r}")


def report(measured: dict[str, Measured]) -> bool:
    """Print the table of our own; whether every limit holds."""
    scale = REFERENCE / (measured[CALIBRATION].least - measured["bare page"].least)
    rows: list[Sequence[object]] = [("microseconds, 15 KB", "here", "scaled", "limit", "goal", "")]
    for case in CASES:
        cost = measured[case.name].least - measured[case.bare].least
        verdict = goal = None
        if case.limit is not None:
            goal = GOALS.get(case.limit, case.limit / 2)
            verdict = verdict_on(cost, cost * scale, case.limit)
            if verdict == "goal" and cost * scale > goal:
                verdict = "ok"
        rows.append((case.name, cost, cost * scale, case.limit, goal, verdict))
    print_table(rows)
    print(
        f"The calibration takes {REFERENCE / scale:.2f} here and {REFERENCE} where the limits are meant for."
    )
    return all(row[-1] != "OVER" for row in rows)


def report_peers(measured: dict[str, Measured], absent: dict[str, str]) -> None:
    """Print what other caches take for the same page, from the same run."""
    ours = measured["hit"].least - measured["loop"].least
    rows: list[Sequence[object]] = [("microseconds a hit, 15 KB", "here", "times ours"), ("ours", ours, 1.0)]
    for name in peers.PEERS:
        if name in absent:
            rows.append((name, "", absent[name]))
        else:
            taken = measured[name].least - measured["loop"].least
            rows.append((name, taken, taken / ours))
    print_table(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = options(__doc__, arguments)
    quick = chosen.quick
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tempfile.tempdir = name  # where journals lie: no purge of another process on this machine is seen
        try:
            with stores.redis_server(folder) as redis:
                others, absent = peers.batches(folder, redis)
                measured = measure(candidates() | others, 100 if quick else 1000)
                held = [report(measured)]
                print()
                report_peers(measured, absent)
                print()
                held.append(stores.stores(folder, redis, 100 if quick else 1000))
                print()
                held.append(stores.threads(5 if quick else 20))
                print()
                megabytes = 4 if quick else 16
                held.append(
                    stores.memory(
                        {
                            "1 KB": (1024, megabytes * 2**20),
                            "100 KB": (100 * 1024, 4 * megabytes * 2**20),
                        }
                    )
                )
        finally:
            tempfile.tempdir = before
    return 1 if chosen.check and not all(held) else 0


if __name__ == "__main__":
    sys.exit(main())
