"""The memory store: its bound, what it lets go of, threads and forks."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsgiperf.cache.stores import memory
from wsgiperf.cache.stores.memory import MemoryStore, weigh

BODY = bytes(1000)
WEIGHT = weigh("https://example.com/00000", BODY)


def url(number):
    return f"https://example.com/{number:05d}"


def room_for(count):
    """A store for so many bodies, and the table of what was let go."""
    return MemoryStore(int(WEIGHT * count * 1.01))


class Sized:
    """A value that says what it weighs."""

    def __init__(self, size):
        self.size = size


@pytest.mark.parametrize("body", [1000, 100_000], ids=["1 KB", "100 KB"])
@pytest.mark.parametrize("timeout", [0, 60.5], ids=["for ever", "with an end"])
def test_memory_grows_by_no_more_than_the_capacity(body, timeout):
    capacity = 16_000_000
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        store = MemoryStore(capacity)
        most = 0
        for number in range(capacity * 2 // body):
            assert store.set(url(number), bytes(body), timeout)
            most = max(most, tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
    assert capacity * 0.9 < most <= capacity * 1.05
    assert abs(most - store.size) < capacity * 0.05


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["set", "get", "delete", "reweigh", "add"]),
            st.integers(0, 30),
            st.integers(0, 6000),
        ),
        max_size=300,
    )
)
def test_the_size_is_the_sum_of_what_is_held_and_within_the_capacity(steps):
    store = MemoryStore(20_000)
    for step, number, size in steps:
        key = url(number)
        if step in ("set", "add"):
            getattr(store, step)(key, Sized(size), 0)
        elif step == "reweigh":
            value = store.get(key)
            if value is not None:
                value.size = size
            assert store.reweigh(key) is store.has(key)
        else:
            getattr(store, step)(key)
        assert store.size == sum(weigh(key, value) for key, value in store.items()) <= 20_000
    store.clear()
    assert store.size == 0


def test_a_value_may_take_a_quarter():
    store = MemoryStore(100_000)
    overhead = weigh("key", Sized(0))
    assert store.set("key", Sized(25_000 - overhead)) is True
    assert store.set("key", Sized(25_001 - overhead)) is False
    assert store.get("key") is None


def test_a_value_that_grew_makes_the_others_go_or_goes_itself():
    store = MemoryStore(10_000)
    values = [Sized(1000) for _ in range(7)]
    for number, value in enumerate(values):
        assert store.set(url(number), value)
    assert len(store.items()) == 7
    values[0].size = 2100
    assert store.reweigh(url(0)) is True
    assert store.has(url(0))
    assert len(store.items()) == 6
    assert store.size <= 10_000
    values[0].size = 2501
    assert store.reweigh(url(0)) is False
    assert not store.has(url(0))
    assert store.reweigh("nowhere") is False


def test_the_latest_value_is_held_even_where_all_others_are_in_use():
    store = room_for(20)
    for number in range(100):
        assert store.set(url(number), BODY)
        assert store.get(url(number)) is BODY
        for other in range(number):
            store.get(url(other))


@pytest.mark.parametrize("between", [0, 1], ids=["a scan alone", "amid other visitors"])
def test_a_scan_pushes_out_nothing_that_is_in_use(between):
    store = room_for(1000)
    favourites = [url(number) for number in range(800)]
    for _ in range(3):
        for key in favourites:
            if store.get(key) is None:
                store.set(key, BODY)
    for number in range(10_000, 20_000):
        store.set(url(number), BODY)
        if between:
            store.get(favourites[number % 800])
    assert sum(store.has(key) for key in favourites) >= 780


def test_favourites_may_change_during_a_scan():
    store = room_for(1000)
    hits = 0
    for number in range(40_000):
        favourite = url(number // 100 + number % 300)
        if store.get(favourite) is None:
            store.set(favourite, BODY)
        else:
            hits += 1
        store.set(f"https://example.org/{number:05d}", BODY)
    assert hits > 30_000


def with_old_favourites(count):
    """A full store, of which nine tenths were in use once."""
    store = room_for(count)
    for number in range(count):
        store.set(url(number), BODY)
        store.get(url(number))
    for number in range(count):
        store.set(f"https://example.net/{number:05d}", BODY)
    return store


def test_what_comes_back_soon_is_kept_from_then_on():
    """Most of it: the table of what was let go has a fixed size, and keys may share a place in it."""
    store = with_old_favourites(1000)
    back = [url(number) for number in range(20_000, 20_040)]
    for key in back + [url(number) for number in range(30_000, 30_150)]:
        store.set(key, BODY)
    assert not any(store.has(key) for key in back)
    for key in back + [url(number) for number in range(40_000, 40_300)]:
        store.set(key, BODY)
    assert sum(store.has(key) for key in back) >= 10


def test_a_tenth_is_for_what_is_new():
    store = with_old_favourites(100)
    for number in range(20_000, 20_050):
        store.set(url(number), BODY)
    assert all(store.has(url(number)) for number in range(20_042, 20_050))


def test_one_call_does_a_bounded_number_of_steps(monkeypatch):
    """All 5,000 values are marked; still no call looks at more than a few."""
    store = room_for(5000)
    for number in range(5000):
        store.set(url(number), BODY)
    looks = 0
    real = memory._Queue.oldest_but

    def counting(queue, spared):
        nonlocal looks
        looks += 1
        return real(queue, spared)

    monkeypatch.setattr(memory._Queue, "oldest_but", counting)
    most = 0
    for number in range(5000, 5200):
        for key in list(store._nodes):
            store.get(key)
        looks = 0
        store.set(url(number), BODY)
        most = max(most, looks)
    assert 0 < most <= 2 * (memory.CHANCES + 10)


def test_the_look_up_in_line_sees_what_get_sees():
    store = MemoryStore(100_000)
    find = store.find
    assert find("key") is None
    store.set("key", BODY)
    assert find("key").value is BODY
    store.clear()
    assert find("key") is None
    store.set("key", b"again")
    assert find("key").value == b"again"


def test_has_is_no_use():
    store = room_for(10)
    for number in range(10):
        store.set(url(number), BODY)
    for number in range(10, 60):
        store.has(url(0))
        store.set(url(number), BODY)
    assert not store.has(url(0))


def test_an_expired_value_is_let_go_when_it_is_asked_for():
    now = [0.0]
    store = MemoryStore(100_000, clock=lambda: now[0])
    store.set("key", BODY, 10)
    now[0] = 10.0
    assert store.items() == []
    assert store.get("key") is None
    assert store.size == 0


def test_counting_is_exact_among_threads():
    store = MemoryStore(100_000)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=lambda: [store.inc("key") for _ in range(500)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert store.get("key") == 4000
    assert store.dec("key", 4000) == 0


def test_of_many_adding_threads_one_wins():
    store = MemoryStore(100_000)
    start, won = threading.Barrier(8), []

    def add(number):
        start.wait(60)
        won.append(store.add("key", number))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def child_says(work):
    """What `work` returns in a forked child, which is given a minute."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(60)
        try:
            os.write(writing, repr(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    assert os.waitpid(child, 0)[1] == 0
    return said


def test_a_child_forked_amid_writes_works_on_and_adds_up():
    store = room_for(50)
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            store.set(url(number % 1000), BODY)

    def check():
        for number in range(100):
            store.set(url(number), BODY)
        return store.size == sum(weigh(key, value) for key, value in store.items()) > 0

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        assert [child_says(check) for _ in range(20)] == ["True"] * 20
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert check()


def test_a_child_forked_while_the_lock_is_held_for_long_starts_empty():
    store = MemoryStore(100_000)
    store.set("key", BODY)
    with store._lock:
        assert child_says(lambda: (store.get("key"), store.set("key", 1), store.get("key"))) == (
            "(None, True, 1)"
        )
    assert store.get("key") is BODY
