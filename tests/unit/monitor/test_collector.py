"""Where a process counts, and how it comes to another place without losing anything."""

import os
import subprocess
import sys
import textwrap

import pytest

from unit.client import HTML, answering, ask
from wsgiperf import MonitorMiddleware
from wsgiperf.monitor import collector as module
from wsgiperf.monitor.collector import Collector, collector_of

HOLDER = """
    import sys
    from wsgiperf.monitor.collector import Collector
    held = Collector(sys.argv[1], 1)
    assert held.segment is not None
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def state(tmp_path):
    return str(tmp_path / "state")


@pytest.fixture
def clock(monkeypatch):
    """The collector's, which tests move on."""
    now = [1000.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def total(collector):
    return sum(one.count for one in collector.snapshot().series)


def counting(collector):
    """An application whose requests are counted by this collector."""
    app = MonitorMiddleware(answering(HTML))
    app._collector, app._pid = collector, os.getpid()
    return app


def test_there_is_one_for_all_monitors_of_a_process(state):
    assert collector_of(state, 4) is collector_of(state, 4)
    assert collector_of(state, 4).snapshot().shared


def test_without_a_place_it_counts_alone_and_says_why(tmp_path):
    (tmp_path / "folder").mkdir()
    alone = Collector(str(tmp_path / "folder"), 4)
    ask(counting(alone))
    found = alone.snapshot()
    assert (found.shared, found.slabs, total(alone)) == (False, 1, 1)
    assert found.reason


def test_a_process_without_a_slab_takes_one_when_there_is_one(state, clock):
    """As after a reload: for a while there are twice as many workers."""
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), state]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        waiting = Collector(state, 1)
        assert waiting.segment is None
        assert "taken" in waiting.snapshot().reason
        ask(counting(waiting))
        clock[0] += module.RETRY
        waiting.keep_place()
        assert waiting.segment is None
        other.stdin.close()
    ask(counting(waiting))
    waiting.keep_place()
    assert waiting.segment is None, "it doesn't try all the time"
    clock[0] += module.RETRY
    waiting.keep_place()
    assert waiting.segment is not None
    ask(counting(waiting))
    assert total(waiting) == 3
    assert waiting.snapshot().shared


def test_a_deleted_file_is_made_anew_with_what_was_counted(state):
    collector = Collector(state, 2)
    ask(counting(collector))
    os.unlink(state)
    collector.keep_place()
    ask(counting(collector))
    assert os.path.exists(state)
    assert total(collector) == 2
    collector.keep_place()
    assert total(collector) == 2


def test_the_board_is_empty_before_the_samplers_first_turn(state):
    assert Collector(state, 2).board() == {}
