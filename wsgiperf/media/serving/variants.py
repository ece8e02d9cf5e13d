"""What is kept: pictures as they were converted, and which source each URL had.

A variant belongs to the source's content, not to a URL. Which content a URL has is written down beside the
validators that the application gave for it, and counts only where the application confirms them.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from wsgiperf.http.dates import parse_date
from wsgiperf.http.headers import check_field
from wsgiperf.media.serving.encoding import sniffed

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

__all__ = ["LARGEST_RECORD", "TAG", "Record", "Variant", "digest", "variant_name"]

#: How our entity tags begin.
TAG = '"media-'
#: Bytes of a record; a response with longer fields gets no variant.
LARGEST_RECORD = 16_384
#: Changes with whatever makes other bytes of the same source and options.
_RECIPE = 1
#: Seconds from Last-Modified to the reading, for the date to tell versions of a file apart: clocks differ.
_SECONDS_APART = 60.0

Pairs = tuple[tuple[str, str], ...]


def digest(*parts: object) -> str:
    """A name for a tuple of strings and numbers: 64 hexadecimal digits."""
    return sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


def variant_name(content: str, target: str, width: int | None, quality: int) -> str:
    """Where a variant is kept.

    :param content: SHA-256 of the source.
    """
    return digest("variant", _RECIPE, content, target, width, quality)


class Variant(NamedTuple):
    """A converted picture, or the word that there is none.

    :param media_type: empty for none: the original is as good, or can't be converted.
    :param etag: of these bytes and no others.
    :param until: when that word is to be doubted, in seconds since the epoch; 0 is never.
    """

    media_type: str
    etag: str
    data: bytes
    until: float = 0.0

    @classmethod
    def of(cls, data: bytes) -> Variant | None:
        """The variant that these bytes are; None where they are no picture."""
        media_type = sniffed(data)
        return None if media_type is None else cls(media_type, f'{TAG}{sha256(data).hexdigest()[:32]}"', data)

    @classmethod
    def none(cls, until: float = 0.0) -> Variant:
        """That there is none."""
        return cls("", "", b"", until)


class Record(NamedTuple):
    """What a URL's picture was when it was read.

    :param content: SHA-256 of it.
    :param etag: the application's, as are the others.
    :param length: in bytes.
    :param read: when, in seconds since the epoch.
    :param fields: of the response, without what was for one client.
    :param varying: environ keys of the request fields named by its Vary, with their values.
    """

    content: str
    media_type: str
    etag: str | None
    last_modified: str | None
    length: int
    read: float
    fields: Pairs
    varying: tuple[tuple[str, str | None], ...] = ()

    @property
    def is_trusted(self) -> bool:
        """Whether the validators tell all versions apart: a date of this very minute doesn't."""
        if self.etag:
            return True
        modified = parse_date(self.last_modified) if self.last_modified else None
        return modified is not None and self.read - modified >= _SECONDS_APART

    def is_for(self, environ: WSGIEnvironment) -> bool:
        """Whether the request has the fields that the response depends on."""
        return all(environ.get(name) == value for name, value in self.varying)

    def is_of(self, fields: Mapping[str, str]) -> bool:
        """Whether a response with these fields has the same content; its body was not read."""
        length = fields.get("content-length")
        if length is not None and length != str(self.length):
            return False
        if self.etag or fields.get("etag"):
            return self.etag == fields.get("etag")
        return self.is_trusted and self.last_modified == fields.get("last-modified") and length is not None

    def to_bytes(self) -> bytes | None:
        """As it is kept; None where that would be too long."""
        import json

        data = json.dumps(self).encode()
        return data if len(data) <= LARGEST_RECORD else None

    @classmethod
    def from_bytes(cls, data: bytes) -> Record | None:
        """What `to_bytes` made; None for anything else."""
        import json

        try:
            content, media_type, etag, modified, length, read, fields, varying = json.loads(data)
            pairs = tuple((_text(name), _text(value)) for name, value in fields)
            for name, value in pairs:
                check_field(name, value)
            return cls(
                _text(content),
                _text(media_type),
                _text_or_none(etag),
                _text_or_none(modified),
                _number(length, int),
                float(_number(read, (int, float))),
                pairs,
                tuple((_text(name), _text_or_none(value)) for name, value in varying),
            )
        except (ValueError, TypeError, RecursionError):
            return None


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(value)
    return value


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _number(value: Any, kinds: Any) -> Any:
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise TypeError(value)
    return value
