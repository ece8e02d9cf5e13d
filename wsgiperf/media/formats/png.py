"""PNG as a row of chunks (W3C PNG, third edition, section 5)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from wsgiperf.media.errors import DamagedMediaError
from wsgiperf.media.formats import exif
from wsgiperf.media.formats.header import Header

__all__ = ["clean", "inspect", "without_text"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">I4sIIBBBBB")
_COPYRIGHT = b"Copyright\0"
_ANIMATION = (b"acTL", b"fcTL", b"fdAT")
_PICTURE = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", *_ANIMATION))
#: What changes how the picture looks.
_LOOK = frozenset((b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"sBIT"))
_READ = frozenset((b"iCCP", b"gAMA", b"eXIf", b"tEXt"))
_LARGEST_PROFILE = 4_000_000
_LONGEST_NOTICE = 1_000
#: Bytes of memory for a pixel, by colour type: one plane is held as one byte, more as four, and what has to
#: be converted is there twice.
_PER_PIXEL = {0: 2, 2: 4, 3: 5, 4: 8, 6: 8}
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of the content of each chunk; the last one may be cut."""
    at, size = len(_SIGNATURE), len(data)
    while at + 8 <= size:
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, at + 8, min(at + 8 + length, size)
        if kind == b"IEND":
            return
        at += 12 + length


def inspect(data: bytes) -> Header:
    """:raises MediaError: without a sound first chunk, or without any pixels."""
    try:
        length, kind, width, height, depth, colour, _, _, interlaced = struct.unpack_from(
            ">I4sIIBBBBB", data, 8
        )
    except struct.error:
        raise DamagedMediaError("truncated") from None
    if kind != b"IHDR" or length != 13 or colour not in _PER_PIXEL or not width or not height:
        raise DamagedMediaError("damaged", "a PNG without a sound header")
    found = _Found(transparent=colour in (4, 6))
    for kind, start, end in chunks(data):
        found.take(kind, data[start:end] if kind in _READ else b"")
    if not found.pixels:
        raise DamagedMediaError("truncated")
    keyed = 9 if colour == 3 else 8
    return Header(
        "png", width, height, frames=max(frames_of(data), 1), orientation=found.notes.orientation,
        bytes_per_pixel=max(_PER_PIXEL[colour] + (depth < 8), keyed if found.transparent else 0), depth=depth,
        components=_SAMPLES[colour], copyright=found.notes.copyright or found.notice, icc=found.icc,
        progressive=bool(interlaced), gamma=None if found.plain or found.icc else found.gamma,
    )  # fmt: skip


@dataclass(slots=True)
class _Found:
    """What the chunks after the first say."""

    transparent: bool
    pixels: bool = False
    icc: bytes | None = None
    notes: exif.Notes = exif.NO_NOTES
    notice: str | None = None
    gamma: float | None = None
    plain: bool = False  # how the colours are meant is said in another way

    def take(self, kind: bytes, content: bytes) -> None:
        self.pixels = self.pixels or kind == b"IDAT"
        self.transparent = self.transparent or kind == b"tRNS"
        self.plain = self.plain or kind in (b"sRGB", b"cICP")
        if kind == b"iCCP" and self.icc is None:
            self.icc = _profile(content)
        elif kind == b"gAMA" and len(content) == 4:
            self.gamma = int.from_bytes(content) / 100_000
        elif kind == b"eXIf":
            self.notes = exif.parse(content)
        elif kind == b"tEXt" and content.startswith(_COPYRIGHT) and len(content) < _LONGEST_NOTICE:
            self.notice = content.removeprefix(_COPYRIGHT).decode("latin-1").strip() or None


def _profile(content: bytes) -> bytes | None:
    """Inflated by us, up to a size: it may be a bomb."""
    name, _, packed = content.partition(b"\0")
    if not name or packed[:1] != b"\0":
        return None
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(packed[1:], _LARGEST_PROFILE)
    except zlib.error:
        return None
    return profile if inflater.eof else None


def without_text(data: bytes) -> bytes:
    """The chunks that make pixels, and nothing that a decoder would inflate besides.

    An animation whose count of frames isn't true is left as its default picture.
    """
    wanted = _PICTURE if frames_of(data) else _PICTURE.difference(_ANIMATION)
    return _joined(data, wanted.__contains__)


def frames_of(data: bytes) -> int:
    """Of an animation; 0 where it is none, or its count isn't true: then browsers show it still."""
    counted, told = 0, None
    for kind, start, end in chunks(data):
        counted += kind == b"fcTL"
        if kind == b"acTL":
            told = int.from_bytes(data[start : start + 4]) if told is None and end - start >= 8 else 0
    return counted if counted == told else 0


def clean(data: bytes, header: Header, keep: Collection[str]) -> bytes:
    """The same picture to the bit without text, times, EXIF and unknown chunks, and nothing after its end.

    :param keep: `icc`, `copyright`.
    """
    wanted = _PICTURE | _LOOK | ({b"iCCP"} if "icc" in keep else set())
    if not frames_of(data):
        wanted = wanted.difference(_ANIMATION)
    if header.icc is not None and "icc" not in keep:
        wanted = wanted.difference((b"gAMA", b"cHRM"))  # of no effect as long as there is a profile
    notice = header.copyright if "copyright" in keep else None
    said = False
    parts = [_SIGNATURE]
    for kind, start, end in chunks(data):
        says = notice is not None and kind == b"tEXt" and data.startswith(_COPYRIGHT, start) and not said
        if says or kind in wanted:
            parts.append(data[start - 8 : end + 4])
            said = said or says
    cleaned = b"".join(parts)
    return cleaned if notice is None or said else with_notice(cleaned, notice)


def with_notice(data: bytes, notice: str) -> bytes:
    """With a copyright notice before the pixels."""
    block = b"eXIf" + exif.build(notice)
    chunk = struct.pack(">I", len(block) - 4) + block + struct.pack(">I", zlib.crc32(block))
    return data[:33] + chunk + data[33:]


def _joined(data: bytes, wanted: Callable[[bytes], bool]) -> bytes:
    parts = [_SIGNATURE]
    for kind, start, end in chunks(data):
        if wanted(kind):
            parts.append(data[start - 8 : end + 4])
    return b"".join(parts)
