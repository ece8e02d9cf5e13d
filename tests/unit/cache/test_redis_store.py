"""The store in Redis: what it keeps, and what a request sees of a Redis in trouble."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from servers.redis_server import RedisServer, running_redis, until

from wsgiperf.cache.stores.breaker import StoreUnavailable
from wsgiperf.cache.stores.redis import RedisStore
from wsgiperf.cache.stores.redis_connections import ResponseError

VALUE = bytes(range(256)) * 60


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture
def server(shared_server: RedisServer) -> RedisServer:
    shared_server.say("FLUSHALL")
    return shared_server


@pytest.fixture
def store(server: RedisServer) -> Iterator[RedisStore]:
    store = RedisStore(server.url, seconds=30.0)
    yield store
    store.close()


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as client:
        yield client


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(VALUE, id="binary"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\r\n$1\r\n", id="protocol"),
        pytest.param(os.urandom(3_000_000), id="large"),
    ],
)
def test_values_come_back_as_they_are(store: RedisStore, value: bytes) -> None:
    """Any bytes, and any number of them."""
    assert store.set("key", value) is True
    assert store.get("key") == value
    assert store.get_many("other", "key") == [None, value]


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("", id="empty"), pytest.param("http://a/b?c d\r\n\x00", id="protocol"),
        pytest.param("é\xff", id="latin-1"), pytest.param("\udcff€", id="no encoding takes it"),
        pytest.param("a" * 513, id="long"), pytest.param("é" * 2048, id="longest"),
    ],
)  # fmt: skip
def test_any_key_has_a_name_of_bounded_length(store: RedisStore, client: redis.Redis, key: str) -> None:
    """Keys are a client's: strange ones are keys, long ones are told apart."""
    assert store.get(key) is None
    assert store.set(key, b"1")
    assert (store.has(key), store.has(key + "x"), store.get(key)) == (True, False, b"1")
    assert all(len(name) <= 512 + 128 and name.startswith(b"wsgiperf:") for name in client.scan_iter())
    assert (store.delete(key), store.delete(key)) == (True, False)


def test_the_short_name_of_a_long_key_is_no_other_keys_name(store: RedisStore, client: redis.Redis) -> None:
    """Who knows how long keys are shortened can't ask for another's entry by that name, nor for a lease."""
    long = "victim" * 200
    store.set(long, b"secret")
    lease = store.lease("work", 5)
    for name in client.scan_iter():
        suffix = name.decode().removeprefix("wsgiperf:")
        assert [store.get(key) for key in (suffix, suffix[1:], "#" + suffix, name.decode())] == [None] * 4
    assert lease is not None


def test_values_last_as_long_as_they_were_given(store: RedisStore, client: redis.Redis) -> None:
    """Seconds or a timedelta, fractions of a second too; 0 is without limit, less is over already."""

    def left(timeout: float | timedelta | None) -> int:
        store.set("key", b"1", timeout)
        return client.pttl("wsgiperf:=key")

    def lasts(timeout: float | timedelta | None, milliseconds: int) -> bool:
        """Whether no more of it is over than the time it took to ask."""
        began = time.monotonic()
        found = left(timeout)
        taken = (time.monotonic() - began) * 1000 + 2  # Redis counts whole milliseconds
        return milliseconds - taken <= found <= milliseconds

    assert lasts(None, 300_000)
    assert lasts(1.5, 1500)
    assert lasts(timedelta(minutes=1), 60_000)
    assert left(0) == -1
    assert left(float("inf")) > 10**11
    assert left(-1) == -2
    store.set("key", b"1")
    assert (store.add("key", b"2", -1), store.get("key")) == (False, b"1")
    assert (store.set("key", b"2", -1), store.get("key")) == (False, None)
    store.set("key", b"1")
    assert (store.set_many({"key": b"2"}, float("nan")), store.get("key")) == ([], None)


