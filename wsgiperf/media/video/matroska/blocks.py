"""The blocks of clusters, by their heads alone: which track and when.

Of a cluster whose length isn't known, as browsers record it, every block has to be passed to find the next.
So this loop is written for speed: one window of bytes after the other, and no call for a block.

Source: RFC 9559 sections 5.1.3 and 10, RFC 8794 section 6.2 (unknown lengths).
"""

from __future__ import annotations

from wsgiperf.media.video.matroska.ebml import head_at
from wsgiperf.media.video.reading import Reader
from wsgiperf.media.video.refusals import damaged, too_long, too_slow, truncated

__all__ = ["MOST_ELEMENTS", "NEVER", "Blocks"]

#: Elements passed in one file: five hours of 60 pictures and 50 sounds a second, or 1.5 s of work.
MOST_ELEMENTS = 2_000_000
#: The first tick where there is none, and less than any last one.
NEVER = 1 << 80

# Bytes read at once: many where blocks are small, for each window costs as much as 30 KB more of it.
_NARROW, _WIDE = 1 << 12, 1 << 16
_SMALL = 1 << 14
# A head that is longer than this is none.
_HEAD = 32
_MOST_IN_GROUP = 64
_TIMESTAMP, _SIMPLE_BLOCK, _BLOCK_GROUP, _BLOCK, _DURATION = 0xE7, 0xA3, 0xA0, 0xA1, 0x9B
# What ends a cluster of unknown length: another, or whatever else lies beside clusters.
_BESIDE = frozenset((
    0x1F43B675, 0x1C53BB6B, 0x1254C367, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1043A770, 0x1941A469,
    0x1A45DFA3, 0x18538067,
))  # fmt: skip


