"""The elements of a file, one after the other, and the time from its first block to its last.

Where clusters tell their lengths, only their heads are read, and the blocks of those that decide: the first
with a picture, the last, and all that could reach beyond a limit. Where they don't, each block is passed.
"""

from __future__ import annotations

from wsgiperf.media.video.matroska.blocks import NEVER, Blocks
from wsgiperf.media.video.matroska.ebml import head_at
from wsgiperf.media.video.matroska.header import Clock, Described, container, read_clock, read_tracks
from wsgiperf.media.video.reading import Reader
from wsgiperf.media.video.refusals import damaged, too_long, too_slow, truncated
from wsgiperf.media.video.tracks import Content, Track

__all__ = ["is_matroska", "read_matroska"]

#: Bytes of the header's elements; a track may have fonts or an ICC profile with it.
MOST_HEADER = 4 << 20
#: Elements beside clusters and clusters, in one file.
MOST_CLUSTERS = 200_000

_EBML, _SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_TIMESTAMP, _CHECKSUM, _VOID = 0xE7, 0xBF, 0xEC
# A block's tick is its cluster's and 16 bits with sign.
_FARTHEST = 0x7FFF
# An element's head is no longer than this; behind a cluster's its time follows.
_HEAD, _WINDOW = 12, 64


def is_matroska(start: bytes) -> bool:
    """Whether a file that begins so is an EBML document."""
    return start[:4] == b"\x1a\x45\xdf\xa3"


def read_matroska(reader: Reader, start: bytes, limit: float | None = None) -> Content:
    """Tracks and durations, by the blocks.

    :param start: the first bytes of the file.
    :param limit: seconds; beyond them the rest isn't read.
    :raises MediaError: not_a_video, damaged, truncated, unsupported, too_slow, too_long.
    """
    return _Walk(reader, start, limit).run()


