"""Changes reach each sink once, whatever the other sinks do; and none is lost with the process."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from servers.redis_server import until

from wsgiperf.monitor.alerting.outbox import Outbox
from wsgiperf.monitor.alerting.records import Change
from wsgiperf.monitor.alerting.sinks import DeliveryError


def change(number: int) -> Change:
    return Change(f"id{number}", "fired", 1.0, "cpu", "warning", None, 90.0, 80.0, "CPU", 1)


class Recording:
    """A sink that keeps what it is called with, and then does what a test wants."""

    def __init__(self, *results: BaseException | None) -> None:
        self.calls: list[str] = []
        self.results = list(results)

    def __call__(self, change: Change) -> None:
        self.calls.append(change.id)
        result = self.results.pop(0) if self.results else None
        if result is not None:
            raise result


class Hanging(Recording):
    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def __call__(self, change: Change) -> None:
        super().__call__(change)
        self.let_go.wait(60)


def sent(outbox: Outbox, *changes: Change) -> Outbox:
    outbox.add(changes)
    outbox.claim()
    outbox.send()
    return outbox


def copied(outbox: Outbox) -> Any:
    return json.loads(json.dumps(outbox.state()))


def test_each_sink_is_called_once_in_order():
    """However often there is a turn."""
    sinks = Recording(), Recording()
    outbox = Outbox(sinks)
    for number in range(20):
        sent(outbox, change(number))
    until(lambda: not outbox.state())
    sent(outbox)
    assert [sink.calls for sink in sinks] == [[f"id{number}" for number in range(20)]] * 2


def test_nothing_is_sent_before_it_is_claimed_and_the_board_had_its_turn():
    """`send` comes after the board is written."""
    sink = Recording()
    outbox = Outbox([sink])
    outbox.add([change(1)])
    outbox.send()
    assert [entry["sinks"] for entry in outbox.state()] == [{"0 Recording": "pending"}]
    outbox.claim()
    assert [entry["sinks"] for entry in outbox.state()] == [{"0 Recording": "claimed"}]
    assert "wsgiperf-alerts" not in {thread.name for thread in threading.enumerate()}
    assert sink.calls == []
    outbox.send()
    until(lambda: not outbox.state())
    assert sink.calls == ["id1"]


@pytest.mark.parametrize(
    "error", [ValueError("no\nsuch"), SystemExit(1)], ids=lambda error: type(error).__name__
)
def test_a_sink_that_raises_is_logged_and_hinders_nobody(error, caplog):
    """Not called again for the same change: it may have done half of its work."""
    bad, good = Recording(error, error), Recording()
    outbox = sent(Outbox([bad, good]), change(1), change(2), change(3))
    until(lambda: not outbox.state())
    assert bad.calls == good.calls == ["id1", "id2", "id3"]
    (record,) = (each for each in caplog.records if each.name == "wsgiperf.monitor")  # once a minute
    assert type(error).__name__ in record.getMessage()
    assert "\n" not in record.getMessage()


def test_a_sink_that_hangs_keeps_only_itself():
    """The others get theirs, and its own wait is bounded."""
    hanging, good = Hanging(), Recording()
    outbox = Outbox([hanging, good])
    before = threading.active_count()
    try:
        for number in range(300):
            sent(outbox, change(number))
            until(lambda seen=number + 1: len(good.calls) == seen)
        assert hanging.calls == ["id0"]
        assert len(outbox.state()) == 100
        until(lambda: threading.active_count() <= before + 1)
    finally:
        hanging.let_go.set()
    until(lambda: not outbox.state())
    assert hanging.calls == ["id0", *[f"id{number}" for number in range(201, 300)]]


def test_a_sink_that_hangs_is_complained_of(monkeypatch, caplog):
    """Its thread can't say so itself."""
    monkeypatch.setattr("wsgiperf.monitor.alerting.outbox.HANGS", 0.0)
    hanging = Hanging()
    outbox = sent(Outbox([hanging]), change(1))
    try:
        until(lambda: hanging.calls)
        sent(outbox)
        assert "Hanging of an alert failed: no end after" in caplog.text
    finally:
        hanging.let_go.set()
    until(lambda: not outbox.state())


