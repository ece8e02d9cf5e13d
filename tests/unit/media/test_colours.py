"""Modes, depths and profiles, pixel by pixel."""

import struct
import zlib
from array import array

import pytest
from PIL import Image, ImageCms

from tests.unit.media import files
from wsgiperf.media import optimize

GREYS = [0, 257, 25_700, 51_400, 65_535]
EXACT = [0, 1, 100, 200, 255]


def deep(name):
    row = array("H", [value for value in GREYS for _ in range(16)])
    image = Image.frombytes("I;16", (80, 16), row.tobytes() * 16)
    return files.encoded(image, name)


@pytest.mark.parametrize("source", ["PNG", "TIFF"])
@pytest.mark.parametrize("name", ["png", "webp", "jpeg"])
def test_sixteen_bits_are_scaled_and_not_clipped(source, name):
    made = files.decoded(optimize(deep(source), format=name, quality=100).data, "L")
    shown = [made.getpixel((8 + 16 * number, 8)) for number in range(5)]
    assert shown == pytest.approx(EXACT, abs=0 if name == "png" else 3)


def test_sixteen_bits_of_colour():
    rows = b"".join(b"\0" + struct.pack(">3H", 65_535, 25_700, 0) * 8 for _ in range(8))
    head = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(files.png_chunk(*one) for one in chunks)
    made = files.decoded(optimize(data).data, "RGB")
    assert made.getpixel((4, 4)) == (255, 100, 0)


MODES = ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "I;16", "F", "LA", "PA"]


def moded(mode):
    grey = files.quadrants(64, 48)
    if mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        return ImageCms.profileToProfile(grey, ImageCms.createProfile("sRGB"), lab, outputMode="LAB")
    if mode in ("I", "I;16", "F"):
        wide = grey.convert("L").convert("I").point(lambda value: value * 257)
        return wide.convert("F").point(lambda value: value / 65_535) if mode == "F" else wide.convert(mode)
    return grey.convert(mode)


@pytest.mark.parametrize("name", ["auto", "jpeg", "png", "gif", "webp", "avif"])
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_looks_the_same_in_every_format(mode, name):
    image = moded(mode)
    try:
        data = files.encoded(image, "TIFF")
    except (KeyError, OSError):
        data = files.encoded(image, "PNG")
    made = files.decoded(optimize(data, format=name, quality=95).data, "RGB")
    coloured = mode in ("P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB")
    expected = files.quadrants(64, 48)
    if not coloured:
        expected = expected.convert("1" if mode == "1" else "L").convert("RGB")
    if mode == "1":
        # Dithered: the light of an area counts.
        made, expected = (one.resize((2, 2), Image.Resampling.BOX) for one in (made, expected))
        places = [(0, 0), (1, 0), (0, 1), (1, 1)]
    else:
        places = [(16, 12), (48, 12), (16, 36), (48, 36)]
    for place in places:
        assert made.getpixel(place) == pytest.approx(expected.getpixel(place), abs=24), place


def display_p3():
    """Wide gamut: sRGB's profile with the primaries of a larger space in it."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # Colorants of Display P3 (ICC s15Fixed16Number), adapted to D50.
    primaries = {
        b"rXYZ": (0.51512, 0.2412, -0.00105), b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.1571, 0.06657, 0.78407),
    }  # fmt: skip
    (count,) = struct.unpack_from(">I", profile, 128)
    for index in range(count):
        tag, offset, _ = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        if tag in primaries:
            struct.pack_into(">3i", profile, offset + 8, *(round(one * 65_536) for one in primaries[tag]))
    return bytes(profile)


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SAVED = [
    ("JPEG", {"quality": 100, "subsampling": 0}),
    ("PNG", {}),
    ("WEBP", {"lossless": True}),
    ("TIFF", {}),
]


@pytest.mark.parametrize(("name", "options"), SAVED, ids=[name for name, _ in SAVED])
def test_a_wide_profile_is_kept_or_its_colours_are_converted(name, options):
    image = Image.new("RGB", (40, 30), (200, 100, 50))
    data = files.encoded(image, name, icc_profile=display_p3(), **options)
    kept = files.decoded(optimize(data, format="png").data)
    assert kept.info["icc_profile"] == display_p3()
    assert kept.convert("RGB").getpixel((20, 15)) == pytest.approx((200, 100, 50), abs=2)
    converted = files.decoded(optimize(data, keep=()).data)
    assert "icc_profile" not in converted.info
    # More saturated in the smaller space, as LittleCMS converts it.
    expected = ImageCms.profileToProfile(
        image, ImageCms.ImageCmsProfile(_file(display_p3())), ImageCms.createProfile("sRGB")
    ).getpixel((20, 15))
    assert expected[0] > 205
    assert converted.convert("RGB").getpixel((20, 15)) == pytest.approx(expected, abs=4)


def test_a_format_without_place_for_a_profile_gets_converted_colours():
    data = files.encoded(Image.new("RGB", (40, 30), (200, 100, 50)), "PNG", icc_profile=display_p3())
    kept, converted = optimize(data, format="gif"), optimize(data, format="gif", keep=())
    assert kept.data == converted.data
    assert files.decoded(kept.data, "RGB").getpixel((9, 9))[0] > 205


def _file(data):
    import io

    return io.BytesIO(data)


@pytest.mark.parametrize(("name", "options"), SAVED[:3], ids=[name for name, _ in SAVED[:3]])
def test_a_profile_that_changes_nothing_is_dropped(name, options):
    data = files.encoded(files.photo(60, 40), name, icc_profile=SRGB, **options)
    made = optimize(data, quality=100)
    assert "icc_profile" not in files.decoded(made.data).info


@pytest.mark.parametrize(
    "profile", [b"no profile", SRGB[:200], SRGB[:40] + bytes(500)], ids=["x", "cut", "zeros"]
)
@pytest.mark.parametrize("keep", [(), ("icc",)], ids=["convert", "keep"])
def test_a_broken_profile_does_no_harm(profile, keep):
    data = files.encoded(Image.new("RGB", (20, 20), "teal"), "PNG", icc_profile=profile)
    made = files.decoded(optimize(data, keep=keep, format="webp", quality=100).data, "RGB")
    assert made.getpixel((5, 5)) == pytest.approx((0, 128, 128), abs=4)


def test_a_png_of_another_gamma_is_brightened_where_its_gamma_is_not_kept():
    data = files.png_chunk(b"gAMA", struct.pack(">I", 100_000))
    image = files.encoded(Image.new("L", (20, 20), 64), "PNG")
    linear = image[:33] + data + image[33:]
    made = files.decoded(optimize(linear, format="webp", quality=100).data, "L")
    assert made.getpixel((5, 5)) == pytest.approx(round(255 * (64 / 255) ** (1 / 2.2)), abs=3)


def test_cmyk_becomes_rgb_and_keeps_its_look():
    data = files.encoded(files.quadrants(64, 48).convert("CMYK"), "JPEG", quality=100)
    made = files.decoded(optimize(data, format="jpeg", max_width=32, max_height=24).data)
    assert made.mode == "RGB"
    assert made.getpixel((8, 6)) == pytest.approx((255, 0, 0), abs=24)
