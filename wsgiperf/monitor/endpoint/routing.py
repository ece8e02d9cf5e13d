"""Which page is where, and how it is sent.

The monitor is outermost: nothing outside compresses its pages or adds headers to them.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Collection, Mapping
from logging import getLogger
from typing import TYPE_CHECKING, Any

from wsgiperf.exchange import Response
from wsgiperf.http.accept import negotiator
from wsgiperf.http.etag import etags, weak_match, with_coding
from wsgiperf.monitor.dashboard import page as dashboard
from wsgiperf.monitor.endpoint.access import Access
from wsgiperf.monitor.endpoint.families import OPENMETRICS_TYPE, TEXT_TYPE
from wsgiperf.monitor.endpoint.negotiation import prefers_html, wants_openmetrics
from wsgiperf.monitor.endpoint.payload import document, encode
from wsgiperf.monitor.endpoint.prometheus import exposition
from wsgiperf.monitor.endpoint.published import services
from wsgiperf.monitor.health.results import ready

if TYPE_CHECKING:
    from wsgiperf.exchange import Exchange
    from wsgiperf.health_checks import HealthCheck
    from wsgiperf.monitor.snapshot import Snapshot

__all__ = ["Endpoint"]

Field = tuple[str, str]

logger = getLogger(__name__)

_JSON = "application/json"
_YEAR = 31_536_000
#: From here on compression is worth a client's while.
_WORTH_IT = 1024
# The metrics of 200 series, 535 kB: 0.8 ms for 22 kB. The next level takes twice as long and saves 3%.
_LEVEL = 3

_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
_COMMON = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
_NO_STORE = ("Cache-Control", "no-store")
# RFC 7617: the charset that passwords are sent in.
_CHALLENGE = ("WWW-Authenticate", 'Basic realm="monitor", charset="UTF-8"')

_codings = negotiator(("gzip",))


class Endpoint:
    """The monitor's pages, at a path of their own.

    :param path: such as ``/_stats``.
    :param metrics_path: one more place for the metrics, such as ``/metrics``; empty for none.
    :param access: who may see all of them.
    :param snapshot: takes the figures as they are now.
    :param board: what the sampler published last, ``{}`` for nothing.
    :param counters: the same as `snapshot` for all that the metrics need, where that is less work.
    :param checks: the health checks; `health.results.ready` says what they mean for readiness.

    Below the path: the dashboard, or for who doesn't prefer HTML the figures as JSON, which ``/json`` always
    are; ``/metrics``; ``/health/live`` and ``/health/ready``; ``/assets/...``, what the dashboard loads.
    """

    def __init__(
        self,
        path: str,
        metrics_path: str,
        access: Access,
        snapshot: Callable[[], Snapshot],
        board: Callable[[], Mapping[str, Any]],
        *,
        counters: Callable[[], Snapshot] | None = None,
        checks: Collection[HealthCheck] = (),
    ) -> None:
        self._path = _as_in_environ(path)
        self._below = f"{self._path}/"
        metrics = _as_in_environ(metrics_path)
        self._metrics = (metrics, f"{metrics}/") if metrics else ()
        self._access, self._snapshot, self._read_board = access, snapshot, board
        self._counters = counters or snapshot
        self._checks = tuple(checks)
        self._pages: dict[str, Callable[[Exchange], Response]] = {
            "": self._overview,
            "json": self._json,
            "metrics": self._exposition,
            "metrics/": self._exposition,
            "health/live": self._live,
            "health/ready": self._ready,
        }

    def answer(self, exchange: Exchange) -> Response | None:
        """The response where the request is for one of the pages; None where it is the application's.

        Who may not see them gets the 404 that a page which isn't there has. A browser that asks for the
        dashboard is asked for the token instead, where there is one.
        """
        place = self._place(exchange.path)
        if place is None:
            return None
        if not self._access.allows(exchange.environ):
            return self._refusal(exchange, place)
        if exchange.method not in ("GET", "HEAD"):
            return _plain("405 Method Not Allowed", ("Allow", "GET, HEAD"))
        try:
            if place.startswith("assets/"):
                return _asset(exchange, place.removeprefix("assets/"))
            page = self._pages.get(place)
            return _plain("404 Not Found") if page is None else page(exchange)
        except Exception:
            logger.exception("the monitor could not answer")
            return _plain("500 Internal Server Error")

    def _place(self, path: str) -> str | None:
        """What of the path says which page; None for paths that aren't ours."""
        if path == self._path:
            return ""
        if path.startswith(self._below):
            return path[len(self._below) :]
        return "metrics" if path in self._metrics else None

    def _refusal(self, exchange: Exchange, place: str) -> Response:
        asked = exchange.method in ("GET", "HEAD") and prefers_html(exchange.environ.get("HTTP_ACCEPT"))
        if place == "" and asked and self._access.asks:
            return _plain("401 Unauthorized", _CHALLENGE)
        return _plain("404 Not Found")

    # -- the pages

    def _overview(self, exchange: Exchange) -> Response:
        if not prefers_html(exchange.environ.get("HTTP_ACCEPT")):
            return self._json(exchange)
        body = dashboard.page(exchange.mount + self._path, self._document())
        fields = [_NO_STORE, ("Content-Security-Policy", dashboard.POLICY)]
        return _encoded(exchange, body, "text/html; charset=utf-8", fields)

    def _json(self, exchange: Exchange) -> Response:
        return _data(exchange, self._document(), _JSON)

    def _exposition(self, exchange: Exchange) -> Response:
        openmetrics = wants_openmetrics(exchange.environ.get("HTTP_ACCEPT"))
        body = exposition(self._counters(), self._board(), openmetrics=openmetrics)
        return _data(exchange, body, OPENMETRICS_TYPE if openmetrics else TEXT_TYPE)

    def _live(self, exchange: Exchange) -> Response:
        return _data(exchange, b'{"status":"ok"}', _JSON)

    def _ready(self, exchange: Exchange) -> Response:
        found = services(self._board())
        missing = [check for check in self._checks if not ready(found, (check,))]
        body = {
            "status": "failing" if missing else "ok",
            "failing": [{"name": check.name, "region": check.region} for check in missing],
        }
        return _data(exchange, encode(body), _JSON, "503 Service Unavailable" if missing else "200 OK")

    def _document(self) -> bytes:
        return document(self._snapshot(), self._board())

    def _board(self) -> Mapping[str, Any]:
        """Without it most figures are there all the same."""
        try:
            board = self._read_board()
        except Exception:
            logger.exception("what the monitor's sampler published could not be read")
            return {}
        return board if isinstance(board, Mapping) else {}


