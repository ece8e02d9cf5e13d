"""Questions about requests and about the heads of responses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from fnmatch import translate
from typing import TYPE_CHECKING

from wsgiperf.http.cache_control import parse_directives
from wsgiperf.http.media_type import media_type
from wsgiperf.http.memo import memoised
from wsgiperf.http.storing import UNSTORED_FIELDS
from wsgiperf.media.serving.variants import Pairs, digest

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from wsgiperf.exchange import Exchange
    from wsgiperf.http.headers import Headers

__all__ = [
    "CONVERTIBLE", "asked_width", "counting_cookies", "declared_length", "is_convertible", "is_keepable",
    "kept_fields", "resource_name", "varying",
]  # fmt: skip

#: What is converted. SVG has no pixels; anything else browsers don't show, or hardly meet.
CONVERTIBLE = frozenset(("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"))

#: Request fields by which applications learn where they stand. Each is part of a URL's name here.
_FORWARDING = (
    "HTTP_FORWARDED", "HTTP_FRONT_END_HTTPS", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PATH",
    "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_PREFIX", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_SCHEME",
    "HTTP_X_FORWARDED_SERVER", "HTTP_X_FORWARDED_SSL", "HTTP_X_FORWARDED_URI", "HTTP_X_HOST",
    "HTTP_X_ORIGINAL_HOST", "HTTP_X_ORIGINAL_URI", "HTTP_X_ORIGINAL_URL", "HTTP_X_REWRITE_URL",
    "HTTP_X_SCHEME", "HTTP_X_SCRIPT_NAME",
)  # fmt: skip
_LONGEST_URL = 8192
_MOST_VARYING, _LONGEST_VALUE = 8, 1024

#: Vary names it because of compression; the picture is the same for all.
_OF_CODINGS = "accept-encoding"
#: For one client, or written anew for each response.
_NOT_KEPT = UNSTORED_FIELDS | {"date", "set-cookie", "x-request-id", "server-timing", "traceparent"}


def resource_name(exchange: Exchange) -> str | None:
    """What the record of a URL is kept under; None for a URL that is too long."""
    get = exchange.environ.get
    query: str = get("QUERY_STRING") or ""
    if len(exchange.path) + len(query) > _LONGEST_URL:
        return None
    host = get("HTTP_HOST") or f"{get('SERVER_NAME')}:{get('SERVER_PORT')}"
    forwarded = tuple((name, exchange.environ[name]) for name in _FORWARDING if name in exchange.environ)
    return digest("record", exchange.scheme, host, exchange.mount, exchange.path, query, forwarded)


def asked_width(query: str, allowed: Collection[int]) -> int | None:
    """The width that ``?w=`` asks for, if it is an allowed one; the first counts."""
    for pair in query.split("&"):
        if pair[:2] == "w=":
            digits = pair[2:]
            if len(digits) <= 5 and digits.isascii() and digits.isdecimal() and int(digits) in allowed:
                return int(digits)
            return None
    return None


def declared_length(fields: Mapping[str, str]) -> int | None:
    """Content-Length, where it is a number."""
    value = fields.get("content-length")
    return int(value) if value and len(value) <= 18 and value.isascii() and value.isdecimal() else None


def is_convertible(fields: Mapping[str, str], least: int, most: int) -> str | None:
    """The media type of a response that can be converted by its head; None for any other.

    :param least: bytes; a smaller picture isn't worth it.
    :param most: bytes; a larger one costs too much.
    """
    kind = media_type(fields.get("content-type", ""))
    if kind not in CONVERTIBLE or "content-encoding" in fields:
        return None
    if fields.get("content-disposition", "").lstrip(" \t")[:10].lower() == "attachment":
        return None  # a download is of the file itself
    length = _whole_length(fields)
    if length is not None and not least <= length <= most:
        return None
    return None if "no-transform" in parse_directives(fields.get("cache-control")) else kind


def _whole_length(fields: Mapping[str, str]) -> int | None:
    """Of the whole picture, where a part of it is sent."""
    part = fields.get("content-range")
    if part is None:
        return declared_length(fields)
    size = part.rpartition("/")[2]
    return int(size) if len(size) <= 18 and size.isascii() and size.isdecimal() else None


def is_keepable(environ: WSGIEnvironment, headers: Headers, cookies: Callable[[str], bool]) -> bool:
    """Whether what is made of this response may be kept, and served to others.

    :param cookies: whether a Cookie field counts.
    """
    fields = headers.fields
    directives = parse_directives(fields.get("cache-control"))
    if "private" in directives or "no-store" in directives or "set-cookie" in fields:
        return False
    if "no-store" in parse_directives(environ.get("HTTP_CACHE_CONTROL")):
        return False
    if "public" in directives:
        return True
    # Servers that ask for the password themselves keep the field and name the user.
    if "HTTP_AUTHORIZATION" in environ or environ.get("REMOTE_USER"):
        return False
    return not ("HTTP_COOKIE" in environ and cookies(environ["HTTP_COOKIE"]))


def varying(environ: WSGIEnvironment, vary: str | None) -> tuple[tuple[str, str | None], ...] | None:
    """The request fields that the response depends on, with their values; None where that is too much."""
    names = sorted({name.strip(" \t").lower() for name in (vary or "").split(",")} - {_OF_CODINGS, ""})
    if "*" in names or len(names) > _MOST_VARYING:
        return None
    found = [(f"HTTP_{name.upper().replace('-', '_')}", name) for name in names]
    values = tuple((key, environ.get(key)) for key, _ in found)
    return None if any(value and len(value) > _LONGEST_VALUE for _, value in values) else values


def kept_fields(headers: Headers) -> Pairs:
    """Those of a response that go with every answer made of it."""
    named = {name.strip(" \t").lower() for name in headers.fields.get("connection", "").split(",")}
    return tuple(
        (name, value)
        for name, value in headers.pairs
        if name.lower() not in _NOT_KEPT and name.lower() not in named
    )


def counting_cookies(patterns: Collection[str]) -> Callable[[str], bool]:
    """Whether a Cookie field has a cookie whose name matches none of these patterns: remembered."""
    import re

    matches = re.compile("|".join(map(translate, patterns))).match if patterns else None

    def counts(field: str) -> bool:
        # Some servers join two Cookie lines by a comma.
        names = [pair.partition("=")[0].strip() for pair in field.replace(",", ";").split(";")]
        return any(name and (matches is None or not matches(name)) for name in names)

    return memoised(counts)
