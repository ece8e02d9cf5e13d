"""Boxes inside a box that is in memory.

A box is a length, a kind and a body. No box reaches beyond the one that it is in, so that however often
tables are read, all of them together are no longer than what was read from the file.

Source: ISO/IEC 14496-12 section 4.2.
"""

from __future__ import annotations

from array import array
from struct import Struct
from sys import byteorder

from wsgiperf.media.video.refusals import damaged

__all__ = ["Boxes", "Span", "boxes", "by_kind", "long_at", "only", "table", "word_at"]

#: Where a body begins and ends.
Span = tuple[int, int]
#: A body of each kind.
Boxes = dict[bytes, Span]

_MOST = 1024

_head = Struct(">I4s").unpack_from
_word = Struct(">I").unpack_from
_long = Struct(">Q").unpack_from
_SWAPPED = byteorder == "little"

# Of these a second one would be a second opinion: players differ in which they believe.
_ONCE = frozenset((
    b"mvhd", b"mvex", b"tkhd", b"mdia", b"mdhd", b"hdlr", b"minf", b"dinf", b"dref", b"stbl", b"stsd",
    b"stts", b"stsc", b"stsz", b"stz2", b"stco", b"co64", b"mehd", b"tfhd", b"tfdt",
))  # fmt: skip


def boxes(data: bytes, at: int, end: int) -> list[tuple[bytes, int, int]]:
    """Kind, begin and end of the body of each box.

    :raises MediaError: damaged.
    """
    found: list[tuple[bytes, int, int]] = []
    last = end - 8  # where the last head may begin
    while at <= last:
        size, kind = _head(data, at)
        body = at + 8
        if size < 8:
            if size == 1:
                size = long_at(data, body)
                body += 8
            elif size == 0:
                size = end - at
        at += size
        if at < body or at > end:
            raise damaged("a box doesn't fit into the one around it")
        found.append((kind, body, at))
    if len(found) > _MOST:
        raise damaged("too many boxes in one")
    return found


def only(data: bytes, at: int, end: int) -> Boxes:
    """The boxes by kind.

    :raises MediaError: damaged; a box that there can be but one of is there twice.
    """
    return by_kind(boxes(data, at, end))


def by_kind(listed: list[tuple[bytes, int, int]]) -> Boxes:
    """The same of boxes that are listed already."""
    found = {kind: (at, end) for kind, at, end in listed}
    if len(found) < len(listed):
        twice = [kind for kind, _, _ in listed if kind in _ONCE]
        if len(set(twice)) < len(twice):
            raise damaged("a box is there twice")
    return found


def word_at(data: bytes, at: int) -> int:
    """32 bits without sign."""
    return int(_word(data, at)[0])


def long_at(data: bytes, at: int) -> int:
    """64 bits without sign."""
    return int(_long(data, at)[0])


def table(data: bytes, at: int, end: int, count: int, code: str = "I") -> array[int]:
    """So many numbers as stored, without sign.

    :param code: H, I or Q: 16, 32 or 64 bits.
    :raises MediaError: damaged; there are fewer in the box.
    """
    numbers = array(code)
    after = at + count * numbers.itemsize
    if after > end:
        raise damaged("a table is shorter than it says")
    numbers.frombytes(data[at:after])
    if _SWAPPED:
        numbers.byteswap()
    return numbers
