"""What goes wrong around the cache: no wrong byte, no failed request, and afterwards it works again."""

import os
import pickle
import resource
import subprocess
import threading
import time
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from cachelib import FileSystemCache

from servers.redis_server import running_redis
from wsgiperf import CacheMiddleware
from wsgiperf.cache.stores.filesystem import FileSystemStore
from wsgiperf.cache.stores.redis import RedisStore

from .serving import PATIENCE, asking, body_of, kill, site, until

number = count()
# Seconds: more than any request may take beside what the page itself takes, and for which the machine was
# occupied otherwise. The stores' limits are far below.
UNNOTICED = 0.6
SHORT = 0.02  # seconds that a thread may oversleep


def a_page():
    return f"/page{next(number)}"


def shared_between(workers, target):
    """Whether what one worker stores the other finds; True once it does."""
    page = a_page()
    one, other = workers
    call = target.ask(page, on=one).get("X-Call")
    again = target.ask(page, on=other)
    assert again.content == body_of(page)
    return again.get("X-Call") == call


class Standstill(threading.Thread):
    """For how many seconds a thread that only sleeps was kept from waking: the machine's own doing."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seconds, self.over = 0.0, threading.Event()

    def run(self):
        before = time.monotonic()
        while not self.over.wait(0.002):
            now = time.monotonic()
            if now - before > SHORT:
                self.seconds += now - before
            before = now


class Load:
    """Clients that go on asking, and look at every answer."""

    def __init__(self, served, size=1000):
        self.served, self.size, self.over = served, size, threading.Event()
        self.slowest, self.answers, self.wrong = 0.0, 0, []
        self.standstill = Standstill()
        self.threads = [threading.Thread(target=self.ask, daemon=True) for _ in range(4)]

    def __enter__(self):
        for thread in (self.standstill, *self.threads):
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.standstill.over.set()
        for thread in self.threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in self.threads)
        assert not self.wrong, self.wrong[:3]

    def ask(self):
        connection = self.served.connect()
        for turn in count():
            if self.over.is_set():
                return
            page = f"/load{turn % 40}"
            try:
                begun, stood_still = time.monotonic(), self.standstill.seconds
                connection.send(asking(f"{page}?size={self.size}&cc=max-age%3D{turn % 3}"))
                answer = connection.answer()
                seconds = time.monotonic() - begun - (self.standstill.seconds - stood_still)
                self.slowest = max(self.slowest, seconds)
                self.answers += 1
                if answer.status != 200 or answer.content != body_of(page, self.size):
                    self.wrong.append((answer.status, answer.fields, len(answer.content)))
            except Exception as error:
                self.wrong.append(error)
                return

    def more(self, answers=80):
        """Wait for so many more."""
        goal = self.answers + answers
        until(lambda: self.answers >= goal or self.wrong)


# -- processes that die


@pytest.mark.parametrize(("store", "within"), [("file", 1.0), ("redis", 6.0)])
def test_a_leader_that_is_killed_is_succeeded(tmp_path, options_for, store, within):
    """File locks end with their process; a lease in Redis within its term. The time limit plays no part."""
    page = a_page()
    target = f"{page}?gate=x"
    options = {**options_for(store), "coalesce_timeout": 60}
    with site(tmp_path / "state", workers=2, options=options) as served:
        (pid, one), (_, other) = served.one_each().items()
        one.send(asking(target))
        until(lambda: served.calls(page) == 1)
        other.send(asking(target))
        until(lambda: served.asked(page) == 2)
        kill(pid)
        until(lambda: served.calls(page) == 2, within + 1)
        served.open("x")
        answer = other.answer()
        assert answer.content == body_of(page)
        assert answer.get("X-Call") == "2"
        assert served.ask(target).get("X-Call") == "2"


@pytest.mark.parametrize("trouble", ["killed", "hung"])
def test_redis_in_trouble(tmp_path, trouble):
    """While large values are being written. The first to notice waits for the time limit, no others."""
    with running_redis() as redis:
        options = {"store": "redis", "redis_url": redis.url, "maximum_body_size": 2**22}
        with site(tmp_path / "state", workers=2, options=options) as served:
            workers = list(served.one_each().values())
            until(lambda: shared_between(workers, served))
            with Load(served, 1_000_000) as load:
                load.more(20)
                redis.kill() if trouble == "killed" else redis.pause()
                load.slowest = 0.0
                load.more()
                assert load.slowest < UNNOTICED
                redis.start() if trouble == "killed" else redis.resume()
                until(lambda: shared_between(workers, served))


# -- disks


@contextmanager
def small_disk(path, size):
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", path]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root may mount")
    try:
        # As long as a file on it is open for writing it can't be made read-only.
        mount = ["mount", "-o"]
        yield lambda option: until(
            lambda: subprocess.run([*mount, f"remount,{option}", path], capture_output=True).returncode == 0
        )
    finally:
        subprocess.run(["umount", "-l", path], check=False)


def two_on(directory, state, **more):
    return site(state, workers=2, options={"store": "file", "directory": str(directory)}, **more)


def test_a_full_disk(tmp_path):
    with (
        small_disk(tmp_path / "disk", "128k") as remount,
        two_on(tmp_path / "disk", tmp_path / "state") as served,
    ):
        workers = list(served.one_each().values())
        with Load(served, 20_000) as load:
            load.more(200)
            assert load.slowest < UNNOTICED
            remount("size=32m")
            until(lambda: shared_between(workers, served))


def test_a_read_only_directory(tmp_path):
    """What is there is served, new pages are made each time, and a purge that can't be done says so."""
    kept = a_page()
    with small_disk(tmp_path / "disk", "8m") as remount:
        with two_on(tmp_path / "disk", tmp_path / "before") as served:
            served.ask(kept)
        remount("ro")
        with two_on(tmp_path / "disk", tmp_path / "state") as served:
            workers = list(served.one_each().values())
            with Load(served) as load:
                load.more()
                assert load.slowest < UNNOTICED
                assert served.ask(kept).content == body_of(kept)
                assert served.calls(kept) == 0
                assert served.purge("all").startswith("failed")
                assert not shared_between(workers, served)
                remount("rw")
                assert served.purge("all").startswith("met")
                assert served.ask(kept).content == body_of(kept)
                assert served.calls(kept) == 1
                until(lambda: shared_between(workers, served))


