"""The `moov` box: which tracks there are, and what the header says.

What the header says of durations is told, never believed. Source: ISO/IEC 14496-12 sections 8.2 to 8.8.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wsgiperf.media.video.codecs import codec_name, object_type_name
from wsgiperf.media.video.mp4.boxes import Boxes, Span, boxes, by_kind, long_at, only, word_at
from wsgiperf.media.video.mp4.samples import samples
from wsgiperf.media.video.refusals import damaged, unsupported

__all__ = ["Movie", "MovieTrack", "read_movie"]

_MOST_TRACKS = 128
_MOST_CODECS = 16
_ENCRYPTED = frozenset((b"encv", b"enca", b"drmi", b"drms", b"p608"))
# What a matrix turns the picture by: its upper left four numbers, of which only the signs count.
_TURNS = {(0, 1, -1, 0): 90, (-1, 0, 0, -1): 180, (0, -1, 1, 0): 270}
#: Behind the fixed fields of a sound's sample entry, by the version of it: QuickTime File Format.
_SOUND_ENTRIES = {0: 36, 1: 52, 2: 72}


@dataclass(slots=True)
class MovieTrack:
    """A track of pictures or sound, and what its samples come to; fragments add to it."""

    video: bool
    timescale: int  #: ticks in a second
    codecs: tuple[str, ...]
    width: int
    height: int
    rotation: int
    frames: int
    ticks: int
    # In fragments: the earliest and the latest tick of the clock.
    begin: int | None = None
    end: int = 0

    @property
    def seconds(self) -> float:
        """The longer of what its samples last together, and what it takes on the clock with all its gaps."""
        span = self.end - self.begin if self.begin is not None else 0
        return max(self.ticks, span) / self.timescale


@dataclass(slots=True)
class Movie:
    """What `moov` holds."""

    header_seconds: float | None
    tracks: dict[int, MovieTrack] = field(default_factory=dict)
    #: By track: ticks and bytes of a sample for which a fragment tells nothing; None without fragments.
    defaults: dict[int, tuple[int, int]] | None = None
    others: bool = False  #: there are tracks of other kinds


def read_movie(data: bytes, size: int) -> Movie:
    """The tracks of pictures and sound, and their samples.

    :param data: the body of `moov`.
    :param size: bytes of the whole file.
    :raises MediaError: damaged, truncated, unsupported.
    """
    inside = boxes(data, 0, len(data))
    named = by_kind(inside)
    if b"cmov" in named:
        raise unsupported("a compressed header")
    movie = Movie(_header_seconds(data, named))
    if b"mvex" in named:
        movie.defaults = {}
        _read_defaults(data, named[b"mvex"], movie)
    count = 0
    for kind, at, end in inside:
        if kind == b"trak":
            count += 1
            if count > _MOST_TRACKS:
                raise unsupported(f"more than {_MOST_TRACKS} tracks")
            _read_track(data, at, end, size, movie)
    return movie


def _header_seconds(data: bytes, named: Boxes) -> float | None:
    if b"mvhd" not in named:
        raise damaged("no header of the movie")
    scale, ticks = _clock(data, named[b"mvhd"][0])
    # All ones: not known, section 8.2.2.3.
    return ticks / scale if scale and ticks not in (0, 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF) else None


def _clock(data: bytes, at: int) -> tuple[int, int]:
    """Ticks in a second and all ticks, from `mvhd` or `mdhd`."""
    if data[at]:
        return word_at(data, at + 20), long_at(data, at + 24)
    return word_at(data, at + 12), word_at(data, at + 16)


def _read_defaults(data: bytes, span: Span, movie: Movie) -> None:
    defaults: dict[int, tuple[int, int]] = {}
    for kind, at, end in boxes(data, *span):
        if kind == b"trex" and end - at >= 24:
            defaults[word_at(data, at + 4)] = (word_at(data, at + 12), word_at(data, at + 16))
        elif kind == b"mehd":
            scale, _ = _clock(data, only(data, 0, len(data))[b"mvhd"][0])
            ticks = long_at(data, at + 4) if data[at] else word_at(data, at + 4)
            if scale and ticks:
                movie.header_seconds = ticks / scale
    movie.defaults = defaults


def _read_track(data: bytes, at: int, end: int, size: int, movie: Movie) -> None:
    track = only(data, at, end)
    if b"mdia" not in track or b"tkhd" not in track:
        raise damaged("a track without a header")
    media = only(data, *track[b"mdia"])
    if b"hdlr" not in media or b"mdhd" not in media or b"minf" not in media:
        raise damaged("a track without a header")
    handler = media[b"hdlr"][0] + 8
    kind = data[handler : handler + 4]
    if kind not in (b"vide", b"soun"):
        movie.others = True
        return
    timescale = _clock(data, media[b"mdhd"][0])[0]
    if not timescale:
        raise damaged("a clock without ticks")
    information = only(data, *media[b"minf"])
    if b"stbl" not in information:
        raise damaged("a table of samples is missing")
    if b"dinf" in information:
        _check_reference(data, information[b"dinf"])
    tables = only(data, *information[b"stbl"])
    video = kind == b"vide"
    codecs, width, height = _entries(data, tables, video)
    number, rotation = _placed(data, *track[b"tkhd"])
    if number in movie.tracks:
        raise damaged("two tracks of one number")
    frames, ticks = 0, 0
    if b"stsz" in tables or b"stz2" in tables or movie.defaults is None:
        frames, ticks = samples(data, tables, size)
    movie.tracks[number] = MovieTrack(video, timescale, codecs, width, height, rotation, frames, ticks)


def _check_reference(data: bytes, span: Span) -> None:
    """The samples are in this file: nobody may have a player fetch another."""
    inside = only(data, *span)
    if b"dref" in inside:
        at, end = inside[b"dref"]
        for _, entry, after in boxes(data, at + 8, end):
            if after - entry < 4 or not data[entry + 3] & 1:
                raise unsupported("its content is in another file")


def _placed(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The track's number, and degrees that it is turned by: section 8.3.2."""
    later = 12 if data[at] else 0  # version 1 has longer times
    matrix = at + 40 + later
    if matrix + 44 > end:
        raise damaged("a track without a header")
    number = word_at(data, at + (20 if later else 12))
    if data[matrix : matrix + 8] == b"\0\1\0\0\0\0\0\0" and not data[matrix + 16] & 0x80:
        return number, 0
    signs = [_sign(word_at(data, matrix + offset)) for offset in (0, 4, 12, 16)]
    return number, _TURNS.get((signs[0], signs[1], signs[2], signs[3]), 0)


