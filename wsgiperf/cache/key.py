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
    "OVERRIDES",
    "Keys",
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

#: Bounds of what is remembered of requests: a quarter of a megabyte, for it is clients who fill it.
MOST_REMEMBERED, LONGEST_REMEMBERED = 512, 256

#: Request headers by which applications learn where they stand, or by which frameworks route. (`Forwarded`
#: and X-Forwarded-For name the client too, so the first is taken apart and the second is left out.)
FORWARDING = (
    "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_SCHEME", "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX", "HTTP_X_FORWARDED_SERVER", "HTTP_X_FORWARDED_SSL", "HTTP_X_HOST",
    "HTTP_X_SCHEME", "HTTP_X_SCRIPT_NAME", "HTTP_X_ORIGINAL_URL", "HTTP_X_REWRITE_URL",
    "HTTP_FRONT_END_HTTPS", "HTTP_FORWARDED", "HTTP_X_FORWARDED_PROTOCOL", "HTTP_X_FORWARDED_PATH",
    "HTTP_X_FORWARDED_URI",
    "HTTP_X_ORIGINAL_HOST", "HTTP_X_ORIGINAL_URI", "HTTP_X_HTTP_HOST_OVERRIDE", "HTTP_X_URL_SCHEME",
)  # fmt: skip
#: By which some frameworks take a GET for another method: such a request passes the cache by.
OVERRIDES = ("HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_HTTP_METHOD", "HTTP_X_METHOD_OVERRIDE")

_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_")
_ADDRESS_CHARACTERS = frozenset("0123456789abcdef:.")
# RFC 3986 section 3.3: what stands in a path as it is. PATH_INFO is decoded, so a question mark in it is not
# the query's, and a percent sign is one.
_IN_PATHS = "/!$&'()*+,;=:@-._~ \"<>\\^`{|}"
_DEFAULT_PORTS = {"http": "80", "https": "443"}
# Of a key beside its URL. What is longer is told apart by a hash, so that a Cookie of 8 KB makes no such key.
_LONGEST_PART = 512


def canonical_origin(origin: str) -> str | None:
    """``scheme://host[:port]`` in lower case without the scheme's own port; None where it isn't one.

    RFC 3986 section 3.2.2 and 3.2.3. Strict, because what is dropped here the application still sees: if
    ``host:8080:80`` counted as ``host:8080``, a link made from the one would be stored for the other.
    """
    scheme, _, host = origin.lower().partition("://")
    port = ""
    if host[:1] == "[":
        address, bracket, rest = host[1:].partition("]")
        if not bracket or not _ADDRESS_CHARACTERS.issuperset(address) or rest[:1] not in ("", ":"):
            return None
        name, port = f"[{address}]", rest[1:]
    else:
        name, _, port = host.partition(":")
        if not name or not _NAME_CHARACTERS.issuperset(name):
            return None
    if not origin.isascii() or (port and not port.isdigit()):
        return None
    return (
        f"{scheme}://{name}:{port}" if port and port != _DEFAULT_PORTS.get(scheme) else f"{scheme}://{name}"
    )


_origin = memoised(canonical_origin)


def path_of(path: str) -> str:
    """A decoded path (latin-1 characters that stand for bytes) as keys have it."""
    if path.isascii() and path.isprintable() and "?" not in path and "%" not in path and "#" not in path:
        return path
    return quote(path, safe=_IN_PATHS, encoding="latin-1")


