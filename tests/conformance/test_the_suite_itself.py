"""The tables are as large as promised, and no case passes whatever the cache does."""

from __future__ import annotations

from collections import Counter

import pytest

from .cases import CASES
from .options import SETS
from .running import Run
from .served import Site
from .stand_ins import NAMES


def test_there_are_enough_cases():
    assert len(CASES) >= 350


def test_every_case_has_a_name_of_its_own():
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []


def test_every_set_of_options_is_used():
    assert {case.options for case in CASES} == set(SETS)


SLOWLY = pytest.mark.timeout(600)  # all cases twice, and perhaps on a machine that does other things besides


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """The cases that fail, by what stands in the cache's place."""
    return {name: _failures(name, tmp_path_factory.mktemp(name)) for name in NAMES}


def _failures(stand_in, state):
    site = Site("waitress", state, stand_in=stand_in)
    try:
        site.wait_until_ready()
        return {case.name for case in CASES if not _passes(case, site)}
    finally:
        site.stop()


def _passes(case, site):
    try:
        Run(case, site, patience=0.05).run()
    except (AssertionError, OSError):
        return False
    return True


@SLOWLY
def test_every_case_can_fail(failed):
    """Against no cache, or against one that keeps everything for ever."""
    assert [case.name for case in CASES if not any(case.name in names for names in failed.values())] == []


@SLOWLY
def test_caching_is_missed_where_there_is_none(failed):
    """Every case that expects something from the store fails without one."""
    from_store = {case.name for case in CASES if any(ex.expect.source == "hit" for ex in case.exchanges)}
    assert from_store - failed["bare"] == set()
