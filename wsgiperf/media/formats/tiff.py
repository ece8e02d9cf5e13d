"""The first directory of a TIFF (TIFF 6.0 section 2)."""

from __future__ import annotations

import struct

from wsgiperf.media.errors import DamagedMediaError
from wsgiperf.media.formats import exif
from wsgiperf.media.formats.header import Header

__all__ = ["inspect"]

_WIDTH, _HEIGHT, _BITS, _SAMPLES, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 258, 277, 322, 323
_SHORT, _LONG, _LONG8 = 3, 4, 16
_MOST_FIELDS = 1_000


def inspect(data: bytes) -> Header:
    """:raises MediaError: without a size.

    The orientation is told as upright: the decoder turns a TIFF by itself.
    """
    order = "<" if data[:2] == b"II" else ">"
    try:
        fields = _directory(data, order)
    except struct.error:
        raise DamagedMediaError("truncated") from None
    width, height = fields.get(_WIDTH, 0), fields.get(_HEIGHT, 0)
    if not width or not height:
        raise DamagedMediaError("damaged", "a TIFF of no size")
    # A tile is decoded whole, however little of it is inside the picture.
    across, down = fields.get(_TILE_WIDTH, 0), fields.get(_TILE_HEIGHT, 0)
    depth, samples = min(fields.get(_BITS, 1), 64), min(fields.get(_SAMPLES, 1), 16)
    held = 1 if samples == 1 and depth <= 8 else 4
    return Header(
        "tiff", max(width, across), max(height, down), depth=depth, components=samples,
        bytes_per_pixel=2 * held + samples * -(-depth // 8), copyright=exif.parse(data).copyright,
    )  # fmt: skip


def _directory(data: bytes, order: str) -> dict[int, int]:
    """The first value of each field that is a whole number."""
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    number, entry, count = ("Q", 20, "Q") if big else ("I", 12, "H")
    (at,) = struct.unpack_from(order + number, data, 8 if big else 4)
    (length,) = struct.unpack_from(order + count, data, at)
    at += 8 if big else 2
    fields: dict[int, int] = {}
    for index in range(min(length, _MOST_FIELDS)):
        here = at + entry * index
        tag, kind = struct.unpack_from(order + "HH", data, here)
        (values,) = struct.unpack_from(order + number, data, here + 4)
        place = here + (12 if big else 8)
        letter = {_SHORT: "H", _LONG: "I", _LONG8: "Q"}.get(kind)
        if letter is None or not values:
            continue
        size = values * {"H": 2, "I": 4, "Q": 8}[letter]
        if size > (8 if big else 4):
            (place,) = struct.unpack_from(order + number, data, place)
            if tag != _BITS:
                continue
        (fields[tag],) = struct.unpack_from(order + letter, data, place)
    return fields
