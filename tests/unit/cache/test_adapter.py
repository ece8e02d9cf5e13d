"""Other people's backends: what they may hold, and what they may not do."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path

import cachelib
import pytest

from wsgiperf.cache.stores.adapter import Adapter, UnsupportedByStoreError
from wsgiperf.errors import WSGIPerfError

EXPLODED = []


def explode():
    EXPLODED.append("unpickled")


class Trap:
    """Says so when it is unpickled."""

    def __reduce__(self):
        return explode, ()


class RedisClient:
    """As much of a Redis client as cachelib's backend uses."""

    def __init__(self):
        self.held = {}
        self.flushed = False

    def get(self, name):
        return self.held.get(name)

    def set(self, name, value, ex=None):
        self.held[name] = value
        return True

    def delete(self, *names):
        return sum(self.held.pop(name, None) is not None for name in names)

    def keys(self, pattern):
        return [name for name in self.held if name.startswith(pattern.removesuffix("*"))]

    def flushdb(self):
        self.flushed = True
        self.held.clear()
        return True


class Plain:
    """An object with three methods."""

    def __init__(self):
        self.held = {}

    def get(self, key):
        return self.held.get(key)

    def set(self, key, value, timeout):
        self.held[key] = value

    def delete(self, key):
        return self.held.pop(key, None) is not None


def plant_in_simple(backend, name, data):
    backend._cache[name] = (0, data)


def plant_in_files(backend, name, data):
    Path(backend._get_filename(name)).write_bytes(bytes(4) + data)


def plant_in_redis(backend, name, data):
    backend._read_client.held[name] = data


BACKENDS = {
    "SimpleCache": (lambda path: cachelib.SimpleCache(), plant_in_simple),
    "FileSystemCache": (lambda path: cachelib.FileSystemCache(str(path)), plant_in_files),
    "RedisCache": (lambda path: cachelib.RedisCache(RedisClient()), plant_in_redis),
}


