"""AVIF as boxes (ISO/IEC 14496-12, 23008-12; AV1 Image File Format 1.1).

Only what costs is read here: sizes and frames. The rest is the decoder's to tell.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from wsgiperf.media.errors import DamagedMediaError
from wsgiperf.media.formats import av1
from wsgiperf.media.formats.header import Header

__all__ = ["BRANDS", "clean", "inspect", "without_times"]

BRANDS = (b"avif", b"avis")
_MOST_BOXES = 10_000
_MOST_ITEMS = 1_000
#: Boxes that hold boxes, and how many bytes stand before them.
_HOLDERS = {
    b"meta": 4, b"iprp": 0, b"ipco": 0, b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0,
    b"stsd": 8, b"av01": 78,
}  # fmt: skip
#: What holds words about the picture, by its item type or box.
_NOTES = (b"Exif", b"mime", b"uri ", b"udta", b"uuid")
#: What tells when the file was made and changed: sections 8.2.2, 8.3.2 and 8.4.2 of ISO/IEC 14496-12.
_DATED = (b"mvhd", b"tkhd", b"mdhd")


def boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of the content of each box, those inside others too."""
    spans = [(0, len(data))]
    for _ in range(_MOST_BOXES):
        at, end = spans[-1]
        if at + 8 > end:
            spans.pop()
            if not spans:
                return
            continue
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if length == 1 and at + 16 <= end:
            (length,), head = struct.unpack_from(">Q", data, at + 8), 16
        stop = min(at + length, end) if length else end
        if stop < at + head:
            raise DamagedMediaError("damaged", "a box shorter than its head")
        spans[-1] = (stop, end)
        yield kind, at + head, stop
        if kind in _HOLDERS:
            spans.append((at + head + _HOLDERS[kind], stop))
    raise DamagedMediaError("damaged", "too many boxes")


def inspect(data: bytes) -> Header:
    """:raises MediaError: without a size, or where a stream is larger than the file says."""
    found = _Found()
    for kind, start, end in boxes(data):
        take = _BOXES.get(kind)
        if take is not None:
            take(found, data, start, end)
    width, height = max(found.sizes, key=_area)
    if not width or not height:
        raise DamagedMediaError("truncated")
    for at in found.streams:
        told = av1.stream_size(data, at)
        if told is not None and _area(told) > width * height:
            raise DamagedMediaError("damaged", "a stream larger than the picture")
    return Header(
        "avif", width, height, frames=max(found.counts), bytes_per_pixel=22 if found.deep else 16,
        depth=10 if found.deep else 8,
    )  # fmt: skip


@dataclass(slots=True)
class _Found:
    """Sizes that boxes tell, where streams begin, how many frames tracks have, and whether they are deep."""

    sizes: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    streams: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=lambda: [1])
    deep: bool = False

    def extent(self, data: bytes, start: int, end: int) -> None:
        self.sizes.append(struct.unpack_from(">II", data, start + 4))

    def entry(self, data: bytes, start: int, end: int) -> None:
        self.sizes.append(struct.unpack_from(">HH", data, start + 24))

    def samples(self, data: bytes, start: int, end: int) -> None:
        self.counts += struct.unpack_from(">I", data, start + 8)

    def chunk(self, data: bytes, start: int, end: int) -> None:
        self.streams += struct.unpack_from(">I", data, start + 8)

    def items(self, data: bytes, start: int, end: int) -> None:
        self.streams += _items(data[start:end])

    def configuration(self, data: bytes, start: int, end: int) -> None:
        self.deep = self.deep or bool(data[start + 2] & 0x40)


_BOXES: dict[bytes, Callable[[_Found, bytes, int, int], None]] = {
    b"ispe": _Found.extent,
    b"av01": _Found.entry,
    b"stsz": _Found.samples,
    b"stco": _Found.chunk,
    b"iloc": _Found.items,
    b"av1C": _Found.configuration,
}


def _area(size: tuple[int, int]) -> int:
    return size[0] * size[1]


def _items(box: bytes) -> list[int]:
    """Where each item begins, by the box `iloc` (ISO/IEC 14496-12 section 8.11.3)."""
    version, widths = box[0], (box[4] >> 4, box[4] & 15, box[5] >> 4, box[5] & 15 if box[0] else 0)
    offset, length, base, index = widths
    wide = 4 if version == 2 else 2
    at, starts = 6 + wide, []

    def number(size: int) -> int:
        nonlocal at
        if at + size > len(box):
            raise IndexError(at)
        at += size
        return int.from_bytes(box[at - size : at])

    for _ in range(min(int.from_bytes(box[6 : 6 + wide]), _MOST_ITEMS)):
        number(wide)
        inside = number(2) & 15 if version else 0
        number(2)
        origin = number(base)
        for extent in range(number(2)):
            number(index)
            place = origin + number(offset)
            number(length)
            # An item's first piece has its header; those inside `meta` itself are never pictures of size.
            if not extent and not inside:
                starts.append(place)
    return starts


def clean(data: bytes, header: Header, keep: Collection[str]) -> bytes | None:
    """The file where it has nothing to cut out; None where something would have to be.

    An item cannot be left out without moving all others. Times are set to 0.
    """
    top, kinds = 0, set()
    for kind, start, end in boxes(data):
        kinds.add(kind)
        if kind == b"meta":
            head = data[start:end]
            if any(word in head for word in _NOTES) or ("icc" not in keep and b"prof" in head):
                return None
        elif kind in (b"udta", b"uuid", b"free", b"skip"):
            return None
        elif kind == b"mdat":
            top = max(top, end)
    return without_times(data) if top and not kinds.isdisjoint((b"meta", b"moov")) else None


def without_times(data: bytes) -> bytes:
    """The same, but for when it was made and changed: encoders write the present there, in seconds."""
    spans = [
        (start + 4, start + 4 + (16 if data[start] == 1 else 8))
        for kind, start, end in boxes(data)
        if kind in _DATED and end - start >= 20
    ]
    if not any(any(data[start:end]) for start, end in spans):
        return data
    changed = bytearray(data)
    for start, end in spans:
        changed[start:end] = bytes(end - start)
    return bytes(changed)
