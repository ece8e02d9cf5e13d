"""Messages between machines: delivered, or known to be missed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest
from servers.redis_server import RedisServer, running_redis, until

from wsgiperf.cache.stores.breaker import StoreUnavailable
from wsgiperf.cache.stores.redis import RedisStore
from wsgiperf.cache.stores.redis_messages import Subscription


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


class Site:
    """A store, and a subscription to its messages that asks often and waits long: the machine may be busy."""

    def __init__(
        self, server: RedisServer, patience: float = 60.0, clock: Callable[[], float] = monotonic
    ) -> None:
        self.store = RedisStore(server.url, seconds=30.0)
        self.got: list[bytes] = []
        self.subscription = Subscription(
            self.store._connections, self.store._channel, self.take,
            ping=0.05, patience=patience, clock=clock,
        )  # fmt: skip

    def take(self, message: bytes) -> None:
        if message == b"bad":
            raise ValueError(message)
        self.got.append(message)

    def close(self) -> None:
        self.subscription.close()
        self.store.close()


@pytest.fixture
def site(server: RedisServer) -> Iterator[Site]:
    site = Site(server)
    yield site
    site.close()


@pytest.fixture
def other(server: RedisServer) -> Iterator[Site]:
    site = Site(server)
    yield site
    site.close()


def healthy(*sites: Site) -> None:
    for site in sites:
        site.subscription.start()
    until(lambda: all(site.subscription.healthy for site in sites))


def test_a_message_reaches_all_who_subscribed(site: Site, other: Site) -> None:
    """In order, any bytes, the sender included; nothing is healthy before it listens."""
    assert (site.subscription.healthy, site.subscription.generation) == (False, 0)
    healthy(site, other)
    messages = [b"\r\n$1\r\n\x00\xff%d" % number for number in range(50)]
    assert [site.store.publish(message) for message in messages] == [2] * 50
    until(lambda: len(site.got) == len(other.got) == 50)
    assert site.got == other.got == messages
    assert site.subscription.generation == 1
    assert site.store.publish(b"x", patient=True) == 2


def test_prefixes_keep_apart(site: Site, server: RedisServer) -> None:
    """Another application on the server talks to itself."""
    healthy(site)
    stranger = RedisStore(server.url, prefix="other:", seconds=1.0)
    assert stranger.publish(b"x") == 0
    stranger.close()


def test_it_stays_healthy_where_nothing_is_said(site: Site) -> None:
    """Each answered ping is good for a while."""
    healthy(site)
    first = site.subscription.healthy_until
    until(lambda: site.subscription.healthy_until > first + 0.5)
    assert (site.subscription.generation, site.got) == (1, [])


def test_a_gap_is_known(server: RedisServer) -> None:
    """Killed: not healthy at once. Back: a new generation before it is healthy."""
    site = Site(server, patience=60)
    healthy(site)
    generation = site.subscription.generation
    server.kill()
    until(lambda: not site.subscription.healthy)
    with pytest.raises(StoreUnavailable):
        site.store.publish(b"lost")
    server.start()
    until(lambda: site.subscription.healthy)
    assert site.subscription.generation > generation
    until(lambda: site.store.publish(b"heard") == 1)
    until(lambda: site.got == [b"heard"])
    site.close()


def test_a_server_that_hangs_is_not_trusted(server: RedisServer) -> None:
    """The connection stands, and says nothing: not healthy, then left, and a gap when it is back."""
    now = [100.0]
    site = Site(server, patience=0.4, clock=lambda: now[0])

    def left() -> bool:
        now[0] += 0.5
        return site.subscription._wire is not wire

    healthy(site)
    wire = site.subscription._wire
    server.pause()
    try:
        now[0] += 0.5
        assert not site.subscription.healthy
        until(left)
    finally:
        server.resume()
    until(lambda: site.subscription.healthy)
    assert site.subscription.generation == 2
    site.close()


def test_a_connection_that_the_server_cuts_is_a_gap(server: RedisServer, site: Site) -> None:
    """As Redis does with those who read too slowly."""
    healthy(site)
    server.say("CLIENT KILL TYPE pubsub")
    until(lambda: site.subscription.generation == 2 and site.subscription.healthy)


def test_a_message_that_could_not_be_used_counts_as_missed(site: Site) -> None:
    """A callback that raises ends neither the thread nor the truth."""
    healthy(site)
    site.store.publish(b"bad")
    until(lambda: site.subscription.generation == 2 and site.subscription.healthy)
    site.store.publish(b"good")
    until(lambda: site.got == [b"good"])


def test_one_thread_and_one_connection(site: Site, server: RedisServer) -> None:
    """However often it is started; none after the end, and no start after that."""

    before = threading.enumerate()
    until(lambda: b"id=" not in server.say("CLIENT LIST TYPE pubsub"))

    def threads() -> int:
        new = [thread for thread in threading.enumerate() if thread not in before]
        return sum(thread.name == "wsgiperf-messages" for thread in new)

    starters = [threading.Thread(target=site.subscription.start) for _ in range(20)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    healthy(site)
    assert threads() == 1
    assert server.say("CLIENT LIST TYPE pubsub").count(b"id=") == 1
    site.subscription.close(60)
    assert (threads(), site.subscription.healthy) == (0, False)
    site.subscription.start()
    assert threads() == 0
    until(lambda: b"id=" not in server.say("CLIENT LIST TYPE pubsub"))


def test_a_child_process_listens_for_itself(site: Site, server: RedisServer) -> None:
    """It begins untrusting, closes what it inherited without harm to the parent, and hears."""
    healthy(site)
    inherited = site.subscription._wire._sock.fileno()  # type: ignore[union-attr]
    child = os.fork()
    if not child:
        status = 1
        try:
            if not site.subscription.healthy and site.subscription._thread is None:
                try:
                    os.fstat(inherited)
                except OSError:
                    healthy(site)
                    until(lambda: site.got == [b"to both"])
                    status = 0
        finally:
            os._exit(status)
    until(lambda: server.say("CLIENT LIST TYPE pubsub").count(b"id=") == 2)
    assert site.store.publish(b"to both") == 2
    assert os.waitpid(child, 0)[1] == 0
    until(lambda: site.got == [b"to both"])
    assert (site.subscription.generation, site.subscription.healthy) == (1, True)


PROGRAM = """
{first}
import sys, time; sys.path.insert(0, sys.argv[2])
from wsgiperf.cache.stores.redis import RedisStore
store, got = RedisStore(sys.argv[1], seconds=30.0), []
subscription = store.subscription(got.append)
subscription.start()
deadline = time.monotonic() + 60
while not subscription.healthy and time.monotonic() < deadline:
    time.sleep(0.01)
store.publish(b"hello")
while not got and time.monotonic() < deadline:
    time.sleep(0.01)
print(got)
"""


@pytest.mark.parametrize(
    "first",
    [
        pytest.param("", id="threads"),
        pytest.param("from gevent import monkey; monkey.patch_all()", id="gevent"),
    ],
)
def test_the_interpreter_ends_quietly(server: RedisServer, first: str) -> None:
    """While the thread listens; also where threads are greenlets."""
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM.format(first=first), server.url, str(root)],
        capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert (done.stdout, done.stderr, done.returncode) == ("[b'hello']\n", "", 0)
