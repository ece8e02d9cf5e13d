"""Cache keys: what makes two requests ask for the same thing (RFC 9111 section 2).

The primary key is the target URI in one canonical spelling. The secondary key is made of the request fields
that the stored response's Vary names (section 4.1), in a normal form, so that ``en, de`` and ``en,de`` meet.

A key is only safe when all that shapes the response stands in it. Applications build links from forwarding
headers, and some frameworks route by them; whatever of these a client sends is therefore part of the key: a
forged one makes an entry that only its forger is ever answered from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from fnmatch import translate
from typing import TYPE_CHECKING
from urllib.parse import quote

from wsgiperf.caching_rules import COOKIE
from wsgiperf.http.memo import memoised

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from wsgiperf.exchange import Exchange

__all__ = [
    "FORWARDING",
    "LONGEST_KEY",
    "canonical_origin",
    "environ_name",
    "forwarded",
    "keyed_url",
    "matcher",
    "path_of",
    "secondary",
    "vary_names",
]

#: Characters. A longer URL is not cached.
LONGEST_KEY = 2048

#: Request headers by which applications learn where they stand, or by which frameworks route. (`Forwarded`
#: and X-Forwarded-For name the client too, so the first is taken apart and the second is left out.)
FORWARDING = (
    "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_SCHEME", "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX", "HTTP_X_FORWARDED_SERVER", "HTTP_X_FORWARDED_SSL", "HTTP_X_HOST",
    "HTTP_X_SCHEME", "HTTP_X_SCRIPT_NAME", "HTTP_X_ORIGINAL_URL", "HTTP_X_REWRITE_URL",
    "HTTP_FRONT_END_HTTPS", "HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_HTTP_METHOD", "HTTP_X_METHOD_OVERRIDE",
    "HTTP_FORWARDED",
)  # fmt: skip

_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_:[]")
# RFC 3986 section 3.3: what stands in a path as it is. PATH_INFO is decoded, so a question mark in it is not
# the query's, and a percent sign is one.
_IN_PATHS = "/!$&'()*+,;=:@-._~ \"<>\\^`{|}"
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def canonical_origin(origin: str) -> str | None:
    """``scheme://host[:port]`` in lower case without the scheme's own port; None where it isn't one."""
    scheme, _, host = origin.lower().partition("://")
    host = host.removesuffix(_DEFAULT_PORTS.get(scheme, "\n")).removesuffix(":")
    if not host or not _HOST_CHARACTERS.issuperset(host):
        return None
    return f"{scheme}://{host}"


_origin = memoised(canonical_origin)


def path_of(path: str) -> str:
    """A decoded path (latin-1 characters that stand for bytes) as keys have it."""
    if path.isascii() and path.isprintable() and "?" not in path and "%" not in path and "#" not in path:
        return path
    return quote(path.encode("latin-1", "replace"), safe=_IN_PATHS)


def keyed_url(exchange: Exchange, query: Callable[[str], str] | None) -> str | None:
    """The canonical URL of a request, or None where there is none that is safe to be kept under.

    :param query: takes ignored parameters out of a query string, None where none are ignored.
    """
    environ = exchange.environ
    host = environ.get("HTTP_HOST") or _server_name(environ)
    if len(host) > 255:
        return None
    origin = _origin(f"{exchange.scheme}://{host}")
    if origin is None:
        return None
    path = exchange.mount + exchange.path
    if not (
        path.isascii() and path.isprintable() and "?" not in path and "%" not in path and "#" not in path
    ):
        path = path_of(path)
    search: str = environ.get("QUERY_STRING") or ""
    if search and query is not None:
        search = query(search)
    url = f"{origin}{path or '/'}?{search}" if search else f"{origin}{path or '/'}"
    # The server took care that no line ends within; whoever calls us without one may not have.
    return url if len(url) <= LONGEST_KEY and "\n" not in url else None


