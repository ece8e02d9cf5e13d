"""Counts are exact, and the same whichever worker is asked: through kills, reloads and restarts."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers.client import request

from .figures import agreed, counted, difference, settled
from .serving import Site, kill, site, until
from .traffic import Traffic, mixed

MANY = 100_000
SOME = 12_000
MOST_BYTES = 16 * 2**20


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("count", "model", "preload", "kind"),
    [
        pytest.param(MANY, "gthread", False, "part", id="100,000 by threads"),
        pytest.param(SOME, "gthread", True, "part", id="threads, preloaded"),
        pytest.param(SOME, "gevent", False, "part", id="gevent"),
        pytest.param(SOME, "gevent", True, "part", id="gevent, preloaded"),
        pytest.param(SOME, "gthread", False, "everything", id="threads, all parts"),
        pytest.param(SOME, "gthread", True, "nested", id="threads, nested, preloaded"),
    ],
)
def test_all_requests_are_counted_once(
    tmp_path: Path, count: int, model: str, preload: bool, kind: str
) -> None:
    """By route, method and status, to the last one; what nests counts once; own pages apart."""
    arguments = ["--preload"] if preload else []
    with site(tmp_path, *arguments, model=model, kind=kind) as served:
        traffic = Traffic(served, mixed(count)).run()
        assert traffic.answered.total() == count
        assert not traffic.cut
        told = agreed(served)
        assert told["scope"]["workers"] == 4
        assert told["respawns"] == 0
        raised = {row["type"]: row["count"] for row in told["errors"]["by_type"]}
        assert raised["LookupError"] == served.sent["/raise", "GET", "500"]
        assert raised["TimeoutError"] == served.sent["/late", "GET", "200"]
        assert raised["HTTP 503"] == served.sent["/status/{code}", "PUT", "503"]
        assert set(raised) == {"LookupError", "TimeoutError", "HTTP 503"}
        assert sum(worker["requests"] for worker in told["workers"]) == served.sent.total()
        assert sum(hour["requests"] for hour in told["traffic"]["hours"]) == served.sent.total()


@pytest.mark.timeout(300)
def test_killed_workers_take_no_counts_with_them(tmp_path: Path) -> None:
    """Each answered request counts once, but for one of each thread of a killed worker: it may have been
    answered and not closed yet."""
    kills, threads = 6, 4
    with site(tmp_path) as served:
        killed: list[int] = []

        def murder() -> None:
            victim = next(pid for pid in workers_of(served) if pid not in killed)
            killed.append(victim)
            kill(victim)

        actions = {2000 * (number + 1): murder for number in range(kills)}
        traffic = Traffic(served, mixed(2000 * (kills + 1)), actions=actions).run()
        assert len(killed) == kills
        assert traffic.cut
        workers = served.one_each(killed)
        told = settled(served, served.sent.total() - kills * threads)
        off = difference(counted(told), served.sent)
        lost = -sum(n for n in off.values() if n < 0)
        print(f"{traffic.cut.total()} cut, {lost} answered ones lost, {off}")
        assert lost <= kills * threads
        assert all(n <= traffic.cut[key] for key, n in off.items())
        assert {worker["pid"] for worker in told["workers"]} == set(workers)
        assert told["respawns"] == kills
        served.sent = counted(told)
        Traffic(served, mixed(2000, seed=8)).run()
        agreed(served)


def workers_of(served: Site) -> list[int]:
    """The worker processes, as the system knows them: asking the site would count."""
    pid = served.process.pid
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("preload", [False, True], ids=["", "preloaded"])
def test_reloads_under_load(tmp_path: Path, preload: bool) -> None:
    """Old and new workers count beside each other; what was answered counts, and nothing twice."""
    with site(tmp_path, *(["--preload"] if preload else [])) as served:

        def reload() -> None:
            os.kill(served.process.pid, signal.SIGHUP)

        traffic = Traffic(served, mixed(12_000), actions={3000: reload, 7000: reload}).run()
        until(lambda: len(workers_of(served)) == 4 and served.log.count("Booting worker") == 12)
        exact_but_for(served, traffic)
        assert {worker["pid"] for worker in agreed(served)["workers"]} == set(workers_of(served))
        assert len(served.slab_files()) == 1


@pytest.mark.timeout(300)
@pytest.mark.parametrize("model", ["gthread", "sync", "gevent"])
def test_recycled_workers(tmp_path: Path, model: str) -> None:
    """`--max-requests` ends a worker every 200 requests."""
    with site(tmp_path, "--max-requests=200", "--max-requests-jitter=20", model=model) as served:
        traffic = Traffic(served, mixed(6000)).run()
        told = exact_but_for(served, traffic)
        print(traffic.seconds, traffic.cut, told["respawns"])
        assert served.log.count("Booting worker") > 4
        assert told["scope"]["shared"]
        assert told["scope"]["workers"] <= 4
        assert len(served.slab_files()) == 1


def exact_but_for(served: Site, traffic: Traffic) -> dict[str, object]:
    """All that was answered counts once; what ended without an answer may count."""
    told = settled(served)
    off = difference(counted(told), served.sent)
    print(f"{traffic.cut.total()} cut, {off}")
    assert all(0 < n <= traffic.cut[key] for key, n in off.items()), off
    served.sent = counted(told)
    return told


@pytest.mark.timeout(300)
@pytest.mark.parametrize("preload", [False, True], ids=["", "preloaded"])
def test_fifty_restarts(tmp_path: Path, preload: bool) -> None:
    """The one file stays, at its size; every worker that took a dead one's place is told of."""
    with site(tmp_path, *(["--preload"] if preload else [])) as served:
        workers = served.one_each()
        agreed(served)
        files = sizes(served)
        gone: set[int] = set()
        for _ in range(13):
            settled(served)  # a worker that is killed between a response and its close doesn't count it
            for pid in workers:
                kill(pid)
            gone |= set(workers)
            workers = served.one_each(sorted(gone))
            assert sizes(served) == files
        told = agreed(served)
        assert len(gone) == 52
        assert told["respawns"] == 52
        assert {worker["pid"] for worker in told["workers"]} == set(workers)
        assert {worker["slab"] for worker in told["workers"]} == {0, 1, 2, 3}
        assert len(files) == 1
        assert sum(files.values()) <= MOST_BYTES


