"""The size that an AV1 stream tells of itself (AV1 bitstream specification, sections 5.3 to 5.5).

A decoder takes memory for this size, whatever the file around the stream says.
"""

from __future__ import annotations

__all__ = ["stream_size"]

_SEQUENCE_HEADER, _TEMPORAL_DELIMITER = 1, 2
_MOST_UNITS = 8


def stream_size(data: bytes, at: int) -> tuple[int, int] | None:
    """Width and height by the sequence header that a stream begins with; None where there is none.

    :param at: where the stream begins.
    """
    for _ in range(_MOST_UNITS):
        if at + 2 > len(data):
            return None
        head = data[at]
        kind, sized = head >> 3 & 15, head & 2
        if head & 0x81 or not sized or kind not in (_SEQUENCE_HEADER, _TEMPORAL_DELIMITER):
            return None
        at += 2 if head & 4 else 1
        size, at = _leb128(data, at)
        if kind == _SEQUENCE_HEADER:
            return _size(_Bits(data[at : at + min(size, 256)]))
        at += size
    return None


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[at : at + 8]):
        value |= (byte & 127) << (7 * index)
        if not byte & 128:
            return value, at + index + 1
    return 0, len(data)


class _Bits:
    """:raises IndexError: when read beyond their end."""

    def __init__(self, data: bytes) -> None:
        self._number, self._left = int.from_bytes(data), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise IndexError(count)
        self._left -= count
        return self._number >> self._left & (1 << count) - 1

    def take_uvlc(self) -> None:
        zeros = 0
        while not self.take(1):
            zeros += 1
        self.take(min(zeros, 32))


def _size(bits: _Bits) -> tuple[int, int]:
    bits.take(4)  # profile, still picture
    if bits.take(1):  # reduced header
        bits.take(5)
    else:
        _pass_operating_points(bits)
    across, down = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(across) + 1, bits.take(down) + 1


def _pass_operating_points(bits: _Bits) -> None:
    delay = 0
    if bits.take(1):  # timing
        bits.take(64)
        if bits.take(1):
            bits.take_uvlc()
        if bits.take(1):  # decoder model
            delay = bits.take(5) + 1
            bits.take(42)
    displayed = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay and bits.take(1):
            bits.take(2 * delay + 1)
        if displayed and bits.take(1):
            bits.take(4)