def _server_name(environ: WSGIEnvironment) -> str:
    """PEP 3333: what stands for the host where an HTTP/1.0 client names none."""
    return f"{environ.get('SERVER_NAME', '')}:{environ.get('SERVER_PORT', '')}"


def forwarded(environ: WSGIEnvironment, names: Iterable[str]) -> str:
    """What forwarding headers say of where the application stands, as part of a key."""
    found = []
    for name in FORWARDING:
        if name in names:
            value = environ[name]
            if name == "HTTP_FORWARDED":
                value = _where(value)
            found.append(f"{name[5:].lower()}={_one_line(value)}")
    return "&".join(found)


def _where(value: str) -> str:
    """Of a Forwarded field (RFC 7239 section 4) all but who the client and the proxies are."""
    members = value.lower().replace(",", ";").split(";")
    words = [member.strip() for member in members]
    return ";".join(word for word in words if not word.startswith(("for=", "by=")))


def _one_line(value: str) -> str:
    return value.replace("%", "%25").replace("\n", "%0A").replace("&", "%26")


def secondary(environ: WSGIEnvironment, names: Iterable[str]) -> str:
    """The secondary key: the request's values of these environ keys, each in its normal form."""
    return "\n".join([f"{name}={_value(environ, name)}" for name in names])


def _value(environ: WSGIEnvironment, name: str) -> str:
    if name.startswith(COOKIE):
        values = [value for cookie, value in cookies(environ) if cookie == name[len(COOKIE) :]]
        return ";".join(values).replace("\n", " ") if values else "-"
    return _normal(name, environ.get(name))


def cookies(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    """The cookies of a request: RFC 6265 section 5.4."""
    found = []
    for pair in str(environ.get("HTTP_COOKIE", "")).split(";"):
        name, _, value = pair.partition("=")
        if name.strip():
            found.append((name.strip(), value.strip()))
    return found


def vary_names(vary: str | None, encoded: bool) -> tuple[str, ...]:
    """The environ keys of the request fields that a Vary names, remembered.

    :param encoded: the response has a Content-Encoding. One that has none may be sent to whoever asks:
        which coding it is sent in is decided outside of the cache, so Accept-Encoding is left out.
    """
    if vary is None:
        return ()
    names = _vary_names(vary)
    return names if encoded else tuple(name for name in names if name != "HTTP_ACCEPT_ENCODING")


def environ_name(field: str) -> str:
    """The environ key of a request field."""
    name = field.strip(" \t").upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


@memoised
def _vary_names(vary: str) -> tuple[str, ...]:
    return tuple(sorted({environ_name(name) for name in vary.split(",") if name.strip(" \t")}))


def _normal(name: str, value: str | None) -> str:
    """RFC 9111 section 4.1 lets a cache take as equal what the field's definition makes equal.

    Absent is not empty. Spacing around list members means nothing in a list field; in the fields of proactive
    negotiation neither does case, nor the order of members, for preference is told by their weights
    (RFC 9110 section 12.4.2).
    """
    if value is None:
        return "-"
    if name in _NEGOTIATED:
        return "+" + _negotiated(value)
    if name == "HTTP_COOKIE" or len(value) > 1024:
        return "+" + value.replace("\n", " ")
    return "+" + ",".join([member.strip(" \t") for member in value.replace("\n", " ").split(",")])


def _sorted_members(value: str) -> str:
    members = [
        member.replace(" ", "").replace("\t", "") for member in value.lower().replace("\n", "").split(",")
    ]
    return ",".join(sorted(filter(None, members)))


_NEGOTIATED = frozenset(
    ("HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT_CHARSET")
)
_negotiated = memoised(_sorted_members)


def matcher(patterns: Collection[str]) -> Callable[[str], bool] | None:
    """A predicate of names for patterns such as ``utm_*``; None for no patterns."""
    if not patterns:
        return None
    import re

    return re.compile("|".join(translate(pattern) for pattern in patterns)).match  # type: ignore[return-value]
