"""The refusals that all readers of videos share, in short."""

from __future__ import annotations

from wsgiperf.media.errors import DamagedMediaError, TooLargeMediaError, UnsupportedMediaError

__all__ = ["damaged", "too_long", "too_slow", "truncated", "unsupported"]


def damaged(detail: str) -> DamagedMediaError:
    """Something in the file contradicts its format, or the rest of the file."""
    return DamagedMediaError("damaged", detail)


def truncated(detail: str) -> DamagedMediaError:
    """The file tells of bytes behind its end."""
    return DamagedMediaError("truncated", detail)


def unsupported(detail: str) -> UnsupportedMediaError:
    """Sound, but nothing that a web page can play."""
    return UnsupportedMediaError("unsupported", detail)


def too_long(limit: float) -> TooLargeMediaError:
    """More seconds than are allowed."""
    return TooLargeMediaError("too_long", f"more than {limit:g} s")


def too_slow(detail: str) -> TooLargeMediaError:
    """To read it would take more work than any honest file does."""
    return TooLargeMediaError("too_slow", detail)