def _sign(word: int) -> int:
    return 0 if not word else 1 if word < 0x8000_0000 else -1


def _entries(data: bytes, tables: Boxes, video: bool) -> tuple[tuple[str, ...], int, int]:
    """Codecs, and width and height of the first: section 8.5.2."""
    if b"stsd" not in tables:
        raise damaged("a table of samples is missing")
    at, end = tables[b"stsd"]
    codecs: list[str] = []
    width = height = 0
    for kind, entry, after in boxes(data, at + 8, end)[: _MOST_CODECS + 1]:
        if kind in _ENCRYPTED:
            raise unsupported("it is encrypted")
        name = _codec(data, kind, entry, after, video)
        if name not in codecs:
            codecs.append(name)
        if video and after - entry < 28:
            raise damaged("a codec without its description")
        if video and not width:
            width, height = data[entry + 24] << 8 | data[entry + 25], data[entry + 26] << 8 | data[entry + 27]
    if not codecs or len(codecs) > _MOST_CODECS:
        raise damaged("a track of no codec, or of too many")
    return tuple(codecs), width, height


def _codec(data: bytes, kind: bytes, at: int, end: int, video: bool) -> str:
    if kind in (b"mp4a", b"mp4v"):  # a family: which codec, an inner box tells
        behind = at + 78 if video else at + _SOUND_ENTRIES.get(data[at + 9], 36) - 8
        found = data.find(b"esds", behind, end)
        number = _object_type(data, found + 8, end) if found >= 0 else None
        if number is not None:
            return object_type_name(number) or f"{kind.decode()}.{number:x}"
    return codec_name(kind.decode("latin-1"))


def _object_type(data: bytes, at: int, end: int) -> int | None:
    """From the descriptors in `esds`: ISO/IEC 14496-1 section 7.2.6."""
    at = _behind_length(data, at, 3)
    if at < 0 or at + 3 > end:
        return None
    flags = data[at + 2]
    at += 3 + 2 * (flags >> 7) + 2 * (flags >> 5 & 1)
    if flags & 0x40:
        at += 1 + data[at]
    at = _behind_length(data, at, 4)
    return data[at] if 0 <= at < end else None


def _behind_length(data: bytes, at: int, tag: int) -> int:
    """Where the descriptor's content begins; -1 where it is another."""
    if data[at] != tag:
        return -1
    at += 1
    for _ in range(3):
        if not data[at] & 0x80:
            break
        at += 1
    return at + 1