def test_the_rest_of_what_caches_do(store: RedisStore) -> None:
    """add, several at once, counters."""
    assert [store.add("a", b"1"), store.add("a", b"2"), store.get("a")] == [True, False, b"1"]
    assert store.set_many({"b": b"2", "c": b"3"}) == ["b", "c"]
    assert store.get_dict("a", "b", "c", "d") == {"a": b"1", "b": b"2", "c": b"3", "d": None}
    assert store.delete_many("a", "d") == ["a", "d"]
    assert [store.inc("n", 5), store.dec("n", 2), store.get("n")] == [5, 3, b"3"]
    assert (store.get_many(), store.set_many({}), store.delete_many()) == ([], [], [])


def test_only_bytes_are_values(store: RedisStore) -> None:
    """Nothing is pickled, nothing is guessed."""
    for value in ("text", 5, None, bytearray(b"1"), object()):
        with pytest.raises(TypeError, match="bytes"):
            store.set("key", value)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="bytes"):
            store.set("key", value, -1)  # type: ignore[arg-type]


def test_what_is_no_string_is_an_error_that_harms_nothing(store: RedisStore, client: redis.Redis) -> None:
    """A list under one of our names: an error for that key, and the connection goes on."""
    client.rpush("wsgiperf:=list", "x")
    store.set("key", b"1")
    for _ in range(5):
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            store.get("list")
        assert store.get("key") == b"1"
    assert store.get_many("list", "key") == [None, b"1"]
    with pytest.raises(ResponseError):
        store.inc("list")
    assert store.purge(lambda head: True, 0.0) == 1
    assert store.set("list", b"now a string")


@pytest.mark.parametrize("wrong", ["", "x" * 129])
def test_the_prefix_is_mandatory(wrong: str) -> None:
    """Without one, `clear` would be about everybody's keys."""
    with pytest.raises(ValueError, match="prefix"):
        RedisStore("redis://127.0.0.1:1", prefix=wrong)


def test_clients_that_do_not_fit_are_refused(server: RedisServer) -> None:
    """Text instead of bytes, coroutines instead of answers."""
    with pytest.raises(ValueError, match="decode_responses"):
        RedisStore(redis.Redis(decode_responses=True))
    with pytest.raises(ValueError, match="decode_responses"):
        RedisStore("redis://127.0.0.1:1?decode_responses=True")
    for client in (redis.asyncio.Redis(), object()):
        with pytest.raises(TypeError, match="expected a URL or a redis"):
            RedisStore(client)  # type: ignore[arg-type]


def test_a_users_client_gives_its_address_and_keeps_its_pool(server: RedisServer) -> None:
    """Database and all; its patience and its retries are not for a request."""
    client = redis.Redis("127.0.0.1", server.port, db=3, socket_timeout=30, health_check_interval=9)
    store = RedisStore(client, prefix="p:")
    store.set("key", b"1")
    assert client.get("p:=key") == b"1"
    assert client.connection_pool.connection_kwargs["socket_timeout"] == 30
    store.close()
    client.close()


def test_a_lease_is_for_one(store: RedisStore, server: RedisServer) -> None:
    """Another thread, process or machine gets it when it is released."""
    other = RedisStore(server.url, seconds=30.0)
    lease = store.lease("work", 60)
    assert lease is not None
    assert (other.lease("work", 60), store.lease("work", 60)) == (None, None)
    assert lease.renew() is True
    lease.release()
    theirs = other.lease("work", 60)
    assert theirs is not None
    lease.release()  # again, and now it is another's
    assert lease.renew() is False
    assert store.lease("work", 60) is None
    theirs.release()
    other.close()


def test_a_lease_lapses_when_its_holder_is_gone(store: RedisStore, client: redis.Redis) -> None:
    """And renewing begins its term again."""
    lease = store.lease("work", 60)
    assert lease is not None
    (name,) = client.keys()
    assert client.pttl(name) <= 60_000
    for left in (20_000, 10_000):  # as if so much of the term was over
        client.pexpire(name, left)
        assert lease.renew()
        assert left < client.pttl(name) <= 60_000
        assert store.lease("work", 60) is None
    client.pexpire(name, 200)
    until(lambda: store.lease("work", 60))
    assert lease.renew() is False
    assert store.lease("brief", 0.2)
    until(lambda: store.lease("brief", 60))