class _Walk:
    __slots__ = (
        "_base", "_blocks", "_clock", "_clusters", "_limit", "_reader", "_size", "_tracks", "_window",
    )  # fmt: skip

    def __init__(self, reader: Reader, start: bytes, limit: float | None) -> None:
        self._reader, self._size, self._limit = reader, reader.size, limit
        self._window, self._base = start, 0
        self._clock: Clock | None = None
        self._tracks: list[Described] | None = None
        #: Of those whose length isn't known; None where there is none of them.
        self._blocks: Blocks | None = None
        #: Tick, begin and end of those whose length is known.
        self._clusters: list[tuple[int, int, int]] = []

    def run(self) -> Content:
        kind, at = self._document()
        identifier, length, at = self._head(at)
        if identifier != _SEGMENT:
            raise damaged("no segment behind the header")
        end = self._size if length < 0 else at + length
        if end > self._size:
            raise truncated("the file is shorter than it says")
        self._segment(at, end)
        if self._tracks is None:
            raise truncated("it ends before its tracks are described")
        return self._content(kind, self._tracks)

    def _document(self) -> tuple[str, int]:
        _, length, at = self._head(0)
        if length < 0 or length > MOST_HEADER:
            raise damaged("a header of no length")
        if at + length > self._size:
            raise truncated("an element isn't there to its end")
        return container(self._reader.read(at, length), 0, length), at + length

    def _segment(self, at: int, end: int) -> None:
        for _ in range(MOST_CLUSTERS):
            if at >= end:
                return
            identifier, length, body = self._head(at)
            if identifier == _CLUSTER:
                at = self._cluster(body, length, end)
                continue
            after = body + length
            if length < 0:
                raise damaged("an element of no length")
            if after > end:
                raise (truncated if after > self._size else damaged)("an element reaches behind the end")
            if identifier == _INFO and self._clock is None:
                self._clock = read_clock(self._body(body, length))
            elif identifier == _TRACKS and self._tracks is None:
                self._tracks = read_tracks(self._body(body, length))
            elif identifier in (_EBML, _SEGMENT):
                raise damaged("a second document")
            at = after
        raise too_slow("too many clusters")

    def _cluster(self, body: int, length: int, end: int) -> int:
        """The position behind it."""
        after = body + length
        if length >= 0:
            if after > end:
                raise (truncated if after > self._size else damaged)("a cluster reaches behind the end")
            self._clusters.append((self._tick(body, after), body, after))
            return after
        if self._blocks is None:
            self._blocks = self._new_blocks()
        return self._blocks.walk(body, end, known=False)

    def _tick(self, at: int, end: int) -> int:
        """A cluster's own; it stands before its blocks."""
        for _ in range(8):
            if at >= end:
                break
            identifier, length, body = self._head(at)
            if length < 0:
                break
            if identifier == _TIMESTAMP and length <= 8:
                return int.from_bytes(self._body(body, length), "big")
            if identifier not in (_CHECKSUM, _VOID, 0xA7, 0xAB):
                break
            at = body + length
        raise damaged("a cluster without a time")

    def _new_blocks(self) -> Blocks:
        if self._tracks is None:
            raise damaged("content before its tracks are described")
        most = None
        if self._limit is not None:
            most = self._limit / self._ticks().seconds, self._limit
        return Blocks(self._reader, [track.number for track in self._tracks], most=most)

    def _ticks(self) -> Clock:
        return self._clock if self._clock is not None else Clock(0.001, None)

    def _content(self, kind: str, described: list[Described]) -> Content:
        clock = self._ticks()
        seen = True  # a picture
        if self._blocks is not None:
            blocks = self._blocks
            for _, at, end in self._clusters:
                blocks.walk(at, end)
        else:
            pictures = next((track.number for track in described if track.video), 0)
            first = self._first(pictures)
            seen = first < NEVER
            blocks = self._deciding(first, described, clock) if seen else self._new_blocks()
        begin = blocks.first * clock.seconds
        ends = [_end(blocks, track, clock.seconds) for track in described if blocks.counts[track.number]]
        seconds = max(0.0, max(ends) - begin) if ends else 0.0
        tracks = []
        for track in described:
            # Without passing all blocks nobody knows how many there are.
            frames = blocks.counts[track.number] if self._blocks is not None else None if seen else 0
            tracks.append(
                Track(
                    track.video, (track.codec,), track.width, track.height, track.rotation, seconds, frames
                )
            )  # fmt: skip
        return Content(kind, tracks, clock.header_seconds, seconds)

    def _first(self, pictures: int) -> int:
        """The earliest tick, as far as the first picture."""
        blocks = self._new_blocks()
        for _, at, end in self._clusters:
            if blocks.counts[pictures]:
                break
            blocks.walk(at, end, until=pictures)
        return blocks.first if pictures and blocks.counts[pictures] else NEVER

    def _deciding(self, first: int, described: list[Described], clock: Clock) -> Blocks:
        """The last cluster's blocks, and those of all that could reach beyond the limit."""
        clusters = sorted(self._clusters)
        first = min(first, clusters[0][0])
        walked = 1
        if self._limit is not None:
            bound = first + int(self._limit / clock.seconds)
            if clusters[-1][0] > bound + _FARTHEST + 1:
                raise too_long(self._limit)
            while walked < len(clusters) and clusters[-walked - 1][0] + _FARTHEST >= bound:
                walked += 1
        for _ in range(2):
            blocks = self._new_blocks()
            blocks.first = first
            for _, at, end in clusters[-walked:]:
                blocks.walk(at, end)
            if all(track.frame or blocks.counts[track.number] != 1 for track in described):
                break
            walked += 1  # how long a block lasts that is alone, the one before tells
        return blocks

    def _head(self, at: int) -> tuple[int, int, int]:
        """Identifier, length and body of the element there."""
        begin = at - self._base
        if not 0 <= begin <= len(self._window) - _HEAD:
            self._window = self._reader.read(at, min(_WINDOW, self._size - at))
            self._base, begin = at, 0
        try:
            identifier, length, body = head_at(self._window, begin)
        except IndexError:
            raise truncated("an element isn't there to its end") from None
        return identifier, length, self._base + body

    def _body(self, at: int, length: int) -> bytes:
        if length > MOST_HEADER:
            raise too_slow("the header is too long")
        begin = at - self._base
        if 0 <= begin <= len(self._window) - length:
            return self._window[begin : begin + length]
        return self._reader.read(at, length)


def _end(blocks: Blocks, track: Described, tick: float) -> float:
    """Seconds at which a track's last block ends."""
    number = track.number
    gap = blocks.gaps[number]
    frame = track.frame or (gap * tick if gap < NEVER // 2 else 0.0)
    return max(blocks.last[number] * tick + frame, blocks.ends[number] * tick)
