"""Who may see the monitor's pages: decided by environ alone.

A connection from loopback proves nothing: behind a proxy that adds no field every client has a loopback
address and a loopback Host. So the default asks for a token, and without a configured token nobody gets in.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from hmac import compare_digest
from ipaddress import ip_address
from logging import getLogger
from typing import Any

__all__ = ["Access", "is_local", "presents"]

Environ = dict[str, Any]

logger = getLogger(__name__)

_PORT = re.compile(r":[0-9]{0,5}\Z")
_LONGEST_CREDENTIALS = 4096

#: Environ keys of fields that only proxies add, or that begin so. One of them means that the peer isn't the
#: client.
_BY_PROXIES = (
    "HTTP_FORWARDED", "HTTP_X_FORWARDED", "HTTP_X_REAL_", "HTTP_X_ORIGINAL_", "HTTP_X_PROXYUSER_",
    "HTTP_X_CLIENT_IP", "HTTP_X_CLUSTER_CLIENT_IP", "HTTP_CLIENT_IP", "HTTP_VIA", "HTTP_TRUE_CLIENT_IP",
    "HTTP_CF_", "HTTP_CDN_LOOP", "HTTP_FASTLY_", "HTTP_FLY_", "HTTP_X_AZURE_", "HTTP_X_AMZN_TRACE_ID",
    "HTTP_X_APPENGINE_", "HTTP_X_ENVOY_", "HTTP_X_REQUEST_START", "HTTP_X_QUEUE_START",
)  # fmt: skip


class Access:
    """The rule.

    :param mode: ``"token"``; ``"loopback"``, see `is_local`; or a predicate of environ.
    :param token: for the first, see `presents`. An empty one lets nobody in.
    :raises ValueError: for any other mode.
    """

    def __init__(self, mode: str | Callable[[Environ], object], token: str = "") -> None:
        if not callable(mode) and mode not in ("token", "loopback"):
            raise ValueError(f"access is token, loopback or a function of environ, not {mode!r}")
        self._mode = mode
        self._token = token.encode("utf-8", "surrogatepass") if mode == "token" else b""
        #: Whether it helps to ask a browser's user for the token.
        self.asks = bool(self._token)

    def allows(self, environ: Environ) -> bool:
        """Whether this request may see the pages. A predicate that raises says no, and is logged."""
        if self._mode == "token":
            return presents(environ, self._token)
        if self._mode == "loopback":
            return is_local(environ)
        try:
            return bool(self._mode(environ))  # type: ignore[operator]
        except Exception:
            logger.exception("the monitor's access predicate failed: the request is refused")
            return False


def presents(environ: Environ, token: bytes) -> bool:
    """Whether Authorization holds the token: as Bearer (RFC 6750 section 2.1), or as the password of Basic.

    :param token: an empty one is presented by nobody.

    The user name of Basic (RFC 7617) may be any. Bytes are compared, in a time that tells nothing about them:
    `compare_digest` raises on text that isn't ASCII.
    """
    scheme, _, given = environ.get("HTTP_AUTHORIZATION", "").strip(" \t").partition(" ")
    scheme = scheme.lower()
    try:
        found = given.strip(" \t").encode("latin-1")
    except UnicodeEncodeError:  # against PEP 3333: no client can have sent it
        found = b""
    if scheme == "basic":
        found = _password(found)
    matches = compare_digest(found, token)
    return matches and bool(token) and scheme in ("bearer", "basic")


def is_local(environ: Environ) -> bool:
    """Whether a program on this machine asks, by no proxy that says so, and for no foreign page.

    The peer's address and the Host are loopback ones: a foreign page whose name resolves to 127.0.0.1
    sends its own Host. There is no field that proxies add, and Sec-Fetch-Site, where a browser sends it, says
    that no other site is involved. A unix socket has no address: its other end is a proxy.
    """
    if not _is_loopback(environ.get("REMOTE_ADDR", "")) or not _names_loopback(environ.get("HTTP_HOST", "")):
        return False
    if environ.get("HTTP_SEC_FETCH_SITE", "none").strip(" \t").lower() not in ("none", "same-origin"):
        return False
    return not any(name.startswith(_BY_PROXIES) for name in environ)


def _password(encoded: bytes) -> bytes:
    """What follows the first colon; nothing where it can't be decoded."""
    if len(encoded) > _LONGEST_CREDENTIALS:
        return b""
    try:
        return b64decode(encoded, validate=True).partition(b":")[2]
    except ValueError:
        return b""


def _is_loopback(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    # A server that listens on IPv6 for both sees 127.0.0.1 as ::ffff:127.0.0.1.
    mapped = found.ipv4_mapped if found.version == 6 else None
    return (mapped or found).is_loopback


def _names_loopback(host: str) -> bool:
    name = _PORT.sub("", host.strip(" \t")).lower()
    if name == "localhost":
        return True
    if name.startswith("[") and name.endswith("]"):
        return ":" in name and _is_loopback(name[1:-1])
    return ":" not in name and _is_loopback(name)
