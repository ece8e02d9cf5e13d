"""The one family of errors that a picture or a video can end in.

Each has a reason, one word for programs, and a sentence for people. Neither holds anything of the file's
content, its name or its place on the disk: the sentence can be shown to whoever sent the file.
"""

from __future__ import annotations

from wsgiperf.errors import WSGIPerfError

__all__ = ["REASONS", "DamagedMediaError", "MediaError", "TooLargeMediaError", "UnsupportedMediaError"]

#: Every reason, and what it says.
REASONS = {
    # DamagedMediaError
    "empty": "the file is empty",
    "truncated": "the file ends before its content does",
    "damaged": "the file's content is damaged",
    # UnsupportedMediaError
    "not_an_image": "the file isn't an image of a known format",
    "not_a_video": "the file isn't a video of a known format",
    "format_refused": "files of this format aren't taken",
    "unsupported": "the file uses a feature of its format that can't be decoded",
    "no_video": "the file has no video track",
    "zero_length": "the video lasts no time",
    "codec_refused": "videos of this codec aren't taken",
    # TooLargeMediaError
    "too_many_bytes": "the file has too many bytes",
    "too_many_pixels": "the picture has too many pixels",
    "too_many_frames": "the animation has too many frames",
    "too_large": "the picture is larger in one direction than the limit",
    "too_slow": "the file would take too long",
    "too_long": "the video lasts too long",
    # MediaError
    "unreadable": "the file can't be read",
    "unwritable": "the result can't be written",
    "cancelled": "the work was cancelled",
}


class MediaError(WSGIPerfError, ValueError):
    """A file that gives no picture or video, and why.

    :param reason: one of `REASONS`.
    :param detail: what exactly, in words of ours and figures; never the file's.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        sentence = REASONS[reason]
        super().__init__(f"{sentence}: {detail}" if detail else sentence)

    def __reduce__(self) -> tuple[type[MediaError], tuple[str, str]]:
        # Errors come back from the processes of a pool.
        return type(self), (self.reason, self.detail)


class UnsupportedMediaError(MediaError):
    """Nothing that this library takes, sound as it may be."""


class DamagedMediaError(MediaError):
    """Not what its first bytes promise: cut, damaged or empty."""


class TooLargeMediaError(MediaError):
    """Beyond a limit of size, time or number."""