class Blocks:
    """When the blocks of each track lie, in ticks.

    :param numbers: the tracks that count.
    :param most: the ticks that may lie between the first and the last, and the seconds to say it in.
    """

    def __init__(
        self, reader: Reader, numbers: list[int], *, most: tuple[float, float] | None = None
    ) -> None:
        self._reader, self._size = reader, reader.size
        self._numbers, self._most = numbers, most
        self._window, self._base = b"", 0
        self._width = _NARROW
        self._left = MOST_ELEMENTS
        self.first = NEVER  #: the earliest
        # By track number.
        self.last = [-NEVER] * 128  #: the latest
        self.gaps = [0] * 128  #: ticks from the one before to the latest
        self.counts = [0] * 128
        self.ends = [-NEVER] * 128  #: where a block tells how long it lasts

    def walk(self, at: int, end: int, *, known: bool = True, until: int = 0) -> int:
        """Pass the blocks of a cluster.

        :param at: where its body begins.
        :param end: where the body ends, or must have ended if its length isn't known.
        :param until: number of a track behind whose first block to stop.
        :returns: the position behind.
        :raises MediaError: damaged, truncated, too_long, too_slow.
        """
        place, time, over = (end, known), 0, False
        try:
            while at < end and not over:
                data = self._fill(at)
                base = self._base
                full = len(data) - _HEAD
                if base + len(data) >= end:  # the last window: no head begins behind the cluster's end
                    full = end - base - 1
                if until:  # one by one
                    full = at - base
                i, time, over = self._pass(data, at - base, full, place, time)
                at = base + i
                over = over or bool(until and self.counts[until])
                if at > end:
                    raise (truncated if at > self._size else damaged)("a block reaches behind the end")
        except IndexError:  # of a window: only the last ends within a head
            raise truncated("an element isn't there to its end") from None
        return at

    def _pass(
        self, data: bytes, i: int, full: int, place: tuple[int, bool], time: int
    ) -> tuple[int, int, bool]:
        """Pass what begins in a window: the index behind, the cluster's tick, and whether to stop there."""
        last, gaps, counts = self.last, self.gaps, self.counts
        first, begin, passed, over = self.first, i, 0, False
        while i <= full and not over:
            passed += 1
            if data[i] != _SIMPLE_BLOCK:
                i, time, over = self._other(data, i, place, time)
                continue
            length = data[i + 1]
            if length >= 0x80:
                length &= 0x7F
                i += 2
            elif length >= 0x40:
                length = (length & 0x3F) << 8 | data[i + 2]
                i += 3
            else:
                _, length, i = head_at(data, i)
            if length < 4:
                raise damaged("a block of no content")
            track = data[i]
            if track >= 0x80:  # others have more bytes, and aren't looked for
                track &= 0x7F
                tick = data[i + 1] << 8 | data[i + 2]
                tick = time + tick - ((tick & 0x8000) << 1)
                counts[track] += 1
                before = last[track]
                if tick > before:
                    gaps[track] = tick - before
                    last[track] = tick
                if tick < first:
                    first = tick
            i += length
        self.first = min(self.first, first)
        self._width = _WIDE if i - begin < passed * _SMALL else _NARROW
        self._count(passed)
        return i, time, over

    def _fill(self, at: int) -> bytes:
        begin = at - self._base
        if not 0 <= begin < len(self._window) - _HEAD:
            self._window = self._reader.read(at, min(self._width, self._size - at))
            self._base = at
        return self._window

    def _count(self, passed: int) -> None:
        self._left -= passed
        if self._left < 0:
            raise too_slow("too many blocks")
        if self._most is not None:
            ticks, seconds = self._most
            if max([self.last[number] for number in self._numbers]) - self.first > ticks:
                raise too_long(seconds)

    def _other(self, data: bytes, i: int, place: tuple[int, bool], time: int) -> tuple[int, int, bool]:
        """Whatever is no SimpleBlock: the index behind, the cluster's tick, and whether it is over."""
        end, known = place
        base = self._base
        identifier, length, body = head_at(data, i)
        if not known and identifier in _BESIDE:
            return i, time, True
        if length < 0 or identifier in _BESIDE:
            raise damaged("an element that has no place in a cluster")
        after = body + length
        if base + after > end:
            raise (truncated if base + after > self._size else damaged)("an element reaches behind the end")
        if identifier == _TIMESTAMP:
            if length > 8:
                raise damaged("a number of more than 8 bytes")
            # A window holds a head whole, and behind it 12 bytes at least, or all there is.
            time = int.from_bytes(data[body : body + length], "big")
        elif identifier == _BLOCK_GROUP:
            self._group(base + body, base + after, time)
        return after, time, False

    def _group(self, at: int, end: int, time: int) -> None:
        """A block with something told about it: RFC 9559 section 5.1.3.5."""
        track, tick, duration = 0, 0, -1
        for _ in range(_MOST_IN_GROUP):
            if at >= end:
                break
            self._left -= 1
            data = self._head(at)
            identifier, length, body = head_at(data, 0)
            if length < 0 or at + body + length > end:
                raise damaged("an element doesn't fit into the one around it")
            if identifier == _BLOCK:
                if length < 4:
                    raise damaged("a block of no content")
                if data[body] >= 0x80:
                    track = data[body] & 0x7F
                    tick = time + int.from_bytes(data[body + 1 : body + 3], "big", signed=True)
            elif identifier == _DURATION and length <= 8:
                duration = int.from_bytes(data[body : body + length], "big")
            at += body + length
        if track:
            self._take(track, tick, duration)

    def _head(self, at: int) -> bytes:
        begin = at - self._base
        if begin + _HEAD <= len(self._window):
            return self._window[begin : begin + _HEAD]
        return self._reader.read(at, min(_HEAD, self._size - at))

    def _take(self, track: int, tick: int, duration: int) -> None:
        self.counts[track] += 1
        if tick > self.last[track]:
            self.gaps[track] = tick - self.last[track]
            self.last[track] = tick
        if duration >= 0:
            self.ends[track] = max(self.ends[track], tick + duration)
        self.first = min(self.first, tick)
