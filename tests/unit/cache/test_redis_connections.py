"""A connection never answers one question with the reply to another; a server that fails is spared."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from servers.redis_server import ScriptedRedis, until

from wsgiperf.cache.stores.breaker import Breaker, StoreUnavailable
from wsgiperf.cache.stores.redis import RedisStore
from wsgiperf.cache.stores.redis_connections import ResponseError

Replies = Callable[[list[bytes]], Iterator[bytes | None]]


def bulk(value: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value)


def echo(words: list[bytes]) -> bytes:
    """The value of each key is the key."""
    return bulk(words[1].rpartition(b"=")[2] * 1000)


def answer(store: RedisStore, key: str) -> bytes | None:
    """What the store answers, once it does: on a busy machine a server may be late as often as it likes."""
    found: list[bytes | None] = []

    def answered() -> bool:
        found.append(store.get(key))
        return True

    until(answered, within=60)
    return found[0]


@pytest.mark.parametrize(
    "half",
    [
        pytest.param(b"", id="nothing"), pytest.param(b"$", id="type"), pytest.param(b"$40", id="length"),
        pytest.param(b"$4000\r", id="line end"), pytest.param(b"$4000\r\nslowslow", id="value"),
        pytest.param(bulk(b"slow" * 1000)[:-1], id="all but one byte"),
    ],
)  # fmt: skip
def test_after_half_a_reply_nobody_reads_the_rest(half: bytes) -> None:
    """The connection is gone with the question; the next question gets its own answer."""
    released = threading.Event()

    def reply(words: list[bytes]) -> Iterator[bytes | None]:
        if not words[1].endswith(b"=slow"):
            yield echo(words)
            return
        if half:
            yield half
        released.wait(10)
        yield bulk(b"slow" * 1000)[len(half) :]  # late, to a connection nobody reads

    with ScriptedRedis(reply) as server:
        store = RedisStore(server.url, seconds=0.2)
        assert answer(store, "first") == b"first" * 1000
        with pytest.raises(StoreUnavailable):
            store.get("slow")
        released.set()
        for key in ("second", "third", "second"):
            assert answer(store, key) == key.encode() * 1000
        assert server.connections >= 2
        store.close()


def test_an_exception_amid_a_reply_drops_the_connection() -> None:
    """Such as a server's time limit, raised by a signal in whatever runs."""

    class Enough(BaseException):
        pass

    def interrupt(*_: object) -> None:
        raise Enough

    asked = threading.Event()

    def reply(words: list[bytes]) -> Iterator[bytes | None]:
        if words[1].endswith(b"=slow"):
            yield b"$4000\r\nslow"
            asked.set()
            signal.setitimer(signal.ITIMER_REAL, 0.1)  # from here on, however late the question came
            yield None
        yield echo(words)

    usual = signal.signal(signal.SIGALRM, interrupt)
    try:
        with ScriptedRedis(reply) as server:
            store = RedisStore(server.url, seconds=60)
            store.get("first")
            with pytest.raises(Enough):
                store.get("slow")
            assert asked.is_set()
            assert store.get("second") == b"second" * 1000
            store.close()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, usual)


def test_a_reply_that_trickles_is_given_up() -> None:
    """Each byte comes in time, all of them don't."""
    stop = threading.Event()

    def reply(words: list[bytes]) -> Iterator[bytes | None]:
        for byte in echo(words):
            stop.wait(0.02)
            yield bytes([byte])

    with ScriptedRedis(reply) as server:
        store = RedisStore(server.url)
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.get("key")
        assert time.monotonic() - began < 5  # all of it would take 60
        stop.set()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"?what\r\n", id="no such type"), pytest.param(b"$x\r\n", id="no length"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another protocol"),
        pytest.param(bulk(b"one") + bulk(b"another"), id="two replies"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_an_error(answer: bytes) -> None:
    """And nothing of it is left for the next."""
    strange = [answer]

    def reply(words: list[bytes]) -> Iterator[bytes | None]:
        yield strange.pop() if strange else echo(words)

    with ScriptedRedis(reply) as server:
        store = RedisStore(server.url, seconds=30.0)
        with pytest.raises(StoreUnavailable):
            store.get("key")
        assert store.get("key") == b"key" * 1000
        store.close()


def test_a_connection_closed_while_idle_is_not_used() -> None:
    """Where the server closes what was idle, nobody sees an error."""
    quits: list[int] = []

    def reply(words: list[bytes]) -> Iterator[bytes | None]:
        yield echo(words)
        if not quits:
            quits.append(1)
            raise OSError

    with ScriptedRedis(reply) as server:
        store = RedisStore(server.url, seconds=30.0)
        store.get("key")
        store._connections._idle[0].used -= 10  # as if that had been ten seconds ago
        until(lambda: quits)
        until(lambda: not store._connections._idle[0].usable())
        assert store.get("other") == b"other" * 1000
        assert server.connections == 2
        store.close()


def test_a_server_that_is_no_longer_the_master_is_left() -> None:
    """The next command goes over a new connection, to whoever is it now."""

    def reply(words: list[bytes]) -> Iterator[bytes | None]:
        yield b"-READONLY You can't write against a read only replica.\r\n"

    with ScriptedRedis(reply) as server:
        store = RedisStore(server.url, seconds=30.0)
        for _ in range(3):
            with pytest.raises(ResponseError, match="READONLY"):
                store.set("key", b"1")
        assert server.connections == 3


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_breaker_opens_after_some_failures_in_a_row(clock: Clock) -> None:
    """A success in between begins the count again."""
    breaker = Breaker(clock=clock)
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        assert breaker.allows()
        breaker.succeeded()
    for _ in range(3):
        assert breaker.allows()
        breaker.failed()
    assert not breaker.allows()


def test_the_breaker_stays_open_longer_and_longer_within_bounds(clock: Clock) -> None:
    """Half a second at first, ten at most; each time one probe passes. A success closes it for all."""
    breaker = Breaker(clock=clock)
    breaker.failed(timeout=True)
    pauses = []
    for _ in range(7):
        opened = clock.now
        while not breaker.allows():
            clock.now += 0.125
        pauses.append(clock.now - opened)
        assert [breaker.allows() for _ in range(5)] == [False] * 5
        breaker.failed()
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    clock.now += 10
    assert breaker.allows()
    breaker.succeeded()
    assert [breaker.allows(), breaker.allows(), breaker.troubled] == [True, True, False]
    breaker.failed(timeout=True)
    clock.now += 0.5
    assert breaker.allows()


def test_those_under_way_when_it_opened_count_once(clock: Clock) -> None:
    """Thirty that time out together are one trouble."""
    breaker = Breaker(clock=clock)
    for _ in range(30):
        breaker.failed(timeout=True)
    clock.now += 0.5
    assert breaker.allows()


def test_a_probe_that_never_ends_is_followed_by_another(clock: Clock) -> None:
    """Its thread may have died."""
    breaker = Breaker(clock=clock)
    breaker.failed(timeout=True)
    clock.now += 0.5
    assert [breaker.allows(), breaker.allows()] == [True, False]
    clock.now += 0.5
    assert [breaker.allows(), breaker.allows()] == [True, False]