def test_a_sink_may_ask_for_another_attempt():
    """Of each change so many; in between the others are sent."""
    sink = Recording(*[DeliveryError("later")] * 3)
    pauses: list[float] = []
    outbox = sent(Outbox([sink], pauses=(1, 2), wait=pauses.append), change(1), change(2))
    until(lambda: not outbox.state())
    assert sink.calls == ["id1", "id1", "id1", "id2"]
    assert pauses == [1, 2]


def test_the_thread_ends_with_the_work():
    """And another one begins with the next."""
    sink = Recording()
    outbox = Outbox([sink])
    for number in range(3):
        sent(outbox, change(number))
        until(lambda: not outbox.state())
        until(lambda: "wsgiperf-alerts" not in {thread.name for thread in threading.enumerate()})
    assert len(sink.calls) == 3


def test_who_takes_over_sends_what_was_pending_and_what_was_claimed():
    """For the sinks that don't have it yet."""
    hanging, good = Hanging(), Recording()
    outbox = sent(Outbox([hanging, good]), change(1))
    until(lambda: copied(outbox)[0]["sinks"] == {"0 Hanging": "claimed"})
    outbox.add([change(2)])
    left = copied(outbox)
    hanging.let_go.set()
    successors = Hanging(), Recording()
    successors[0].let_go.set()
    successor = Outbox(successors)
    successor.restore(left)
    sent(successor)
    until(lambda: not successor.state())
    assert [sink.calls for sink in successors] == [["id1", "id2"], ["id2"]]


def test_who_doesnt_lead_any_more_sends_nothing_more():
    """Not even another attempt at what it was at."""
    sink, outboxes = Recording(*[DeliveryError("later")] * 9), []
    outbox = Outbox([sink], wait=lambda seconds: outboxes[0].discard())
    outboxes.append(outbox)
    sent(outbox, change(1), change(2))
    until(lambda: not outbox.state() and "wsgiperf-alerts" not in {t.name for t in threading.enumerate()})
    assert sink.calls == ["id1"]


GARBLED = [
    None, 7, "x", {}, [None], [{}], [[]],
    [{**change(1).record(), "number": 1}],
    [{**change(1).record(), "number": -1, "sinks": {"0 Recording": "claimed"}}],
    [{**change(1).record(), "number": 1, "sinks": 5}],
    [{**change(1).record(), "number": 1, "sinks": {"9 Other": "claimed"}}],
    [{**change(1).record(), "id": 'x"\r\nY: z', "number": 1, "sinks": {"0 Recording": "claimed"}}],
    [{**change(1).record(), "severity": "fatal", "number": 1, "sinks": {"0 Recording": "claimed"}}],
]  # fmt: skip


@pytest.mark.parametrize("state", GARBLED, ids=range(len(GARBLED)))
def test_what_the_board_says_is_checked(state):
    """What isn't a change for a sink that is there is left out."""
    sink = Recording()
    outbox = Outbox([sink])
    outbox.restore(state)
    sent(outbox, change(5))
    until(lambda: not outbox.state())
    assert sink.calls == ["id5"]


def test_it_says_when_something_is_delivered():
    """So that the board can be written at once."""
    done = threading.Event()
    outbox = Outbox([Recording()], on_done=done.set)
    sent(outbox, change(1))
    assert done.wait(20)
    assert outbox.state() == []


def test_where_no_thread_is_to_be_had_it_is_sent_at_the_next_turn(monkeypatch):
    """Nothing is lost, nothing raised."""
    sink = Recording()
    outbox = Outbox([sink])

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        sent(outbox, change(1))
    assert len(outbox.state()) == 1
    sent(outbox)
    until(lambda: not outbox.state())
    assert sink.calls == ["id1"]
