"""The smallest honest form of one picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Unpack

from PIL import Image

from wsgiperf.media.errors import TooLargeMediaError
from wsgiperf.media.formats import sniffing
from wsgiperf.media.formats.header import Header
from wsgiperf.media.limits import DEFAULT_LIMITS, Deadline, Limits
from wsgiperf.media.pictures import animation, colour, encoding, visual
from wsgiperf.media.pictures.choices import OUTPUTS, Choices, Options
from wsgiperf.media.pictures.decoding import decode
from wsgiperf.media.pictures.encoding import Words
from wsgiperf.media.pictures.resizing import within
from wsgiperf.media.pictures.results import Optimized
from wsgiperf.media.sinks import Sink, write
from wsgiperf.media.sources import Source, read

__all__ = ["optimize", "optimized", "to_avif", "to_webp"]

_LOSSLESS = frozenset(("png", "gif"))
#: Encoding lossily once more costs quality: for less than this share it isn't worth it.
_WORTH = 0.97
_WHITE = "#ffffff"
_MANY_COLOURS = 65_536


def optimize(
    source: Source, sink: Sink = None, *, limits: Limits = DEFAULT_LIMITS, **options: Unpack[Options]
) -> Optimized:
    """The picture in a size that fits, without metadata, upright, and no larger than it came.

    :param source: a path, bytes, or a file object, which is left where it stood and isn't closed.
    :param sink: where to write it as well: a path (whole or not at all) or a file object.
    :param options: those of `Choices`:

        * `max_width`, `max_height`: pixels, 1920 and 1080; never made larger.
        * `quality`: 1 to 100 on JPEG's scale, 85.
        * `format`: `auto` keeps a format of the web, and is else the smaller of JPEG and PNG, PNG where
          anything is transparent; or `jpeg`, `png`, `gif`, `webp`, `avif`.
        * `target`: `visual` for the quality that looks as JPEG's does and is no higher; a number of bytes
          that isn't exceeded, in a smaller size if need be; None for the quality as it is.
        * `background`: a colour to put transparent pictures on; None keeps them so where the format can,
          and is white where it can't.
        * `keep`: of `icc`, a colour profile that isn't sRGB (else its colours are converted to sRGB), and
          `copyright`, the notice. Nothing else is ever kept.
        * `animation`: `keep`, or `first` for the first frame.
        * `formats`: the only ones that are taken; None for all that are read.
    :returns: never larger than the original in bytes, but for the reasons that `Optimized` tells.
    :raises MediaError: for a file that is no picture, damaged, or beyond the limits.
    :raises SettingsError: for an option that doesn't exist, or a value that it doesn't take.
    """
    choices = Choices.of(options)
    result = optimized(read(source, limits.max_bytes), choices, limits)
    write(result.data, sink)
    return result


def to_webp(
    source: Source, sink: Sink = None, *, limits: Limits = DEFAULT_LIMITS, **options: Unpack[Options]
) -> Optimized:
    """`optimize` into WebP."""
    return optimize(source, sink, limits=limits, **_into("webp", options))


def to_avif(
    source: Source, sink: Sink = None, *, limits: Limits = DEFAULT_LIMITS, **options: Unpack[Options]
) -> Optimized:
    """`optimize` into AVIF: 77% smaller than JPEG of high quality, and slower to make than WebP."""
    return optimize(source, sink, limits=limits, **_into("avif", options))


def _into(name: str, options: Options) -> Options:
    changed = options.copy()
    changed["format"] = name
    return changed


def optimized(data: bytes, choices: Choices, limits: Limits) -> Optimized:
    """:raises MediaError: as `optimize`."""
    deadline = Deadline(limits.max_seconds)
    header = sniffing.inspect(data, choices.formats)
    moves = header.frames > 1 and choices.animation == "keep"
    if moves and (header.format if choices.format == "auto" else choices.format) in animation.ANIMATED:
        return _moving(data, header, choices, limits, deadline)
    return _still(data, header, choices, limits, deadline)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Pixels ready for an encoder, and what has been done to them.

    :param icc: the profile to write.
    :param coloured: the pixels were converted to sRGB.
    :param composited: they were put on a background.
    """

    image: Image.Image
    icc: bytes | None
    coloured: bool = False
    composited: bool = False


def prepare(image: Image.Image, icc: bytes | None, choices: Choices) -> Prepared:
    """In sRGB or with its profile, and on a background where one is asked for."""
    icc = colour.usable_profile(image, icc)
    coloured = composited = False
    kept = "icc" in choices.keep and choices.format != "gif"  # which has no place for it
    if image.mode == "CMYK":
        image, icc, coloured = colour.to_srgb(image, icc), None, not kept
    elif icc is not None and colour.is_srgb(icc):
        icc = None
    elif icc is not None and not kept:
        image, icc, coloured = colour.to_srgb(image, icc), None, True
    if choices.background is not None and colour.has_alpha(image):
        image, composited = colour.composite(image, choices.background), True
        icc = colour.usable_profile(image, icc)
    return Prepared(image, icc, coloured, composited)


def _still(data: bytes, header: Header, choices: Choices, limits: Limits, deadline: Deadline) -> Optimized:
    most = choices.max_width, choices.max_height
    picture = decode(data, header, limits, deadline, lambda size: within(size, most))
    header = picture.header
    size = within(picture.size, most)
    prepared = prepare(picture.rendered(size), picture.icc, choices)
    notice = header.copyright if "copyright" in choices.keep else None
    words = Words(prepared.icc, notice)
    best = None
    for name in formats_for(header, choices, prepared.image):
        deadline.check()
        one = encoded(prepared.image, name, choices, words, deadline)
        if name == "png" and size != picture.size and len(one.data) > len(data):
            one = _fewer_colours(prepared.image, one, words)
        best = one if best is None or len(one.data) < len(best.data) else best
    assert best is not None
    made = replace(best, original_size=len(data))
    whole = header.frames == 1 and size == picture.size
    return _smaller(data, made, picture.header, prepared, choices, whole)


