"""Boxes and elements to be made by hand, and to be found in real files and changed."""

from __future__ import annotations

import struct
from collections.abc import Iterator

#: Boxes of nothing but boxes.
_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf", b"dinf"}


def found(data: bytes, kind: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Where each box of a kind begins and ends, its head included, however deep."""
    end = len(data) if end is None else end
    while at + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, at)
        if name == kind:
            yield at, at + size
        elif name in _CONTAINERS:
            yield from found(data, kind, at + 8, at + size)
        at += size


def patched(data: bytes, kind: bytes, offset: int, value: bytes, which: int = 0) -> bytes:
    """With other bytes in the body of a box."""
    at = list(found(data, kind))[which][0] + 8 + offset
    return data[:at] + value + data[at + len(value) :]


def word(number: int) -> bytes:
    return struct.pack(">I", number)


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind: bytes, *parts: bytes) -> bytes:
    """A box with version and flags, both zero."""
    return box(kind, bytes(4), *parts)


def track(
    *, kind: bytes = b"vide", number: int = 1, codec: bytes = b"avc1", timescale: int = 1000,
    times: list[tuple[int, int]], sizes: list[int], offsets: list[int], chunks: list[tuple[int, int]],
    long_offsets: bool = False, constant: tuple[int, int] | None = None,
) -> bytes:  # fmt: skip
    """A `trak`, its tables as given."""
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    size, count = constant if constant is not None else (0, len(sizes))
    described = struct.pack(">6xH16xHH46x", 1, 640, 360) if kind == b"vide" else bytes(28)
    offset = ("co64", "Q") if long_offsets else ("stco", "I")
    return box(
        b"trak",
        full(b"tkhd", bytes(8), word(number), bytes(24), matrix, bytes(8)),
        box(
            b"mdia",
            full(b"mdhd", bytes(8), word(timescale), word(1), bytes(4)),
            full(b"hdlr", bytes(4), kind, bytes(13)),
            box(
                b"minf",
                box(
                    b"stbl",
                    full(b"stsd", word(1), box(codec, described)),
                    full(b"stts", word(len(times)), *[struct.pack(">II", *one) for one in times]),
                    full(b"stsz", word(size), word(count), *map(word, sizes)),
                    full(b"stsc", word(len(chunks)), *[struct.pack(">III", *one, 1) for one in chunks]),
                    full(
                        offset[0].encode(),
                        word(len(offsets)),
                        *[struct.pack(f">{offset[1]}", one) for one in offsets],
                    ),
                ),
            ),
        ),
    )


def movie(*tracks: bytes, content: int = 1000) -> bytes:
    """An MP4 whose content begins at byte 24."""
    header = full(b"mvhd", bytes(8), word(1000), word(1000), bytes(80))
    return box(b"ftyp", b"isom", bytes(4)) + box(b"mdat", bytes(content)) + box(b"moov", header, *tracks)


def element(identifier: int, *parts: bytes, known: bool = True) -> bytes:
    """An element of EBML with a length of eight bytes."""
    body = b"".join(parts)
    length = len(body) | 1 << 56 if known else (1 << 57) - 1
    return identifier.to_bytes((identifier.bit_length() + 7) // 8, "big") + length.to_bytes(8, "big") + body


def block(tick: int, *, track: int = 1, content: int = 10) -> bytes:
    return element(0xA3, bytes([0x80 | track]), struct.pack(">hB", tick, 0), bytes(content))


def cluster(tick: int, *blocks: bytes, known: bool = True) -> bytes:
    return element(0x1F43B675, element(0xE7, tick.to_bytes(8, "big")), *blocks, known=known)


def described(number: int = 1, kind: int = 1, codec: bytes = b"V_VP8", *more: bytes) -> bytes:
    """A track's entry."""
    size = element(0xE0, element(0xB0, b"\x02\x80"), element(0xBA, b"\x01\x68"))
    parts = [element(0xD7, bytes([number])), element(0x83, bytes([kind])), element(0x86, codec), size]
    return element(0xAE, *parts, *more)


def document(*parts: bytes, tracks: bytes | None = None, scale: int = 1_000_000, known: bool = True) -> bytes:
    """A WebM of these clusters."""
    header = element(0x1A45DFA3, element(0x4282, b"webm"))
    information = element(0x1549A966, element(0x2AD7B1, scale.to_bytes(8, "big")))
    tracks = element(0x1654AE6B, described() if tracks is None else tracks)
    return header + element(0x18538067, information, tracks, *parts, known=known)
