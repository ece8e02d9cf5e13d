"""Animations frame by frame: GIF, APNG, WebP and AVIF in, the same out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeAlias

from PIL import Image, PngImagePlugin

from wsgiperf.media.errors import DamagedMediaError
from wsgiperf.media.formats import avif
from wsgiperf.media.formats.header import Header
from wsgiperf.media.limits import Deadline, Limits
from wsgiperf.media.pictures import colour
from wsgiperf.media.pictures.decoding import check_cost, open_file
from wsgiperf.media.pictures.encoding import Words, avif_quality, encoding
from wsgiperf.media.pictures.guarding import decoding
from wsgiperf.media.pictures.resizing import Size, resize, turn, upright_size

__all__ = ["ANIMATED", "Animation", "encode"]

Finish: TypeAlias = "Callable[[Image.Image], Image.Image]"

#: The formats that can hold one.
ANIMATED = frozenset(("gif", "png", "webp", "avif"))
#: Bytes for a pixel of every frame that an encoder holds until it writes.
_HELD = {"gif": 2, "png": 8, "webp": 0, "avif": 0}


@dataclass(frozen=True, slots=True)
class Frame:
    """:param duration: milliseconds."""

    image: Image.Image
    duration: float


class Animation:
    """The frames of a file, decoded one at a time.

    :raises MediaError: where it is beyond the limits, or no such file.
    """

    def __init__(self, data: bytes, header: Header, limits: Limits, deadline: Deadline) -> None:
        image, header = open_file(data, header, limits)
        limits.check_pixels(*image.size, header.frames)
        check_cost(header, image.size, image.size, 2 * len(data), limits)
        self._image, self._deadline, self._limits = image, deadline, limits
        self.header, self.size = header, upright_size(image.size, header.orientation)
        self.plays = _plays(image, header)
        # An APNG's first picture may be for those that know no animation.
        self._hidden = isinstance(image, PngImagePlugin.PngImageFile) and image.default_image is not False

    def reserve(self, size: Size, name: str) -> None:
        """:raises TooLargeMediaError: where encoding all frames in this size would take too much memory."""
        held = _HELD[name] * size[0] * size[1] * self.header.frames
        decoder = self.header.bytes_per_pixel * self.header.width * self.header.height
        self._limits.check_cost(decoder + held, 0)

    def frames(self, size: Size, finish: Finish) -> Iterator[Frame]:
        """Upright in a size, in the modes RGB and RGBA.

        :param finish: called with each frame in its size.
        """
        orientation = self.header.orientation
        stored = upright_size(size, orientation)
        image = self._image
        for number in range(self.header.frames):
            self._deadline.check()
            with decoding():
                try:
                    image.seek(number + self._hidden)
                except EOFError:
                    if number:
                        return  # the file told of more frames than it has
                    raise
                image.load()
                shown = colour.standard(image, self.header)
                if shown.mode not in ("RGB", "RGBA"):
                    shown = shown.convert("RGBA" if shown.mode == "LA" else "RGB")
                # A frame is changed in place by the next.
                frame = resize(shown, stored) if stored != image.size else shown.copy()
                frame = finish(turn(frame, orientation))
                yield Frame(frame, float(image.info.get("duration", 0) or 0))

    def verify(self) -> int:
        """Decodes all frames, keeps none, and says how many there are.

        :raises MediaError: where one is damaged.
        """
        count = 0
        for number in range(self.header.frames):
            self._deadline.check()
            with decoding():
                try:
                    self._image.seek(number + self._hidden)
                except EOFError:
                    break
                self._image.load()
            count += 1
        if not count:
            raise DamagedMediaError("truncated")
        return count


def _plays(image: Image.Image, header: Header) -> int:
    """0 for ever. A GIF tells how often it is repeated, and is played once where it doesn't tell."""
    told = image.info.get("loop")
    if header.format == "gif":
        return 1 if told is None else told + 1 if told else 0
    return int(told or 0)


class _Sequence(Image.Image):
    """Frames for an encoder that asks for one after the other, of which one is in memory."""

    is_animated = True

    def __init__(self, frames: Iterator[Frame], count: int, alpha: bool) -> None:
        super().__init__()
        self._frames, self.n_frames, self._alpha = frames, count, alpha
        self._number = -1
        self.durations: list[float] = []
        self.seek(0)

    def seek(self, frame: int) -> None:
        if frame <= self._number:
            return  # back to the first when all is done
        shown = next(self._frames, None)
        if shown is None:
            raise EOFError
        image = shown.image.convert("RGBA" if self._alpha else "RGB")
        self.im, self._mode, self._size = image.im, image.mode, image.size
        self._number = frame
        self.durations.append(shown.duration)

    def tell(self) -> int:
        return self._number


def encode(
    animation: Animation,
    size: Size,
    name: str,
    quality: int,
    words: Words,
    finish: Finish,
) -> bytes:
    """All frames in a size.

    :param finish: called with each frame in its size, RGB or RGBA, and gives one of these.
    :raises MediaError: where a frame is damaged, or it takes too much.
    """
    animation.reserve(size, name)
    with encoding():
        if name in ("gif", "png"):
            return _held(animation.frames(size, finish), animation.plays, name, words)
        durations, alpha = _told(animation.frames(size, finish))
        frames = _Sequence(animation.frames(size, finish), len(durations), alpha)
        return _streamed(frames, durations, animation.plays, name, quality, words)


def _held(shown: Iterator[Frame], plays: int, name: str, words: Words) -> bytes:
    frames = list(shown)
    alpha = any(frame.image.mode == "RGBA" for frame in frames)
    images = [frame.image for frame in frames]
    options: dict[str, Any] = {"append_images": images[1:], "duration": [frame.duration for frame in frames]}
    if name == "png":
        options.update(disposal=0, blend=0, loop=plays, **words.options())
    else:
        images = [_binary(image) for image in images]
        # What is transparent must not show the frame before.
        options.update(append_images=images[1:], disposal=2 if alpha else 1)
        options.update({} if plays == 1 else {"loop": max(plays - 1, 0)})
    return _saved(images[0], name, options)


def _binary(image: Image.Image) -> Image.Image:
    """GIF knows no half transparency."""
    if image.mode == "RGBA":
        image.putalpha(image.getchannel("A").point(lambda alpha: 255 if alpha >= 128 else 0))
    return image


def _streamed(
    frames: _Sequence,
    durations: list[float],
    plays: int,
    name: str,
    quality: int,
    words: Words,
) -> bytes:
    options: dict[str, Any] = {"duration": durations, **words.options()}
    if name == "webp":
        options.update(quality=quality, method=4, loop=plays, background=(0, 0, 0, 0))
        # Between its key frames the encoder forgets about alpha: all of them are key frames.
        options.update({"kmin": 1, "kmax": 1} if frames.mode == "RGBA" else {})
    else:
        options.update(quality=avif_quality(quality), speed=8, duration=[round(one) for one in durations])
        return avif.without_times(_saved(frames, name, options))  # the same frames give the same bytes
    return _saved(frames, name, options)


def _saved(image: Image.Image, name: str, options: dict[str, Any]) -> bytes:
    sink = BytesIO()
    image.info = {}  # nothing of the source's is written by itself
    image.save(sink, name.upper(), save_all=True, **options)
    return sink.getvalue()


def _told(frames: Iterator[Frame]) -> tuple[list[float], bool]:
    """How long each frame stands, and whether any is transparent: told before the first is encoded."""
    found, alpha = [], False
    for frame in frames:
        found.append(frame.duration)
        alpha = alpha or frame.image.mode == "RGBA"
    return found, alpha
