"""Which format a file is, by its own first bytes: a name or a type that came with it isn't believed.

What isn't in this list is never given to a decoder, so no PostScript finds its interpreter.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection

from wsgiperf.media.errors import DamagedMediaError, MediaError, UnsupportedMediaError
from wsgiperf.media.formats import avif, bmp, gif, jpeg, png, tiff, webp
from wsgiperf.media.formats.header import Header

__all__ = ["clean", "inspect", "sniff"]

_INSPECTORS: dict[str, Callable[[bytes], Header]] = {
    "jpeg": jpeg.inspect,
    "png": png.inspect,
    "gif": gif.inspect,
    "webp": webp.inspect,
    "avif": avif.inspect,
    "tiff": tiff.inspect,
    "bmp": bmp.inspect,
}

_CLEANERS: dict[str, Callable[[bytes, Header, Collection[str]], bytes | None]] = {
    "jpeg": jpeg.clean,
    "png": png.clean,
    "gif": gif.clean,
    "webp": webp.clean,
    "avif": avif.clean,
}


def sniff(start: bytes) -> str | None:
    """Our name of the format, or None for any that isn't read.

    :param start: the first 64 bytes or more.
    """
    if start.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "webp"
    if start[4:8] == b"ftyp":
        return "avif" if _brands(start) & set(avif.BRANDS) else None
    if start.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "tiff"
    # Two letters alone would take many a text for a picture.
    if start.startswith(b"BM") and start[14:18] in _BMP_HEADERS:
        return "bmp"
    return None


_BMP_HEADERS = {size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124)}


def _brands(start: bytes) -> set[bytes]:
    size = min(int.from_bytes(start[:4]), len(start))
    return {start[8:12], *(start[at : at + 4] for at in range(16, size - 3, 4))}


def inspect(data: bytes, formats: Collection[str] | None = None) -> Header:
    """What the header says.

    :param formats: the only ones that are taken; None for all.
    :raises MediaError: `not_an_image`, `format_refused`, or what is wrong with the header.
    """
    name = sniff(data[:256])
    if name is None:
        raise UnsupportedMediaError("not_an_image")
    if formats is not None and name not in formats:
        raise UnsupportedMediaError("format_refused", name)
    try:
        return _INSPECTORS[name](data)
    except MediaError:
        raise
    except (struct.error, IndexError, OverflowError, ValueError):
        raise DamagedMediaError("damaged", "a header that makes no sense") from None


def clean(data: bytes, header: Header, keep: Collection[str]) -> bytes | None:
    """The same picture to the bit without metadata, or None where that cannot be done."""
    cleaner = _CLEANERS.get(header.format)
    return cleaner(data, header, keep) if cleaner else None
