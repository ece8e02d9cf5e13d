"""An application with a page of each kind and the monitor around it, for the gunicorns of these tests."""

import json
import os
import time

import wsgiperf
from wsgiperf.monitor.shared import place

# Shared memory of the machine is not for tests; `TMPDIR` is of theirs.
place.SHARED_MEMORY = os.path.join(os.environ["STATE"], "none")

BLOCK = b"0123456789" * 100


def site(environ, start_response):
    kind, _, value = environ["PATH_INFO"].strip("/").partition("/")
    page = PAGES.get(kind, missing)
    return page(value, environ, start_response)


def plain(start_response, status, body, method):
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [] if method == "HEAD" else [body]


def missing(value, environ, start_response):
    return plain(start_response, "404 Not Found", b"missing", environ["REQUEST_METHOD"])


def item(value, environ, start_response):
    method = environ["REQUEST_METHOD"]
    return plain(start_response, "201 Created" if method == "POST" else "200 OK", BLOCK, method)


def stream(value, environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return (BLOCK for _ in range(int(value)))


def status(value, environ, start_response):
    if value in ("204", "304"):
        start_response(f"{value} Nothing", [])
        return []
    return plain(start_response, f"{value} Whatever", b"whatever", environ["REQUEST_METHOD"])


def fail(value, environ, start_response):
    raise LookupError("no such shelf")


def fail_late(value, environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield BLOCK
    raise TimeoutError("the shelf is gone")


def endless(value, environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    while True:
        yield BLOCK * 64


def gate(value, environ, start_response):
    path, deadline = os.path.join(os.environ["STATE"], f"gate-{value}"), time.monotonic() + 30
    while not os.path.exists(path) and time.monotonic() < deadline:
        time.sleep(0.01)
    return plain(start_response, "200 OK", b"open", environ["REQUEST_METHOD"])


def where(value, environ, start_response):
    return plain(start_response, "200 OK", b"%d" % os.getpid(), environ["REQUEST_METHOD"])


def mark(value, environ, start_response):
    os.access(f"/mark-{value}", os.R_OK)  # to be found among the system calls
    return plain(start_response, "200 OK", b"marked", environ["REQUEST_METHOD"])


PAGES = {
    "items": item, "stream": stream, "status": status, "raise": fail, "late": fail_late, "endless": endless,
    "gate": gate, "where": where, "mark": mark,
}  # fmt: skip


def below(app, prefix):
    """The application mounted, as a dispatcher does it."""

    def mounted(environ, start_response):
        path = environ["PATH_INFO"]
        if path == prefix or path.startswith(f"{prefix}/"):
            environ["SCRIPT_NAME"] += prefix
            environ["PATH_INFO"] = path[len(prefix) :]
            return app(environ, start_response)
        return missing("", environ, start_response)

    return mounted


def assembled(kind):
    options = json.loads(os.environ["MONITOR"])
    if kind == "part":
        return wsgiperf.MonitorMiddleware(site, **options)
    if kind == "everything":
        return wsgiperf.wrap(site, monitor=options)
    if kind == "nested":
        return wsgiperf.MonitorMiddleware(wsgiperf.wrap(site, monitor=options), **options)
    if kind == "two":  # beside each other in one process
        one, other = (wsgiperf.MonitorMiddleware(site, **options) for _ in range(2))
        mounted = below(other, "/other")
        return lambda environ, start: (mounted if environ["PATH_INFO"].startswith("/other/") else one)(
            environ, start
        )
    if kind == "mounted":
        return below(wsgiperf.MonitorMiddleware(site, **options), "/shop")
    return site


application = assembled(os.environ["KIND"])
