"""The store in Redis while Redis is in trouble, and under every model of work."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.redis_server import RedisServer, running_redis, until

from wsgiperf.cache.stores.breaker import StoreUnavailable
from wsgiperf.cache.stores.redis import RedisStore


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture
def store(server: RedisServer) -> Iterator[RedisStore]:
    store = RedisStore(server.url, seconds=30.0)
    yield store
    store.close()


def test_killed_and_started_again(server: RedisServer, store: RedisStore) -> None:
    """Calls fail at once while it is away; without anybody's doing they work again after."""
    store.set("key", b"1")
    server.kill()
    for _ in range(200):
        with pytest.raises(StoreUnavailable):
            store.get("key")
    server.start()
    until(lambda: store.get("key") is None)
    assert store.set("key", b"2")
    assert store.get("key") == b"2"


def test_idle_connections_do_not_outlive_a_restart(server: RedisServer, store: RedisStore) -> None:
    """One call at most pays for all connections that broke."""
    threads = [threading.Thread(target=store.get, args=("key",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.kill()
    server.start()
    failures = 0
    for _ in range(20):
        try:
            store.get("key")
        except StoreUnavailable:
            failures += 1
    assert failures <= 1


@pytest.mark.parametrize("how", ["stopped", "paused"])
def test_a_hung_server_delays_a_moment_and_then_nothing(server: RedisServer, how: str) -> None:
    """One wait of 50 ms; the next thousand calls fail at once; later it is found well again."""
    store = RedisStore(server.url)
    until(lambda: store.set("key", b"1"), within=60)
    if how == "stopped":
        server.pause()
    else:
        server.say("CLIENT PAUSE 5000 ALL")
    began = time.monotonic()
    for _ in range(1000):
        with pytest.raises(StoreUnavailable):
            store.get("key")
    assert time.monotonic() - began < 5  # a wait for each would take 50
    server.resume()
    until(lambda: store.get("key") == b"1", within=60)
    store.close()


CHILDREN = """
import os, sys
sys.path.insert(0, sys.argv[2])
from wsgiperf.cache.stores.redis import RedisStore
store = RedisStore(sys.argv[1], seconds=30.0)
store.set("parent", b"0" * 20_000)
pids = []
for number in range(4):
    pid = os.fork()
    if not pid:
        status = 1
        try:
            for turn in range(300):
                value = b"%d" % (number * 1000 + turn) * 5000
                assert store.set(f"{number}", value) and store.get(f"{number}") == value
            status = 0
        finally:
            os._exit(status)
    pids.append(pid)
for turn in range(300):
    assert store.get("parent") == b"0" * 20_000
print([os.waitpid(pid, 0)[1] for pid in pids])
"""

GREENLETS = """
from gevent import monkey; monkey.patch_all()
import sys; sys.path.insert(0, sys.argv[2])
import gevent
from wsgiperf.cache.stores.redis import RedisStore
from wsgiperf.cache.stores.breaker import StoreUnavailable
store = RedisStore(sys.argv[1], seconds=30.0)
def work(number):
    for turn in range(20):
        value = b"%d" % (number * 1000 + turn) * 5000
        store.set(f"{number}", value)
        assert store.get(f"{number}") == value
def killed():
    while True:
        assert store.get("0") is None or store.get("0").isdigit()
greenlets = [gevent.spawn(work, number) for number in range(50)]
victims = [gevent.spawn(killed) for _ in range(5)]
gevent.sleep(0.05)
gevent.killall(victims)
gevent.joinall(greenlets, raise_error=True)
print("done")
"""


@pytest.mark.parametrize(
    ("program", "says"),
    [pytest.param(CHILDREN, "[0, 0, 0, 0]", id="forks"), pytest.param(GREENLETS, "done", id="gevent")],
)
def test_under_every_model_of_work_each_gets_its_own(server: RedisServer, program: str, says: str) -> None:
    """Children make connections of their own; greenlets, also those killed amid a reply, mix nothing up."""
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", program, server.url, str(root)],
        capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert (done.stdout.strip(), done.returncode) == (says, 0), done.stderr


def test_threads_share_a_store(server: RedisServer, store: RedisStore) -> None:
    """Each reads what it asked for; connections that are not needed any more are not piled up."""
    wrong: list[str] = []

    def work(number: int) -> None:
        value = b"%d" % number * 20_000
        for _ in range(100):
            store.set(f"{number}", value)
            if store.get(f"{number}") != value:
                wrong.append(f"{number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert server.connections() <= 8