@pytest.fixture(params=BACKENDS.values(), ids=BACKENDS.keys())
def kind(request):
    return request.param


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(pickle.dumps(Trap()), id="pickle"),
        pytest.param(b"!" + pickle.dumps(Trap()), id="pickle as Redis holds it"),
        pytest.param(pickle.dumps(Trap(), 0), id="old pickle"),
        pytest.param(b"n" + b"9" * 5000, id="number without end"),
        pytest.param(b"n\xb2", id="no digit"),
        pytest.param(b"n7", id="number"),
        pytest.param(b"x" * 100, id="garbage"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_nothing_is_unpickled_and_what_isnt_ours_is_a_miss(kind, tmp_path, data):
    make, plant = kind
    backend = make(tmp_path)
    store = Adapter(backend)
    plant(backend, store._key("key"), data)
    EXPLODED.clear()
    assert store.get("key") is None
    assert store.has("key") is False
    assert EXPLODED == []
    assert store.set("key", b"ours") is True
    assert store.get("key") == b"ours"


def test_the_trap_works(kind, tmp_path):
    """The backend itself would have stepped into it."""
    make, plant = kind
    backend = make(tmp_path)
    plant(backend, "key", (b"!" if type(backend) is cachelib.RedisCache else b"") + pickle.dumps(Trap()))
    EXPLODED.clear()
    backend.get("key")
    assert EXPLODED == ["unpickled"]


def test_a_pickle_as_value_stays_bytes(kind, tmp_path):
    store = Adapter(kind[0](tmp_path))
    value = pickle.dumps(Trap())
    EXPLODED.clear()
    store.set("key", value)
    assert store.get("key") == value
    assert EXPLODED == []


def test_the_backend_that_was_passed_works_as_before():
    backend = cachelib.SimpleCache()
    store = Adapter(backend)
    store.set("key", b"ours")
    backend.set("key", {"the": "application's"})
    assert backend.get("key") == {"the": "application's"}
    assert store.get("key") == b"ours"


def test_a_file_backend_keeps_to_its_number_of_files(tmp_path):
    store = Adapter(cachelib.FileSystemCache(str(tmp_path), threshold=10))
    for number in range(40):
        store.set(f"key {number}", b"value")
    assert len(list(tmp_path.iterdir())) <= 13
    assert store.get("key 39") == b"value"


@pytest.mark.parametrize("value", ["text", 7, None, bytearray(b"a"), {"a": 1}], ids=repr)
def test_an_object_that_holds_something_else_is_a_miss(value):
    backend = Plain()
    store = Adapter(backend)
    backend.held[store._key("key")] = value
    assert store.get("key") is None


def test_three_methods_suffice():
    store = Adapter(Plain())
    assert store.add("key", b"value") is True
    assert store.add("key", b"other") is False
    assert store.get("key") == b"value"
    assert store.delete("key") is True
    with pytest.raises(UnsupportedByStoreError):
        store.clear()


@pytest.mark.parametrize("key", ["", "a b", "\n\0\xff", "x" * 2048, "\ud800"], ids=ascii)
def test_keys_are_safe_for_memcached(key):
    backend = Plain()
    Adapter(backend).set(key, b"value")
    (name,) = backend.held
    assert len(name) <= 250
    assert name.isascii()
    assert name.isprintable()
    assert " " not in name


def test_timeouts_reach_the_backend_as_whole_seconds():
    seen = []

    class Seeing(Plain):
        def set(self, key, value, timeout):
            seen.append(timeout)

    store = Adapter(Seeing())
    for timeout in (None, 0, 0.1, 5, 5.01, 1e300):
        assert store.set("key", b"value", timeout) is True
    assert seen == [None, 0, 1, 5, 6, 10 * 365 * 86_400]
    assert all(type(timeout) is int for timeout in seen[1:])


def test_a_backend_that_says_no_is_believed():
    class Full(Plain):
        def set(self, key, value, timeout):
            return False

    assert Adapter(Full()).set("key", b"value") is False


def test_what_a_backend_raises_is_raised():
    class Down(Plain):
        def get(self, key):
            raise ConnectionError

    with pytest.raises(ConnectionError):
        Adapter(Down()).get("key")


@pytest.mark.parametrize(
    "prefix",
    [None, "", "*", "a?", "[ab]", "\\", lambda: ""],
    ids=lambda prefix: "function" if callable(prefix) else repr(prefix),
)
def test_redis_is_not_flushed(prefix):
    client = RedisClient()
    client.held["another's"] = b"1"
    with pytest.raises(UnsupportedByStoreError, match="prefix"):
        Adapter(cachelib.RedisCache(client, key_prefix=prefix)).clear()
    assert not client.flushed
    assert client.held == {"another's": b"1"}


def test_redis_with_a_prefix_is_cleared_of_that():
    client = RedisClient()
    client.held["another's"] = b"1"
    store = Adapter(cachelib.RedisCache(client, key_prefix="site:"))
    store.set("key", b"value")
    assert store.clear() is True
    assert client.held == {"another's": b"1"}


class TestMemcached:
    """The client libraries unpickle by themselves."""

    def test_is_refused(self):
        with pytest.raises(UnsupportedByStoreError, match="trusted"):
            Adapter(cachelib.MemcachedCache(Plain()))

    def test_may_be_trusted_but_not_cleared(self):
        store = Adapter(cachelib.MemcachedCache(Plain()), trusted=True)
        assert store.get("key") is None
        with pytest.raises(UnsupportedByStoreError, match="whole server"):
            store.clear()


def test_purging_is_refused_with_an_error_of_the_library():
    with pytest.raises(UnsupportedByStoreError, match="prefix or tag"):
        Adapter(cachelib.SimpleCache()).purge(lambda head: True, 0.0)
    assert issubclass(UnsupportedByStoreError, (WSGIPerfError, RuntimeError))


def test_a_forgotten_lease_is_free():
    store = Adapter(cachelib.SimpleCache())
    lease = store.lease("key")
    assert store.lease("key") is None
    del lease
    assert store.lease("key") is not None


def test_leases_of_two_stores_are_apart():
    one, two = Adapter(Plain()), Adapter(Plain())
    kept = one.lease("key"), two.lease("key")
    assert None not in kept


def test_a_lease_excludes_the_other_threads():
    store, seen = Adapter(Plain()), []
    lease = store.lease("key")
    thread = threading.Thread(target=lambda: seen.append(store.lease("key")))
    thread.start()
    thread.join()
    assert seen == [None]
    assert lease.renew()
