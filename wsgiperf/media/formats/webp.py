"""WebP as a row of RIFF chunks (RFC 9649 section 2)."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator

from wsgiperf.media.errors import DamagedMediaError
from wsgiperf.media.formats import exif
from wsgiperf.media.formats.header import Header

__all__ = ["clean", "inspect", "is_lossless"]

_ICC_FLAG, _ALPHA_FLAG, _EXIF_FLAG, _XMP_FLAG, _ANIMATION_FLAG = 0x20, 0x10, 0x08, 0x04, 0x02
_PICTURE = frozenset((b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"))
_MOST_CHUNKS = 20_000


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of the content of each chunk; the last one may be cut."""
    at, size = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    for _ in range(_MOST_CHUNKS):
        if at + 8 > size:
            return
        kind, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length
        yield kind, at + 8, min(end, size)
        at = end + (length & 1)
    raise DamagedMediaError("damaged", "too many chunks")


def inspect(data: bytes) -> Header:
    """:raises MediaError: without a picture."""
    width = height = frames = 0
    icc, notes, still = None, exif.NO_NOTES, False
    try:
        for kind, start, end in chunks(data):
            if kind == b"VP8X":
                width, height = _canvas(data, start)
            elif kind in (b"VP8 ", b"VP8L"):
                across, down = _bitstream(data, kind, start)
                width, height, still = max(width, across), max(height, down), True
            elif kind == b"ANMF":
                frames += 1
            elif kind == b"ICCP" and icc is None:
                icc = data[start:end]
            elif kind == b"EXIF":
                notes = exif.parse(data[start:end])
    except struct.error:
        raise DamagedMediaError("truncated") from None
    if not width or not height or not (still or frames):
        raise DamagedMediaError("truncated")
    return Header(
        "webp", width, height, frames=max(frames, 1), bytes_per_pixel=16 if frames < 2 else 24,
        orientation=notes.orientation, icc=icc, copyright=notes.copyright,
    )  # fmt: skip


def _canvas(data: bytes, start: int) -> tuple[int, int]:
    across = int.from_bytes(data[start + 4 : start + 7], "little")
    down = int.from_bytes(data[start + 7 : start + 10], "little")
    return across + 1, down + 1


def _bitstream(data: bytes, kind: bytes, start: int) -> tuple[int, int]:
    if kind == b"VP8 ":
        across, down = struct.unpack_from("<HH", data, start + 6)
        return across & 0x3FFF, down & 0x3FFF
    (bits,) = struct.unpack_from("<I", data, start + 1)
    return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1


def is_lossless(data: bytes) -> bool:
    """Whether a still picture's pixels are stored exactly."""
    return any(kind == b"VP8L" for kind, _, _ in chunks(data))


def clean(data: bytes, header: Header, keep: Collection[str]) -> bytes:
    """The same picture to the bit without EXIF, XMP and unknown chunks, and nothing after its end.

    :param keep: `icc`, `copyright`.
    """
    extended, kept = b"", []
    for kind, start, end in chunks(data):
        if kind == b"VP8X":
            extended = data[start : start + 10]
        elif kind in _PICTURE or (kind == b"ICCP" and "icc" in keep):
            kept.append((kind, data[start:end]))
    if extended:
        flags = extended[0] & (_ALPHA_FLAG | _ANIMATION_FLAG)
        flags |= _ICC_FLAG * any(kind == b"ICCP" for kind, _ in kept)
        if "copyright" in keep and header.copyright is not None:
            kept.append((b"EXIF", exif.build(header.copyright)))
            flags |= _EXIF_FLAG
        kept.insert(0, (b"VP8X", bytes((flags,)) + extended[1:]))
    body = b"WEBP" + b"".join(_chunk(kind, content) for kind, content in kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) & 1)