def test_scripts_are_sent_again_to_a_server_that_forgot_them(store: RedisStore, server: RedisServer) -> None:
    """After a restart, or SCRIPT FLUSH."""
    lease = store.lease("work", 60)
    assert lease is not None
    assert lease.renew()
    server.say("SCRIPT FLUSH")
    assert lease.renew()
    server.say("SCRIPT FLUSH")
    lease.release()
    assert store.lease("work", 5) is not None


def entry(tag: bytes, filler: int = 100) -> bytes:
    return b"frame\0\0\0" + struct.pack("<d", 0.0) + tag + b"." * filler


def test_a_purge_removes_what_matches(store: RedisStore, client: redis.Redis) -> None:
    """All of it, by its first 8 KiB, and nothing of others, even where the prefix reads as a pattern."""
    odd = RedisStore(client, prefix="w*[a-z]?:", seconds=30.0)
    for number in range(2500):
        store.set(f"{number}", entry(b"odd" if number % 2 else b"even"))
    store.set("far", entry(b"", 9000) + b"odd")
    odd.set("mine", entry(b"odd"))
    client.set("wsgi:foreign", entry(b"odd"))
    assert store.purge(lambda head: b"odd" in head, 0.0) == 1250
    assert [store.has(key) for key in ("1", "2", "far")] == [False, True, True]
    assert odd.purge(lambda head: b"odd" in head, 0.0) == 1
    assert client.exists("wsgi:foreign")
    odd.set("mine", b"1")
    assert odd.clear() is True
    assert store.clear() is True
    assert [*client.scan_iter()] == [b"wsgi:foreign"]
    odd.close()


def test_a_soft_purge_marks_what_matches(store: RedisStore, client: redis.Redis) -> None:
    """Eight bytes change, the time to live doesn't."""
    store.set("a", entry(b"a", 20_000), 100)
    store.set("b", entry(b"b"))
    store.set("tiny", b"a")
    assert store.purge(lambda head: b"a" in head[16:] or head == b"a", 1234.5) == 2
    marked = store.get("a")
    assert marked == entry(b"a", 20_000)[:8] + struct.pack("<d", 1234.5) + entry(b"a", 20_000)[16:]
    assert 0 < client.ttl("wsgiperf:=a") <= 100
    assert (store.get("b"), store.get("tiny")) == (entry(b"b"), None)


def test_a_soft_purge_leaves_alone_what_replaced_a_match(store: RedisStore, client: redis.Redis) -> None:
    """Between looking and marking, another stored a new value, or none is left."""
    store.set("a", entry(b"old"))

    def replaced_meanwhile(head: bytes) -> bool:
        client.set("wsgiperf:=a", entry(b"new"))
        return True

    def gone_meanwhile(head: bytes) -> bool:
        client.delete("wsgiperf:=a")
        return True

    assert store.purge(replaced_meanwhile, 1234.5) == 0
    assert store.get("a") == entry(b"new")
    assert store.purge(gone_meanwhile, 1234.5) == 0
    assert not store.has("a")


def test_a_purge_that_fails_says_so(store: RedisStore, server: RedisServer) -> None:
    """Values may be left: not reached, not in time, refused."""
    with pytest.raises(StoreUnavailable):
        RedisStore("redis://127.0.0.1:1").purge(lambda head: True, 0.0)
    hasty = RedisStore(server.url, patience=0.3)
    store.set("key", entry(b"1"))
    server.pause()
    try:
        with pytest.raises(StoreUnavailable):
            hasty.purge(lambda head: True, 0.0)
    finally:
        server.resume()
    until(server.answers)
    store.set_many({f"{number}": entry(b"1") for number in range(500)})

    def slow(head: bytes) -> bool:
        time.sleep(0.01)
        return True

    with pytest.raises(StoreUnavailable):
        hasty.purge(slow, 0.0)
    server.say("CONFIG SET maxmemory 1")
    try:
        with pytest.raises(ResponseError, match="OOM"):
            store.purge(lambda head: True, 1234.5)
        with pytest.raises(ResponseError, match="OOM"):
            store.set("key", VALUE)
    finally:
        server.say("CONFIG SET maxmemory 0")
    hasty.close()
