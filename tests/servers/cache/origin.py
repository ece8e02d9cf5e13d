"""The application behind the cache, as gunicorn serves it: a page says by its query what it does.

    delay=S      seconds that the page takes to make
    gate=NAME    not before the test has opened that gate
    each=NAME    the same, with a gate for each call: NAME-1, NAME-2 ...
    cc=TEXT      Cache-Control (default "max-age=60"); `lm` and `etag` the validators
    blocks=N     a stream of so many blocks; `pause` seconds, or `gates`, between them; `size` bytes each
    fail=N       the Nth call raises, mid-stream for streams
    vary, tag    those fields

Each call adds a line to the file `calls`, each request that reaches the worker one to `asked`, each block of
a stream one to `made`, each close of a body one to `closed`: O_APPEND keeps the lines of several processes
apart. The caches' clock is ahead by as many seconds as the file `ahead` has bytes.
"""

import json
import os
import time
from urllib.parse import parse_qsl

from origin_blocks import block_of

from wsgiperf import CacheMiddleware
from wsgiperf.cache import clock, frames

STATE = os.environ["STATE"]
PATIENCE = 60.0
FIELDS = {"etag": "ETag", "lm": "Last-Modified", "vary": "Vary", "tag": "Surrogate-Key"}

if version := os.environ.get("FORMAT"):
    frames._MAGIC = frames._MAGIC[:3] + bytes([int(version)])

clock.now = lambda: time.time() + os.stat(f"{STATE}/ahead").st_size


def note(name, line):
    descriptor = os.open(f"{STATE}/{name}", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(descriptor, line.encode("latin-1") + b"\n")
        return os.lseek(descriptor, 0, os.SEEK_CUR)
    finally:
        os.close(descriptor)


def number_of(page):
    """The number of this call of a page, among all processes."""
    end = note("calls", f"{page} {os.getpid()}")
    with open(f"{STATE}/calls", "rb") as calls:
        return calls.read(end).count(f"{page} ".encode("latin-1"))


def pass_gate(name):
    deadline = time.monotonic() + PATIENCE
    while not os.path.exists(f"{STATE}/gate-{name}"):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the gate {name} stayed closed")
        time.sleep(0.004)


def application(environ, start_response):
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    if path == "/pid":
        time.sleep(0.004)
        return text(start_response, str(os.getpid()))
    if path == "/errors":
        return text(start_response, str(cached._storage.errors))
    if method not in ("GET", "HEAD"):
        start_response("204 No Content", [])
        return []
    asked = dict(parse_qsl(environ["QUERY_STRING"]))
    call = number_of(path)
    if "gate" in asked:
        pass_gate(asked["gate"])
    if "each" in asked:
        pass_gate(f"{asked['each']}-{call}")
    time.sleep(float(asked.get("delay", 0)))
    if asked.get("fail") == str(call) and "blocks" not in asked:
        raise RuntimeError("as the test wants it")
    headers = [("Content-Type", "text/plain"), ("Cache-Control", asked.get("cc", "max-age=60"))]
    headers.append(("X-Call", str(call)))
    headers += [(field, asked[name]) for name, field in FIELDS.items() if name in asked]
    start_response("200 OK", headers)
    size = int(asked.get("size", 1000))
    if "blocks" in asked:
        return Blocks(path, asked, call, size)
    return [block_of(path, 0, size)]


def text(start_response, words):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])
    return [words.encode()]


class Blocks:
    def __init__(self, page, asked, call, size):
        self.page, self.call = page, call
        self.blocks = self.make(asked, size)

    def __iter__(self):
        return self.blocks

    def make(self, asked, size):
        for number in range(int(asked["blocks"])):
            if number:
                time.sleep(float(asked.get("pause", 0)))
                if "gates" in asked:
                    pass_gate(f"{asked['gates']}-{number}")
                if asked.get("fail") == str(self.call):
                    raise RuntimeError("as the test wants it")
            note("made", f"{self.page} {self.call} {number}")
            yield block_of(self.page, number, size)

    def close(self):
        note("closed", f"{self.page} {self.call} {time.time()}")


options = json.loads(os.environ["CACHE"])
cached = CacheMiddleware(application, **options)


def served(environ, start_response):
    path, query = environ["PATH_INFO"], dict(parse_qsl(environ["QUERY_STRING"]))
    if path == "/purge":
        try:
            met = cached.purge(query["kind"], query.get("value", ""), soft="soft" in query)
        except Exception as error:
            return text(start_response, f"failed: {error}")
        return text(start_response, f"met {met}")
    note("asked", f"{path} {os.getpid()}")
    return cached(environ, start_response)
