"""What requests add, and what is read back."""

import mmap
import os
import threading
from time import time

import pytest

from wsgiperf.events import Cached, Compressed, Raised
from wsgiperf.exchange import Exchange
from wsgiperf.monitor.recording import layout
from wsgiperf.monitor.recording.recorder import Recorder

from .counted import memory, only, request, snapshot


def test_a_series_counts_and_sums():
    words = memory()
    recorder = Recorder(words)
    for seconds in (0.004, 0.02, 0.3):
        request(recorder, route="/posts/<int:id>", seconds=seconds)
    series = only(snapshot(words).series)
    assert (series.route, series.method, series.status) == ("/posts/<int:id>", "GET", 200)
    assert series.count == 3
    assert series.seconds == pytest.approx(0.324, abs=0.005)
    assert series.least == pytest.approx(0.004, abs=0.002)
    assert series.most == pytest.approx(0.3, abs=0.002)
    assert [number for number, count in enumerate(series.buckets) if count] == [0, 2, 7]


def test_methods_statuses_and_routes_are_apart():
    words = memory()
    recorder = Recorder(words)
    request(recorder, route="/a")
    request(recorder, route="/a", method="POST")
    request(recorder, route="/a", status="404 Not Found")
    request(recorder, route="/b")
    request(recorder, "/c")
    found = {(one.route, one.method, one.status): one.count for one in snapshot(words).series}
    assert found == {
        ("/a", "GET", 200): 1,
        ("/a", "POST", 200): 1,
        ("/a", "GET", 404): 1,
        ("/b", "GET", 200): 1,
        ("unmatched", "GET", 200): 1,
    }


def test_slabs_are_added_up():
    first, second = memory(), memory()
    for words, seconds in ((first, 0.004), (first, 0.1), (second, 2.0)):
        request(Recorder(words), route="/a", seconds=seconds)
    request(Recorder(second), route="/b")
    found = snapshot(first, second)
    series = next(one for one in found.series if one.route == "/a")
    assert series.count == 3
    assert series.least == pytest.approx(0.004, abs=0.002)
    assert series.most == pytest.approx(2.0, abs=0.01)
    cells = {one.route: sum(one.cells) for one in found.latencies}
    assert cells == {"/a": 3, "/b": 1}
    assert sum(sum(one.classes) for one in found.seconds) == 4
    assert sum(one.requests for one in found.windows) == 4
    assert sum(one.requests for one in found.hours) == 4


def test_a_successor_goes_on_where_its_predecessor_stopped():
    words = memory()
    request(Recorder(words), route="/a", seconds=0.5)
    words[: layout.GAUGES[1]] = memoryview(bytearray(8 * layout.GAUGES[1])).cast("Q")
    request(Recorder(words), route="/a", seconds=0.1)
    request(Recorder(words), route="/b")
    assert {one.route: one.count for one in snapshot(words).series} == {"/a": 2, "/b": 1}


def test_a_full_table_folds_and_says_so():
    words = memory()
    recorder = Recorder(words)
    for number in range(600):
        request(recorder, route=f"/r{number}")
    request(recorder, route="/late", status="503 x")
    found = snapshot(words)
    assert sum(one.count for one in found.series) == 601
    assert sum(sum(one.cells) for one in found.latencies) == 601
    folded = {(one.method, one.status): one.count for one in found.series if one.route == "overflow"}
    room = layout.SERIES.rows - layout.KEPT - 1
    assert folded == {("_OTHER", 200): 600 - room, ("_OTHER", 500): 1}, "an error stays an error"
    assert found.overflow["series"] == sum(folded.values())
    assert found.overflow["endpoints"] == 601 - (layout.ENDPOINTS.rows - 1)


def test_a_flood_of_paths_methods_and_reasons_leaves_room_for_a_route_that_comes_later():
    words = memory()
    recorder = Recorder(words)
    for number in range(5000):
        request(recorder, f"/x{number}", method=f"M{number}", status=f"404 Reason {number}")
    request(recorder, route="/known")
    found = {(one.route, one.method, one.status): one.count for one in snapshot(words).series}
    assert found == {("unmatched", "_OTHER", 404): 5000, ("/known", "GET", 200): 1}
    assert len(recorder._places) <= 2048


