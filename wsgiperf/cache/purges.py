"""What a purge is: which stored responses it is about, and the bytes it travels in.

A purge names responses by URL, by the beginning of their URLs, or by a tag the application gave them; or it
means all. A hard one removes them, a soft one marks them stale.

URLs are compared in the form cache keys have, ``scheme://host/path?query``; how their characters are
percent-encoded makes no difference (RFC 3986 section 6.2.2), so that one purge finds a page under whichever
spelling it was stored. A URL without a query is that page without a query: its forms with one are others, as
they are in the cache, and a prefix catches them all.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args
from urllib.parse import quote, unquote
from zlib import crc32

from wsgiperf.cache import clock
from wsgiperf.cache.key import canonical_origin
from wsgiperf.errors import WSGIPerfError
from wsgiperf.http.memo import memoised

if TYPE_CHECKING:
    from typing import Self

__all__ = [
    "LONGEST_TAG",
    "LONGEST_VALUE",
    "MOST_TAGS",
    "Kind",
    "Purge",
    "PurgeError",
    "canonical_url",
    "read_records",
    "record_of",
    "split_tags",
]

Kind = Literal["url", "prefix", "tag", "all", "key"]

#: Characters of a canonical URL; those of a cache key.
LONGEST_VALUE = 2048
LONGEST_TAG = 256
#: Tags of one response.
MOST_TAGS = 64

_KINDS: tuple[Kind, ...] = get_args(Kind)
# Seconds. Beyond any clock, and infinity and what is no number fail the comparison as well.
_END_OF_TIME = 2.0**53
# What may stand in a path and query as it is; "%" too, for what is encoded already.
_LEGAL = "!$%&'()*+,/:;=?@[]~"
# A key comes out as it went in.
_IN_KEYS = _LEGAL.replace("%", "")

# magic, version, kind, soft, a byte to spare, length of the value, at
_FRAME = struct.Struct("<4sBBBxId")
_MAGIC = b"wpur"
_VERSION = 1
# position, length of the payload, checksum of these two and the payload
_RECORD = struct.Struct("=QII")


class PurgeError(WSGIPerfError, ValueError):
    """A purge that can't be understood.

    :param what: which part of it: "kind", "url", "prefix", "tag", "all" or "at".
    :param expected: what would have been right, in words.
    :param value: what was given.
    """

    def __init__(self, what: str, expected: str, value: object) -> None:
        self.what, self.expected, self.value = what, expected, value
        given = repr(value)
        if len(given) > 80:
            given = f"{given[:80]}... ({len(given)} characters)"
        super().__init__(f"{what}: expected {expected}, got {given}")


class Purge(NamedTuple):
    """One purge; `parse` makes it from what a person wrote.

    :param kind: what `value` is: "url", "prefix" or "tag"; "all" needs none. "key" is for caches only.
    :param value: a canonical URL or the beginning of one; where it begins with "/" any scheme and host are
        meant. Or a tag, or a cache key percent-encoded. At most 2,048 ASCII characters.
    :param soft: mark as stale rather than remove.
    :param at: when it was asked for, in seconds since the epoch.
    """

    kind: Kind
    value: str
    soft: bool
    at: float

    @classmethod
    def parse(cls, kind: str, value: str = "", *, soft: bool = False, at: float | None = None) -> Self:
        """The purge a person means.

        :param kind: "url", "prefix", "tag" or "all".
        :param value: see `canonical_url`; a tag is 1 to 256 printable ASCII characters without spaces.
        :param at: seconds since the epoch; None is now.
        :raises PurgeError: naming what was expected.
        """
        if kind == "url" or kind == "prefix":
            value = canonical_url(value, prefix=kind == "prefix")
        elif kind == "tag":
            if not _is_tag(value):
                expected = f"1 to {LONGEST_TAG} printable ASCII characters without spaces"
                raise PurgeError(kind, expected, value)
        elif kind != "all":
            raise PurgeError("kind", "one of url, prefix, tag, all", kind)
        elif value:
            raise PurgeError(kind, "no value", value)
        if at is None:
            at = clock.now()
        elif not 0 <= at < _END_OF_TIME:
            raise PurgeError("at", "seconds since the epoch", at)
        return cls(kind, value, bool(soft), float(at))  # type: ignore[arg-type]

    @classmethod
    def of_key(cls, key: str, *, soft: bool = False, at: float | None = None) -> Self:
        """The purge of what is stored under one key; never refused, whatever a client made of its URL.

        :param key: in latin-1, as environ has URLs.
        :param at: seconds since the epoch; None is now.
        """
        kind: Kind = "key"
        value = quote(key, _IN_KEYS, "latin-1")
        if len(value) > LONGEST_VALUE:
            # Too many that begin like it rather than too few; and nothing ends amid an encoded byte.
            kind, value = "prefix", quote(key.partition("\n")[0], _LEGAL, "latin-1")[:LONGEST_VALUE]
            if "%" in value[-2:]:
                value = value[: value.rindex("%")]
        return cls(kind, value, soft, clock.now() if at is None else at)

    @property
    def key(self) -> str:
        """The very key that a purge of kind "key" was made of."""
        return _unquoted(self.value)

    def matches(self, url: str, tags: Collection[str] = ()) -> bool:
        """Whether a stored response is meant.

        :param url: as in its key: ``scheme://host/path?query``; the key where `kind` is "key", which means
            the variants stored under longer ones too.
        :param tags: those of `split_tags`.
        """
        kind, value = self.kind, self.value
        if kind == "tag":
            return value in tags
        if kind == "all":
            return True
        if kind == "key":
            key = _unquoted(value)
            return url == key or url.startswith(key + "\n")
        if value.startswith("/") and not url.startswith("/"):
            url = "/" + url.partition("://")[2].partition("/")[2]
        if "%" in url:
            url = unquote(url, "latin-1")
        if "%" in value:
            value = _unquoted(value)
        return url == value if kind == "url" else url.startswith(value)

    def encode(self) -> bytes:
        """As bytes, for the journal and for other machines."""
        value = self.value.encode("ascii")
        return _FRAME.pack(_MAGIC, _VERSION, _KINDS.index(self.kind), self.soft, len(value), self.at) + value

    @classmethod
    def decode(cls, data: bytes) -> Self | None:
        """The purge that `encode` made these bytes of; None for any others, whoever sent them.

        They may come from a version of this library that knows more kinds: a receiver that can't tell what
        was purged is safe only when it takes it for all.
        """
        if len(data) < _FRAME.size:
            return None
        magic, version, kind, soft, length, at = _FRAME.unpack_from(data)
        if magic != _MAGIC or version != _VERSION or kind >= len(_KINDS) or soft > 1:
            return None
        value = data[_FRAME.size :].decode("latin-1")
        if length != len(value) or not 0 <= at < _END_OF_TIME:
            return None
        kind = _KINDS[kind]
        if not (_is_tag(value) if kind == "tag" else value == "" if kind == "all" else _is_word(value)):
            return None
        return cls(kind, value, soft == 1, at)


def canonical_url(text: str, *, prefix: bool = False) -> str:
    """A URL that a person wrote, in the form of cache keys: RFC 3986 section 6.2.

    Scheme and host become lower case; a default port, an empty query and a fragment go; an empty path becomes
    "/". Characters that no URL holds, as spaces and umlauts, are percent-encoded.

    :param text: an http or https URL, or its path and query alone, at most 2,048 characters.
    :param prefix: it is the beginning of a URL; an empty query stays, for it means any.
    :raises PurgeError: for anything else, and for a URL that ends in a star: nobody means just that star.
    """
    what = "prefix" if prefix else "url"
    if not 0 < len(text) <= LONGEST_VALUE:
        raise PurgeError(what, f"1 to {LONGEST_VALUE:,} characters", text)
    if not text.isprintable():
        raise PurgeError(what, "no control characters", text)
    url = text.partition("#")[0]
    origin, target = ("", url) if url.startswith("/") else _split(url, what)
    if target.endswith("*"):
        raise PurgeError(what, "no wildcard (use a prefix without a star; write a real star as %2A)", text)
    if not prefix and target.find("?") == len(target) - 1:
        target = target[:-1]
    canonical = origin + quote(target, _LEGAL)
    if len(canonical) > LONGEST_VALUE:
        raise PurgeError(what, f"at most {LONGEST_VALUE:,} characters when percent-encoded", text)
    return canonical


def split_tags(field_value: str, separator: str) -> tuple[str, ...]:
    """The tags in a field, each once, in their order.

    What isn't a tag (over 256 characters, or others than printable ASCII without spaces) is passed over, and
    so is what follows the 64th.

    :param separator: " " for Surrogate-Key, "," for Cache-Tag.
    """
    return (_comma_separated if separator == "," else _space_separated)(field_value)


def record_of(purge: Purge, position: int) -> bytes:
    """A purge as a record of a journal: a multiple of 8 bytes.

    :param position: where in the journal it begins; the record says so, and is valid there only.
    """
    payload = purge.encode()
    checksum = _checksum(position, payload)
    return _RECORD.pack(position, len(payload), checksum) + payload + bytes(-len(payload) % 8)


def read_records(data: bytes, position: int) -> list[Purge] | None:
    """The purges in a piece of a journal that begins at that position; None if anything in it isn't one."""
    purges: list[Purge] = []
    start = 0
    while start < len(data):
        head = data[start : start + _RECORD.size].ljust(_RECORD.size)
        found, length, checksum = _RECORD.unpack(head)
        start += _RECORD.size
        payload = data[start : start + length]
        if found != position or checksum != _checksum(position, payload):
            return None
        purge = Purge.decode(payload)
        if purge is None:
            return None
        purges.append(purge)
        length += -length % 8
        start += length
        position += _RECORD.size + length
    return purges


