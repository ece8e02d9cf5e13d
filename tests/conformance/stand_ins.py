"""What may stand in the cache's place, to see that cases can fail."""

from __future__ import annotations

import threading


def bare(app):
    """No cache at all."""
    return app


def greedy(app):
    """Keeps the first response of every URL for ever, and answers everything with it."""
    kept: dict[tuple[str, str], tuple[str, list, list[bytes]]] = {}
    lock = threading.Lock()

    def keeping(environ, start_response):
        key = (environ["PATH_INFO"], environ.get("QUERY_STRING", ""))
        with lock:
            if key not in kept:
                kept[key] = fetch(environ)
        status, fields, blocks = kept[key]
        start_response(status, fields)
        return blocks

    def fetch(environ):
        head: list = []
        written: list[bytes] = []

        def start(status, fields, exc_info=None):
            head[:] = [status, fields]
            return written.append

        try:
            body = app(environ, start)
        except RuntimeError:
            return "500 Internal Server Error", [], []
        try:
            written.extend(iter(body))
        except RuntimeError:
            pass
        finally:
            getattr(body, "close", int)()
        fields = [(name, value) for name, value in head[1] if name.lower() != "content-length"]
        return head[0], fields, written

    return keeping


NAMES = {"bare": bare, "greedy": greedy}
