"""The sampler's thread, and what becomes of it in a child of a fork."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import pytest
from servers.redis_server import until

from wsgiperf.monitor.sampling.alone import Alone

from .world import World, counted

SAMPLER = "wsgiperf-sampler"


def test_its_thread_does_a_turn_after_the_other():
    """Started by the first who asks, once."""
    world, before = World(), set(threading.enumerate())
    world.sampler._interval = 0.01
    try:
        for _ in range(100):
            world.sampler.ensure_running()
        [thread] = (each for each in {*threading.enumerate()} - before if each.name == SAMPLER)
        until(lambda: len(world.health.ticks) > 5)
    finally:
        world.sampler.stop()
    until(lambda: not thread.is_alive())


def test_the_board_says_at_once_what_is_delivered():
    """Not with the next turn: who takes over before it shouldn't send it again."""
    world = World()
    world.sampler._interval = 3600.0
    world.counts = lambda: counted(bad=100, now=time.time())
    try:
        world.sampler.ensure_running()
        until(lambda: world.told)
        until(lambda: world.board.written and world.document["deliveries"] == [])
        assert len(world.health.ticks) == 1
    finally:
        world.sampler.stop()


def test_a_turn_that_fails_isnt_the_last(caplog):
    """Whatever it is."""
    world = World()
    world.sampler._interval = 0.01
    turns: list[float] = []

    def step(now: float) -> bool:
        turns.append(now)
        raise KeyError("unexpected")

    world.sampler.step = step  # type: ignore[method-assign]
    try:
        world.sampler.ensure_running()
        until(lambda: len(turns) > 3)
    finally:
        world.sampler.stop()
    assert len([record for record in caplog.records if "unexpected" in record.getMessage()]) == 1


def test_where_no_thread_is_to_be_had_requests_dont_notice(monkeypatch, caplog):
    """It isn't tried at each of them, but later again."""
    world, tries, start = World(), [], threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name != SAMPLER:  # somebody else's
            return start(thread)
        tries.append(thread)
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        for _ in range(100):
            world.sampler.ensure_running()
    assert len(tries) == 1
    world.sampler._again = 0.0
    try:
        world.sampler.ensure_running()
        until(lambda: world.health.ticks)
    finally:
        world.sampler.stop()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_has_a_thread_of_its_own_and_begins_from_the_board():
    """Forked while the parent leads: nothing of the parent's locks and queues is used."""
    world = World()
    world.counts = lambda: counted(bad=100, now=time.time())
    world.sampler._interval = 0.01
    world.sampler.ensure_running()
    reading, writing = os.pipe()
    try:
        until(lambda: world.told and world.document["deliveries"] == [])
        child = os.fork()
        if not child:
            code = 1
            try:
                signal.alarm(60)
                world.health.ticks.clear()
                world.told.clear()
                world.health.restored.clear()
                world.sampler.ensure_running()
                until(lambda: len(world.health.ticks) > 3)
                said = [world.document["pid"], len(world.told), len(world.health.restored)]
                os.write(writing, json.dumps(said).encode())
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert json.loads(os.read(reading, 1000)) == [child, 0, 1]
    finally:
        world.sampler.stop()
        os.close(reading)
        os.close(writing)


def test_alone_a_process_leads_and_keeps_its_board_from_its_children():
    """Each then counts for itself."""
    alone = Alone()
    assert alone.try_lead()
    assert alone.board.read() == b""
    alone.board.write(b"{}")
    assert alone.board.read() == b"{}"
    child = os.fork()
    if not child:
        os._exit(0 if alone.board.read() == b"" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
