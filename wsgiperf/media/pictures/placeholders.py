"""What stands in a picture's place until it has come: a few pixels, to be shown blurred."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from PIL import Image

from wsgiperf.errors import SettingsError
from wsgiperf.media.formats import sniffing
from wsgiperf.media.limits import DEFAULT_LIMITS, Deadline, Limits
from wsgiperf.media.pictures import colour
from wsgiperf.media.pictures.choices import Choices
from wsgiperf.media.pictures.decoding import decode
from wsgiperf.media.pictures.encoding import Words, encode
from wsgiperf.media.pictures.optimising import prepare
from wsgiperf.media.pictures.resizing import within
from wsgiperf.media.sources import Source, read

__all__ = ["Placeholder", "placeholder"]

_QUALITY = 40
_SMALLEST, _LARGEST = 4, 64


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A tiny WebP and the picture's mean colour.

    :param width, height: of the original, upright: as attributes of `img` they keep its place.
    :param color: such as `#8090a0`.
    """

    data: bytes
    width: int
    height: int
    color: str

    @property
    def uri(self) -> str:
        """A `data:` URI, for `src` or `url()`; a Content-Security-Policy has to allow it in `img-src`."""
        return "data:image/webp;base64," + b64encode(self.data).decode("ascii")

    @property
    def style(self) -> str:
        """A value for the attribute `style` of an `img`."""
        return f"background:{self.color} url({self.uri}) center/cover no-repeat"


def placeholder(source: Source, size: int = 24, *, limits: Limits = DEFAULT_LIMITS) -> Placeholder:
    """A preview of a few hundred bytes.

    :param size: pixels of its longer side, 4 to 64.
    :raises MediaError: as `optimize`.
    """
    if type(size) is not int or not _SMALLEST <= size <= _LARGEST:
        raise SettingsError("size", f"pixels from {_SMALLEST} to {_LARGEST}", value=size)
    data = read(source, limits.max_bytes)
    header = sniffing.inspect(data)
    most = (size, size)
    picture = decode(data, header, limits, Deadline(limits.max_seconds), lambda full: within(full, most))
    image = picture.rendered(within(picture.size, most))
    image = prepare(image, picture.icc, Choices(keep=frozenset())).image
    mean = colour.composite(image, "#ffffff").convert("RGB").resize((1, 1), Image.Resampling.BOX)
    pixel = mean.getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return Placeholder(encode(image, "webp", _QUALITY, Words()), *picture.size, "#" + bytes(pixel).hex())