def sizes(served: Site) -> dict[str, int]:
    return {str(path): path.stat().st_size for path in served.files.rglob("*") if path.is_file()}


def test_a_worker_that_finds_no_slab_gets_one_later(tmp_path: Path) -> None:
    """It counts by itself, and says so, until another has gone; then its counts are among those of all."""
    with site(tmp_path, workers=2, slabs=1) as served:
        workers = served.one_each()
        until(
            lambda: (
                sum(served.stats(on)["requests"]["total"] for on in workers.values()) == served.sent.total()
            )
        )
        shared = {pid: served.stats(on)["scope"] for pid, on in workers.items()}
        (first,) = [pid for pid, scope in shared.items() if scope["shared"]]
        (second,) = set(workers) - {first}
        assert "all 1 slabs are taken" in shared[second]["reason"]
        kill(first)
        on = workers[second]
        until(lambda: served.stats(on)["scope"]["shared"])
        assert difference(counted(settled(served, on=on)), served.sent) == {}
        assert served.stats(on)["scope"]["reason"] is None


def test_a_deleted_file_is_replaced(tmp_path: Path) -> None:
    """All workers go on in the next, with what they counted before."""
    with site(tmp_path) as served:
        Traffic(served, mixed(2000)).run()
        workers = served.one_each()
        settled(served)
        (path,) = served.slab_files()
        path.unlink()
        until(
            lambda: (
                all(difference(counted(served.stats(on)), served.sent) == {} for on in workers.values())
                and len(served.slab_files()) == 1
            )
        )
        until(lambda: all(served.stats(on)["scope"]["workers"] == 4 for on in workers.values()))
        Traffic(served, mixed(500)).run()
        agreed(served)
        assert served.slab_files() == [path]


@pytest.fixture
def one_worker(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, workers=1) as served:
        yield served


def test_a_client_that_leaves(one_worker: Site) -> None:
    """Amid a stream, orderly or not: counted once, and not in flight any more."""
    for number in range(10):
        connection = one_worker.connect()
        connection.send(request("GET", "/endless"))
        next(connection.contents(connection.head()))
        connection.leave(reset=number % 2 == 0)
        one_worker.sent["/endless", "GET", "200"] += 1
    told = settled(one_worker)
    assert difference(counted(told), one_worker.sent) == {}


def test_requests_in_flight(one_worker: Site) -> None:
    """Seen while they run, and gone with the worker that is killed amid them."""
    connections = [one_worker.connect() for _ in range(3)]
    for connection in connections:
        connection.send(request("GET", "/gate/x"))
    until(lambda: one_worker.stats()["requests"]["in_flight"] == 3)
    kill(workers_of(one_worker)[0])
    until(lambda: one_worker.stats()["requests"]["in_flight"] == 0)
    assert one_worker.stats()["requests"]["total"] == 0
    (one_worker.state / "gate-x").touch()


def test_own_pages_are_counted_apart(one_worker: Site) -> None:
    """In none of the figures but one."""
    one_worker.ask("/items/1")
    before = one_worker.stats()
    for target in ("/_stats", "/_stats/", "/_stats/metrics", "/_stats/health/live", "/_stats/none"):
        one_worker.ask(target)
    one_worker.ask("/_stats", method="POST")
    one_worker.ask("/_statsandmore")
    after = one_worker.stats()
    assert after["requests"]["stats_requests"] == before["requests"]["stats_requests"] + 7
    assert counted(after) - counted(before) == {("unmatched", "GET", "404"): 1}
    assert after["requests"]["total"] == 2
