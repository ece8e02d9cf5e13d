"""Sizes and parts of pictures: computed from the original, turned upright, never made larger."""

from __future__ import annotations

from typing import TypeAlias

from PIL import Image

__all__ = ["Box", "Size", "cover", "resize", "stored_box", "turn", "upright_size", "within"]

Size: TypeAlias = tuple[int, int]
Box: TypeAlias = tuple[float, float, float, float]

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Far larger pictures are first averaged to three times the size: 0.0002 less alike, and much faster.
_GAP = 3.0
_PREMULTIPLIED = {"RGBA": "RGBa", "LA": "La"}


def upright_size(size: Size, orientation: int) -> Size:
    return (size[1], size[0]) if orientation >= 5 else size


def within(size: Size, most: Size) -> Size:
    """The largest size of the same shape that is inside another; never larger than the first."""
    width, height = size
    scale = min(1.0, most[0] / width, most[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def cover(size: Size, wanted: Size) -> tuple[Size, Box]:
    """The size and the middle part of a picture that fills another size wholly.

    A picture smaller than what is wanted gives the same shape in its own pixels.
    """
    width, height = size
    scale = max(wanted[0] / width, wanted[1] / height)
    across, down = wanted[0] / scale, wanted[1] / scale
    shrink = min(1.0, scale)
    out = max(1, round(across * shrink)), max(1, round(down * shrink))
    left, top = (width - across) / 2, (height - down) / 2
    return out, (left, top, left + across, top + down)


def stored_box(box: Box, size: Size, orientation: int) -> Box:
    """Where a part of the upright picture is in the picture as it is stored.

    :param size: as stored.
    """
    left, top, right, bottom = box
    width, height = size
    if orientation >= 5:
        left, top, right, bottom = top, left, bottom, right
    if orientation in (2, 3, 7, 8):
        left, right = width - right, width - left
    if orientation in (3, 4, 6, 7):
        top, bottom = height - bottom, height - top
    return left, top, right, bottom


def turn(image: Image.Image, orientation: int) -> Image.Image:
    """Upright, by EXIF's orientation."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def resize(image: Image.Image, size: Size, box: Box | None = None) -> Image.Image:
    """A part in another size, with colours weighted by how opaque they are.

    Straight, the colour of what cannot be seen would bleed into what can.
    """
    width, height = image.size
    if size == image.size and (box is None or box == (0, 0, width, height)):
        return image
    if box is not None:
        # Sums of floats may lie a hair outside.
        box = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], width), min(box[3], height))
    straight = image.mode
    if straight in _PREMULTIPLIED:
        image = image.convert(_PREMULTIPLIED[straight])
    resized = image.resize(size, Image.Resampling.LANCZOS, box, _GAP)
    return resized.convert(straight) if straight in _PREMULTIPLIED else resized
