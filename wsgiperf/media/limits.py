"""What a file may cost, decided from its header: a decoder written in C cannot be interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from wsgiperf.media.errors import TooLargeMediaError

__all__ = ["DEFAULT_LIMITS", "Deadline", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that one file may be and cost.

    :param max_bytes: of the file.
    :param max_pixels: width times height times frames.
    :param max_frames: of an animation.
    :param max_memory: bytes that decoding may take: what each format takes for a pixel (measured), and twice
        the file.
    :param max_seconds: for all the work on one file. Before decoding it is held against what each format
        takes for a pixel; then it is looked at between any two steps.
    """

    max_bytes: int = 50_000_000
    max_pixels: int = 100_000_000
    max_frames: int = 1_000
    max_memory: int = 200_000_000
    max_seconds: float = 20.0

    def check_pixels(self, width: int, height: int, frames: int) -> None:
        """Whether a picture of this size may be decoded at all.

        :raises TooLargeMediaError: if not.
        """
        if frames > self.max_frames:
            raise TooLargeMediaError("too_many_frames", f"{frames}, and {self.max_frames} are allowed")
        if width * height * frames > self.max_pixels:
            times = f" x {frames} frames" if frames > 1 else ""
            raise TooLargeMediaError(
                "too_many_pixels", f"{width} x {height}{times}, and {self.max_pixels:,} are allowed"
            )

    def check_cost(self, memory: int, seconds: float) -> None:
        """Whether decoding may take this much memory and time.

        :raises TooLargeMediaError: if not.
        """
        if memory > self.max_memory:
            raise TooLargeMediaError(
                "too_many_pixels", f"decoding takes {memory:,} bytes, and {self.max_memory:,} are allowed"
            )
        if seconds > self.max_seconds:
            raise TooLargeMediaError("too_slow", f"decoding takes about {seconds:.0f} seconds")


DEFAULT_LIMITS = Limits()


class Deadline:
    """When the work on one file must have ended.

    :param seconds: from now.
    """

    __slots__ = ("_end",)

    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    def check(self) -> None:
        """:raises TooLargeMediaError: when it has passed."""
        if monotonic() > self._end:
            raise TooLargeMediaError("too_slow")

    @property
    def passed(self) -> bool:
        return monotonic() > self._end
