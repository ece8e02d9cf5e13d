"""Orientation, sizes and parts, pixel by pixel."""

import pytest
from PIL import Image

from tests.unit.media import files
from wsgiperf.media import optimize, probe, thumbnails

# What a camera stores for each orientation, so that it is shown as `quadrants`.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
SAVED = {
    "jpeg": ("JPEG", {"quality": 95}),
    "png": ("PNG", {}),
    "webp": ("WEBP", {"lossless": True}),
    "avif": ("AVIF", {"quality": 95, "speed": 10}),
    "tiff": ("TIFF", {}),
}
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]


def turned(orientation, name, width=800, height=600):
    image = files.quadrants(width, height)
    if STORED[orientation] is not None:
        image = image.transpose(STORED[orientation])
    saved, options = SAVED[name]
    return files.encoded(image, saved, exif=files.exif(orientation), **options)


def assert_upright(data, size, tolerance=24):
    image = files.decoded(data, "RGB")
    assert image.size == size
    width, height = size
    assert image.getexif().get(0x0112, 1) == 1
    for number, colour in enumerate(COLOURS):
        place = (width // 4 + (width // 2) * (number % 2), height // 4 + (height // 2) * (number // 2))
        assert image.getpixel(place) == pytest.approx(colour, abs=tolerance), number


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize("orientation", STORED)
def test_a_picture_is_turned_upright_in_its_size(orientation, name):
    result = optimize(turned(orientation, name), format="png")
    assert_upright(result.data, (800, 600))
    assert (result.width, result.height) == (800, 600)


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize("orientation", STORED)
def test_and_in_another_size(orientation, name):
    data = turned(orientation, name)
    assert_upright(optimize(data, format="png", max_width=100).data, (100, 75))
    for made in thumbnails(data, (80, 40), format="png").values():
        assert_upright(made.data, (made.width, made.height))
        assert made.width == round(made.height * 4 / 3)


@pytest.mark.parametrize("orientation", STORED)
def test_and_in_part(orientation):
    made = thumbnails(turned(orientation, "jpeg"), [(60, 60), (30, 60)], fit="cover", format="png")
    assert_upright(made[60, 60].data, (60, 60))
    assert_upright(made[30, 60].data, (30, 60))


@pytest.mark.parametrize("orientation", STORED)
def test_probing_tells_the_upright_size(orientation):
    found = probe(turned(orientation, "jpeg"))
    assert (found.width, found.height, found.orientation) == (800, 600, orientation)


def test_a_lean_original_that_must_be_turned_may_grow_and_says_why():
    lean = files.encoded(files.photo(64, 32), "JPEG", quality=5, exif=files.exif(6, gps=False))
    result = optimize(lean, quality=100)
    assert (result.width, result.height, result.reason) == (32, 64, "turned")
    assert result.saved < 0


@pytest.mark.parametrize(
    ("size", "most", "expected"),
    [
        ((4000, 3000), (1920, 1080), (1440, 1080)),
        ((100, 50), (1920, 1080), (100, 50)),
        ((3000, 10), (300, 300), (300, 1)),
        ((3000, 1), (300, 300), (300, 1)),
        ((1000, 999), (500, 500), (500, 500)),
    ],
    ids=str,
)
def test_sizes_fit_and_are_never_larger(size, most, expected):
    data = files.encoded(Image.new("L", size), "PNG")
    result = optimize(data, max_width=most[0], max_height=most[1])
    assert (result.width, result.height) == expected == files.decoded(result.data).size


def test_thumbnails_are_sized_from_the_original_and_do_not_drift():
    # From 997 by 661, through 600 by 398, the small one would be 150 by 100.
    made = thumbnails(files.encoded(files.photo(997, 661), "JPEG"), (600, 150))
    assert (made[600].width, made[600].height) == (600, 398)
    assert (made[150].width, made[150].height) == (150, 99)


def test_thumbnails_are_never_larger_than_the_original():
    data = files.encoded(files.photo(200, 100), "JPEG")
    made = thumbnails(data, (600, 150))
    assert (made[600].width, made[600].height) == (200, 100)
    covered = thumbnails(data, (600, 60, (400, 100)), fit="cover")
    assert [(one.width, one.height) for one in covered.values()] == [(100, 100), (60, 60), (200, 50)]


def test_a_thumbnail_of_a_fraction_of_the_pixels_is_not_shifted():
    # 4001 by 3001 are no multiple of eight: the last pixels of a draft hold less than the others.
    edge = files.quadrants(4001, 3001)
    exact = edge.resize((300, 225), Image.Resampling.LANCZOS)
    made = thumbnails(files.encoded(edge, "JPEG", quality=98, subsampling=0), (300,), format="png")[300]
    image = files.decoded(made.data, "RGB")
    for x in range(140, 160):
        assert image.getpixel((x, 50)) == pytest.approx(exact.getpixel((x, 50)), abs=12), x