def test_a_long_route_is_shortened_and_stays_itself():
    words = memory()
    recorder = Recorder(words)
    for _ in range(2):
        request(recorder, route="/é" * 500)
    series = only(snapshot(words).series)
    assert series.count == 2
    assert series.route.startswith("/é/é")
    assert series.route.endswith("…")


def test_patterns_name_what_no_framework_does():
    words = memory()
    recorder = Recorder(words)
    request(recorder, "/posts/1", match=lambda path: "/posts/{id}")
    request(recorder, "/posts/1", route="/posts/<int:id>", match=lambda path: "/posts/{id}")
    assert {one.route for one in snapshot(words).series} == {"/posts/{id}", "/posts/<int:id>"}


def test_applications_mounted_apart_are_told_apart_up_to_a_few():
    words = memory()
    recorder = Recorder(words)
    request(recorder, route="/")
    for number in range(100):
        request(recorder, route="/", mount=f"/m{number}")
        request(recorder, "/nowhere", mount=f"/m{number}")
    counts = {one.route: one.count for one in snapshot(words).series}
    assert counts == {"/": 93, "unmatched": 100} | {f"/m{number}/": 1 for number in range(8)}


def test_cache_outcomes_are_told_by_media_type():
    words = memory()
    recorder = Recorder(words)
    request(recorder, events=[Cached("hit")])
    request(recorder, events=[Cached("miss")], headers=[("content-type", "TEXT/HTML")])
    request(recorder, events=[Cached("stale")], headers=[("Content-Type", 'x y"\n')])
    request(recorder, events=[Cached("collapsed")], headers=[])
    request(recorder)
    found = snapshot(words)
    assert {one.content_type: one[1:] for one in found.content_types} == {
        "text/html": (1, 0, 0, 1),
        "other": (0, 1, 0, 0),
        "none": (0, 0, 1, 0),
    }
    assert (sum(one.hits for one in found.seconds), sum(one.misses for one in found.seconds)) == (3, 1)


def test_compression_is_told_by_coding():
    words = memory()
    recorder = Recorder(words)
    request(recorder, events=[Compressed("br", 1000, 200, 0.001)])
    request(recorder, events=[Compressed("br", 500, 100, 0.0)])
    found = snapshot(words)
    coding = only(found.codings)
    assert coding[:4] == ("br", 2, 1500, 300)
    assert coding.seconds == pytest.approx(0.001)
    assert sum(one.saved for one in found.seconds) == 1200


def test_failures_are_kept_newest_first():
    words = memory()
    recorder = Recorder(words)
    request(recorder, route="/a", status="503 Service Unavailable", request_id="id-1")
    request(recorder, route="/a", status=None, error=ValueError("bad"), request_id="id-2")
    request(recorder, status="500 x", events=[Raised("KeyError", "'x'", "critical")])
    request(recorder, status="404 Not Found")
    found = snapshot(words)
    assert [(one.kind, one.severity, one.message, one.status, one.request_id) for one in found.failures] == [
        ("KeyError", "critical", "'x'", 500, None),
        ("ValueError", "error", "bad", 500, "id-2"),
        ("HTTP 503", "error", "", 503, "id-1"),
    ]
    assert found.exceptions == {
        ("KeyError", "critical"): 1,
        ("ValueError", "error"): 1,
        ("HTTP 503", "error"): 1,
    }
    assert sum(one.errors for one in found.hours) == 3
    assert sum(one.errors for one in found.windows) == 3


def test_the_last_hundred_failures_are_kept_whatever_they_say():
    words = memory()
    recorder = Recorder(words)
    for number in range(250):
        request(
            recorder, route="/" + "é" * 90, status="500 x", request_id="😀" * 200,
            events=[Raised("T" * 300, f"{number:03} " + "😀" * 400, "error")],
        )  # fmt: skip
    found = snapshot(words).failures
    assert all(one.message for one in found)
    assert [one.message[:3] for one in found] == [f"{number:03}" for number in range(249, 149, -1)]


def test_a_damaged_record_is_left_out():
    words = memory()
    recorder = Recorder(words)
    for _ in range(3):
        request(recorder, status="500 x")
    words[layout.FAILURES.first + layout.FAILURES.words + 2] ^= 0xFF00
    assert len(snapshot(words).failures) == 2


