"""Make the pictures of docs/media.md: `python docs/media_pictures.py .../skimage/data/astronaut.png`.

The photograph is of Eileen Collins, by NASA and in the public domain; scikit-image carries it. The drawing
and the ramp of greys are made here. What is called naive is what the loop does that is usually written.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

from wsgiperf.media import optimize, thumbnails, to_avif, to_webp

FOLDER = Path(__file__).resolve().parent / "images"
FACE = (90, 0, 410, 320)
_ORIENTATION, _TURNED_LEFT = 0x0112, 6


def _file(image: Image.Image, name: str, **options: object) -> bytes:
    sink = BytesIO()
    image.save(sink, name, **options)
    return sink.getvalue()


def naive(data: bytes, size: int) -> bytes:
    with Image.open(BytesIO(data)) as image:
        copy = image.convert("RGB")
    copy.thumbnail((size, size), Image.Resampling.LANCZOS)
    return _file(copy, "JPEG", quality=85)


def photograph(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB").crop(FACE)


def turned(photo: Image.Image) -> bytes:
    """As a camera held upright stores it."""
    exif = Image.Exif()
    exif[_ORIENTATION] = _TURNED_LEFT
    return _file(photo.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif)


def drawing() -> bytes:
    """A ring with soft edges on nothing."""
    mask = Image.new("L", (1200, 1200))
    draw = ImageDraw.Draw(mask)
    draw.ellipse((100, 100, 1100, 1100), fill=255)
    draw.ellipse((380, 380, 820, 820), fill=0)
    picture = Image.linear_gradient("L").resize((1200, 1200))
    picture = Image.merge(
        "RGB", (picture, picture.point(lambda value: 255 - value), mask.point(lambda _: 160))
    )
    picture.putalpha(mask)
    return _file(picture.resize((600, 600), Image.Resampling.LANCZOS), "PNG")


def deep() -> bytes:
    """Greys of 16 bits, dark to bright."""
    ramp = (
        Image.linear_gradient("L").rotate(90).resize((600, 150)).convert("I").point(lambda value: value * 257)
    )
    return _file(ramp.convert("I;16"), "PNG")


def pictures(path: Path) -> dict[str, bytes]:
    photo = photograph(path)
    original = _file(photo, "JPEG", quality=95)
    side = turned(photo)
    return {
        "media-photo-95.jpg": original,
        "media-photo-85.jpg": optimize(original).data,
        "media-photo-85.webp": to_webp(original).data,
        "media-photo-85.avif": to_avif(original).data,
        "media-turned-naive.jpg": naive(side, 150),
        "media-turned.jpg": thumbnails(side, (150,))[150].data,
        "media-alpha-naive.jpg": naive(drawing(), 150),
        "media-alpha.png": thumbnails(drawing(), (150,))[150].data,
        "media-deep-naive.jpg": naive(deep(), 150),
        "media-deep.png": thumbnails(deep(), (150,))[150].data,
    }


if __name__ == "__main__":
    for name, data in pictures(Path(sys.argv[1])).items():
        (FOLDER / name).write_bytes(data)
        with Image.open(BytesIO(data)) as image:
            print(f"{name:24} {image.width} x {image.height} {len(data):>6,} bytes")