class Keys:
    """Finds the canonical URLs of requests, and remembers them: most are asked for again.

    :param query: as for `keyed_url`.
    """

    __slots__ = ("_known", "_query")

    def __init__(self, query: Callable[[str], str] | None) -> None:
        self._query = query
        self._known: dict[tuple[str, str | None, str, str, str | None], str] = {}

    def of(self, exchange: Exchange) -> str | None:
        """What `keyed_url` returns."""
        get = exchange.environ.get
        asked = (exchange.scheme, get("HTTP_HOST"), exchange.mount, exchange.path, get("QUERY_STRING"))
        return self._known.get(asked) or self._learn(exchange, asked)

    def _learn(self, exchange: Exchange, asked: tuple[str, str | None, str, str, str | None]) -> str | None:
        key = keyed_url(exchange, self._query)
        # Without a Host the name of the server stands in for it, which isn't among what is remembered.
        # Nor is a query that is long though little of it counts.
        if (
            key is not None
            and asked[1]
            and len(key) <= LONGEST_REMEMBERED
            and len(asked[4] or "") <= LONGEST_REMEMBERED
        ):
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[asked] = key
        return key


def keyed_url(exchange: Exchange, query: Callable[[str], str] | None) -> str | None:
    """The canonical URL of a request, or None where there is none that is safe to be kept under.

    :param query: takes ignored parameters out of a query string, None where none are ignored.
    """
    environ = exchange.environ
    host: str | None = environ.get("HTTP_HOST")
    if host is None:
        host = _server_name(environ)
    if len(host) > 255:
        return None
    origin = _origin(f"{exchange.scheme}://{host}")
    if origin is None:
        return None
    path = exchange.mount + exchange.path
    if path[:1] != "/" and path:
        return None  # it would go on where the host ends: "a" and "b.example/" are not "ab.example" and "/"
    if not (
        path.isascii() and path.isprintable() and "?" not in path and "%" not in path and "#" not in path
    ):
        try:
            path = path_of(path)
        except UnicodeEncodeError:
            return None  # no server's: PEP 3333 has latin-1 only
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
    return _bounded("&".join(found))


def _where(value: str) -> str:
    """Of a Forwarded field (RFC 7239 section 4) all but who the client and the proxies are.

    Where an element ends stays seen: some believe the first proxy, some the last.
    """
    elements = [
        [pair for pair in map(str.strip, element.split(";")) if not pair.startswith(("for=", "by="))]
        for element in value.lower().split(",")
    ]
    return ",".join(map(";".join, elements))


def _one_line(value: str) -> str:
    return value.replace("%", "%25").replace("\n", "%0A").replace("&", "%26")


def secondary(environ: WSGIEnvironment, names: Iterable[str]) -> str:
    """The secondary key: the request's values of these environ keys, each in its normal form."""
    return _bounded("\n".join([f"{name}={_value(environ, name)}" for name in names]))


def _bounded(part: str) -> str:
    """A part of a key, or its hash where it is long; no part begins as that does."""
    if len(part) <= _LONGEST_PART:
        return part
    from hashlib import sha256

    return "#" + sha256(part.encode("utf-8", "surrogatepass")).hexdigest()


def _value(environ: WSGIEnvironment, name: str) -> str:
    """Absent is ``-``; what is there begins with ``+`` or ``*``, with ``!`` where a line ends within it."""
    if name.startswith(COOKIE):
        field = str(environ.get("HTTP_COOKIE", ""))
        if "," in field or '"' in field:
            # Where these separate or protect, parsers differ: all of it, so that none can be misled.
            value = "*" + field
        else:
            values = [value for cookie, value in cookies(environ) if cookie == name[len(COOKIE) :]]
            value = "+" + ";".join(values) if values else "-"
    else:
        value = _normal(name, environ.get(name))
    # Servers let no such request in; whoever calls us without one may.
    return value if "\n" not in value else "!" + quote(value, encoding="utf-8", errors="surrogatepass")


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
        return "+" + value
    return "+" + ",".join([member.strip(" \t") for member in value.split(",")])


def _sorted_members(value: str) -> str:
    # Space means nothing around the separators; within a member it makes another one, or nonsense, which the
    # application may answer as it likes.
    members = [
        ";".join([word.strip(" \t") for word in member.split(";")]) for member in value.lower().split(",")
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
