"""The dashboard on a server of its own, under the policy it is written for; its figures go on changing."""

import json
import threading
import time
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from wsgiperf.monitor.dashboard.page import POLICY, asset, page

from .dashboard_figures import figures

BASE = "/mounted/_stats"


class Quiet(WSGIRequestHandler):
    def log_message(self, *about):
        """Say nothing."""


class Server(ThreadingMixIn, WSGIServer):
    """The browser asks for several files at once."""

    daemon_threads = True


class Site:
    """What the server answers, to be changed while it runs."""

    def __init__(self):
        self.address = ""
        self.reset()

    def reset(self):
        self.status = "200 OK"
        self.alerts = ()
        self.quiet = False
        self.changes = {}
        self.asked = 0

    def payload(self):
        now = time.time()
        return (
            figures(now, started=now - 7200 - time.monotonic() % 1000, alerts=self.alerts, quiet=self.quiet)
            | self.changes
        )

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if path == BASE:
            body = page(BASE, json.dumps(self.payload()).encode())
            return self.answer(start_response, "200 OK", "text/html; charset=utf-8", body)
        if path == f"{BASE}/json":
            self.asked += 1
            body = json.dumps(self.payload()).encode() if self.status == "200 OK" else b"no"
            return self.answer(start_response, self.status, "application/json", body)
        file = asset(path.removeprefix(f"{BASE}/assets/"))
        if file is None:
            return self.answer(start_response, "404 Not Found", "text/plain", b"")
        kept = ("Cache-Control", "public, max-age=31536000, immutable")
        headers = [kept, ("ETag", file.etag.replace('"', '"gzip-', 1)), ("Content-Encoding", "gzip")]
        return self.answer(start_response, "200 OK", file.content_type, file.gzipped, headers)

    def answer(self, start_response, status, content_type, body, headers=(("Cache-Control", "no-store"),)):
        start_response(status, [
            ("Content-Type", content_type), ("Content-Length", str(len(body))),
            ("Content-Security-Policy", POLICY), ("X-Content-Type-Options", "nosniff"), *headers,
        ])  # fmt: skip
        return [body]


@contextmanager
def running():
    """The site, on a free port, until the block ends."""
    site = Site()
    with make_server("127.0.0.1", 0, site, Server, Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        site.address = f"http://127.0.0.1:{server.server_port}{BASE}"
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
