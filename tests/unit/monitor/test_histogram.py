"""Cells, and what quantiles they tell."""

import random
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.monitor.histogram import (
    BOUNDS,
    CELLS,
    COARSE_CELLS,
    bucket_of,
    cell_of,
    coarse_quantile,
    merged,
    quantile,
)


def fine(durations):
    cells = [0] * CELLS
    for seconds in durations:
        cells[cell_of(seconds)] += 1
    return cells


def coarse(durations):
    cells = [0] * COARSE_CELLS
    for seconds in durations:
        cells[cell_of(seconds) // 5] += 1
    return cells


@given(st.floats(min_value=1e-5, max_value=100.0))
def test_a_cell_is_within_a_hundredth_of_the_duration(seconds):
    [told] = quantile(fine([seconds]), 0.5)
    assert told == pytest.approx(seconds, rel=0.01)


@given(st.floats(min_value=1e-5, max_value=100.0))
def test_a_coarse_cell_is_within_six_hundredths(seconds):
    [told] = coarse_quantile(coarse([seconds]), 0.5)
    assert told == pytest.approx(seconds, rel=0.06)


@given(st.floats(min_value=0, max_value=1e9))
def test_every_duration_has_a_cell_and_a_bucket(seconds):
    assert 0 <= cell_of(seconds) < CELLS
    assert 0 <= cell_of(seconds) // 5 < COARSE_CELLS
    bucket = bucket_of(seconds)
    assert bucket == 0 or seconds > BOUNDS[bucket - 1]
    assert bucket == len(BOUNDS) or seconds <= BOUNDS[bucket]


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_bound_is_inclusive_as_prometheus_has_it(bound):
    assert BOUNDS[bucket_of(bound)] == bound


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 0.99, 0.999], ids=str)
def test_quantiles_are_those_of_the_durations(share):
    dice = random.Random(7)
    durations = sorted(dice.lognormvariate(-3, 1.5) for _ in range(20_000))
    [told] = quantile(fine(durations), share)
    assert told == pytest.approx(durations[ceil(share * len(durations)) - 1], rel=0.0101)


def test_an_empty_histogram_has_none():
    assert quantile([0] * CELLS, 0.5, 0.99) == [None, None]
    assert coarse_quantile([0] * COARSE_CELLS, 0.5) == [None]


def test_what_is_out_of_range_is_told_as_its_end():
    assert quantile(fine([0.0]), 0.5) == [1e-5]
    assert quantile(fine([1e6]), 0.5) == [100.0]


def test_merging_adds_cell_by_cell():
    assert merged([fine([0.1, 0.2]), fine([0.1])]) == fine([0.1, 0.1, 0.2])
    assert merged([]) == [0] * CELLS
