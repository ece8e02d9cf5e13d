"""From pixels to bytes, one way for each format; quality is on JPEG's scale for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image, ImageChops

from wsgiperf.media.errors import MediaError, TooLargeMediaError, UnsupportedMediaError
from wsgiperf.media.formats import exif
from wsgiperf.media.pictures import colour

__all__ = ["LARGEST", "Words", "avif_quality", "common_quality", "encode", "encoding", "native_quality"]

#: The longest side that each format can store.
LARGEST = {"jpeg": 65_500, "png": 2**31 - 1, "gif": 65_535, "webp": 16_383, "avif": 65_535}

_WEBP_METHOD, _AVIF_SPEED = 4, 8
# Above this many pixels, the highest level of PNG takes seconds for a percent or two.
_SMALL_PNG = 300_000
_PALETTE = 256


@dataclass(frozen=True, slots=True)
class Words:
    """What is written into a picture besides its pixels."""

    icc: bytes | None = None
    copyright: str | None = None

    def options(self) -> dict[str, bytes]:
        """For `save`."""
        found = {}
        if self.icc is not None:
            found["icc_profile"] = self.icc
        if self.copyright is not None:
            found["exif"] = b"Exif\0\0" + exif.build(self.copyright)
        return found


@contextmanager
def encoding() -> Iterator[None]:
    """:raises MediaError: for every exception of the block."""
    try:
        yield
    except MediaError:
        raise
    except MemoryError as error:
        raise TooLargeMediaError("too_many_pixels", "out of memory") from error
    except Exception as error:
        raise UnsupportedMediaError("unsupported", "the picture can't be encoded") from error


def avif_quality(quality: int) -> int:
    """AVIF's number for what looks like JPEG's: 85 is 65 (measured by SSIM on photographs)."""
    if quality <= 85:
        return round(quality * 65 / 85)
    return round(65 + (quality - 85) * 35 / 15)


def native_quality(name: str, quality: int) -> int:
    """The codec's own number for a quality on JPEG's scale."""
    return avif_quality(quality) if name == "avif" else quality


def common_quality(name: str, native: int) -> int:
    """The quality on JPEG's scale that is nearest to a codec's own number."""
    if name != "avif":
        return native
    return round(native * 85 / 65 if native <= 65 else 85 + (native - 65) * 15 / 35)


def encode(image: Image.Image, name: str, quality: int, words: Words, *, native: bool = False) -> bytes:
    """One picture in the modes L, LA, RGB, RGBA; PNG and GIF take 1 and P besides.

    The same pixels give the same bytes.

    :param quality: 1 to 100; of no meaning for PNG and GIF.
    :param native: the quality is the codec's own number, not on JPEG's scale.
    :raises MediaError: where the format cannot hold it.
    """
    if max(image.size) > LARGEST[name]:
        raise TooLargeMediaError("too_large", f"{name} holds {LARGEST[name]:,} pixels")
    # What came with the source must not be written by itself: comments, profiles, keys.
    kept: dict[str | tuple[int, int], Any] = {}
    if "transparency" in image.info:
        kept["transparency"] = image.info["transparency"]
    image = image.copy() if image.info.keys() != kept.keys() else image
    image.info = kept
    with encoding():
        return _ENCODERS[name](image, quality if native else native_quality(name, quality), words)


def _saved(image: Image.Image, name: str, **options: Any) -> bytes:
    sink = BytesIO()
    image.save(sink, name, **options)
    return sink.getvalue()


def _jpeg(image: Image.Image, quality: int, words: Words) -> bytes:
    options = {"quality": quality, "subsampling": "4:4:4" if quality >= 92 else "4:2:0", **words.options()}
    try:
        return _saved(image, "JPEG", progressive=True, optimize=True, **options)
    except OSError:
        # Its buffer is one byte for a pixel, and noise may need more.
        return _saved(image, "JPEG", progressive=False, optimize=False, **options)


def _png(image: Image.Image, quality: int, words: Words) -> bytes:
    if image.mode not in ("1", "P"):
        image = colour.simplest(image)
        image = exact_palette(image) or image
    options = words.options()
    if image.mode in ("1", "L", "LA", "P") and "icc_profile" in options and words.icc is not None:
        grey = image.mode != "P"
        if (words.icc[16:20] == b"GRAY") != grey:
            del options["icc_profile"]
    small = image.width * image.height <= _SMALL_PNG
    return _saved(image, "PNG", **({"optimize": True} if small else {"compress_level": 6}), **options)


def exact_palette(image: Image.Image) -> Image.Image | None:
    """The same colours by numbers, where there are few enough; None where there are more."""
    if image.mode == "L":
        return _few_greys(image)
    if image.mode not in ("RGB", "RGBA") or image.getcolors(_PALETTE) is None:
        return None
    method = Image.Quantize.FASTOCTREE if image.mode == "RGBA" else Image.Quantize.MEDIANCUT
    reduced = image.quantize(_PALETTE, method, dither=Image.Dither.NONE)
    back = reduced.convert(image.mode)
    if ImageChops.difference(back, image).getbbox(alpha_only=False) is None:
        return reduced
    return None


def _few_greys(image: Image.Image) -> Image.Image | None:
    """Black and white take one bit, sixteen greys four; more take eight as they are."""
    greys = [grey for grey, count in enumerate(image.histogram()) if count]
    if set(greys) <= {0, 255}:
        return image.convert("1", dither=Image.Dither.NONE)
    if len(greys) > 16:
        return None
    numbers = [0] * 256
    for number, grey in enumerate(greys):
        numbers[grey] = number
    reduced = image.point(numbers).convert("P")
    reduced.putpalette(bytes(grey for grey in greys for _ in range(3)))
    return reduced


def _gif(image: Image.Image, quality: int, words: Words) -> bytes:
    if image.mode in ("RGBA", "LA"):
        image = image.convert("RGBA")
        # GIF knows no half transparency.
        image.putalpha(image.getchannel("A").point(lambda alpha: 255 if alpha >= 128 else 0))
    elif image.mode == "RGB":
        image = exact_palette(image) or image.quantize(_PALETTE, Image.Quantize.MEDIANCUT)
    return _saved(image, "GIF", optimize=True)


def _webp(image: Image.Image, quality: int, words: Words) -> bytes:
    mode = "RGBA" if colour.has_alpha(image) else "RGB"
    image = image if image.mode == mode else image.convert(mode)
    options = words.options()
    lossy = _saved(image, "WEBP", quality=quality, method=_WEBP_METHOD, alpha_quality=100, **options)
    if image.getcolors(_PALETTE) is None:
        return lossy
    # Drawings and screenshots: exact is often the smaller one.
    lossless = _saved(image, "WEBP", lossless=True, quality=75, method=_WEBP_METHOD, **options)
    return min(lossless, lossy, key=len)


def _avif(image: Image.Image, quality: int, words: Words) -> bytes:
    if image.mode == "LA":
        image = image.convert("RGBA")
    return _saved(image, "AVIF", quality=quality, speed=_AVIF_SPEED, **words.options())


_ENCODERS = {"jpeg": _jpeg, "png": _png, "gif": _gif, "webp": _webp, "avif": _avif}
