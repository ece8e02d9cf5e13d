"""Cache-Control for files: what may be cached by whom, and for how long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wsgiperf.http.media_type import media_type

if TYPE_CHECKING:
    from wsgiperf.http.headers import Headers
    from wsgiperf.settings import SecuritySettings

__all__ = ["StaticCaching"]

_YEAR = 31_536_000
_CACHEABLE = frozenset(("200", "206", "304"))
_PAGES = frozenset(("text/html", "application/xhtml+xml"))
_NO_NAMES = frozenset(("", ".", ".."))
_PERSONAL = frozenset(("cookie", "authorization", "*"))
# At least 8 hexadecimal digits, with a letter and a digit, set off by "." or "-": what build tools write. A
# date has no letter, a word no digit.
_hashed = re.compile(r"[.-](?=[0-9a-f]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,}(?![^.-])", re.IGNORECASE).search
# A 304 need not say what it is about.
_page_name = re.compile(r"\.x?html?\Z", re.IGNORECASE).search


class StaticCaching:
    """The rule for paths below the static and the media prefixes.

    :param settings: the options of the security part.
    """

    def __init__(self, settings: SecuritySettings) -> None:
        self._static_prefixes = _as_in_environ(settings.static_prefixes)
        prefixes = self._static_prefixes + _as_in_environ(settings.media_prefixes)
        self.prefixes = prefixes if settings.static_caching else ()
        self._max_age = settings.static_max_age
        self._year_for_all = settings.static_year
        self._media_public = settings.media_public

    def cache_control(self, method: str, path: str, status: str, headers: Headers) -> str | None:
        """The field's value for a path that starts with one of `prefixes`; None where it gets none.

        RFC 9111 section 3.5 is why nothing is said to a request with Authorization: its caller sees to that.
        """
        if method not in ("GET", "HEAD") or status[:3] not in _CACHEABLE or not _plain(path):
            return None
        if "Cache-Control" in headers or "Expires" in headers or "Set-Cookie" in headers:
            return None
        content_type = headers.get("Content-Type")
        if media_type(content_type) in _PAGES if content_type else _page_name(path):
            return None
        vary = headers.get("Vary")
        if vary and not _PERSONAL.isdisjoint(name.strip().lower() for name in vary.split(",")):
            return None
        return self._value(path)

    def _value(self, path: str) -> str:
        if self._year_for_all:
            return f"public, max-age={_YEAR}"
        hashed = _hashed(path.rpartition("/")[2])
        freshness = f"max-age={_YEAR}, immutable" if hashed else f"max-age={self._max_age}"
        public = self._media_public or path.startswith(self._static_prefixes)
        return f"public, {freshness}" if public else freshness


def _plain(path: str) -> bool:
    """Whether no segment is empty or dots: such a path may lead out of the prefix again."""
    if "\\" in path:
        return False
    # A dot that is encoded still was encoded twice, for somebody inside who decodes once more.
    segments = path[1:].replace("%2e", ".").replace("%2E", ".").split("/")
    return _NO_NAMES.isdisjoint(segments)


def _as_in_environ(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(prefix.encode().decode("latin-1") for prefix in prefixes)
