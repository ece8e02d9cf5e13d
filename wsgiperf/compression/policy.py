"""What is encoded, and how: questions of the response's head and of the client's, answered once for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from wsgiperf.http.media_type import media_types
from wsgiperf.http.memo import memoised

if TYPE_CHECKING:
    from wsgiperf.compression.codecs.protocol import Codec
    from wsgiperf.http.accept import Negotiated

__all__ = ["Choice", "encodable"]

# 206 carries a part of *this* representation (RFC 9110 section 15.3.7); the others have no content.
_NEVER = frozenset(("204", "206", "304"))


class Choice:
    """What becomes of the bodies for one client.

    :param wanted: what it accepts, some coding among it.
    :param codec: of that coding.
    :param minimum_size: bytes; a smaller body stays as it is if the client takes it so.
    """

    __slots__ = ("codec", "coding", "encode", "field", "least", "plain_allowed")

    def __init__(self, wanted: Negotiated, codec: Codec, minimum_size: int) -> None:
        self.codec = codec
        self.coding = codec.name
        self.encode = codec.encode
        self.field = ("Content-Encoding", codec.name)
        self.plain_allowed = wanted.identity_allowed
        #: A body of fewer bytes stays as it is, an empty one always.
        self.least = max(minimum_size, 1) if wanted.identity_allowed else 1


def encodable(content_types: Sequence[str]) -> Callable[[str, Mapping[str, str]], bool]:
    """A predicate of a response's status and its fields by lower-case name."""
    listed = media_types(content_types)
    has_body = memoised(_has_body)

    def may_encode(status: str, fields: Mapping[str, str]) -> bool:
        content_type = fields.get("content-type")
        if content_type is None or not listed(content_type) or not has_body(status):
            return False
        if "content-encoding" in fields or "content-range" in fields:
            return False
        return _may_transform(fields.get("cache-control"))

    return may_encode


@memoised
def _may_transform(cache_control: str | None) -> bool:
    """RFC 9111 section 5.2.2.6."""
    return cache_control is None or "no-transform" not in cache_control.lower()


def _has_body(status: str) -> bool:
    return status[:1] != "1" and status[:3] not in _NEVER
