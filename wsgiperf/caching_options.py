"""What an application says of one response to the cache, as the decorators of the hosts write it down.

It stands in environ, under ``["wsgiperf.options"]["cache"]``: False keeps the cache away from the response; a
dictionary gives it a lifetime, tags for purges, and says whether it is the same for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wsgiperf.errors import SettingsError
from wsgiperf.exchange import OPTIONS, current
from wsgiperf.settings import YEAR

__all__ = ["LONGEST_TAG", "MOST_TAGS", "cache_tags", "caching_options", "put_options"]

#: Characters of a tag, and tags of a response: what a purge can name.
LONGEST_TAG = 256
MOST_TAGS = 64

_TAGS = f"up to {MOST_TAGS} tags, each 1 to {LONGEST_TAG} printable ASCII characters without spaces"


def caching_options(
    ttl: float | None = None, tags: Iterable[str] = (), *, shared: bool = False
) -> dict[str, Any]:
    """The options of a response, checked.

    :param ttl: how long it is fresh, in seconds, up to a year; None leaves that to its header fields.
    :param tags: by which it can be purged.
    :param shared: it is the same for everybody, whatever cookies or credentials a request carries. Otherwise
        it is stored for, and served to, only those who send none (but ignored ones).
    :raises SettingsError: for a bad value, and for `shared` without a `ttl`.
    """
    options: dict[str, Any] = {"tags": _checked(tags)}
    if not isinstance(shared, bool):
        raise SettingsError("cache.shared", "true or false", value=shared)
    if ttl is not None:
        if isinstance(ttl, bool) or not isinstance(ttl, (int, float)) or not 0 <= ttl <= YEAR:
            raise SettingsError("cache.ttl", f"a number of seconds from 0 to {YEAR}, or None", value=ttl)
        options["ttl"] = ttl
    elif shared:
        # Who answers for its being the same for everybody says for how long; header fields speak for both.
        raise SettingsError("cache.shared", "a ttl along with shared=True", value=shared)
    return {**options, "shared": shared}


def put_options(environ: dict[str, Any], sections: dict[str, Any]) -> None:
    """Leave options for the response to this request; of two that speak of one part the later counts.

    Tags are the exception: the response has all of them.

    :param sections: by section name; not changed, and nothing in it is ever changed.
    """
    options = environ.setdefault(OPTIONS, {})
    before = options.get("cache")
    options.update(sections)
    chosen = sections.get("cache")
    if isinstance(chosen, dict):
        earlier = before.get("tags", ()) if isinstance(before, dict) else ()
        options["cache"] = {**chosen, "tags": [*dict.fromkeys((*earlier, *chosen.get("tags", ())))]}


def cache_tags(*tags: str) -> None:
    """Give the response to the current request more tags, by which it can be purged.

    To be called before the response's first byte is there, from any code that runs for the request. Outside
    of requests, and where the cache is kept away from the response, it does nothing.

    :param tags: 1 to 256 printable ASCII characters each, without spaces; at most 64 for one response.
    :raises SettingsError: for what isn't such a tag.
    """
    new = _checked(tags)
    exchange = current.get()
    if exchange is None or exchange.finished:
        return
    options = exchange.environ.setdefault(OPTIONS, {})
    chosen = options.get("cache", {})
    if isinstance(chosen, dict):
        options["cache"] = {**chosen, "tags": _checked((*chosen.get("tags", ()), *new))}


def _checked(tags: Iterable[str]) -> list[str]:
    """Each tag once: one that no purge could name would be lost without a word."""
    if isinstance(tags, (str, bytes)) or not isinstance(tags, Iterable):
        raise SettingsError("cache.tags", _TAGS, value=tags)
    given = [*tags]
    for tag in given:
        if not _is_tag(tag):
            raise SettingsError("cache.tags", _TAGS, value=tag)
    found = [*dict.fromkeys(given)]
    if len(found) > MOST_TAGS:
        raise SettingsError("cache.tags", _TAGS, value=found)
    return found


def _is_tag(tag: object) -> bool:
    if not isinstance(tag, str) or not 0 < len(tag) <= LONGEST_TAG:
        return False
    return tag.isascii() and tag.isprintable() and " " not in tag
