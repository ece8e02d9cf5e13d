"""What comes out."""

from __future__ import annotations

from dataclasses import dataclass, field

from wsgiperf.media.formats.header import CONTENT_TYPES

__all__ = ["REASONS", "Optimized"]

#: Why a result is what it is.
REASONS = {
    "smaller": "encoded again, and smaller than the original",
    "original": "the original's own pixels, without metadata: encoding again would not have made it smaller",
    "private": "larger than the original, whose metadata couldn't be cut out",
    "turned": "larger than the original, which had to be turned upright",
    "fitted": "larger than the original, which was too wide or too high",
    "coloured": "larger than the original, whose colours had to be converted",
    "composited": "larger than the original, which had to be put on a background",
    "converted": "larger than the original, which is of another format than was asked for",
}


@dataclass(frozen=True, slots=True)
class Optimized:
    """A picture ready to be sent.

    :param data: the file.
    :param format: `jpeg`, `png`, `gif`, `webp` or `avif`.
    :param width, height: in pixels, upright.
    :param original_size: bytes of the source.
    :param reason: one of `REASONS`.
    :param frames: more than 1 if animated.
    :param quality: on JPEG's scale, as encoded; None for the original's pixels and lossless formats.
    """

    data: bytes = field(repr=False)
    format: str
    width: int
    height: int
    original_size: int
    reason: str
    frames: int = 1
    quality: int | None = None

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.format]

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.data)

    @property
    def saved(self) -> int:
        """Bytes less than the source; negative where it had to grow."""
        return self.original_size - len(self.data)

    @property
    def saved_share(self) -> float:
        """Of the source's bytes, 1 at most; negative where it had to grow."""
        return 1 - len(self.data) / self.original_size
