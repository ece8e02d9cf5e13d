"""A process that is flooded with made-up requests, and tells how much it grew. Its first argument is what is
around the application, the second how many requests there are."""

import gc
import io
import json
import os
import random
import sys

import psutil

import wsgiperf
from wsgiperf.monitor.shared import place

place.SHARED_MEMORY = os.path.join(os.environ["STATE"], "none")
ROUTES = [*(f"/known{number}/{{id}}" for number in range(50)), "/late/{id}"]


def application(environ, start_response):
    known = environ["PATH_INFO"].startswith(("/known", "/late"))
    start_response("200 OK" if known else "404 Not Found", [("Content-Type", "text/html")])
    return [b"page"]


def ask(app, method, path, host="localhost", **fields):
    environ = {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "", "HTTP_HOST": host,
        "SERVER_NAME": "test", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr, "wsgi.multithread": True, "wsgi.multiprocess": True,
        "wsgi.run_once": False, **fields,
    }  # fmt: skip
    body = app(environ, lambda status, headers, exc_info=None: lambda data: None)
    try:
        return b"".join(body)
    finally:
        getattr(body, "close", lambda: None)()


def word(draw, most):
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-_.~/%\xe9\xff\x00<>\"' "
    return "".join(draw.choices(letters, k=draw.randrange(1, most)))


def main(kind, count):
    options = {"access": "loopback", "routes": ROUTES}
    wrap = wsgiperf.MonitorMiddleware if kind == "part" else wsgiperf.wrap
    app = wrap(application, **(options if kind == "part" else {"monitor": options}))
    draw, sent = random.Random(3), 0

    def known():
        for number in range(50):
            ask(app, "GET", f"/known{number}/1")
        for number in range(0, 50, 5):
            ask(app, "POST", f"/known{number}/1")
        return 60

    def made_up(number):
        for _ in range(number):
            path = "/" + word(draw, 300)
            ask(app, word(draw, 20).upper(), path, word(draw, 60), HTTP_USER_AGENT=word(draw, 100))
        return number

    lengths = {"json": 0, "metrics": 0}

    def look():
        for page in lengths:
            lengths[page] = max(lengths[page], len(ask(app, "GET", f"/_stats/{page}")))

    sent += known() + made_up(10_000)  # a warm-up: every table and memo is as full as it gets
    for _ in range(3):
        look()
    gc.collect()
    process = psutil.Process()
    before = process.memory_info().rss
    for _ in range(10):
        sent += made_up(count // 10)
        look()
    ask(app, "GET", "/late/1")
    look()
    gc.collect()
    told = json.loads(ask(app, "GET", "/_stats/json"))
    print(
        json.dumps(
            {
                "grown": process.memory_info().rss - before,
                "sent": sent + 1,
                "total": told["requests"]["total"],
                "longest json": lengths["json"],
                "longest metrics": lengths["metrics"],
                "endpoints": told["endpoints"],
                "overflow": told["overflow"],
            }
        )
    )


main(sys.argv[1], int(sys.argv[2]))
