"""What a picture is, without decoding it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from wsgiperf.media.formats import sniffing
from wsgiperf.media.formats.header import CONTENT_TYPES
from wsgiperf.media.limits import DEFAULT_LIMITS, Limits
from wsgiperf.media.pictures.colour import has_alpha
from wsgiperf.media.pictures.decoding import open_file
from wsgiperf.media.pictures.resizing import upright_size
from wsgiperf.media.sources import Source, read

__all__ = ["Probed", "probe"]


@dataclass(frozen=True, slots=True)
class Probed:
    """What a picture's header says; its pixels may be damaged all the same.

    :param format: by its first bytes, whatever its name.
    :param width, height: in pixels, upright.
    :param orientation: 1 to 8, as EXIF has it.
    :param alpha: whether it can be transparent.
    :param icc: whether it has a colour profile.
    :param size: bytes.
    """

    format: str
    width: int
    height: int
    frames: int
    orientation: int
    alpha: bool
    icc: bool
    progressive: bool
    copyright: str | None
    size: int

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.format]


def probe(source: Source, *, formats: Set[str] | None = None, limits: Limits = DEFAULT_LIMITS) -> Probed:
    """:raises MediaError: for a file that is no picture, or beyond the limits."""
    data = read(source, limits.max_bytes)
    header = sniffing.inspect(data, formats)
    image, header = open_file(data, header, limits)
    width, height = upright_size(image.size, header.orientation)
    return Probed(
        header.format, width, height, header.frames, header.orientation, has_alpha(image),
        header.icc is not None, header.progressive, header.copyright, len(data),
    )  # fmt: skip
