"""Every store keeps what the cache relies on."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from inspect import isgenerator

import pytest
from cachelib import BaseCache
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .stores import STORES, Clock

LONG_KEY = "https://example.com/" + "\xff" * 1000 + "\n" + "\xe4" * 1027
KEYS = {
    "plain": "https://example.com/a?b=c",
    "empty": "",
    "new line": "https://example.com/\naccept-language=de",
    "control characters": "\0\r\n\t \x7f\x80",
    "a path": "../../../etc/passwd",
    "wildcards": "*[a-z]?{}\\",
    "longest": LONG_KEY,
}
VALUE = bytes(range(256)) * 60


@pytest.fixture(params=STORES.values(), ids=STORES.keys())
def kind(request):
    return request.param


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(kind, clock, tmp_path) -> Iterator[BaseCache]:
    made = kind.make(tmp_path, clock)
    if isgenerator(made):
        yield from made
    else:
        yield made


def test_it_is_a_cachelib_cache(store):
    assert isinstance(store, BaseCache)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_any_key_of_two_thousand_characters_is_itself(store, key):
    for other in KEYS.values():
        assert store.set(other, b"another's") is True
    assert store.set(key, VALUE) is True
    assert [other for other in KEYS.values() if store.get(other) == VALUE] == [key]
    store.delete(key)
    assert store.get(key) is None
    assert all(store.get(other) == b"another's" for other in KEYS.values() if other != key)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(st.characters(max_codepoint=255), max_size=2048), value=st.binary(max_size=3000))
def test_what_was_set_is_what_is_got(store, key, value):
    assert store.set(key, value) is True
    assert store.get(key) == value
    assert store.has(key) is True


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x80\x04K\x01.", id="a pickle"),
        pytest.param(b"123", id="digits"),
        pytest.param(bytes(65_535), id="64 KiB less one"),
        pytest.param(bytes(65_536), id="64 KiB"),
        pytest.param(VALUE * 50, id="768 KB"),
    ],
)
def test_bytes_come_back_the_same(store, value):
    assert store.set("key", value) is True
    assert store.get("key") == value
    assert type(store.get("key")) is bytes


def test_what_isnt_there_is_none(store):
    assert store.get("key") is None
    assert store.has("key") is False
    assert store.get_many("key", "other") == [None, None]


def test_the_later_value_counts(store):
    store.set("key", VALUE)
    assert store.set("key", b"later") is True
    assert store.get("key") == b"later"


def test_shared_stores_take_bytes_only(store, kind):
    if kind.any_value:
        assert store.set("key", ("any", "thing")) is True
        assert store.get("key") == ("any", "thing")
        return
    for value in ("text", 1, None, bytearray(b"a"), object()):
        with pytest.raises(TypeError):
            store.set("key", value)
    assert store.get("key") is None


def test_delete_says_whether_there_was_something(store, kind):
    store.set("key", VALUE)
    assert store.delete("key") is True
    assert store.get("key") is None
    if kind.deletes:
        assert store.delete("key") is False


def test_add_keeps_what_is_there(store):
    assert store.add("key", b"first") is True
    assert store.add("key", b"second") is False
    assert store.get("key") == b"first"


def test_clear_forgets_everything(store):
    for number in range(20):
        store.set(f"key {number}", VALUE)
    assert store.clear() is True
    assert store.get_many(*[f"key {number}" for number in range(20)]) == [None] * 20
    assert store.set("key 1", VALUE) is True
    assert store.get("key 1") == VALUE


def until_over(store, kind, clock, seconds):
    """Let time pass: for a store that lives by the passed clock at once, else really."""
    clock.now += seconds
    deadline = time.monotonic() + 10
    while not kind.clock and store.get("key") is not None and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.mark.parametrize("timeout", [1, 0.5, timedelta(seconds=1)], ids=str)
def test_a_value_is_over_after_its_time(store, kind, clock, timeout):
    assert store.set("key", VALUE, timeout) is True
    assert store.get("key") == VALUE
    until_over(store, kind, clock, 3)
    assert store.get("key") is None
    assert store.has("key") is False
    assert store.add("key", b"new") is True
    assert store.get("key") == b"new"


def test_a_value_is_there_until_its_time_is_over(store, clock):
    store.set("key", VALUE, 100)
    clock.now += 98
    assert store.get("key") == VALUE


@pytest.mark.parametrize("timeout", [0, 0.0, 1e12], ids=str)
def test_no_timeout_is_for_ever(store, clock, timeout):
    assert store.set("key", VALUE, timeout) is True
    clock.now += 86_400 * 365
    assert store.get("key") == VALUE


@pytest.mark.parametrize("timeout", [-1, -0.5, float("nan"), timedelta(seconds=-5)], ids=str)
def test_a_value_that_is_over_already_isnt_kept_nor_is_the_older_one(store, timeout):
    store.set("key", VALUE)
    assert store.set("key", b"later", timeout) is False
    assert store.get("key") is None


def test_a_value_that_is_too_large_isnt_kept_nor_is_the_older_one(store, kind):
    if kind.largest is None:
        pytest.skip("it has no limit")
    store.set("key", VALUE)
    assert store.set("key", bytes(kind.largest)) is False
    assert store.get("key") is None


def test_threads_see_whole_values(store):
    """Each value says its key, and is of one writer."""
    values = [bytes([number]) * 20_000 for number in range(1, 9)]
    wrong: list[object] = []

    def use(value):
        for turn in range(30):
            store.set(f"key {turn % 3}", value)
            seen = store.get(f"key {turn % 3}")
            if seen is not None and seen not in values:
                wrong.append(seen)

    threads = [threading.Thread(target=use, args=(value,)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


class TestLeases:
    @pytest.fixture(autouse=True)
    def _able(self, kind):
        if not kind.leases:
            pytest.skip("it lends none")

    def test_one_at_a_time(self, store):
        lease = store.lease("key", 5)
        assert lease is not None
        assert store.lease("key", 5) is None
        assert store.lease("other", 5) is not None
        assert lease.renew() is True
        lease.release()
        assert store.lease("key", 5) is not None

    def test_a_released_lease_is_lost_and_releases_no_other(self, store):
        first = store.lease("key", 5)
        first.release()
        second = store.lease("key", 5)
        first.release()
        assert first.renew() is False
        assert store.lease("key", 5) is None
        assert second.renew() is True

    def test_among_threads_one_wins(self, store):
        start, kept = threading.Barrier(8), []

        def ask():
            start.wait(60)
            kept.append(store.lease(LONG_KEY, 5))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(kept) == 8
        assert len([lease for lease in kept if lease is not None]) == 1

    def test_a_lease_is_no_value(self, store):
        lease = store.lease("key", 5)
        assert store.get("key") is None
        store.clear()
        assert lease is not None


class TestPurge:
    @pytest.fixture(autouse=True)
    def _able(self, kind):
        if not kind.purges:
            pytest.skip("it can't look through its values")

    @pytest.fixture
    def held(self, store):
        for number in range(30):
            store.set(f"key {number}", b"#" * 16 + b"even odd".split()[number % 2] + VALUE)
        return store

    def test_removes_what_matches(self, held):
        assert held.purge(lambda head: head.startswith(b"odd", 16), 0.0) == 15
        assert [held.has(f"key {number}") for number in range(30)] == [True, False] * 15
        assert held.purge(lambda head: head.startswith(b"odd", 16), 0.0) == 0

    def test_softly_it_changes_eight_bytes(self, held):
        assert held.purge(lambda head: head.startswith(b"odd", 16), 1234.5) == 15
        stale = b"#" * 8 + struct.pack("<d", 1234.5)
        assert held.get("key 0") == b"#" * 16 + b"even" + VALUE
        assert held.get("key 1") == stale + b"odd" + VALUE

    def test_it_shows_eight_kibibytes(self, store):
        seen = []
        store.set("long", VALUE)
        store.set("short", b"short")
        store.purge(lambda head: bool(seen.append(head)), 0.0)
        assert sorted(seen) == sorted([VALUE[:8192], b"short"])

    def test_softly_it_removes_what_is_too_short_to_change(self, store):
        store.set("key", b"short")
        assert store.purge(lambda head: True, 1.0) == 1
        assert store.get("key") is None

    def test_what_the_condition_raises_is_raised(self, held):
        def fail(head):
            raise LookupError

        with pytest.raises(LookupError):
            held.purge(fail, 0.0)
