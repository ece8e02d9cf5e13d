"""JPEG as a row of segments (ISO/IEC 10918-1 annex B)."""

from __future__ import annotations

import re
import struct
from collections.abc import Collection, Iterator

from wsgiperf.media.errors import DamagedMediaError, UnsupportedMediaError
from wsgiperf.media.formats import exif
from wsgiperf.media.formats.header import Header

__all__ = ["clean", "inspect"]

_SOF = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF))
_PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
_LOSSLESS = frozenset((0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF))
_SOS, _EOI, _DHP, _COM = 0xDA, 0xD9, 0xDE, 0xFE
_BARE = frozenset((0x01, 0xD8, *range(0xD0, 0xD8)))
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_ICC, _EXIF = b"ICC_PROFILE\0", b"Exif\0\0"
_MOST_SEGMENTS = 5_000
_LARGEST_PROFILE = 4_000_000

# In entropy-coded data, FF is followed by 00 or a restart marker; anything else is the next segment, perhaps
# behind more FF. A pattern that counted these would take the square of their number.
_search = re.compile(rb"\xff[^\x00\xd0-\xd7]").search
_other = re.compile(rb"[^\xff]").search
_STUFFED = frozenset((0x00, *range(0xD0, 0xD8)))


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment; a scan's includes its entropy-coded data.

    Bytes between segments are passed over, as decoders do.
    """
    at, size = 2, len(data)
    for _ in range(_MOST_SEGMENTS):
        found = _marker(data, at)
        if found is None:
            return
        end, marker = found + 1, data[found]
        start = end - 2
        if marker == _EOI:
            yield marker, start, end
            return
        if marker in _BARE:
            at = end
            continue
        if end + 2 > size:
            return
        length = int.from_bytes(data[end : end + 2])
        if length < 2:
            raise DamagedMediaError("damaged", "a segment without a length")
        at = end + length
        if marker == _SOS:
            after = _marker(data, min(at, size))
            at = after - 1 if after else size
        yield marker, start, min(at, size)
    raise DamagedMediaError("damaged", "too many segments")


def _marker(data: bytes, at: int) -> int | None:
    """Where the next marker's second byte is."""
    while found := _search(data, at):
        place = found.end() - 1
        if data[place] != 0xFF:
            return place
        other = _other(data, place)
        if other is None:
            return None
        place = other.start()
        if data[place] not in _STUFFED:
            return place
        at = place
    return None


def inspect(data: bytes) -> Header:
    """:raises MediaError: where no frame is found, or one that no decoder takes."""
    frame: tuple[int, int, int, int] | None = None
    notes, scans, progressive = exif.NO_NOTES, 0, False
    profile: dict[int, bytes] = {}
    for marker, start, end in segments(data):
        if marker in _SOF or marker == _DHP:
            frame = _larger(frame, _frame(data, marker, start))
            progressive = progressive or marker in _PROGRESSIVE
        elif marker == _SOS:
            scans += 1
        elif marker == _APP1 and data.startswith(_EXIF, start + 4) and notes == exif.NO_NOTES:
            notes = exif.parse(data[start + 4 : end])
        elif marker == _APP2 and data.startswith(_ICC, start + 4) and end > start + 18:
            profile.setdefault(data[start + 16], data[start + 18 : end])
    if frame is None or not scans:
        raise DamagedMediaError("truncated")
    width, height, components, coefficients = frame
    # What is progressive is held as coefficients of two bytes until its last scan.
    per_pixel = 4 + (coefficients if progressive or scans > 1 else 0)
    icc = b"".join(profile[number] for number in sorted(profile)) if profile else None
    if icc is not None and len(icc) > _LARGEST_PROFILE:
        icc = None
    return Header(
        "jpeg", width, height, bytes_per_pixel=per_pixel, orientation=notes.orientation, scans=scans,
        progressive=progressive or scans > 1, components=components, icc=icc, copyright=notes.copyright,
    )  # fmt: skip


def _frame(data: bytes, marker: int, start: int) -> tuple[int, int, int, int]:
    """Width, height, components, and bytes of coefficients for a pixel."""
    try:
        bits, height, width, components = struct.unpack_from(">BHHB", data, start + 4)
        factors = [data[start + 11 + 3 * index] for index in range(components)]
    except (struct.error, IndexError):
        raise DamagedMediaError("truncated") from None
    if marker in _LOSSLESS or marker == _DHP or bits != 8:
        raise UnsupportedMediaError("unsupported", "lossless, hierarchical or 12-bit JPEG")
    if not width or not height or components not in (1, 3, 4):
        raise DamagedMediaError("damaged", "a JPEG of no size")
    areas = [(factor >> 4) * (factor & 15) for factor in factors]
    share = 2 * sum(areas) / (max(areas) or 1)
    return width, height, components, -int(-share // 1)


def _larger(
    one: tuple[int, int, int, int] | None, other: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    return other if one is None or other[0] * other[1] > one[0] * one[1] else one


def clean(data: bytes, header: Header, keep: Collection[str]) -> bytes:
    """The same picture to the bit without what isn't needed to show it, and nothing after its end.

    :param keep: `icc`, `copyright`.
    """
    parts = [data[:2]]
    for marker, start, end in segments(data):
        if marker == _APP0:
            if data.startswith(b"JFIF\0", start + 4) and end - start >= 18:
                # Without the tiny picture that may follow.
                parts += (b"\xff\xe0\0\x10", data[start + 4 : start + 16], b"\0\0")
                parts += _notice(header, keep)
                keep = set(keep) - {"copyright"}
        elif _APP0 < marker <= 0xEF or marker == _COM:
            adobe = marker == _APP14 and data.startswith(b"Adobe", start + 4)
            icc = marker == _APP2 and data.startswith(_ICC, start + 4) and "icc" in keep
            if adobe or icc:
                parts.append(data[start:end])
        else:
            parts.append(data[start:end])
    if "copyright" in keep:
        parts[1:1] = _notice(header, keep)
    return b"".join(parts)


def _notice(header: Header, keep: Collection[str]) -> list[bytes]:
    if "copyright" not in keep or header.copyright is None:
        return []
    block = _EXIF + exif.build(header.copyright)
    return [b"\xff\xe1" + (len(block) + 2).to_bytes(2) + block]