def test_files_that_may_not_grow(tmp_path):
    """As a quota would: no file over 150 KB, for which no mount is needed."""

    def limits():
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    with two_on(tmp_path / "entries", tmp_path / "state", limits=limits) as served:
        workers = list(served.one_each().values())
        with Load(served, 300_000) as load:
            load.more()
            assert shared_between(workers, served)


# -- what else may lie in a store


@pytest.fixture(params=["file", "redis"])
def shared(request, tmp_path, options_for):
    """A store without memory in front, and access to it: options and a store object."""
    options = {**options_for(request.param), "memory_size": 0, "namespace": tmp_path.name}
    if request.param == "file":
        return options, FileSystemStore(options["directory"], 2**30)
    return options, RedisStore(options["redis_url"], prefix=f"wsgiperf:{tmp_path.name}:")


class Canary:
    """What unpickling would do."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def damaged(frame, canary):
    """What may be there in the place of an entry."""
    yield b""
    yield b"garbage"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.dumps(Canary(canary), protocol)
    yield frame[:4] + pickle.dumps(Canary(canary))
    yield from (frame[:length] for length in range(0, len(frame), 37))
    yield frame + b"x"
    yield frame[:3] + bytes([frame[3] ^ 0x7F]) + frame[4:]  # another version
    yield frame.replace(b"http://test/", b"http://evil/")
    yield frame.replace(b"text/plain", b"text/pla\r\n")
    yield frame[:64] + b"\xff" * 28 + frame[92:]


def test_hostile_values_are_counted_misses(tmp_path, shared):
    options, store = shared
    canary = tmp_path / "canary"
    page = a_page()
    key = f"http://test{page}"
    with site(tmp_path / "state", options=options) as served:
        connection = served.connect()
        served.ask(page, on=connection)
        frame = store.get(key)
        values = list(damaged(frame, canary))
        for call, value in enumerate(values, 2):
            store.set(key, value)
            answer = served.ask(page, on=connection)
            assert (answer.status, answer.content, answer.get("X-Call")) == (200, body_of(page), str(call))
            assert served.ask(page, on=connection).get("X-Call") == str(call)
        assert not canary.exists()
        assert int(served.ask("/errors").content) >= len(values)


@pytest.mark.parametrize("kind", ["garbage", "pickle", "directory", "pipe", "link"])
def test_hostile_files(tmp_path, options_for, kind):
    options = {**options_for("file"), "memory_size": 0}
    canary, page = tmp_path / "canary", a_page()
    with site(tmp_path / "state", options=options) as served:
        served.ask(page)
        (path,) = [one for one in Path(options["directory"]).glob("??/*") if one.name != "table"]
        whole = path.read_bytes()
        path.unlink()
        if kind == "directory":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "link":
            (tmp_path / "elsewhere").write_bytes(whole)
            path.symlink_to(tmp_path / "elsewhere")
        else:
            path.write_bytes(b"garbage" if kind == "garbage" else pickle.dumps(Canary(canary)))
        answers = [served.ask(page) for _ in range(2)]
        assert [answer.content for answer in answers] == [body_of(page)] * 2
        assert answers[0].get("X-Call") == "2"
    assert not canary.exists()


def test_hostile_pickles_in_a_backend_of_cachelib(tmp_path, monkeypatch):
    """It would unpickle them itself, were it left to it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    calls = []

    def application(environ, start_response):
        calls.append(environ)
        start_response("200 OK", [("Cache-Control", "max-age=60")])
        return [b"whole"]

    cached = CacheMiddleware(application, store=FileSystemCache(str(tmp_path / "files")), memory_size=0)

    def ask():
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_HOST": "test", "wsgi.url_scheme": "http",
            "SERVER_NAME": "test", "SERVER_PORT": "80", "QUERY_STRING": "",
        }  # fmt: skip
        body = cached(environ, lambda *_: None)
        try:
            return b"".join(body)
        finally:
            getattr(body, "close", lambda: None)()

    assert ask() == ask() == b"whole"
    assert len(calls) == 1
    for path in (tmp_path / "files").iterdir():
        path.write_bytes(path.read_bytes()[:4] + pickle.dumps(Canary(tmp_path / "canary")))
    assert ask() == b"whole"
    assert len(calls) == 2
    for path in (tmp_path / "files").iterdir():
        path.write_bytes(pickle.dumps(Canary(tmp_path / "canary")))
    assert ask() == b"whole"
    assert not (tmp_path / "canary").exists()


def test_two_formats_side_by_side(tmp_path, shared):
    """During a deployment old and new processes share a store: each takes the other's for nothing."""
    options, _ = shared
    with (
        site(tmp_path / "new", workers=2, options=options) as new,
        site(tmp_path / "old", options=options, FORMAT="77") as old,
    ):
        pages = [f"{a_page()}?size=30000" for _ in range(5)]
        for _ in range(4):
            for page in pages:
                for served in (new, old):
                    answer = served.ask(page)
                    assert (answer.status, answer.content) == (200, body_of(page, 30_000))
        with Load(new, 5000), Load(old, 5000) as load:
            load.more()
        assert old.purge("all").startswith("met")
        first = new.ask(pages[0]).get("X-Call")
        assert new.ask(pages[0]).get("X-Call") == first
