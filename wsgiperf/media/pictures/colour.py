"""Every mode and profile that decoders give, as 8-bit grey or sRGB with or without alpha."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Any

from PIL import Image, ImageChops, ImageCms, ImageMath

from wsgiperf.media.formats.header import Header

__all__ = ["composite", "has_alpha", "is_srgb", "simplest", "standard", "to_srgb", "usable_profile"]

_SPACES = {"L": b"GRAY", "LA": b"GRAY", "RGB": b"RGB ", "RGBA": b"RGB ", "CMYK": b"CMYK"}
_FULL = 65_535
_VIEWING_GAMMA = 2.2


def has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def usable_profile(image: Image.Image, icc: bytes | None) -> bytes | None:
    """The profile if it is one for this picture's kind of colour."""
    if icc is None or len(icc) < 132 or icc[36:40] != b"acsp":
        return None
    return icc if _SPACES.get(image.mode) == icc[16:20] else None


def standard(image: Image.Image, header: Header) -> Image.Image:
    """In one of the modes L, LA, RGB, RGBA and, to be turned by its profile, CMYK.

    :raises Exception: whatever Pillow does about a mode it cannot convert.
    """
    mode = image.mode
    if mode in ("L", "RGB", "1") and "transparency" in image.info:
        return _keyed(image, header)
    if mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return image
    if mode == "1":
        return image.convert("L")
    if mode in ("I", "F") or mode.startswith("I;16"):
        return _narrowed(image, header)
    if mode == "P":
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    if mode in ("PA", "RGBa"):
        return image.convert("RGBA")
    if mode == "La":
        return image.convert("LA")
    if mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return _made(ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB"))
    return image.convert("RGB")


def _keyed(image: Image.Image, header: Header) -> Image.Image:
    """One colour is transparent; a PNG tells it in samples of its own depth."""
    key = image.info["transparency"]
    if header.format == "png" and header.depth != 8 and not isinstance(key, bytes):
        image.info["transparency"] = _scaled(key, header.depth) if image.mode != "1" else key
    if image.mode == "1":
        # As grey, where the key keeps its meaning.
        image = image.convert("L")
        image.info["transparency"] = key
    return image.convert("RGBA" if image.mode == "RGB" else "LA")


def _scaled(key: Any, depth: int) -> Any:
    if isinstance(key, tuple):
        return tuple(_scaled(sample, depth) for sample in key)
    # Decoders keep the upper half of 16 bits, and spread fewer than eight over them.
    return key >> 8 if depth == 16 else min(255, key * 255 // ((1 << depth) - 1))


def _narrowed(image: Image.Image, header: Header) -> Image.Image:
    """Of deep grey: white stays white. `convert` alone would clip whatever is above 255."""
    key = image.info.get("transparency")
    wide = image if image.mode in ("I", "F") else image.convert("I")
    extrema: Any = wide.getextrema()
    if image.mode == "F":
        scale, shift = _float_range(*extrema)
    else:
        full = 255 if extrema[1] <= 255 and header.depth != 16 else max(_FULL, extrema[1])
        scale, shift = 255 / full, 0.5
    grey = wide.point(lambda sample: sample * scale + shift).convert("L")
    if isinstance(key, int):
        hidden = ImageMath.lambda_eval(lambda given: (given["wide"] != key) * 255, wide=wide)
        grey.putalpha(hidden.convert("L"))
    return grey


def _float_range(low: float, high: float) -> tuple[float, float]:
    """Scale and shift of floats: 0 to 1 and 0 to 255 are usual, others are stretched."""
    if low >= 0 and high <= 1:
        return 255.0, 0.5
    if low >= 0 and high <= 255:
        return 1.0, 0.5
    span = (high - low) or 1.0
    return 255 / span, 0.5 - low * 255 / span


def gamma_corrected(image: Image.Image, gamma: float | None) -> Image.Image:
    """With a PNG's own gamma worked into its samples, where it isn't the usual one."""
    if gamma is None or not 0.05 < gamma < 5 or abs(gamma * _VIEWING_GAMMA - 1) < 0.05:
        return image
    power = 1 / (gamma * _VIEWING_GAMMA)
    table = [round(255 * (sample / 255) ** power) for sample in range(256)]
    straight = list(range(256))
    bands = len(image.getbands())
    tables = table * (bands - 1) + straight if has_alpha(image) else table * bands
    return image.point(tables)


def _made(image: Image.Image | None) -> Image.Image:
    assert image is not None  # only a transformation in place gives None
    return image


def to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """By its profile, or as Pillow does where there is none, or an unusable one."""
    icc = usable_profile(image, icc)
    if icc is not None:
        mode = {"CMYK": "RGB", "LA": "LA"}.get(image.mode, image.mode)
        if image.mode == "LA":
            grey, alpha = image.split()
            grey = to_srgb(grey, icc)
            grey.putalpha(alpha)
            return grey
        try:
            target = ImageCms.createProfile("sRGB")
            source = ImageCms.ImageCmsProfile(BytesIO(icc))
            if image.mode == "L":
                # LittleCMS needs three channels for sRGB; the result is grey all the same.
                return _made(ImageCms.profileToProfile(image, source, target, outputMode="RGB")).convert("L")
            return _made(ImageCms.profileToProfile(image, source, target, outputMode=mode))
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return image.convert("RGB") if image.mode == "CMYK" else image


#: Corners, middles and skin tones: a profile that leaves these alone is sRGB by whatever name.
_PROBES = (0, 32, 64, 96, 128, 160, 192, 224, 255)
_NEAR = 3


@lru_cache(64)
def is_srgb(icc: bytes) -> bool:
    """Whether a profile changes no colour that can be seen: then the picture can do without it."""
    if icc[16:20] != b"RGB ":
        return False
    probe = Image.new("RGB", (9, 81))
    probe.putdata([(red, green, blue) for red in _PROBES for green in _PROBES for blue in _PROBES])
    try:
        source, target = ImageCms.ImageCmsProfile(BytesIO(icc)), ImageCms.createProfile("sRGB")
        shown = _made(ImageCms.profileToProfile(probe, source, target))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return False
    extrema = ImageChops.difference(probe, shown).getextrema()
    return all(isinstance(band, tuple) and band[1] <= _NEAR for band in extrema)


def composite(image: Image.Image, background: str) -> Image.Image:
    """Without alpha, on a colour."""
    if not has_alpha(image):
        return image
    coloured = image.convert("RGBA")
    ground = Image.new("RGBA", image.size, background)
    ground.alpha_composite(coloured)
    return ground.convert("RGB")


def simplest(image: Image.Image) -> Image.Image:
    """Without an alpha that hides nothing, and without colours that are all grey; to the bit the same."""
    if image.mode in ("RGBA", "LA"):
        low, _ = image.getchannel("A").getextrema()
        if low == 255:
            image = image.convert(image.mode[:-1])
    if image.mode in ("RGB", "RGBA"):
        red, green, blue = (image.getchannel(band) for band in "RGB")
        same = ImageChops.difference(red, green).getbbox() is None
        if same and ImageChops.difference(red, blue).getbbox() is None:
            grey = red
            if image.mode == "RGBA":
                grey = Image.merge("LA", (red, image.getchannel("A")))
            return grey
    return image