def _as_in_environ(path: str) -> str:
    return path.rstrip("/").encode().decode("latin-1")


def _plain(status: str, *fields: Field) -> Response:
    """A response that says no more than its status."""
    body = f"{status[4:]}\n".encode("ascii")
    length = ("Content-Length", str(len(body)))
    return Response(status, [("Content-Type", "text/plain"), length, _NO_STORE, *fields], [body])


def _data(exchange: Exchange, body: bytes, content_type: str, status: str = "200 OK") -> Response:
    fields = [_NO_STORE, ("Content-Security-Policy", _DATA_POLICY)]
    return _encoded(exchange, body, content_type, fields, status)


def _encoded(
    exchange: Exchange,
    body: bytes,
    content_type: str,
    fields: list[Field],
    status: str = "200 OK",
) -> Response:
    """A response, compressed where the client likes that and it helps."""
    fields = [("Content-Type", content_type), ("Vary", "Accept, Accept-Encoding"), *fields, *_COMMON]
    if len(body) >= _WORTH_IT and _codings(exchange.accept_encoding).coding is not None:
        body = gzip.compress(body, _LEVEL, mtime=0)
        fields.append(("Content-Encoding", "gzip"))
    return Response(status, [*fields, ("Content-Length", str(len(body)))], [body])


def _asset(exchange: Exchange, name: str) -> Response:
    """A file whose address changes with its content. RFC 9110 section 13.1.2 for what the browser has."""
    found = dashboard.asset(name)
    if found is None:
        return _plain("404 Not Found")
    zipped = _codings(exchange.accept_encoding).coding is not None
    tag = with_coding(found.etag, "gzip") if zipped else found.etag
    fields = [
        ("ETag", tag),
        ("Cache-Control", f"private, max-age={_YEAR}, immutable"),
        ("Vary", "Accept-Encoding"),
    ]
    known = etags(exchange.environ.get("HTTP_IF_NONE_MATCH", ""))
    if any(one == "*" or weak_match(one, tag) for one in known):
        return Response("304 Not Modified", [*fields, *_COMMON])
    body = found.gzipped if zipped else found.body
    fields += [("Content-Type", found.content_type), ("Content-Length", str(len(body)))]
    fields += [("Content-Encoding", "gzip")] if zipped else []
    return Response("200 OK", [*fields, ("Content-Security-Policy", _DATA_POLICY), *_COMMON], [body])
