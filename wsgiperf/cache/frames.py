"""Entries as bytes, for stores that other processes and machines share.

A frame is a fixed head, then the parts whose lengths it tells, and nothing more. Whoever can write to the
store can write anything, so nothing in it is believed: a frame of another version, for another key, with
lengths that don't add up or with header fields that could not be sent is no frame. Nothing is ever
unpickled.

The moment of a soft purge stands at a fixed place, where a store can put it without reading the rest.
"""

from __future__ import annotations

import struct
from math import isfinite
from struct import Struct
from typing import TYPE_CHECKING

from wsgiperf.cache.entry import Entry, Held, Uncacheable, Varying
from wsgiperf.cache.nonces import LONGEST, SHORTEST, Template
from wsgiperf.caching_rules import COOKIE
from wsgiperf.errors import HeaderError
from wsgiperf.http.headers import Headers, check_field
from wsgiperf.http.memo import memoised
from wsgiperf.http.ranges import MOST_PIECES, Pieces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["decode", "encode", "glance"]

_MAGIC = b"wpc\x02"  # the last byte is the format's version

# Magic, kind, flags, seconds of a soft purge; the times; the lengths of key, names or tags, head, extra and
# body; how many variants follow. Without padding, so that the soft purge is at offset 8.
_FIXED = Struct("<4sBB2xdddddddIIIIQH")
_VARIANT = Struct("<8sQ")
_ENTRY, _VARYING, _UNCACHEABLE = 1, 2, 3
_MUST_REVALIDATE, _ALWAYS_REVALIDATE, _ANONYMOUS, _TEMPLATE, _PIECES = 1, 2, 4, 8, 16

# Characters of a head: the printable ones of latin-1, the tab, and the line feed between its lines.
_SENDABLE = bytes((9, 10, *range(0x20, 0x7F), *range(0x80, 0x100)))
_MOST_VARIANTS = 8
_MOST_NAMES = 64
# Seconds, for moments as for spans: beyond any clock. What is no number is no moment either.
_END_OF_TIME = 2.0**53
_LONGEST_ROUTE = 400
# They would change where the response ends.
_FRAMING = frozenset(("connection", "keep-alive", "transfer-encoding", "upgrade"))


def encode(held: Held) -> bytes:
    """The frame of what the cache holds.

    :raises ValueError: where a field, tag or name has a line feed in it or isn't latin-1.
    """
    if isinstance(held, Varying):
        names = _lines((held.salt, *held.names))
        return _frame(_VARYING, 0, 0.0, (held.kept_until,), held.key, names)
    if isinstance(held, Uncacheable):
        return _frame(_UNCACHEABLE, 0, 0.0, (held.kept_until,), held.key)
    flags = (
        _MUST_REVALIDATE * held.must_revalidate
        | _ALWAYS_REVALIDATE * held.always_revalidate
        | _ANONYMOUS * held.anonymous
    )
    body, extra = held.body, b""
    if held.template is not None:
        flags |= _TEMPLATE
        body, extra = _joined(held.template.pieces, held.template.width)
    elif held.pieces is not None:
        flags |= _PIECES
        body, extra = _sparse(held.pieces)
    times = (
        held.requested, held.born, held.lifetime, held.stale_while_revalidate, held.stale_if_error,
        held.kept_until,
    )  # fmt: skip
    lines = [held.status, _route_line(held.route)]
    for pair in held.pairs:
        lines += pair
    stale_at = 0.0 if held.fresh_until >= held.born + held.lifetime else held.fresh_until
    return _frame(
        _ENTRY, flags, 0.0 if held.always_revalidate else stale_at, times, held.key,
        _lines(held.tags), _lines(lines), extra, body,
        held.variants,
    )  # fmt: skip


def decode(data: object, key: str) -> Held | None:
    """What the frame holds, or None where it isn't a whole and sound one for that key."""
    if type(data) is not bytes or len(data) < _FIXED.size or data[:4] != _MAGIC:
        return None
    try:
        return _decode(data, key)
    except (struct.error, ValueError, HeaderError, IndexError, OverflowError):
        return None


def glance(start: bytes) -> tuple[str, tuple[str, ...]] | None:
    """The key and the tags, from the first bytes of a frame; None where it isn't one."""
    if len(start) < _FIXED.size or start[:4] != _MAGIC:
        return None
    _, kind, _, _, *_, key_length, tags_length, _, _, _, _ = _FIXED.unpack_from(start)
    at = _FIXED.size
    key = start[at : at + key_length].decode("latin-1")
    tags = start[at + key_length : at + key_length + tags_length].decode("latin-1")
    return key, tuple(tags.split("\n")) if tags and kind == _ENTRY else ()


def _lines(parts: Sequence[str]) -> bytes:
    """One to a line. A server refuses a field that has two lines; here it would become two fields."""
    text = "\n".join(parts)
    if parts and text.count("\n") != len(parts) - 1:
        raise ValueError("a line feed where none may be")
    return text.encode("latin-1")


def _frame(
    kind: int, flags: int, stale_at: float, times: tuple[float, ...], key: str, names: bytes = b"",
    head: bytes = b"", extra: bytes = b"", body: bytes = b"", variants: Mapping[str, bytes] | None = None,
) -> bytes:  # fmt: skip
    name = key.encode("latin-1")
    encoded = list(variants.items()) if variants else []
    fixed = _FIXED.pack(
        _MAGIC, kind, flags, stale_at, *times, *(0.0,) * (6 - len(times)),
        len(name), len(names), len(head), len(extra), len(body), len(encoded),
    )  # fmt: skip
    tail: list[bytes] = []
    for coding, data in encoded:
        tail += (_VARIANT.pack(coding.encode("ascii"), len(data)), data)
    return b"".join((fixed, name, names, head, extra, body, *tail))


