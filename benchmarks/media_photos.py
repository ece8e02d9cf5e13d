"""The pictures that `media` measures with: photographs as JPEG of quality 95, and one of 12 megapixels.

Photographs are those of Debian's package mate-backgrounds, where it is installed or where `BENCHMARK_PHOTOS`
says (a folder, or several as in PATH), and those that scikit-image carries.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from random import Random

from PIL import Image

FOLDERS = "BENCHMARK_PHOTOS"
MATE = "/usr/share/backgrounds/mate/nature"
#: Of scikit-image's pictures the photographs in colour; others are drawings, textures and microscopy.
SAMPLES = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")
LARGEST = (1920, 1080)
CAMERA, TILE = (4000, 3000), 1000
PHOTOGRAPHS = "photographs"


def found() -> tuple[list[Path], list[str]]:
    """The photographs that are here, and what is missing."""
    paths: list[Path] = []
    missing = []
    for folder in os.environ.get(FOLDERS, MATE).split(os.pathsep):
        here = sorted(path for path in Path(folder).glob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
        paths += here
        if not here:
            missing.append(f"no photographs in {folder}: Debian's mate-backgrounds, or {FOLDERS}=...")
    samples = find_spec("skimage")
    if samples is None or samples.origin is None:
        missing.append("not installed: scikit-image")
    else:
        data = Path(samples.origin).parent / "data"
        paths += [data / name for name in SAMPLES if (data / name).is_file()]
    return paths, missing


def source(path: Path) -> bytes:
    """A photograph no larger than `optimize` leaves it, so that what is saved is saved by encoding alone.

    Most are made smaller for that, which rids them of what their own encoding did to them.
    """
    with Image.open(path) as image:
        picture = image.convert("RGB")
    picture.thumbnail(LARGEST, Image.Resampling.LANCZOS, reducing_gap=None)
    return jpeg(picture, quality=95)


def jpeg(image: Image.Image, **options: object) -> bytes:
    sink = BytesIO()
    image.save(sink, "JPEG", **options)
    return sink.getvalue()


def camera(paths: list[Path]) -> tuple[Image.Image, str]:
    """12 megapixels, and what they show: the middles of twelve photographs in their own pixels.

    Where there are no such photographs, it is noise that has detail of every size. It has more of it than
    photographs, which takes the decoder longer in whatever size it decodes: the limits aren't meant for it.
    """
    middles = []
    for path in paths:
        with Image.open(path) as image:
            left, top = (image.width - TILE) // 2, (image.height - TILE) // 2
            if min(left, top) >= 0:
                middles.append(image.convert("RGB").crop((left, top, left + TILE, top + TILE)))
    across = CAMERA[0] // TILE
    if len(middles) < across * (CAMERA[1] // TILE):
        return _noise(), "noise"
    picture = Image.new("RGB", CAMERA)
    for number, middle in enumerate(middles[:12]):
        picture.paste(middle, (number % across * TILE, number // across * TILE))
    return picture, PHOTOGRAPHS


def _noise() -> Image.Image:
    random = Random(12)
    picture = Image.new("RGB", CAMERA, "#808080")
    for octave in range(1, 10):
        size = CAMERA[0] >> (10 - octave), CAMERA[1] >> (10 - octave)
        noise = Image.frombytes("RGB", size, random.randbytes(3 * size[0] * size[1]))
        # Colours change less than brightness.
        soft = Image.blend(noise.convert("L").convert("RGB"), noise, 0.4)
        picture = Image.blend(picture, soft.resize(CAMERA, Image.Resampling.BICUBIC), 0.55 / 1.13**octave)
    return picture
