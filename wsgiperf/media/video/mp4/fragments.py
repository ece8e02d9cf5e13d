"""Movie fragments: `moof` boxes, each with the samples of a moment.

Source: ISO/IEC 14496-12 sections 8.8.4 to 8.8.8 (moof, traf, tfhd, trun), 8.8.12 (tfdt), 8.16.3 (sidx).
"""

from __future__ import annotations

from array import array

from wsgiperf.media.video.mp4.boxes import Boxes, boxes, by_kind, long_at, table, word_at
from wsgiperf.media.video.mp4.movie import Movie, MovieTrack
from wsgiperf.media.video.refusals import damaged, truncated

__all__ = ["check_index", "read_fragment"]

# Flags of tfhd.
_BASE, _DESCRIPTION, _TICKS, _BYTES, _MOOF_IS_BASE = 0x1, 0x2, 0x8, 0x10, 0x20000
# Flags of trun.
_OFFSET, _FIRST_FLAGS, _EACH_TICKS, _EACH_BYTES, _EACH = 0x1, 0x4, 0x100, 0x200, 0xF00


def read_fragment(data: bytes, start: int, movie: Movie, size: int) -> int:
    """Add one fragment's samples to their tracks.

    :param data: the body of `moof`.
    :param start: where in the file the box begins.
    :param size: bytes of the whole file.
    :returns: how many boxes were read.
    :raises MediaError: damaged, truncated.
    """
    if movie.defaults is None:
        raise damaged("fragments that the header doesn't tell of")
    position = start  # the data of a track follows that of the one before, if nothing else is said
    count = 0
    for kind, at, end in boxes(data, 0, len(data)):
        if kind == b"traf":
            fragment = _Fragment(data, at, end, movie)
            position = fragment.read(start, position, size)
            count += len(fragment.inside)
    return count


def check_index(data: bytes, end: int, size: int) -> None:
    """What a segment index tells of is there.

    :param data: the body of `sidx`.
    :param end: where in the file the box ends.
    :param size: bytes of the whole file.
    :raises MediaError: damaged, truncated.
    """
    at = 28 if data[0] else 20
    offset = long_at(data, 20) if data[0] else word_at(data, 16)
    count = data[at + 2] << 8 | data[at + 3]
    entries = table(data, at + 4, len(data), 3 * count)
    # The uppermost bit tells whether it is of another index.
    referenced = sum([length & 0x7FFF_FFFF for length in entries[0::3]])
    if end + offset + referenced > size:
        raise truncated("segments that the index tells of aren't there")


class _Fragment:
    """One `traf`."""

    __slots__ = ("_bytes", "_data", "_end", "_flags", "_header", "_ticks", "_track", "inside")

    def __init__(self, data: bytes, at: int, end: int, movie: Movie) -> None:
        self._data = data
        self.inside = boxes(data, at, end)
        named = by_kind(self.inside)
        if b"tfhd" not in named:
            raise damaged("a fragment of no track")
        header = named[b"tfhd"][0]
        self._flags = word_at(data, header) & 0xFF_FFFF
        number = word_at(data, header + 4)
        self._header = header + 8
        self._track = movie.tracks.get(number)
        self._ticks, self._bytes = (movie.defaults or {}).get(number, (0, 0))
        self._end = self._begin(named)

    def _begin(self, named: Boxes) -> int:
        """The tick that it begins at: as told, or behind what came before."""
        data = self._data
        if b"tfdt" in named:
            at = named[b"tfdt"][0]
            return long_at(data, at + 4) if data[at] else word_at(data, at + 4)
        return self._track.end if self._track is not None else 0

    def read(self, start: int, position: int, size: int) -> int:
        """Take all runs; the position in the file behind the last."""
        data, flags, at = self._data, self._flags, self._header
        base = start if flags & _MOOF_IS_BASE else position
        if flags & _BASE:
            base, at = long_at(data, at), at + 8
        if flags & _DESCRIPTION:
            at += 4
        if flags & _TICKS:
            self._ticks, at = word_at(data, at), at + 4
        if flags & _BYTES:
            self._bytes = word_at(data, at)
        position = base
        begin, frames = self._end, 0
        for kind, run, end in self.inside:
            if kind == b"trun":
                count, position = self._run(run, end, base, position)
                frames += count
                if position > size:
                    raise truncated("the last samples aren't there to their end")
        if self._track is not None and frames:
            _add(self._track, begin, self._end, frames)
        return position

    def _run(self, at: int, end: int, base: int, position: int) -> tuple[int, int]:
        """Samples of a run, and the position in the file behind them."""
        data = self._data
        flags, count = word_at(data, at) & 0xFF_FFFF, word_at(data, at + 4)
        at += 8
        if flags & _OFFSET:
            offset, at = word_at(data, at), at + 4
            position = base + offset - (offset >> 31 << 32)
        if flags & _FIRST_FLAGS:
            at += 4
        fields = (flags & _EACH).bit_count()
        told = table(data, at, end, count * fields) if fields else array("I")
        ticks = sum(told[0::fields]) if flags & _EACH_TICKS else count * self._ticks
        if flags & _EACH_BYTES:
            length = sum(told[(1 if flags & _EACH_TICKS else 0) :: fields])
        else:
            length = count * self._bytes
        if position < 0:
            raise damaged("samples before the file's begin")
        self._end += ticks
        return count, position + length


def _add(track: MovieTrack, begin: int, end: int, frames: int) -> None:
    track.frames += frames
    track.ticks += end - begin
    track.begin = begin if track.begin is None else min(track.begin, begin)
    track.end = max(track.end, end)
