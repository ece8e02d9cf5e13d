"""To go on in another slab, and to read only the end."""

import threading

import pytest

from wsgiperf.events import Cached, Compressed
from wsgiperf.monitor.recording.reading import read_recent
from wsgiperf.monitor.recording.recorder import Recorder

from .counted import memory, only, request, snapshot


def busy(recorder):
    """Some of everything."""
    request(recorder, route="/a", seconds=0.5, events=[Cached("hit"), Compressed("br", 1000, 100, 0.1)])
    request(recorder, route="/b", seconds=0.1, status="500 x", error=ValueError("no"), request_id="id")
    recorder.query_outside("default", 1.0, False, "SELECT ?")
    recorder.queued(0.25)
    recorder.own()
    recorder.begin()


def test_a_recorder_that_moves_takes_all_along():
    first, second = memory(), memory()
    busy(Recorder(first))
    recorder = Recorder(second)
    busy(recorder)
    recorder.move_to(first)
    request(recorder, route="/a", seconds=2.0)
    found = snapshot(first)
    counts = {(one.route, one.status): (one.count, round(one.most, 1)) for one in found.series}
    assert counts == {("/a", 200): (3, 2.0), ("/b", 500): (2, 0.1)}
    assert {one.route: sum(one.cells) for one in found.latencies} == {"/a": 3, "/b": 2}
    assert sum(one.requests for one in found.windows) == sum(one.requests for one in found.hours) == 5
    assert sum(sum(one.classes) for one in found.seconds) == 5
    assert (found.own, found.queue.count, only(found.databases).queries) == (2, 2, 2)
    assert (len(found.failures), len(found.slow_queries)) == (2, 2)
    assert only(found.codings)[1:4] == (2, 2000, 200)
    assert only(found.workers).in_flight == 2


def test_threads_lose_nothing_while_a_recorder_moves():
    places = [memory() for _ in range(20)]
    recorder = Recorder(places[0])
    done = threading.Event()

    def work():
        for number in range(1000):
            request(recorder, route=f"/{number % 10}")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for place in places[1:]:
        recorder.move_to(place)
        done.wait(0.005)
    for thread in threads:
        thread.join()
    assert sum(one.count for one in snapshot(places[-1]).series) == 4000
    assert only(snapshot(places[-1]).workers).in_flight == 0


@pytest.mark.parametrize("seconds", [10, 60, 300])
def test_what_is_recent_is_the_end_of_all(monkeypatch, seconds):
    now = 1_800_000_003.5
    monkeypatch.setattr("wsgiperf.monitor.recording.recorder.time", lambda: now)
    slabs = memory(), memory()
    recorders = [Recorder(words) for words in slabs]
    for number in range(400):
        request(recorders[number % 2], seconds=0.1)
        now += 1
    everything = snapshot(*slabs, now=now)
    recent = read_recent(slabs, [7, 0], now, seconds, started=0.0)
    assert recent.workers == everything.workers[:1]
    assert recent.seconds == everything.seconds[-len(recent.seconds) :]
    assert recent.seconds[0].start <= now - seconds + 1
    assert recent.windows == everything.windows[-len(recent.windows) :]
    assert recent.windows[0].start <= now - seconds
