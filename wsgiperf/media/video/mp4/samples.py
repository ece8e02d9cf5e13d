"""The tables of a track's samples: how long they last, where they lie, and whether the file has them all.

Source: ISO/IEC 14496-12 sections 8.6.1.2 (stts), 8.7.3 (stsz, stz2), 8.7.4 (stsc), 8.7.5 (stco, co64).
"""

from __future__ import annotations

from array import array
from operator import lt, mul

from wsgiperf.media.video.mp4.boxes import Boxes, Span, table, word_at
from wsgiperf.media.video.refusals import damaged, truncated

__all__ = ["samples"]

# The longest that one sample may last, in ticks: players take more for negative.
_LONGEST = 0x7FFF_FFFF
_UPPER, _LOWER = bytes(both >> 4 for both in range(256)), bytes(both & 15 for both in range(256))


def samples(data: bytes, tables: Boxes, size: int) -> tuple[int, int]:
    """How many samples there are, and the ticks that they last together.

    :param tables: the boxes in `stbl`.
    :param size: bytes of the whole file.
    :raises MediaError: damaged or truncated.
    """
    sizes = _Sizes(data, tables)
    if not sizes.count:
        return 0, 0
    if sizes.total > size:
        raise truncated("the samples need more bytes than there are")
    offsets = _offsets(data, tables)
    _check_last(data, _needed(tables, b"stsc"), offsets, sizes, size)
    return sizes.count, _ticks(data, _needed(tables, b"stts"), sizes.count)


def _needed(tables: Boxes, kind: bytes) -> Span:
    try:
        return tables[kind]
    except KeyError:
        raise damaged("a table of samples is missing") from None


class _Sizes:
    """Bytes of each sample, in a table or the same for all."""

    __slots__ = ("_constant", "_table", "count", "total")

    def __init__(self, data: bytes, tables: Boxes) -> None:
        self._constant, self._table = 0, array("I")
        if b"stsz" in tables:
            at, end = tables[b"stsz"]
            self._constant, self.count = word_at(data, at + 4), word_at(data, at + 8)
            if not self._constant:
                self._table = table(data, at + 12, end, self.count)
        else:
            self._table = _compact(data, _needed(tables, b"stz2"))
            self.count = len(self._table)
        self.total = self._constant * self.count or sum(self._table)
        if not self.total:
            self.count = 0  # samples of no bytes are none

    def of(self, first: int, last: int) -> int:
        """Bytes of the samples from the first to before the last."""
        if self._constant:
            return self._constant * (last - first)
        return sum(self._table[first:last])


def _compact(data: bytes, span: Span) -> array[int]:
    at, end = span
    width, count = data[at + 7], word_at(data, at + 8)
    if width == 16:
        return table(data, at + 12, end, count, "H")
    after = at + 12 + (count * width + 7) // 8
    if width not in (4, 8) or after > end:
        raise damaged("a table is shorter than it says")
    if width == 8:
        return array("B", data[at + 12 : after])
    halves = bytearray(2 * (after - at - 12))
    halves[0::2] = data[at + 12 : after].translate(_UPPER)
    halves[1::2] = data[at + 12 : after].translate(_LOWER)
    return array("B", halves[:count])


def _offsets(data: bytes, tables: Boxes) -> array[int]:
    kind, code = (b"stco", "I") if b"stco" in tables else (b"co64", "Q")
    at, end = _needed(tables, kind)
    return table(data, at + 8, end, word_at(data, at + 4), code)


def _check_last(data: bytes, span: Span, offsets: array[int], sizes: _Sizes, size: int) -> None:
    """The chunk that lies last in the file lies in it to its end."""
    at, end = span
    count = word_at(data, at + 4)
    if not count or not offsets:
        raise damaged("samples without a place in the file")
    last = max(offsets)
    if last >= size:
        raise truncated("samples lie behind the file's end")
    if last == offsets[-1] and at + 8 + 12 * count <= end:
        # As good as always: it is the last chunk, and as long as the last entry says.
        each = word_at(data, at + 12 * count)
        if last + sizes.of(max(0, sizes.count - each), sizes.count) <= size:
            return
    first, after = _chunk(table(data, at + 8, end, 3 * count), offsets, offsets.index(last) + 1, sizes.count)
    if last + sizes.of(first, after) > size:
        raise truncated("the last samples aren't there to their end")


def _chunk(entries: array[int], offsets: array[int], chunk: int, count: int) -> tuple[int, int]:
    """The first sample of a chunk, counted from zero, and the one behind its last."""
    first_chunks, in_chunk = entries[0::3], entries[1::3]
    ends = first_chunks[1:]
    ends.append(len(offsets) + 1)
    if first_chunks[0] != 1 or not all(map(lt, first_chunks, ends)):
        raise damaged("chunks out of order")
    at = 0
    for begin, end, each in zip(first_chunks, ends, in_chunk, strict=True):
        if chunk < end:
            at += (chunk - begin) * each
            return min(at, count), min(at + each, count)
        at += (end - begin) * each
    raise damaged("chunks out of order")


def _ticks(data: bytes, span: Span, count: int) -> int:
    """The ticks of so many samples. Where the table has too few, its last is for the rest, as in players."""
    at, end = span
    length = word_at(data, at + 4)
    entries = table(data, at + 8, end, 2 * length)
    if not length:
        raise damaged("samples that last no time")
    counts, deltas = entries[0::2], entries[1::2]
    if max(deltas) > _LONGEST:
        raise damaged("a sample lasts longer than it can")
    timed = sum(counts)
    ticks = sum(map(mul, counts, deltas)) if length > 1 else timed * deltas[0]
    if timed <= count:
        return ticks + (count - timed) * deltas[-1]
    for index in range(length - 1, -1, -1):  # more than there are samples: those last no time
        beyond = min(timed - count, counts[index])
        ticks -= beyond * deltas[index]
        timed -= beyond
        if timed == count:
            break
    return ticks
