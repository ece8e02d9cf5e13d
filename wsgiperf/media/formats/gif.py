"""GIF as a row of blocks (GIF89a specification, sections 17 to 27)."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator

from wsgiperf.media.errors import DamagedMediaError
from wsgiperf.media.formats.header import Header

__all__ = ["clean", "inspect"]

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOPS = (b"\x0bNETSCAPE2.0", b"\x0bANIMEXTS1.0")
_MOST_BLOCKS = 20_000


def blocks(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Kind, start and end of each block after the screen's; cut short where the file is.

    An extension's kind is its label, an image's and the trailer's their first byte.
    """
    at, size = 13, len(data)
    if len(data) > 10 and data[10] & 128:
        at += 3 << ((data[10] & 7) + 1)
    for _ in range(_MOST_BLOCKS):
        if at >= size:
            return
        start, kind = at, data[at]
        if kind == _TRAILER:
            yield kind, start, at + 1
            return
        if kind == _EXTENSION and at + 1 < size:
            kind, at = data[at + 1], at + 2
        elif kind == _IMAGE and at + 10 < size:
            table = 3 << ((data[at + 9] & 7) + 1) if data[at + 9] & 128 else 0
            at += 11 + table
        else:
            at += 1  # as decoders do with what they don't know
            continue
        while at < size and data[at]:
            at += data[at] + 1
        at = min(at + 1, size)
        yield kind, start, at
    raise DamagedMediaError("damaged", "too many blocks")


def inspect(data: bytes) -> Header:
    """:raises MediaError: without a picture."""
    try:
        width, height = struct.unpack_from("<HH", data, 6)
    except struct.error:
        raise DamagedMediaError("truncated") from None
    frames = 0
    for kind, start, _ in blocks(data):
        if kind == _IMAGE:
            frames += 1
            left, top, across, down = struct.unpack_from("<HHHH", data, start + 1)
            # Decoders make the screen larger for a picture that leaves it.
            width, height = max(width, left + across), max(height, top + down)
    if not frames or not width or not height:
        raise DamagedMediaError("truncated" if not frames else "damaged", "no picture in it")
    return Header("gif", width, height, frames=frames, bytes_per_pixel=5 if frames == 1 else 13)


def clean(data: bytes, header: Header, keep: Collection[str]) -> bytes:
    """The same picture to the bit without comments, texts and what applications added."""
    table = 3 << ((data[10] & 7) + 1) if data[10] & 128 else 0
    parts = [data[: 13 + table]]
    for kind, start, end in blocks(data):
        loop = kind == _APPLICATION and data.startswith(_LOOPS, start + 2)
        if kind in (_IMAGE, _CONTROL, _TRAILER) or loop:
            parts.append(data[start:end])
    return b"".join(parts)
