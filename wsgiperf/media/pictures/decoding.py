"""From bytes to pixels, within limits and by the decoder of that format alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from wsgiperf.media.errors import DamagedMediaError
from wsgiperf.media.formats import exif, png
from wsgiperf.media.formats.header import Header
from wsgiperf.media.limits import Deadline, Limits
from wsgiperf.media.pictures import colour
from wsgiperf.media.pictures.guarding import decoding
from wsgiperf.media.pictures.resizing import Box, Size, resize, stored_box, turn, upright_size

__all__ = ["PLUGINS", "Picture", "check_cost", "decode", "open_file"]

# The plugin itself and not `Image.open`: that would try others, and start programs for some.
PLUGINS: dict[str, Callable[[BytesIO], ImageFile.ImageFile]] = {
    "jpeg": JpegImagePlugin.JpegImageFile,
    "png": PngImagePlugin.PngImageFile,
    "gif": GifImagePlugin.GifImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
    "avif": AvifImagePlugin.AvifImageFile,
    "tiff": TiffImagePlugin.TiffImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
}
#: Nanoseconds for a pixel (measured, rounded up), to see a slow file before it is begun.
_TIMES = {"jpeg": 12, "png": 30, "gif": 20, "webp": 40, "avif": 60, "tiff": 30, "bmp": 10}
_DRAFTS = (8, 4, 2, 1)


@dataclass(frozen=True, slots=True)
class Picture:
    """Decoded pixels as they are stored, and what to know of them.

    :param size: of the original, upright.
    :param scale: of the pixels to the original: JPEG may be decoded in a fraction of its size.
    """

    image: Image.Image
    header: Header
    size: Size
    icc: bytes | None
    scale: float = 1.0

    def rendered(self, size: Size, box: Box | None = None) -> Image.Image:
        """Upright in a size, in one of the modes L, LA, RGB, RGBA and CMYK.

        :param box: a part of the upright original, in its pixels; None for all.
        """
        orientation = self.header.orientation
        stored = upright_size(self.size, orientation)
        box = stored_box(box or (0, 0, *self.size), stored, orientation)
        left, top, right, bottom = (side * self.scale for side in box)
        with decoding():
            image = colour.standard(self.image, self.header)
            resized = resize(image, upright_size(size, orientation), (left, top, right, bottom))
            return turn(colour.gamma_corrected(resized, self.header.gamma), orientation)


def open_file(data: bytes, header: Header, limits: Limits) -> tuple[ImageFile.ImageFile, Header]:
    """The opened, not yet decoded file, and the header with what only the decoder tells.

    :raises MediaError: where it is beyond the limits, or no such file.
    """
    limits.check_pixels(header.width, header.height, header.frames)
    if header.format == "png":
        data = png.without_text(data)
    with decoding():
        image = PLUGINS[header.format](BytesIO(data))
        if image.width * image.height > header.width * header.height:
            raise DamagedMediaError("damaged", "two sizes in one file")
        if header.format in ("avif", "tiff"):
            icc = image.info.get("icc_profile")
            header = replace(header, icc=icc if isinstance(icc, bytes) else None)
        if header.format == "avif":
            notes = exif.parse(image.info.get("exif", b""))
            frames = getattr(image, "n_frames", 1)
            header = replace(header, orientation=notes.orientation, copyright=notes.copyright, frames=frames)
    return image, header


def decode(
    data: bytes,
    header: Header,
    limits: Limits,
    deadline: Deadline,
    least: Callable[[Size], Size] | None = None,
) -> Picture:
    """The first frame.

    :param least: from the upright size to the size that will be needed: JPEG is decoded in the smallest
        of 1/1, 1/2, 1/4 and 1/8 that is no smaller.
    :raises MediaError: for anything wrong with the file.
    """
    image, header = open_file(data, header, limits)
    stored = drafted = image.size
    scale = 1.0
    upright = upright_size(stored, header.orientation)
    if least is not None and isinstance(image, JpegImagePlugin.JpegImageFile):
        draft = image.draft(None, upright_size(least(upright), header.orientation))
        # The last column and row of a fraction may hold less than the others.
        drafted, scale = image.size, draft[1][2] / stored[0] if draft else 1.0
    check_cost(header, stored, drafted, 2 * len(data), limits)
    deadline.check()
    with decoding():
        image.load()
        if header.format == "tiff":  # it has turned itself
            upright = image.size
        # The same pixels without the file and the decoder, which hold as much again.
        pixels = image._new(image.im)
    deadline.check()
    return Picture(pixels, header, upright, header.icc, scale)


def check_cost(header: Header, stored: Size, drafted: Size, held: int, limits: Limits) -> None:
    """:raises TooLargeMediaError: where decoding would take more memory or time than is allowed."""
    pixels = stored[0] * stored[1]
    memory = held + header.bytes_per_pixel * header.width * header.height
    if drafted != stored:
        memory -= 4 * (pixels - drafted[0] * drafted[1])
    limits.check_cost(memory, _TIMES[header.format] * 1e-9 * pixels * header.frames * header.scans)
