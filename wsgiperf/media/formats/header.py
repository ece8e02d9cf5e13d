"""What the header of a picture says."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["CONTENT_TYPES", "Header"]

#: The formats that are read, by our names for them.
CONTENT_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "tiff": "image/tiff",
    "bmp": "image/bmp",
}


@dataclass(frozen=True, slots=True)
class Header:
    """A picture before it is decoded.

    :param width, height: in pixels as stored, before it is turned upright; the largest that decoding will
        take where several are given.
    :param frames: 1 unless animated.
    :param bytes_per_pixel: that decoding takes, for every pixel of one frame.
    :param orientation: 1 to 8, as EXIF has it.
    :param scans: how often a JPEG's pixels are gone over; 1 for others.
    :param depth: bits of one sample.
    :param icc: the colour profile.
    :param copyright: the notice.
    """

    format: str
    width: int
    height: int
    frames: int = 1
    bytes_per_pixel: int = 4
    orientation: int = 1
    scans: int = 1
    progressive: bool = False
    components: int = 3
    depth: int = 8
    icc: bytes | None = field(default=None, repr=False)
    copyright: str | None = None
    gamma: float | None = None
