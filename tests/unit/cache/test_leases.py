"""Leases are renewed while somebody works, and not a moment longer than that."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable

import pytest
from servers.redis_server import until

from wsgiperf.cache.leases import LeaseKeeper


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class FakeLease:
    """Counts, and does what it is told when it is renewed."""

    def __init__(self, answer: Callable[[], bool] = lambda: True) -> None:
        self.answer, self.renewed, self.released = answer, 0, 0

    def renew(self) -> bool:
        self.renewed += 1
        return self.answer()

    def release(self) -> None:
        self.released += 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keeper(clock: Clock) -> LeaseKeeper:
    return LeaseKeeper(clock=clock, threaded=False)


def test_a_lease_is_renewed_every_third_of_its_term(clock: Clock, keeper: LeaseKeeper) -> None:
    """Each by its own term."""
    short, long = FakeLease(), FakeLease()
    held = [keeper.keep(short, 3.0), keeper.keep(long, 6.0)]
    assert keeper.renew_due() == pytest.approx(1.0)
    for _ in range(8):
        clock.now += 1.0
        assert keeper.renew_due() == pytest.approx(1.0)
    assert (short.renewed, long.renewed) == (8, 4)
    assert not any(kept.lost for kept in held)


def test_a_released_lease_is_left_alone(clock: Clock, keeper: LeaseKeeper) -> None:
    """Releasing twice is releasing once."""
    lease = FakeLease()
    kept = keeper.keep(lease, 3.0)
    kept.release()
    kept.release()
    clock.now += 2.0
    assert keeper.renew_due() is None
    assert (lease.renewed, lease.released, kept.renew()) == (0, 1, False)


def test_a_lost_lease_is_known_to_be_lost(clock: Clock, keeper: LeaseKeeper) -> None:
    """And not asked for again."""
    lease = FakeLease(lambda: False)
    kept = keeper.keep(lease, 3.0)
    for _ in range(3):
        clock.now += 1.0
        keeper.renew_due()
    assert (kept.lost, kept.renew(), lease.renewed) == (True, False, 1)


def test_trouble_is_no_loss_until_the_term_is_over(clock: Clock, keeper: LeaseKeeper) -> None:
    """There are two more tries; after them another may have it."""

    def trouble() -> bool:
        raise RuntimeError("the store is away")

    lease = FakeLease(trouble)
    kept = keeper.keep(lease, 3.0)
    lost = []
    for _ in range(4):
        clock.now += 1.0
        keeper.renew_due()
        lost.append(kept.lost)
    assert lost == [False, False, True, True]
    assert lease.renewed == 3


def test_a_lease_whose_holder_is_gone_or_hangs_lapses(clock: Clock, keeper: LeaseKeeper) -> None:
    """Forgotten without a release; or held for more than a minute."""
    forgotten, hung = FakeLease(), FakeLease()
    keeper.keep(forgotten, 3.0)
    kept = keeper.keep(hung, 3.0)
    gc.collect()
    for _ in range(100):
        clock.now += 1.0
        keeper.renew_due()
    assert forgotten.renewed == 0
    assert hung.renewed == 59
    assert keeper.renew_due() is None
    kept.release()
    assert hung.released == 1


def test_no_more_are_kept_than_allowed(clock: Clock) -> None:
    """Those beyond still are leases, for their term; one that ends makes room."""
    keeper = LeaseKeeper(clock=clock, threaded=False, most=1)
    first, second, third = FakeLease(), FakeLease(), FakeLease()
    held = [keeper.keep(first, 3.0), keeper.keep(second, 3.0)]
    clock.now += 1.0
    keeper.renew_due()
    assert (first.renewed, second.renewed) == (1, 0)
    for kept in held:
        kept.release()
    keeper.renew_due()
    held.append(keeper.keep(third, 3.0))
    clock.now += 1.0
    keeper.renew_due()
    assert third.renewed == 1
    assert second.released == 1


def keepers() -> int:
    return sum(thread.name == "wsgiperf-leases" for thread in threading.enumerate())


def test_one_thread_renews_them_all() -> None:
    """Started by the first lease; it rests while there is none, and a later one wakes it."""
    keeper, before = LeaseKeeper(), keepers()
    assert keepers() == before
    for _ in range(3):
        long, short = FakeLease(), FakeLease()
        held = [keeper.keep(long, 600.0), keeper.keep(short, 0.03)]
        until(lambda lease=short: lease.renewed > 3)
        assert (keepers(), long.renewed) == (before + 1, 0)
        held.pop().release()
        until(lambda: len(keeper._process.kept) == 1)
        held.append(keeper.keep(another := FakeLease(), 0.03))
        until(lambda lease=another: lease.renewed > 0)
        for kept in held:
            kept.release()


def test_a_child_process_renews_only_its_own() -> None:
    """The parent's leases are not its business, and it has a thread of its own."""
    keeper, parents, childs = LeaseKeeper(), FakeLease(), FakeLease()
    kept = keeper.keep(parents, 0.03)
    until(lambda: parents.renewed > 1)
    child = os.fork()
    if not child:
        status = 1
        try:
            renewed = parents.renewed
            own = keeper.keep(childs, 0.03)
            until(lambda: childs.renewed > 5)
            own.release()
            status = 0 if parents.renewed == renewed else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert childs.renewed == 0
    kept.release()