def _decode(data: bytes, key: str) -> Held | None:
    (
        _, kind, flags, stale_at, requested, born, lifetime, while_revalidate, if_error, _,
        key_length, names_length, head_length, extra_length, body_length, count,
    ) = _FIXED.unpack_from(data)  # fmt: skip
    at = _FIXED.size
    if data[at : (at := at + key_length)] != key.encode("latin-1"):
        return None
    names = data[at : (at := at + names_length)].decode("latin-1")
    head = data[at : (at := at + head_length)]
    extra = data[at : (at := at + extra_length)]
    body = data[at : (at := at + body_length)]
    variants = {}
    for _ in range(min(count, _MOST_VARIANTS)):
        coding, length = _VARIANT.unpack_from(data, at)
        at += _VARIANT.size
        variants[coding.rstrip(b"\0").decode("ascii")] = data[at : (at := at + length)]
    times = (stale_at, requested, born, lifetime, while_revalidate, if_error)
    # Where one is no number, neither is the sum.
    if at != len(data) or not isfinite(sum(times)) or max(times) > _END_OF_TIME or min(times) < -_END_OF_TIME:
        return None
    if kind == _UNCACHEABLE:
        return Uncacheable(key, requested)
    if kind == _VARYING:
        salt, *fields = names.split("\n")
        return Varying(key, tuple(fields), salt, requested) if _are_fields(fields) else None
    if kind != _ENTRY:
        return None
    status, route, headers = _remembered_head(head)
    entry = Entry(
        key, status, headers.copy(), b"" if flags & (_TEMPLATE | _PIECES) else body,
        requested=requested, born=born, lifetime=lifetime, stale_while_revalidate=while_revalidate,
        stale_if_error=if_error, must_revalidate=bool(flags & _MUST_REVALIDATE),
        always_revalidate=bool(flags & _ALWAYS_REVALIDATE), anonymous=bool(flags & _ANONYMOUS),
        tags=tuple(names.split("\n")) if names else (), stale_at=stale_at,
        template=_template(body, extra) if flags & _TEMPLATE else None,
        pieces=_pieces(body, extra) if flags & _PIECES else None,
    )  # fmt: skip
    entry.route = route
    if not _length_is_true(entry):
        return None
    for coding, encoded in variants.items():
        entry.variants.load(coding, encoded)
    return entry


def _route_line(route: str | None) -> str:
    """The route, or nothing where it would break the head or make it long."""
    if route is None or not route.isprintable():
        return ""
    line = route.encode().decode("latin-1")
    return line if len(line) <= _LONGEST_ROUTE else ""


def _head(head: bytes) -> tuple[str, str | None, Headers]:
    """Status, route and fields.

    :raises ValueError, HeaderError: where they can't be sent, or would change where the response ends.
    """
    status, route, *lines = head.decode("latin-1").split("\n")
    for name in lines[::2]:
        check_field(name, "")
    headers = Headers(zip(lines[::2], lines[1::2], strict=True))
    if not _FRAMING.isdisjoint(headers.fields):
        raise ValueError(head)
    code = status[:3]
    if not (code.isascii() and code.isdigit() and "200" <= code < "600" and status[3:4] == " "):
        raise ValueError(status)
    if head.translate(None, _SENDABLE) or "\t" in status or len(route) > _LONGEST_ROUTE:
        raise ValueError(head)
    return status, route.encode("latin-1").decode("utf-8") or None, headers


_remembered_head = memoised(_head)  # where each hit is read from a store, many are of the same few pages


def _are_fields(names: list[str]) -> bool:
    """Whether these can be environ keys of request fields, or cookies."""
    return 0 < len(names) <= _MOST_NAMES and all(
        name.startswith(("HTTP_", COOKIE)) or name in ("CONTENT_TYPE", "CONTENT_LENGTH") for name in names
    )


def _length_is_true(entry: Entry) -> bool:
    """Whether the Content-Length, if there is one, is the body's: another would mix up responses."""
    length = entry.fields.get("content-length")
    if length is None:
        return entry.template is None or entry.pieces is None
    if entry.pieces is not None:
        return False
    return length == str(len(entry.body) if entry.template is None else entry.template.length)


def _joined(pieces: tuple[bytes, ...], width: int) -> tuple[bytes, bytes]:
    return b"".join(pieces), Struct(f"<{len(pieces) + 1}Q").pack(width, *map(len, pieces))


def _template(body: bytes, extra: bytes) -> Template:
    width, *lengths = Struct(f"<{len(extra) // 8}Q").unpack(extra)
    at = 0
    pieces = [body[at : (at := at + length)] for length in lengths]
    if at != len(body) or len(pieces) < 2 or not SHORTEST <= width <= LONGEST:
        raise ValueError(extra)
    return Template(tuple(pieces), width)


def _sparse(pieces: Pieces) -> tuple[bytes, bytes]:
    spans = [number for first, block in pieces.pieces for number in (first, len(block))]
    return b"".join([block for _, block in pieces.pieces]), Struct(f"<{len(spans) + 1}Q").pack(
        pieces.size, *spans
    )


def _pieces(body: bytes, extra: bytes) -> Pieces:
    size, *spans = Struct(f"<{len(extra) // 8}Q").unpack(extra)
    if len(spans) > 2 * MOST_PIECES:
        raise ValueError(extra)
    at, pieces = 0, Pieces(size)
    for first, length in zip(spans[::2], spans[1::2], strict=True):
        pieces = pieces.add(first, body[at : (at := at + length)])
    if at != len(body):
        raise ValueError(extra)
    return pieces
