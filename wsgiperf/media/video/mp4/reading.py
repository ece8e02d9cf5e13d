"""The boxes of a file, one after the other: only the header and the fragments are read, never the content."""

from __future__ import annotations

from struct import Struct

from wsgiperf.media.errors import MediaError
from wsgiperf.media.video.mp4.boxes import long_at
from wsgiperf.media.video.mp4.fragments import check_index, read_fragment
from wsgiperf.media.video.mp4.movie import Movie, read_movie
from wsgiperf.media.video.reading import Reader
from wsgiperf.media.video.refusals import damaged, too_long, too_slow, truncated
from wsgiperf.media.video.tracks import Content, Track

__all__ = ["is_mp4", "read_mp4"]

#: Bytes of `moov`: a day of pictures and sound needs less.
MOST_HEADER = 32 << 20
#: Bytes of `moof` or `sidx`.
MOST_FRAGMENT = 4 << 20
#: Bytes of all of them together: ten hours of pictures and sound.
MOST_FRAGMENTS = 64 << 20
#: Boxes of a file, those in fragments as well: an hour with a fragment for each picture and each sound, or
#: three seconds of work.
MOST_BOXES = 1_000_000
_WINDOW = 4096

_head = Struct(">I4s").unpack_from

_FIRST = frozenset((b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"))
# Pictures in the same boxes: ISO/IEC 23008-12, AVIF.
_PICTURES = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis"))


def is_mp4(start: bytes) -> bool:
    """Whether a file that begins so is of these boxes and no picture."""
    return start[4:8] in _FIRST and not (start[4:8] == b"ftyp" and start[8:12] in _PICTURES)


def read_mp4(reader: Reader, start: bytes, limit: float | None = None) -> Content:
    """Tracks and durations, by the samples.

    :param start: the first bytes of the file.
    :param limit: seconds; beyond them the rest isn't read.
    :raises MediaError: damaged, truncated, unsupported, too_slow, too_long.
    """
    movie = _Walk(reader, start, limit).run()
    tracks = [
        Track(
            one.video, one.codecs, one.width, one.height, one.rotation, one.seconds, one.frames
        )
        for one in movie.tracks.values()
    ]  # fmt: skip
    mov = start[4:8] != b"ftyp" or start[8:12] == b"qt  "
    seconds = max([track.seconds for track in tracks], default=0.0)
    return Content("mov" if mov else "mp4", tracks, movie.header_seconds, seconds)


class _Walk:
    __slots__ = ("_base", "_boxes_left", "_bytes_left", "_limit", "_movie", "_reader", "_size", "_window")

    def __init__(self, reader: Reader, start: bytes, limit: float | None) -> None:
        self._reader, self._size, self._limit = reader, reader.size, limit
        self._window, self._base = start, 0
        self._movie: Movie | None = None
        self._boxes_left, self._bytes_left = MOST_BOXES, MOST_FRAGMENTS

    def run(self) -> Movie:
        at, size = 0, self._size
        while at < size:
            self._boxes_left -= 1
            if self._boxes_left < 0:
                raise too_slow("too many boxes")
            head = self._bytes(at, min(16, size - at))
            if len(head) < 8:
                self._leftover(truncated("a box isn't there to its end"))
                break
            length, kind = _head(head)
            body = at + 8
            if length < 8:
                if length == 0:
                    length = size - at
                elif length == 1 and len(head) == 16:
                    length, body = long_at(head, 8), at + 16
            after = at + length
            if after < body or after > size:
                if after > size and _is_kind(kind):
                    raise truncated("a box reaches behind the file's end")
                self._leftover(damaged("what is there is no box"))
                break
            self._take(kind, at, body, after)
            at = after
        if self._movie is None:
            raise truncated("the header isn't there")
        return self._movie

    def _take(self, kind: bytes, at: int, body: int, after: int) -> None:
        if kind == b"moov":
            if self._movie is not None:
                raise damaged("a second header")
            if after - body > MOST_HEADER:
                raise too_slow("the header is too long")
            self._movie = read_movie(self._bytes(body, after - body), self._size)
        elif kind == b"moof":
            if self._movie is None:
                raise damaged("a fragment before the header")
            data = self._bytes(body, self._bounded(after - body))
            self._boxes_left -= read_fragment(data, at, self._movie, self._size)
            self._check_limit()
        elif kind == b"sidx":
            check_index(self._bytes(body, self._bounded(after - body)), after, self._size)

    def _bounded(self, length: int) -> int:
        self._bytes_left -= length
        if length > MOST_FRAGMENT or self._bytes_left < 0:
            raise too_slow("the headers of fragments are too long")
        return length

    def _check_limit(self) -> None:
        limit = self._limit
        if limit is not None and self._movie is not None:
            for track in self._movie.tracks.values():
                if track.ticks > limit * track.timescale:
                    raise too_long(limit)

    def _leftover(self, error: MediaError) -> None:
        """What lies here is no box. Behind a file that is whole it does no harm."""
        if self._movie is None or self._movie.defaults is not None:
            raise error

    def _bytes(self, at: int, length: int) -> bytes:
        begin = at - self._base
        if begin < 0 or begin + length > len(self._window):
            self._window = self._reader.read(at, max(length, min(_WINDOW, self._size - at)))
            self._base, begin = at, 0
        return self._window[begin : begin + length]


def _is_kind(kind: bytes) -> bool:
    return kind.isascii() and kind.decode("ascii").isprintable()
