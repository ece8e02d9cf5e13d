"""The header of a BMP (Microsoft, BITMAPCOREHEADER and BITMAPINFOHEADER)."""

from __future__ import annotations

import struct

from wsgiperf.media.errors import DamagedMediaError
from wsgiperf.media.formats.header import Header

__all__ = ["inspect"]


def inspect(data: bytes) -> Header:
    """:raises MediaError: without a size."""
    try:
        (size,) = struct.unpack_from("<I", data, 14)
        if size == 12:
            width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
        else:
            width, height, _, depth = struct.unpack_from("<iiHH", data, 18)
    except struct.error:
        raise DamagedMediaError("truncated") from None
    width, height = abs(width), abs(height)
    if not width or not height:
        raise DamagedMediaError("damaged", "a BMP of no size")
    return Header("bmp", width, height, bytes_per_pixel=8 if depth > 8 else 2, depth=min(depth, 8))
