"""A hundred thousand hits from eight threads while entries are purged and expire: every body is its key's."""

import sys
import threading
from itertools import count

import pytest

from wsgiperf import CacheMiddleware
from wsgiperf.cache import clock

from .origin_blocks import block_of
from .serving import until

THREADS, HITS, PAGES, SIZE = 8, 100_000, 60, 3000
BODIES = {f"/{section}/{number}": block_of(f"/{section}/{number}", 0, SIZE)
          for section in range(6) for number in range(PAGES // 6)}  # fmt: skip


class Site:
    """The cache around an application whose pages differ in how they are made, and live for 5 s."""

    def __init__(self, **options):
        self.calls, self.made = count(1), 0
        self.cached = CacheMiddleware(self.application, **options)

    def application(self, environ, start_response):
        path = environ["PATH_INFO"]
        self.made = next(self.calls)
        number = int(path[3:])
        headers = [
            ("Content-Type", "text/plain"), ("X-Path", path), ("Surrogate-Key", f"tag{number % 4}"),
            ("Cache-Control", "max-age=5" + ", stale-while-revalidate=5" * (number % 3 == 0)),
        ]  # fmt: skip
        if number % 4 == 0:
            headers.append(("ETag", f'"{path}"'))
            if environ.get("HTTP_IF_NONE_MATCH") == f'"{path}"':
                start_response("304 Not Modified", headers)
                return []
        if number % 5 == 0:
            headers.append(("Vary", "Accept-Language"))
        start_response("200 OK", headers)
        body = BODIES[path]
        return iter([body[:1000], body[1000:]]) if number % 2 else [body]

    def ask(self, path, turn):
        """What is wrong with the answer; whether it was a hit."""
        sent = []
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "",
            "HTTP_HOST": "test", "SERVER_NAME": "test", "SERVER_PORT": "80", "wsgi.url_scheme": "http",
            "wsgi.multithread": True, "HTTP_ACCEPT_LANGUAGE": "en" if turn % 2 else "de",
        }  # fmt: skip
        body = self.cached(environ, lambda status, headers, *_: sent.extend((status, dict(headers))))
        try:
            content = b"".join(body)
        finally:
            getattr(body, "close", lambda: None)()
        status, fields = sent
        right = status == "200 OK" and fields["X-Path"] == path and content == BODIES[path]
        length = fields.get("Content-Length")
        wrong = None if right and length in (None, str(SIZE)) else (path, status, fields, content[:80])
        return wrong, "; hit" in fields["Cache-Status"]


@pytest.fixture
def now(monkeypatch):
    """The time: a list of one number."""
    now = [1_800_000_000.0]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    return now


@pytest.fixture(params=["memory", "little memory", "file"])
def options(request, tmp_path):
    if request.param == "file":
        return {"store": "file", "directory": str(tmp_path / "entries")}
    return {"memory_size": 120_000} if request.param == "little memory" else {}


def purges():
    """One after the other, in turn."""
    paths = list(BODIES)
    for turn in count():
        path = paths[turn * 7 % len(paths)]
        yield "url", f"http://test{path}", turn % 2
        yield "prefix", f"/{turn % 6}/", turn % 3
        yield "tag", f"tag{turn % 4}", turn % 2
        if turn % 10 == 9:
            yield "all", "", turn % 4 == 3


def test_every_body_is_whole_and_its_key_s(options, now, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    site = Site(namespace=tmp_path.name, **options)
    # A tenth for all but memory: it is for the most part the same code, and slower.
    goal = (HITS if not options else HITS // 10) // THREADS
    enough = 3 * len(BODIES)  # calls, so that there were purges and expiries indeed
    faults, over = [], threading.Event()

    def ask(offset):
        paths, hits = list(BODIES), 0
        for turn in count():
            wrong, hit = site.ask(paths[(turn * 13 + offset * turn) % len(paths)], turn)
            hits += hit
            if wrong:
                faults.append(wrong)
            if wrong or (hits >= goal and site.made > enough):
                return

    def disturb():
        for kind, value, soft in purges():
            if over.wait(0.002):
                return
            site.cached.purge(kind, value, soft=bool(soft))
            now[0] += 0.13

    threads = [threading.Thread(target=ask, args=(offset,)) for offset in range(THREADS)]
    disturber = threading.Thread(target=disturb)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0002)  # threads get into each other's way as often as can be
    try:
        for thread in (*threads, disturber):
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        over.set()
        disturber.join(10)
        sys.setswitchinterval(interval)
    assert not any(thread.is_alive() for thread in (*threads, disturber))
    assert not faults, faults[:3]
    until(lambda: not site.cached._flights._under_way)  # a refresh may be at work still
