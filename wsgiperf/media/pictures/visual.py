"""How alike two pictures look, and the quality that looks as good as JPEG's 85 and is no higher.

Structural similarity of luminance in windows of 8 by 8 pixels (Wang et al., IEEE TIP 13(4), 2004), by
Pillow's own arithmetic: equal to numpy's to five digits, 33 ms for two million pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from math import log
from typing import Any

from PIL import Image, ImageMath

from wsgiperf.media.pictures import encoding
from wsgiperf.media.pictures.decoding import PLUGINS
from wsgiperf.media.pictures.encoding import Words
from wsgiperf.media.pictures.guarding import decoding
from wsgiperf.media.pictures.resizing import resize

__all__ = ["similarity", "within_bytes", "within_sight"]

_WINDOW = 8
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
#: The loss of similarity, besides JPEG's own at the quality asked for, that nobody sees.
TOLERANCE = 0.002
_MOST_ENCODES = 3
_MARGIN = TOLERANCE / 10
#: How the logarithm of what is missing to likeness falls with quality (measured on photographs).
_SLOPES = {"jpeg": -0.045, "webp": -0.090, "avif": -0.030}
#: Where to begin: AVIF blurs what JPEG keeps, which this measure minds more than eyes do.
_STARTS = {"jpeg": 0, "webp": 0, "avif": 12}
_LEAST_QUALITY, _LEAST_BYTES_QUALITY, _MOST_QUALITY = 40, 25, 98


def similarity(one: Image.Image, other: Image.Image) -> float:
    """The mean over all whole windows, 1 for the same; what is smaller than a window is one."""
    first, second = (image.convert("L").convert("F") for image in (one, other))
    across, down = max(1, one.width // _WINDOW), max(1, one.height // _WINDOW)
    box = (0, 0, min(one.width, across * _WINDOW), min(one.height, down * _WINDOW))

    def mean(image: Any) -> Image.Image:
        shrunk: Image.Image = image.resize((across, down), Image.Resampling.BOX, box)
        return shrunk

    def product(a: Image.Image, b: Image.Image) -> Image.Image:
        return mean(ImageMath.lambda_eval(lambda given: given["a"] * given["b"], a=a, b=b))

    def likeness(given: dict[str, Any]) -> Any:
        a, b, ab = given["a"], given["b"], given["a"] * given["b"]
        covariance = given["cross"] - ab
        spread = given["aa"] - a * a + given["bb"] - b * b
        return ((2 * ab + _C1) * (2 * covariance + _C2)) / ((a * a + b * b + _C1) * (spread + _C2))

    windows = ImageMath.lambda_eval(
        likeness, a=mean(first), b=mean(second), aa=product(first, first), bb=product(second, second),
        cross=product(first, second),
    )  # fmt: skip
    value = windows.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(value, float)
    return value


def _likeness_of(image: Image.Image, name: str, data: bytes) -> float:
    with decoding():
        return similarity(image, PLUGINS[name](BytesIO(data)).convert("RGB"))


def within_sight(
    image: Image.Image,
    name: str,
    quality: int,
    words: Words,
    check: Callable[[], None],
) -> tuple[bytes, int]:
    """The file of the lowest quality found in three encodes that looks as a JPEG of this quality does.

    :param check: called between encodes; it raises when there is no more time.
    :returns: the file, and its quality.
    """
    seen = image.convert("RGB") if image.mode not in ("L", "RGB") else image
    plain = encoding.encode(seen, "jpeg", quality, Words())
    standard = _likeness_of(seen, "jpeg", plain)
    goal = standard - TOLERANCE
    tried: dict[int, tuple[float, bytes]] = {}  # by the codec's own number, whose steps are even
    if name == "jpeg":
        tried[quality] = (
            standard,
            encoding.encode(seen, "jpeg", quality, words) if words.options() else plain,
        )
    while len(tried) < _MOST_ENCODES:
        guess = _guess(tried, goal, quality, name)
        if guess in tried:
            break
        check()
        data = encoding.encode(image, name, guess, words, native=True)
        tried[guess] = (_likeness_of(seen, name, data), data)
    good = {number: data for number, (likeness, data) in tried.items() if likeness >= goal}
    # Where none is good enough, the best there is; the least of bytes among the good ones.
    best = min(good, key=lambda number: len(good[number])) if good else max(tried)
    return tried[best][1], encoding.common_quality(name, best)


def _guess(tried: dict[int, tuple[float, bytes]], goal: float, quality: int, name: str) -> int:
    """The quality at which a line through what was measured reaches the goal."""
    if not tried:
        return min(_MOST_QUALITY, encoding.native_quality(name, quality) + _STARTS[name])
    points = sorted((number, log(max(1 - likeness, 1e-6))) for number, (likeness, _) in tried.items())
    wanted = log(max(1 - goal - _MARGIN, 1e-6))
    slope = _SLOPES[name]
    if len(points) > 1:
        (low, above), (high, below) = points[0], points[-1]
        measured = (below - above) / (high - low)
        slope = measured if measured < -0.005 else slope
    number, value = min(points, key=lambda point: abs(point[1] - wanted))
    guess = number + (wanted - value) / slope
    # To the safe side: a quality too low is of no use, and the last one must be high enough.
    whole = int(guess) + (guess > int(guess))
    if len(points) == _MOST_ENCODES - 1 and points[-1][1] > wanted:
        whole = max(whole, points[-1][0]) + 2
    return max(min(_LEAST_QUALITY, quality), min(_MOST_QUALITY, whole))


def within_bytes(
    image: Image.Image, most: int, encode: Callable[[Image.Image, int], bytes], quality: int, lossy: bool,
    check: Callable[[], None],
) -> tuple[bytes, int, Image.Image]:  # fmt: skip
    """The highest quality that gives no more than so many bytes, in the largest size where there is one.

    :returns: the file, its quality, and the picture in its size; the file may still be larger where even a
        picture of a few pixels is.
    """
    while True:
        best, chosen = b"", quality
        low, high = (min(_LEAST_BYTES_QUALITY, quality), quality) if lossy else (quality, quality)
        floor = low
        data = encode(image, high)
        if len(data) <= most:
            return data, high, image
        while low < high:
            check()
            middle = (low + high) // 2
            data = encode(image, middle)
            if len(data) <= most:
                best, chosen, low = data, middle, middle + 1
            else:
                high = middle
        if best:
            return best, chosen, image
        data = encode(image, floor)
        if len(data) <= most or max(image.size) <= _WINDOW:
            return data, floor, image
        check()
        # Bytes go with the area, roughly.
        scale = min(0.9, max(0.25, (most / len(data)) ** 0.5))
        size = max(1, int(image.width * scale)), max(1, int(image.height * scale))
        image = resize(image, size)
