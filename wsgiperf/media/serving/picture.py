"""A response that is a picture, before anybody has read it."""

from __future__ import annotations

from hashlib import sha256
from time import time
from typing import TYPE_CHECKING

from wsgiperf.media.serving.selection import kept_fields
from wsgiperf.media.serving.variants import Record

if TYPE_CHECKING:
    from wsgiperf.exchange import Response

__all__ = ["Picture"]


class Picture:
    """What its head says.

    :param response: the application's.
    :param kind: its media type.
    :param dependent: the request fields that its own Vary names, with their values.
    """

    __slots__ = ("_dependent", "kind", "response")

    def __init__(self, response: Response, kind: str, dependent: tuple[tuple[str, str | None], ...]) -> None:
        self.response, self._dependent = response, dependent
        self.kind = kind  #: its media type

    @property
    def told(self) -> tuple[str | None, ...]:
        """What tells it from others of its URL."""
        fields = self.response.headers.fields
        return (
            fields.get("etag"),
            fields.get("last-modified"),
            fields.get("content-length"),
            *(value for _, value in self._dependent),
        )

    @property
    def is_told(self) -> bool:
        """Whether that tells it from all others."""
        return self._record("", 0).is_trusted

    def record(self, source: bytes) -> Record:
        """What is to be known of it, now that it was read."""
        return self._record(sha256(source).hexdigest(), len(source))

    def _record(self, content: str, length: int) -> Record:
        fields = self.response.headers.fields
        return Record(
            content,
            self.kind,
            fields.get("etag"),
            fields.get("last-modified"),
            length,
            time(),
            kept_fields(self.response.headers),
            self._dependent,
        )
