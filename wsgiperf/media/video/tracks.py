"""What the readers of all containers find."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Content", "Track"]


class Track(NamedTuple):
    """One track of pictures or of sound."""

    video: bool  #: or audio; other kinds are left out
    codecs: tuple[str, ...]  #: names by `wsgiperf.media.video.codecs`; several where it changes on the way
    width: int = 0  #: of the stored frames
    height: int = 0
    rotation: int = 0  #: degrees to be turned clockwise: 0, 90, 180 or 270
    seconds: float = 0.0
    frames: int | None = None  #: None where counting them would mean reading the file


class Content(NamedTuple):
    """All tracks of a file."""

    container: str  #: mp4, mov, webm or mkv
    tracks: list[Track]
    header_seconds: float | None  #: what the file says of itself
    # By the clock of the file: a track may begin later than another.
    seconds: float