def test_the_slowest_are_kept_for_an_hour():
    words = memory()
    recorder = Recorder(words)
    for number in range(100):
        request(recorder, route=f"/{number}", seconds=number / 100, request_id=f"id-{number}")
    found = snapshot(words).slowest
    assert [one.route for one in found] == [f"/{number}" for number in range(99, 67, -1)]
    assert found[0].request_id == "id-99"
    assert snapshot(words, now=time() + 3601).slowest == []


def test_time_passes_over_the_rings(monkeypatch):
    now = 1_800_000_000.0
    monkeypatch.setattr("wsgiperf.monitor.recording.recorder.time", lambda: now)
    words = memory()
    recorder = Recorder(words)
    start = now
    for _ in range(400):
        request(recorder, seconds=0.1)
        now += 1
    found = snapshot(words, now=now - 1)
    assert [one.start for one in found.seconds] == list(range(int(start) + 100, int(start) + 400))
    assert all(one.classes == (0, 1, 0, 0, 0) for one in found.seconds)
    assert sum(one.requests for one in found.windows) == 400
    assert [one.requests for one in found.hours] == [400]
    now += 7 * 86_400
    request(recorder)
    found = snapshot(words, now=now)
    assert sum(one.requests for one in found.windows) == 1
    assert [one.requests for one in found.hours] == [1]


def test_a_clock_that_jumps_back_loses_no_request(monkeypatch):
    now = 1_800_000_000.0
    monkeypatch.setattr("wsgiperf.monitor.recording.recorder.time", lambda: now)
    words = memory()
    recorder = Recorder(words)
    request(recorder)
    now -= 86_400
    request(recorder)
    found = snapshot(words, now=now)
    assert only(found.series).count == 2
    assert sum(one.requests for one in found.hours) == 1


def test_in_flight_is_what_has_begun_and_not_ended():
    words = memory()
    recorder = Recorder(words)
    recorder.begin()
    recorder.own()
    worker = only(snapshot(words).workers)
    assert (worker.pid, worker.in_flight, worker.requests) == (7, 1, 0)
    assert snapshot(words).own == 1


def test_gauges_of_a_worker():
    words = memory()
    recorder = Recorder(words)
    recorder.tell(4, [("é" * 60, 5, 3, -2), ("b", 1, 0, 0)])
    worker = only(snapshot(words).workers)
    assert worker.threads == 4
    assert [pool[1:] for pool in worker.pools] == [(5, 3, -2), (1, 0, 0)]


def test_the_queue_is_counted():
    words = memory()
    recorder = Recorder(words)
    recorder.queued(0.5)
    recorder.queued(0.25)
    assert snapshot(words).queue == pytest.approx((2, 0.75, 0.5))


def test_threads_lose_nothing():
    words = memory()
    recorder = Recorder(words)

    def work():
        for number in range(2000):
            request(recorder, route=f"/{number % 10}", events=[Cached("hit")])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = snapshot(words)
    assert sum(one.count for one in found.series) == 16_000
    assert sum(sum(one.cells) for one in found.latencies) == 16_000
    assert only(found.content_types).hits == 16_000
    assert only(found.workers).in_flight == 0


def test_the_child_of_a_fork_counts_nothing_for_its_parent():
    shared = mmap.mmap(-1, layout.SLAB_BYTES)
    words = memoryview(shared).cast("Q")
    recorder = Recorder(words)
    exchange = Exchange({"REQUEST_METHOD": "GET"}, frozenset())
    recorder.begin()
    child = os.fork()
    if not child:
        try:
            recorder.record(exchange, None)
            recorder.query_outside("default", 1.0, False, "SELECT ?")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    found = snapshot(words)
    assert (found.series, found.databases) == ([], [])
    assert only(found.workers).in_flight == 1


def test_for_counters_only_the_rest_is_left_out():
    words = memory()
    request(Recorder(words), status="500 x")
    found = snapshot(words, counters_only=True)
    assert only(found.series).count == 1
    assert found.exceptions == {("HTTP 500", "error"): 1}
    assert (found.failures, found.latencies, found.seconds) == ((), (), ())