def formats_for(header: Header, choices: Choices, image: Image.Image) -> tuple[str, ...]:
    if choices.format != "auto":
        return (choices.format,)
    if header.format in OUTPUTS:
        return (header.format,)
    if colour.has_alpha(colour.simplest(image)):
        return ("png",)
    # With that many colours PNG is several times larger, and slow to tell it.
    return ("jpeg", "png") if image.mode == "L" or image.getcolors(_MANY_COLOURS) else ("jpeg",)


def encoded(image: Image.Image, name: str, choices: Choices, words: Words, deadline: Deadline) -> Optimized:
    if name == "jpeg":
        image = colour.composite(image, choices.background or _WHITE)
    quality: int | None = choices.quality
    if isinstance(choices.target, int):
        data, quality, image = visual.within_bytes(
            image, choices.target, lambda image, quality: encoding.encode(image, name, quality, words),
            choices.quality, name not in _LOSSLESS, deadline.check,
        )  # fmt: skip
        if len(data) > choices.target:
            raise TooLargeMediaError("too_many_bytes", f"not even the smallest fits {choices.target:,} bytes")
    elif choices.target == "visual" and name not in _LOSSLESS:
        data, quality = visual.within_sight(image, name, choices.quality, words, deadline.check)
    else:
        data = encoding.encode(image, name, choices.quality, words)
    return Optimized(data, name, *image.size, 0, "smaller", quality=None if name in _LOSSLESS else quality)


def _fewer_colours(image: Image.Image, made: Optimized, words: Words) -> Optimized:
    """A drawing of few colours has many where it was made smaller; with 256 of them it is smaller again."""
    method = Image.Quantize.FASTOCTREE if colour.has_alpha(image) else Image.Quantize.MEDIANCUT
    with encoding.encoding():
        reduced = image.convert("RGBA" if colour.has_alpha(image) else "RGB").quantize(256, method)
    data = encoding.encode(reduced, "png", 100, words)
    return replace(made, data=data) if len(data) < len(made.data) else made


def _smaller(
    data: bytes, made: Optimized, header: Header, prepared: Prepared, choices: Choices, whole: bool
) -> Optimized:
    """What was made, or the original where that is smaller and may be given out."""
    share = len(made.data) / len(data)
    upright = header.orientation == 1 or header.format == "avif"  # AVIF's orientation is no metadata
    reason = None
    if made.format != header.format:
        reason = "converted"
    elif not upright:
        reason = "turned"
    elif not whole:
        reason = "fitted"
    elif prepared.composited:
        reason = "composited"
    elif prepared.coloured:
        reason = "coloured"
    else:
        cmyk = header.format == "jpeg" and header.components == 4
        kept = choices.keep if prepared.icc or cmyk else choices.keep - {"icc"}
        cleaned = sniffing.clean(data, header, kept)
        if cleaned is None:
            reason = "private"
        else:
            return _leaner(cleaned, made, header, choices)
    return replace(made, reason="smaller" if share < 1 else reason)


def _leaner(cleaned: bytes, made: Optimized, header: Header, choices: Choices) -> Optimized:
    worth = 1.0 if made.format in _LOSSLESS else _WORTH
    fits = not isinstance(choices.target, int) or len(cleaned) <= choices.target
    if len(made.data) < worth * len(cleaned) or not fits:
        return made
    across, down = made.width, made.height
    return replace(made, data=cleaned, width=across, height=down, reason="original", quality=None)


def _moving(data: bytes, header: Header, choices: Choices, limits: Limits, deadline: Deadline) -> Optimized:
    moving = animation.Animation(data, header, limits, deadline)
    header = moving.header
    name = header.format if choices.format == "auto" else choices.format
    size = within(moving.size, (choices.max_width, choices.max_height))
    done = _Finish(header.icc, choices)
    untouched = name == header.format and size == moving.size and choices.background is None
    frames = moving.verify() if untouched else header.frames
    if (
        untouched
        and name in _LOSSLESS
        and header.orientation == 1
        and ("icc" in choices.keep or not header.icc)
    ):
        # Encoders of these find nothing that the first one didn't.
        cleaned = sniffing.clean(data, header, choices.keep)
        assert cleaned is not None
        return Optimized(cleaned, name, *size, len(data), "original", frames)
    notice = header.copyright if "copyright" in choices.keep else None
    words = Words(header.icc if "icc" in choices.keep and name != "gif" else None, notice)
    made = animation.encode(moving, size, name, choices.quality, words, done)
    quality = None if name in _LOSSLESS else choices.quality
    result = Optimized(made, name, *size, len(data), "smaller", frames, quality)
    return _smaller(data, result, header, done.prepared, choices, size == moving.size)


class _Finish:
    """What is done to every frame; afterwards it says what that was."""

    def __init__(self, icc: bytes | None, choices: Choices) -> None:
        self._icc, self._choices = icc, choices
        self.prepared = Prepared(Image.new("L", (1, 1)), None)

    def __call__(self, image: Image.Image) -> Image.Image:
        self.prepared = prepare(image, self._icc, self._choices)
        return self.prepared.image
