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
_PERSONAL = frozenset(("cookie", "authorization", "*"))
# At least 8 hexadecimal digits, with a letter and a digit, set off by "." or "-": what build tools write. A
# date has no letter, a word no digit.
_hashed = re.compile(
    r"[.-](?=[0-9a-f]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,}(?=[.-][^/]*$|$)", re.IGNORECASE
).search


class StaticCaching:
    """The rule for paths below the static and the media prefixes.

    :param settings: the options of the security part.
    """

    def __init__(self, settings: SecuritySettings) -> None:
        on = settings.static_caching
        self.prefixes = (settings.static_prefixes + settings.media_prefixes) if on else ()
        self._static_prefixes = settings.static_prefixes
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
        if media_type(headers.get("Content-Type") or "") in _PAGES:
            return None
        vary = headers.get("Vary")
        if vary and not _PERSONAL.isdisjoint(name.strip().lower() for name in vary.split(",")):
            return None
        return self._value(path)

    def _value(self, path: str) -> str:
        if self._year_for_all:
            return f"public, max-age={_YEAR}"
        freshness = f"max-age={_YEAR}, immutable" if _hashed(path) else f"max-age={self._max_age}"
        public = self._media_public or path.startswith(self._static_prefixes)
        return f"public, {freshness}" if public else freshness


def _plain(path: str) -> bool:
    """Whether no segment is empty or dots: such a path may lead out of the prefix again."""
    return all(segment not in ("", ".", "..") for segment in path[1:].split("/")) and "\\" not in path