def _checksum(position: int, payload: bytes) -> int:
    return crc32(payload, crc32(b"%d %d" % (position, len(payload))))


def _split(url: str, what: str) -> tuple[str, str]:
    """Origin, canonical, and the rest."""
    scheme, found, rest = url.partition("://")
    if not found or scheme.lower() not in ("http", "https"):
        raise PurgeError(what, "an http:// or https:// URL, or a path that begins with /", url)
    end = min(len(rest.partition("/")[0]), len(rest.partition("?")[0]))
    origin = canonical_origin(f"{scheme}://{rest[:end]}")
    if origin is None:
        raise PurgeError(what, "a host name in ASCII (xn--... for others), without a user name", url)
    # RFC 9110 section 4.2.3: no path is the path "/".
    return origin, rest[end:] if rest.startswith("/", end) else "/" + rest[end:]


def _is_tag(text: str) -> bool:
    return len(text) <= LONGEST_TAG and _is_word(text)


def _is_word(text: str) -> bool:
    """Printable ASCII without spaces: what tags and canonical URLs are made of."""
    return 0 < len(text) <= LONGEST_VALUE and text.isascii() and text.isprintable() and " " not in text


def _tags(candidates: list[str]) -> tuple[str, ...]:
    tags: dict[str, None] = {}
    for candidate in candidates:
        tag = candidate.strip(" \t")
        if _is_tag(tag):
            tags[tag] = None
            if len(tags) == MOST_TAGS:
                break
    return tuple(tags)


@memoised
def _space_separated(field_value: str) -> tuple[str, ...]:
    return _tags(field_value.replace("\t", " ").split(" "))


@memoised
def _comma_separated(field_value: str) -> tuple[str, ...]:
    return _tags(field_value.split(","))


@memoised
def _unquoted(value: str) -> str:
    return unquote(value, "latin-1")
