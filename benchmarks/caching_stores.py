"""The stores behind the cache: what a hit costs beside the least that could be asked, threads, and memory."""

from __future__ import annotations

import gc
import shutil
import socket
import subprocess
import time
import tracemalloc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

from benchmarks import frameworks
from benchmarks.caching_peers import ENVIRON, SIZE, answer, page
from benchmarks.measure import Batch, calls, measure, own_code, print_table, requests
from wsgiperf import CacheMiddleware

#: What a hit may take of the bare call: open and read of the file, redis-py's GET, cachelib's.
FILE, REDIS, CACHELIB = 2.0, 1.3, 0.5
#: Microseconds of a hit in the first of two tiers.
TWO_LEVELS = 5.0
#: How much longer eight threads may take for as many hits as one.
THREADS, SLOWER = 8, 1.25
#: Memory, of the budget.
GROWTH = 1.05


@contextmanager
def redis_server(folder: Path) -> Iterator[str | None]:
    """The URL of a server of our own; None where there is no program for it."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None or frameworks.missing("redis"):
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        _until_it_listens(server, port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.kill()
        server.wait()


def _until_it_listens(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise RuntimeError("redis-server did not start")


def hitting(**options: Any) -> Any:
    """A cache that has the page, with these options."""
    cache = CacheMiddleware(own_code(page), **options)
    answer(cache, ENVIRON)
    (_, fields), _ = answer(cache, ENVIRON)
    if "; hit" not in fields["cache-status"]:
        raise RuntimeError(f"no hit: {fields}")
    return cache


def file_batches(folder: Path) -> dict[str, Batch]:
    """A hit from a file, and that file opened and read."""
    directory = folder / "entries"
    options: dict[str, Any] = {"store": "file", "directory": str(directory), "namespace": "files"}
    cache = hitting(memory_size=0, **options)
    file = max((path for path in directory.rglob("*") if path.is_file()), key=lambda p: p.stat().st_size)

    def read() -> bytes:
        with open(file, "rb") as opened:
            return opened.read()

    return {
        "open + read": calls(read),
        "file hit": requests(cache, ENVIRON),
        "file two-level hit": requests(hitting(**options), ENVIRON),
    }


def redis_batches(url: str) -> dict[str, Batch]:
    """A hit from Redis, the same bytes by redis-py from its pool, and by cachelib."""
    import redis
    from cachelib import RedisCache

    # What a machine's noise may take counts as noise, not as a server that is down.
    options: dict[str, Any] = {"store": "redis", "redis_url": url, "redis_timeout": 1.0, "namespace": "redis"}
    cache = hitting(memory_size=0, **options)
    client = redis.Redis.from_url(url)
    name = next(key for key in client.scan_iter() if client.strlen(key) > SIZE)
    others = RedisCache(client, key_prefix="cachelib:")
    others.set("page", client.get(name), timeout=0)
    two_level = hitting(**options)
    deadline = time.monotonic() + 5
    while "GET" in _said_to_redis(client, two_level) and time.monotonic() < deadline:
        time.sleep(0.01)  # the first tier is used only once messages are known to arrive
    return {
        "redis-py get": calls(client.get, name),
        "cachelib get": calls(others.get, "page"),
        "Redis hit": requests(cache, ENVIRON),
        "Redis two-level hit": requests(two_level, ENVIRON),
    }


def _said_to_redis(client: Any, cache: Any) -> set[str]:
    """The commands that a hit sends."""
    names = ("get", "mget")
    before = _calls(client, names)
    answer(cache, ENVIRON)
    after = _calls(client, names)
    return {"GET"} if after > before else set()


def _calls(client: Any, names: Iterable[str]) -> int:
    said = client.info("commandstats")
    return sum(said.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in names)


def stores(folder: Path, redis: str | None, rounds: int) -> bool:
    """Print what hits cost by store; whether the limits hold."""
    batches = {"loop": requests(own_code(_nothing), ENVIRON), "memory hit": requests(hitting(), ENVIRON)}
    batches |= file_batches(folder)
    if redis is not None:
        batches |= redis_batches(redis)
    measured = measure(batches, rounds)
    taken = {name: found.least - measured["loop"].least for name, found in measured.items()}
    rows: list[Sequence[object]] = [("microseconds, 15 KB", "here", "of", "ratio", "limit", "")]

    def ratio(name: str, of: str, limit: float, taken: Mapping[str, float] = taken) -> None:
        found = taken[name] / taken[of]
        rows.append((name, taken[name], f"{of} {taken[of]:.2f}", found, limit, _verdict(found, limit)))

    def absolute(name: str) -> None:
        rows.append((name, taken[name], "", "", TWO_LEVELS, _verdict(taken[name], TWO_LEVELS)))

    absolute("memory hit")
    ratio("file hit", "open + read", FILE)
    absolute("file two-level hit")
    if redis is not None:
        # A round trip takes half as long where the scheduler keeps both processes on one processor: the least
        # of many batches would compare who was lucky.
        usual = {name: found.median for name, found in measured.items()}
        ratio("Redis hit", "redis-py get", REDIS, usual)
        ratio("Redis hit", "cachelib get", CACHELIB, usual)
        absolute("Redis two-level hit")
    else:
        rows.append(("Redis", "not installed: redis-server, or the package redis"))
    print_table([(*row, *[""] * (6 - len(row))) for row in rows])
    return all(row[-1] != "OVER" for row in rows)


def _nothing(environ: Any, start_response: Any) -> tuple[bytes, ...]:
    return ()


def _verdict(found: float, limit: float) -> str:
    return "ok" if found <= limit else "OVER"


def threads(rounds: int, hits: int = 16_000) -> bool:
    """Print how long eight threads take for as many hits as one; whether that is within the limit."""
    cache = hitting()
    seconds: dict[int, list[float]] = {1: [], THREADS: []}
    for _ in range(rounds):
        for count, times in seconds.items():
            times.append(_hits(cache, count, hits))
    found = min(seconds[THREADS]) / min(seconds[1])
    rows: list[Sequence[object]] = [
        ("microseconds a hit", "1 thread", f"{THREADS} threads", "ratio", "limit", "")
    ]
    each = [min(times) / hits * 1e6 for times in seconds.values()]
    rows.append(("memory hit", *each, found, SLOWER, _verdict(found, SLOWER)))
    print_table(rows)
    return found <= SLOWER


def _hits(cache: Any, count: int, hits: int) -> float:
    """The seconds from the moment that all threads are there to the end of the last."""
    ready = Barrier(count + 1)

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        return None

    def work() -> None:
        copy = ENVIRON.copy
        ready.wait()
        for _ in repeat(None, hits // count):
            for _block in cache(copy(), start_response):
                pass

    workers = [Thread(target=work) for _ in range(count)]
    for worker in workers:
        worker.start()
    ready.wait()
    started = time.perf_counter()
    for worker in workers:
        worker.join()
    return time.perf_counter() - started


def memory(budgets: dict[str, tuple[int, int]]) -> bool:
    """Print what filled memory stores take; whether that is within the limit.

    :param budgets: by a label, bytes of a body and of the store.
    """
    rows: list[Sequence[object]] = [
        ("bodies", "entries asked for", "budget, MB", "growth, MB", "ratio", "limit", "")
    ]
    for label, (size, budget) in budgets.items():
        count = 3 * budget // size
        growth = _growth(size, budget, count)
        found = growth / budget
        verdict = _verdict(found, GROWTH)
        rows.append((label, f"{count:,}", budget / 2**20, growth / 2**20, found, GROWTH, verdict))
    print_table(rows)
    return all(row[-1] != "OVER" for row in rows)


def _growth(size: int, budget: int, count: int) -> int:
    """By how much the traced memory grows with so many different pages."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        # As in a real application nothing is shared between two responses but the names of fields.
        number = environ["PATH_INFO"].encode()
        fields = [
            ("Content-Type", b"text/html; charset=utf-8".decode()),
            ("Content-Length", str(size)),
            ("Cache-Control", f"max-age={600 + count}"),
            ("ETag", f'"{number.hex()}"'),
        ]
        start_response("200 OK", fields)
        return [number.ljust(size, b".")]

    def fill(cache: Any, start: int, end: int) -> None:
        for number in range(start, end):
            environ = ENVIRON | {"PATH_INFO": f"/posts/{number}"}
            # A miss, a hit and a 304: each leaves with the entry what it made.
            answer(cache, environ)
            answer(cache, environ)
            answer(cache, environ | {"HTTP_IF_NONE_MATCH": f'"{environ["PATH_INFO"].encode().hex()}"'})

    gc.collect()
    tracemalloc.start()
    try:
        fill(CacheMiddleware(application, memory_size=budget), -64, 0)  # what is made once, whatever is kept
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        cache = CacheMiddleware(application, memory_size=budget)
        fill(cache, 0, count)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        del cache
    finally:
        tracemalloc.stop()
    return after - before
