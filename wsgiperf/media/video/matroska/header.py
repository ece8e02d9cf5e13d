"""What stands before the content: the kind of document, its clock and its tracks.

Source: RFC 9559 sections 5.1.2 (Info) and 5.1.4 (Tracks).
"""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

from wsgiperf.media.errors import UnsupportedMediaError
from wsgiperf.media.video.codecs import codec_name
from wsgiperf.media.video.matroska.ebml import Element, children, first_of, number, real
from wsgiperf.media.video.refusals import damaged, unsupported

__all__ = ["Clock", "Described", "container", "read_clock", "read_tracks"]

_DOC_TYPE, _SCALE, _DURATION = 0x4282, 0x2AD7B1, 0x4489
_ENTRY, _NUMBER, _TYPE, _CODEC, _DEFAULT_DURATION, _TRACK_SCALE = 0xAE, 0xD7, 0x83, 0x86, 0x23E383, 0x23314F
_VIDEO, _WIDTH, _HEIGHT, _PROJECTION, _ROLL = 0xE0, 0xB0, 0xBA, 0x7670, 0x7675
_ENCODINGS, _ENCODING, _ENCRYPTION = 0x6D80, 0x6240, 0x5035
_IS_VIDEO, _IS_AUDIO = 1, 2
_MOST_TRACKS = 126
_LONGEST_CODEC = 64


class Clock(NamedTuple):
    """How long a tick is."""

    seconds: float  #: of one tick
    header_seconds: float | None  #: the whole, as the header says


class Described(NamedTuple):
    """A track as its header describes it."""

    number: int
    video: bool
    codec: str
    width: int
    height: int
    rotation: int
    frame: float  #: seconds that a frame lasts; 0 where not told


def container(data: bytes, at: int, end: int) -> str:
    """webm or mkv, from the body of the EBML header.

    :raises MediaError: not_a_video; a document of another type.
    """
    element = first_of(children(data, at, end), _DOC_TYPE)
    kind = data[element.at : element.end].rstrip(b"\0") if element else b"matroska"
    if kind == b"webm":
        return "webm"
    if kind == b"matroska":
        return "mkv"
    raise UnsupportedMediaError("not_a_video")


def read_clock(data: bytes) -> Clock:
    """From the body of Info.

    :raises MediaError: damaged.
    """
    inside = children(data, 0, len(data))
    element = first_of(inside, _SCALE)
    scale = number(data, element) if element else 1_000_000  # nanoseconds
    if not scale:
        raise damaged("a clock without ticks")
    element = first_of(inside, _DURATION)
    ticks = real(data, element) if element else 0.0
    return Clock(scale / 1e9, ticks * scale / 1e9 if isfinite(ticks) and ticks > 0 else None)


def read_tracks(data: bytes) -> list[Described]:
    """The tracks of pictures and sound, from the body of Tracks.

    :raises MediaError: damaged, unsupported.
    """
    found: list[Described] = []
    for element in children(data, 0, len(data)):
        if element.identifier == _ENTRY:
            track = _described(data, children(data, element.at, element.end))
            if track is not None:
                found.append(track)
    if len({track.number for track in found}) != len(found):
        raise damaged("two tracks of one number")
    return found


def _described(data: bytes, inside: list[Element]) -> Described | None:
    fields = {element.identifier: element for element in reversed(inside)}
    if _NUMBER not in fields or _TYPE not in fields or _CODEC not in fields:
        raise damaged("a track without number, type or codec")
    kind = number(data, fields[_TYPE])
    if kind not in (_IS_VIDEO, _IS_AUDIO):
        return None
    track = number(data, fields[_NUMBER])
    if not 0 < track <= _MOST_TRACKS:
        raise unsupported(f"a track number beyond {_MOST_TRACKS}")
    if _TRACK_SCALE in fields and real(data, fields[_TRACK_SCALE]) != 1.0:
        raise unsupported("a track with a clock of its own")
    if _ENCODINGS in fields:
        _check_encodings(data, fields[_ENCODINGS])
    codec = fields[_CODEC]
    raw = data[codec.at : min(codec.end, codec.at + _LONGEST_CODEC)].rstrip(b"\0")
    width, height, rotation = 0, 0, 0
    if kind == _IS_VIDEO and _VIDEO in fields:
        width, height, rotation = _size(data, fields[_VIDEO])
    frame = number(data, fields[_DEFAULT_DURATION]) / 1e9 if _DEFAULT_DURATION in fields else 0.0
    return Described(
        track, kind == _IS_VIDEO, codec_name(raw.decode("latin-1")), width, height, rotation, frame
    )


def _size(data: bytes, video: Element) -> tuple[int, int, int]:
    inside = children(data, video.at, video.end)
    width, height = first_of(inside, _WIDTH), first_of(inside, _HEIGHT)
    projection = first_of(inside, _PROJECTION)
    rotation = 0
    if projection:
        roll = first_of(children(data, projection.at, projection.end), _ROLL)
        degrees = real(data, roll) if roll else 0.0
        # Counted against the clock, in -180 to 180.
        rotation = round(-degrees / 90) * 90 % 360 if isfinite(degrees) else 0
    return number(data, width) if width else 0, number(data, height) if height else 0, rotation


def _check_encodings(data: bytes, encodings: Element) -> None:
    for encoding in children(data, encodings.at, encodings.end):
        if encoding.identifier == _ENCODING and first_of(
            children(data, encoding.at, encoding.end), _ENCRYPTION
        ):
            raise unsupported("it is encrypted")
