"""What is known of a video that has passed."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CONTENT_TYPES", "Video"]

#: By container.
CONTENT_TYPES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
}


@dataclass(frozen=True, slots=True)
class Video:
    """A video that has passed `validate_video`."""

    #: Seconds, by samples or blocks: from the begin of the first to the end of the last, of picture or sound.
    duration: float
    width: int  #: pixels, as it is shown: turned upright
    height: int
    rotation: int  #: degrees that the stored frames are turned by, clockwise: 0, 90, 180 or 270
    video_codec: str  #: h264, hevc, vp8, vp9, av1 ...; the container's own name for one that isn't known
    audio_codec: str | None  #: aac, opus, vorbis, mp3 ...; None without sound
    container: str  #: mp4, mov, webm or mkv; also the file's true extension
    size: int  #: bytes
    frames: int | None  #: pictures; None where counting them would mean reading the file
    #: What the header says, true or not: much less than the duration means that somebody changed it, much
    #: more that the file isn't complete. None where it says nothing.
    header_duration: float | None

    @property
    def content_type(self) -> str:
        """For the Content-Type header."""
        return CONTENT_TYPES[self.container]
