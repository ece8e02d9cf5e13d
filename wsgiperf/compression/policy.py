"""Whether a response may be encoded at all: a question of its head, whatever the client accepts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wsgiperf.http.headers import Headers
from wsgiperf.http.media_type import media_types

__all__ = ["encodable"]

# 206 carries a part of *this* representation (RFC 9110 section 15.3.7); the others have no content.
_NEVER = frozenset(("204", "206", "304"))


def encodable(content_types: Sequence[str]) -> Callable[[str, Headers], bool]:
    """A predicate of a response's status and headers."""
    listed = media_types(content_types)

    def may_encode(status: str, headers: Headers) -> bool:
        fields = headers.fields
        content_type = fields.get("content-type")
        if content_type is None or not listed(content_type):
            return False
        if "content-encoding" in fields or "content-range" in fields:
            return False
        if status[:3] in _NEVER or status[:1] == "1":
            return False
        cache_control = fields.get("cache-control")
        # RFC 9111 section 5.2.2.6.
        return cache_control is None or "no-transform" not in cache_control.lower()

    return may_encode
