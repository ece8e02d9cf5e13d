"""Calls of the application that no visitor waits for: to refresh what was served stale.

A refresh runs with a request of its own: the URL, and of the visitor's fields only those that say what is
wanted. Nothing in it tells who came by: no cookies nor credentials (but those in the key), no condition, no
range, no body and no socket.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Collection
from io import BytesIO
from typing import TYPE_CHECKING, Any

from wsgiperf.cache.key import cookies
from wsgiperf.caching_rules import COOKIE

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

__all__ = ["REFRESH", "Refresher", "environ_for_refresh", "run"]

#: The environ key of the nonce that the security part offers.
NONCE = "wsgiperf.csp_nonce"

_log = logging.getLogger("wsgiperf.cache")

#: The environ key that marks a refresh; no client can set it, for it has no HTTP_ before it.
REFRESH = "wsgiperf.cache.refresh"

#: Refreshes that wait for a thread; beyond, the next visitor asks again.
MOST_WAITING = 256

_KEPT = frozenset(
    (
        "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "RAW_URI", "SCRIPT_NAME", "SERVER_NAME", "SERVER_PORT",
        "SERVER_PROTOCOL", "SERVER_SOFTWARE", "REMOTE_ADDR", "HTTPS", "wsgi.version", "wsgi.url_scheme",
        "wsgi.errors", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once",
    )
)  # fmt: skip
_DROPPED = frozenset(
    (
        "HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION", "HTTP_RANGE", "HTTP_IF_RANGE",
        "HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE",
        "HTTP_CACHE_CONTROL", "HTTP_PRAGMA", "HTTP_EXPECT", "HTTP_UPGRADE", "HTTP_CONNECTION",
        "HTTP_TRANSFER_ENCODING", "HTTP_X_REQUEST_ID", "HTTP_TRACEPARENT", "HTTP_TRACESTATE",
    )
)  # fmt: skip


def environ_for_refresh(environ: WSGIEnvironment, keyed: Collection[str] = ()) -> WSGIEnvironment:
    """A request for the same thing on nobody's behalf.

    :param keyed: environ keys that are part of the entry's key, and so have to stay.
    """
    fresh = {
        name: value
        for name, value in environ.items()
        if name in _KEPT or name in keyed or (name[:5] == "HTTP_" and name not in _DROPPED)
    }
    named = {name[len(COOKIE) :] for name in keyed if name.startswith(COOKIE)}
    if named:
        fresh["HTTP_COOKIE"] = "; ".join(f"{n}={v}" for n, v in cookies(environ) if n in named)
    if (nonce := environ.get(NONCE)) is not None:
        fresh[NONCE] = type(nonce)()  # the page's own: without one it would be stored without
    fresh["REQUEST_METHOD"] = "GET"
    fresh["wsgi.input"] = BytesIO(b"")
    fresh[REFRESH] = True
    return fresh


def run(app: WSGIApplication, environ: WSGIEnvironment) -> None:
    """Call an application to the end of its body, for what the cache in it learns from that."""
    body = app(environ, _start_response)
    try:
        for _ in body:
            pass
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()


def _start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
    return lambda data: None


class Refresher:
    """A few daemon threads, started when there is something to do, in the process that has it to do.

    :param threads: at most so many.
    """

    def __init__(self, threads: int) -> None:
        self._most = threads
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._tasks: deque[tuple[str, Callable[[], object]]] = deque()
        self._keys: set[str] = set()
        self._wake = threading.Semaphore(0)
        self._running = 0
        self._idle = 0
        self._lock = threading.Lock()

    def schedule(self, key: str, task: Callable[[], object]) -> bool:
        """Have a task run soon; False where one for that key waits already, or too many do."""
        if self._pid != os.getpid():
            self._begin()
        with self._lock:
            if key in self._keys or len(self._keys) >= MOST_WAITING:
                return False
            self._keys.add(key)
            self._tasks.append((key, task))
            start = not self._idle and self._running < self._most
            if start:
                self._running += 1
        self._wake.release()
        if start:
            try:
                threading.Thread(target=self._work, name="wsgiperf-refresh", daemon=True).start()
            except RuntimeError:  # the interpreter ends
                self._running -= 1
        return True

    def _work(self) -> None:
        while True:
            self._idle += 1
            self._wake.acquire()
            self._idle -= 1
            key, task = self._tasks.popleft()
            try:
                task()
            except Exception:
                _log.exception("a refresh failed; what is stored stays as it is")
            finally:
                with self._lock:
                    self._keys.discard(key)
