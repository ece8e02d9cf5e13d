"""The PURGE method: for who holds the token, off where none is configured.

::

    PURGE /posts/1 HTTP/1.1
    Host: site.example
    Authorization: Bearer <the option purge_token>

purges the response of that URL: the one that a GET with the same target and Host would be answered with.
With ``X-Purge: prefix`` it purges all whose URLs begin like it, with ``X-Purge: all`` all; with
``Surrogate-Key: a b`` or ``Cache-Tag: a, b`` all that have one of these tags, whatever the URL. With
``X-Soft-Purge: 1`` they are marked stale. The answer is JSON.
"""

from __future__ import annotations

import json
from hmac import compare_digest
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wsgiperf.cache import clock
from wsgiperf.cache.purges import MOST_TAGS, Purge, PurgeError
from wsgiperf.cache.storage import PurgeFailed
from wsgiperf.exchange import Response

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIEnvironment

    from wsgiperf.cache.storage import Storage
    from wsgiperf.exchange import Exchange

__all__ = ["purge_answer"]

_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
#: RFC 9110 section 15.5.2: a 401 says how to do better. It doesn't say whether a token was there.
_CHALLENGE = ("WWW-Authenticate", 'Bearer realm="cache"')


def purge_answer(exchange: Exchange, storage: Storage, token: bytes, url: str | None) -> Response | None:
    """The answer to a PURGE request, after what it asks for is done.

    :param exchange: of a request whose method is PURGE.
    :param storage: what to purge.
    :param token: the one that lets purge; an empty one lets nobody, and None is returned: the request is the
        application's.
    :param url: the request's canonical URL, None where it has none that the cache would store under.
    :returns: 200 with ``{"purged": <how many>}``; 401 for a token that is missing or wrong; 400 for what
        can't be understood, with nothing purged; 500 where a store or a worker may have been missed. How many
        is counted in the shared store, or else in the memory of the process that answers.
    """
    if not token:
        return None
    environ = exchange.environ
    if not _is_authorized(environ.get("HTTP_AUTHORIZATION"), token):
        return _json("401 Unauthorized", {"error": "not authorized"}, _CHALLENGE)
    try:
        purges = [*_asked_for(environ, url)]
    except PurgeError as error:
        return _json("400 Bad Request", {"error": str(error)})
    met, failures = 0, []
    for purge in purges:  # one that fails keeps none of the others from being done
        try:
            met += storage.purge(purge)
        except PurgeFailed as error:
            failures.append(str(error))
    if failures:
        return _json("500 Internal Server Error", {"error": f"may have been missed: {'; '.join(failures)}"})
    return _json("200 OK", {"purged": met})


def _is_authorized(credentials: str | None, token: bytes) -> bool:
    """RFC 6750 section 2.1; the scheme's name in any case (RFC 9110 section 11.1)."""
    scheme, _, given = (credentials or "").strip(" \t").partition(" ")
    # Bytes, for `compare_digest` raises on text that isn't ASCII.
    found = given.lstrip(" ").encode("utf-8", "surrogatepass")
    return compare_digest(found, token) and scheme.lower() == "bearer"


def _asked_for(environ: WSGIEnvironment, url: str | None) -> Iterator[Purge]:
    """What the request's fields say.

    :raises PurgeError: where they can't be understood.
    """
    soft, at = _flag(environ, "HTTP_X_SOFT_PURGE"), clock.now()
    kind = environ.get("HTTP_X_PURGE", "").strip(" \t").lower()
    tags = _tags(environ)
    if kind not in ("", "url", "prefix", "all"):
        raise PurgeError("X-Purge", "url, prefix or all", kind)
    if tags is not None:
        if kind:
            raise PurgeError("X-Purge", "no such field along with Surrogate-Key or Cache-Tag", kind)
        for tag in tags:
            yield Purge.parse("tag", tag, soft=soft, at=at)
    elif kind == "all":
        yield Purge.parse("all", soft=soft, at=at)
    elif url is None:
        raise PurgeError("url", "one that responses are stored under", environ.get("PATH_INFO", ""))
    else:
        # Each character of it stands for one byte, and purges are told in ASCII.
        yield Purge.parse(kind or "url", quote(url, _PRINTABLE, "latin-1"), soft=soft, at=at)


def _tags(environ: WSGIEnvironment) -> list[str] | None:
    """The tags in the request's fields, None where there are no such fields.

    :raises PurgeError: for none, or too many: passing some over would look as if they were purged.
    """
    words: list[str] = []
    fields = [environ.get("HTTP_SURROGATE_KEY"), environ.get("HTTP_CACHE_TAG")]
    if fields == [None, None]:
        return None
    words += (fields[0] or "").replace("\t", " ").split(" ")
    words += [word.strip(" \t") for word in (fields[1] or "").split(",")]
    tags = [*dict.fromkeys(filter(None, words))]
    if not 0 < len(tags) <= MOST_TAGS:
        raise PurgeError("tag", f"1 to {MOST_TAGS} tags", f"{len(tags)} tags")
    return tags


def _flag(environ: WSGIEnvironment, name: str) -> bool:
    value = environ.get(name, "").strip(" \t")
    if value not in ("", "0", "1"):
        raise PurgeError("X-Soft-Purge", "0 or 1", value)
    return bool(value == "1")


def _json(status: str, content: dict[str, Any], *more: tuple[str, str]) -> Response:
    body = json.dumps(content).encode("ascii") + b"\n"
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), *more]
    return Response(status, headers, [body])
