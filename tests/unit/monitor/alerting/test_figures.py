"""What rules look at: which seconds count, and what is unknown."""

from __future__ import annotations

import pytest

from wsgiperf.monitor.alerting.figures import Figures, Service, figures_at
from wsgiperf.monitor.histogram import COARSE_CELLS, cell_of
from wsgiperf.monitor.snapshot import Second, Snapshot, Window, Worker

NOW = 1_000_005.5


def second(
    start: int, *, good=0, bad=0, seconds=0.0, hits=0, misses=0, queries=0, query_seconds=0.0
) -> Second:
    return Second(start, (0, good, 0, 0, bad), seconds, hits, misses, 0, queries, query_seconds)


def cells(**counts: int) -> list[int]:
    """By milliseconds: `ms100=3`."""
    found = [0] * COARSE_CELLS
    for name, count in counts.items():
        found[cell_of(int(name[2:]) / 1000) // 5] += count
    return found


def at(*seconds: Second, window=60.0, windows=(), workers=(), system=None, services=()) -> Figures:
    snapshot = Snapshot(taken=NOW, started=0.0, seconds=seconds, windows=windows, workers=workers)
    return figures_at(snapshot, NOW, window=window, system=system, services=services)


def test_where_nothing_happened_nothing_is_known():
    """Neither a rate nor a mean of nothing."""
    assert at() == Figures(services=())


def test_figures_are_of_the_windows_seconds():
    """The running one counts, the one 60 before doesn't, nor one that is still to come."""
    figures = at(
        second(999_945, good=100, bad=100, seconds=900),
        second(999_946, good=10, seconds=10.0, hits=1, misses=3, queries=4, query_seconds=1.0),
        second(1_000_005, good=5, bad=5, seconds=30.0, hits=3, misses=1),
        second(1_000_006, bad=1000),
    )
    assert (figures.requests, figures.errors, figures.lookups, figures.queries) == (20, 5, 8, 4)
    assert figures.response_time == 2.0
    assert (figures.error_rate, figures.hit_rate, figures.database_time) == (25.0, 50.0, 0.25)


def test_the_window_may_be_another():
    """Ten seconds here."""
    seconds = [second(999_995, bad=1), second(999_996, good=1), second(1_000_000, good=3)]
    assert at(*seconds, window=10.0).requests == 4


REACHES = {
    "a minute": (60.0, {999_940: False, 999_950: True, 1_000_000: True}),
    "ten seconds": (10.0, {999_980: False, 999_990: True, 1_000_000: True}),
}


@pytest.mark.parametrize(("window", "counts"), REACHES.values(), ids=["a_minute", "ten_seconds"])
def test_the_percentile_is_of_whole_tens_within_the_window(window, counts):
    """Of two at least, as one that just began says nothing; never of one that lies before the window."""
    for start, included in counts.items():
        figures = at(window=window, windows=[Window(start, 100, 0, cells(ms100=94, ms5000=6))])
        assert (figures.p95 is not None) is included
        if included:
            assert figures.p95 == pytest.approx(5.0, rel=0.05)
    both = [Window(999_990, 90, 0, cells(ms100=90)), Window(1_000_000, 10, 0, cells(ms3000=10))]
    assert at(window=window, windows=both).p95 == pytest.approx(3.0, rel=0.05)


def test_gauges_are_of_the_moment():
    """Saturation of the workers that tell how many threads they have."""
    workers = [Worker(1, 0, 0.0, 9, 4, 4), Worker(2, 1, 0.0, 9, 2, 4), Worker(3, 2, 0.0, 9, 50, 0)]
    figures = at(workers=workers, system={"cpu_percent": 12, "memory_percent": 70.5})
    assert (figures.cpu, figures.memory, figures.saturation) == (12.0, 70.5, 75.0)
    assert at(workers=workers[2:]).saturation is None


@pytest.mark.parametrize("value", [None, "80", True, float("nan"), float("inf"), [80]], ids=repr)
def test_a_gauge_that_is_no_number_is_unknown(value):
    """Whatever the board says."""
    assert at(system={"cpu_percent": value}).cpu is None


SERVICES = {
    "well": ({"status": "ok", "since": 1.0}, Service("db", False)),
    "failing": (
        {"status": "failing", "since": NOW - 12, "error": "refused"},
        Service("db", True, 12.0, "refused"),
    ),
    "hung": ({"status": "hung", "since": NOW - 3}, Service("db", True, 3.0, "hangs")),
    "nobody knows since when": ({"status": "failing", "since": None}, Service("db", True, 0.0, "fails")),
    "in the future": ({"status": "failing", "since": NOW + 9}, Service("db", True, 0.0, "fails")),
    "unknown": ({"status": "unknown"}, Service("db", None)),
    "garbled": ({"status": ["ok"]}, Service("db", None)),
    "of a region": ({"status": "ok", "region": "eu"}, Service("db (eu)", False)),
}


@pytest.mark.parametrize(
    ("given", "expected"), SERVICES.values(), ids=[name.replace(" ", "_") for name in SERVICES]
)
def test_services_fail_for_so_long(given, expected):
    """As their checks say."""
    assert at(services=[{"name": "db", **given}]).services == (expected,)


def test_services_are_bounded():
    """In number and in length, and each subject is there once."""
    many = [{"name": "x" * 1000 + str(n), "status": "ok"} for n in range(3)]
    assert [len(service.subject) for service in at(services=[*many, "none"]).services or ()] == [100]
    many = [{"name": str(n), "status": "failing", "error": "e" * 1000} for n in range(1000)]
    found = at(services=many).services or ()
    assert len(found) == 100
    assert len(found[0].error) == 200
    assert at(services=None).services is None
