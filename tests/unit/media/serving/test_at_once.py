"""Many who ask at once: one encode, among threads and among processes."""

import os
import signal
import threading
import time

import pytest

from unit.client import environ_of
from wsgiperf.media import middleware
from wsgiperf.media.serving import flights

from .site import CHROMIUM, Site, get, kind_of, part, picture, warm

THREADS, PROCESSES = 50, 4
ONE_THREAD = {"wsgi.multithread": False}


@pytest.fixture
def counted(monkeypatch, tmp_path):
    """A file that grows by a byte for each encode, in whichever process."""
    log, real = tmp_path / "encodes", middleware.encode

    def counting(*args, **options):
        with log.open("ab", buffering=0) as file:
            file.write(b"x")
        time.sleep(0.05)  # others are to come meanwhile
        return real(*args, **options)

    monkeypatch.setattr(middleware, "encode", counting)
    log.write_bytes(b"")
    return log


def together(count, work):
    """Call something in many threads at the same moment; what each returned."""
    barrier, found = threading.Barrier(count), []

    def run():
        barrier.wait()
        found.append(work())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == count
    return found


SITES = {
    "a tag": lambda: Site(),
    "a young date": lambda: Site(etag=None, modified=time.time()),
    "nothing": lambda: Site(etag=None),
}


@pytest.mark.parametrize("make", SITES.values(), ids=SITES)
def test_fifty_first_requests_make_one_encode(tmp_path, counted, make):
    site = make()
    app = part(site, tmp_path / "variants")
    for got in together(THREADS, lambda: get(app)):
        assert got.status == "200 OK"
        assert got["Content-Type"] == "image/avif" or (got.body, got["Cache-Control"]) == (
            site.body,
            "no-store",
        )
    assert kind_of(warm(app).body)[0] == "AVIF"
    assert counted.read_bytes() == b"x"


def test_all_who_wait_get_what_one_has_made(tmp_path, counted):
    app = part(Site(), tmp_path / "variants", widths=(200,), wait_seconds=30)
    for got in together(20, lambda: get(app, accept=None, QUERY_STRING="w=200")):
        assert kind_of(got.body) == ("JPEG", (200, 150))
    assert counted.read_bytes() == b"x"


@pytest.mark.parametrize("query", ["", "w=200"], ids=["not waited for", "waited for"])
def test_four_processes_make_one_encode(tmp_path, counted, query):
    app = part(Site(), tmp_path / "variants", widths=(200,), wait_seconds=30)
    begin = time.time() + 0.2

    def child():
        time.sleep(max(0.0, begin - time.time()))
        together(10, lambda: get(app, QUERY_STRING=query))
        return kind_of(warm(app, QUERY_STRING=query).body)[0] == "AVIF"

    children = [fork(child) for _ in range(PROCESSES)]
    assert all(map(ended_well, children))
    assert counted.read_bytes() == b"x"


def test_a_process_that_dies_leaves_the_work_to_another(tmp_path, monkeypatch):
    app = part(Site(), tmp_path / "variants")
    real = middleware.encode
    started = tmp_path / "started"

    def hanging(*args, **options):
        started.write_bytes(b"")
        time.sleep(60)

    app._library._encode = hanging
    child = fork(lambda: (get(app), time.sleep(60)))
    ends = time.monotonic() + 20
    while not started.exists():
        assert time.monotonic() < ends
        time.sleep(0.01)
    app._library._encode = real
    assert get(app)["Cache-Control"] == "no-store"  # the other is at it
    time.sleep(0.05)
    assert get(app)["Content-Type"] == "image/jpeg"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert warm(app)["Content-Type"] == "image/avif"


def test_a_child_starts_threads_of_its_own(tmp_path):
    app = part(lambda e, s: Site(picture(seed=len(e["PATH_INFO"])))(e, s), tmp_path / "variants")
    warm(app, "/a")
    assert ended_well(fork(lambda: warm(app, "/bc")["Content-Type"] == "image/avif"))


def test_a_server_that_never_closes_loses_one_try_only(tmp_path, monkeypatch):
    app = part(Site(), tmp_path)
    body = app(environ_of("/a.jpg", headers={"Accept": CHROMIUM}, **ONE_THREAD), lambda *head: print)
    assert get(app, **ONE_THREAD)["Cache-Control"] == "no-store"
    monkeypatch.setattr(flights, "LONGEST", -1.0)
    get(app, **ONE_THREAD)
    assert get(app, **ONE_THREAD)["Content-Type"] == "image/avif"
    body.close()


def test_the_threads_are_few_and_hold_up_nobody_s_end(tmp_path, monkeypatch):
    running, most, lock, two = [0], [0], threading.Lock(), threading.Event()

    def slow(*args, **options):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
            if running[0] == 2:
                two.set()
        two.wait(20)
        time.sleep(0.05)  # so that a third would come meanwhile
        with lock:
            running[0] -= 1

    monkeypatch.setattr(middleware, "encode", slow)
    before = threading.enumerate()
    app = part(lambda e, s: Site(picture(seed=int(e["PATH_INFO"][1:])))(e, s), tmp_path, threads=2)
    for number in range(6):
        get(app, f"/{number}")
    for number in range(6):
        warm(app, f"/{number}")
    assert most[0] == 2
    new = [thread for thread in threading.enumerate() if thread not in before]
    assert [thread.daemon for thread in new if thread.name == "wsgiperf-media"] == [True, True]


def test_a_warm_variant_takes_less_than_a_millisecond(tmp_path):
    app = part(Site(), tmp_path)
    warm(app)
    times, computing = [], []
    for _ in range(200):
        started, computed = time.perf_counter(), time.thread_time()
        get(app)
        times.append(time.perf_counter() - started)
        computing.append(time.thread_time() - computed)
    # Others use the processors too: the usual one by what it computes, by the clock one that was let alone.
    assert sorted(computing)[len(computing) // 2] < 0.001
    assert min(times) < 0.001


def fork(work):
    """A child process that does `work` and ends with 0 if it returned True."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.alarm(90)
        code = 0 if work() is True else 2
    finally:
        os._exit(code)


def ended_well(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
