"""The webhook: an alert as JSON to a URL, within a time limit that holds whatever the receiver does.

The body of the POST is one object::

    {"id", "event", "at", "metric", "severity", "subject", "value", "threshold", "message",
     "delivery", "text"}

``id`` is the alert's, the same when it fires and when it clears. ``delivery`` is it and a number, the same
for each attempt at this one change; it is also in the header ``Idempotency-Key``
(draft-ietf-httpapi-idempotency-key-header), so a receiver that drops what it has seen already gets each
change once. ``text`` is for chat services that take such a field. The rest is as `Change` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wsgiperf.http.headers import check_field
from wsgiperf.monitor.alerting.sinks import DeliveryError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from wsgiperf.monitor.alerting.records import Change

__all__ = ["WebhookSink", "payload"]

#: Seconds for one attempt.
LIMIT = 5.0
_OURS = frozenset(
    ("host", "content-type", "content-length", "transfer-encoding", "idempotency-key", "connection")
)


class WebhookSink:
    """Posts each change to a URL.

    Anything but a 2xx status is a failure, a redirect too: none is followed, so that no receiver sends alerts
    elsewhere. Proxies named in the environment aren't used. Certificates are verified.

    :param url: http or https; a user and password in it are sent as HTTP Basic authorization.
    :param seconds: for one attempt: connecting, TLS, sending and the answer's head in all. Only the resolver
        of names keeps to its own limits.
    :param headers: sent besides, such as Authorization.
    :raises ValueError: for a URL or a field that can't be.
    """

    def __init__(self, url: str, seconds: float = LIMIT, headers: Mapping[str, str] | None = None) -> None:
        from urllib.parse import quote, urlsplit

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable():
            raise ValueError("a webhook's URL begins with http:// or https:// and a host")
        for name, value in (headers or {}).items():
            check_field(name, value)
            if name.lower() in _OURS:
                raise ValueError(f"a webhook sets {name} itself")
        self._tls = parts.scheme == "https"
        self._host = parts.hostname.encode("idna").decode("ascii")
        self._port = parts.port or (443 if self._tls else 80)
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
        query = quote(parts.query, safe="/?%:@!$&'()*+,;=~")
        self._target = f"{target}?{query}" if query else target
        self._seconds = seconds
        named = f"[{self._host}]" if ":" in self._host else self._host
        self._headers = {
            "Host": named if parts.port is None else f"{named}:{parts.port}",
            **_authorization(parts),
            **(headers or {}),
        }

    def __call__(self, change: Change) -> None:
        """One attempt.

        :raises DeliveryError: where it wasn't answered with a 2xx status in time.
        """
        from http.client import HTTPException

        try:
            status = self._post(change)
        except (OSError, HTTPException) as error:
            # Never the URL: a token is often part of it.
            raise DeliveryError(f"{self._host}: {type(error).__name__}: {error}") from error
        if not 200 <= status <= 299:
            raise DeliveryError(f"{self._host} answered with status {status}")

    def _post(self, change: Change) -> int:
        from http.client import HTTPResponse
        from ssl import create_default_context

        from wsgiperf.monitor.health.connecting import Connection, Deadline, connected

        deadline = Deadline(self._seconds)
        sock = connected(self._host, self._port, deadline, create_default_context() if self._tls else None)
        try:
            connection = Connection(sock, deadline)
            connection.sendall(self._request(change))
            response = HTTPResponse(connection, method="POST")  # type: ignore[arg-type]
            response.begin()
            return response.status
        finally:
            sock.close()

    def _request(self, change: Change) -> bytes:
        body = payload(change)
        fields = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Idempotency-Key": f'"{change.delivery}"',
            "User-Agent": "wsgiperf",
            "Connection": "close",
            **self._headers,
        }
        head = "".join([f"{name}: {value}\r\n" for name, value in fields.items()])
        return f"POST {self._target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def payload(change: Change) -> bytes:
    """The body."""
    from json import dumps

    said: dict[str, Any] = change.record()
    state = change.severity if change.event == "fired" else change.event
    said |= {"delivery": change.delivery, "text": f"[{state}] {change.message}"}
    return dumps(said).encode("ascii")


def _authorization(parts: SplitResult) -> dict[str, str]:
    """RFC 7617."""
    if parts.username is None:
        return {}
    from base64 import b64encode
    from urllib.parse import unquote

    both = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return {"Authorization": "Basic " + b64encode(both).decode("ascii")}
