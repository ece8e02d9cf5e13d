"""What is transparent stays so, or is put on a colour; hidden colours never show."""

import pytest
from PIL import Image

from tests.unit.media import files
from wsgiperf.media import optimize, thumbnails


def glass(mode):
    """The left half opaque red, the right half transparent."""
    image = Image.new("RGBA", (40, 20), (255, 0, 0, 255))
    image.paste((0, 0, 255, 0), (20, 0, 40, 20))  # blue that nobody sees
    return image.convert(mode)


def keyed(mode, opaque, hidden):
    image = Image.new(mode, (40, 20), opaque)
    image.paste(hidden, (20, 0, 40, 20))
    return image


def deep(opaque, hidden):
    row = opaque.to_bytes(2, "little") * 20 + hidden.to_bytes(2, "little") * 20
    return Image.frombytes("I;16", (40, 20), row * 20)


SOURCES = {
    "rgba": files.encoded(glass("RGBA"), "PNG"),
    "grey with alpha": files.encoded(glass("LA"), "PNG"),
    "palette": files.encoded(glass("RGBA").quantize(8), "PNG"),
    "one hidden number": files.encoded(glass("RGBA").quantize(4), "GIF", transparency=1),
    "one hidden colour": files.encoded(keyed("RGB", "red", "blue"), "PNG", transparency=(0, 0, 255)),
    "one hidden grey": files.encoded(keyed("L", 76, 200), "PNG", transparency=200),
    "one hidden bit": files.encoded(keyed("1", 1, 0), "PNG", transparency=0),
    "one hidden of 16 bits": files.encoded(deep(30_000, 60_001), "PNG", transparency=60_001),
    "webp": files.encoded(glass("RGBA"), "WEBP", lossless=True),
    "avif": files.encoded(glass("RGBA"), "AVIF", quality=95, speed=10),
    "tiff": files.encoded(glass("RGBA"), "TIFF"),
}


def hidden_half(data):
    image = files.decoded(data, "RGBA")
    return image.getpixel((image.width // 4, 5))[3], image.getpixel((image.width * 3 // 4, 5))[3]


@pytest.fixture(params=SOURCES, name="source")
def _source(request):
    data = SOURCES[request.param]
    before = hidden_half(data)
    if request.param == "one hidden number" and before != (255, 0):
        image = glass("RGBA").quantize(4)
        number = image.getpixel((30, 5))
        data = files.encoded(image, "GIF", transparency=number)
    if request.param != "one hidden of 16 bits":  # Pillow alone shows it opaque
        assert hidden_half(data) == (255, 0)
    return data


@pytest.mark.parametrize("name", ["auto", "png", "gif", "webp", "avif"])
def test_it_stays_transparent(source, name):
    made = optimize(source, format=name)
    assert hidden_half(made.data) == pytest.approx((255, 0), abs=3)


@pytest.mark.parametrize("name", ["png", "webp", "avif", "gif"])
def test_and_in_another_size(source, name):
    made = optimize(source, format=name, max_width=20)
    assert hidden_half(made.data) == pytest.approx((255, 0), abs=3)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("background", ["#00ff00", "white"])
def test_it_is_put_on_a_colour(source, name, background):
    made = optimize(source, format=name, background=background)
    image = files.decoded(made.data, "RGBA")
    expected = (0, 255, 0, 255) if background == "#00ff00" else (255, 255, 255, 255)
    assert image.getpixel((30, 5)) == pytest.approx(expected, abs=12)


def test_jpeg_without_a_colour_is_put_on_white_and_never_on_black():
    for data in SOURCES.values():
        image = files.decoded(optimize(data, format="jpeg").data, "L")
        assert image.getpixel((37, 15)) > 240 or data is SOURCES["one hidden number"]


@pytest.mark.parametrize("source", ["rgba", "webp", "grey with alpha"])
def test_colours_that_are_hidden_do_not_bleed_into_others(source):
    data = SOURCES[source]
    image = files.decoded(thumbnails(data, (19,), format="png")[19].data, "RGBA")
    edge = [image.getpixel((x, 4)) for x in range(19)]
    assert any(0 < alpha < 255 for *_, alpha in edge)
    for red, green, blue, alpha in edge:
        if alpha > 12:
            assert blue <= green + 14, (red, green, blue, alpha)


def test_a_hidden_grey_of_four_bits_is_told_in_four_bits():
    # Two rows of 5s on 15s; the transparent one is 5, of which a decoder makes 85.
    import struct
    import zlib

    head = struct.pack(">IIBBBBB", 4, 2, 4, 0, 0, 0, 0)
    parts = [
        files.png_chunk(b"IHDR", head), files.png_chunk(b"tRNS", b"\0\5"),
        files.png_chunk(b"IDAT", zlib.compress(b"\0\x55\xff" * 2)), files.png_chunk(b"IEND", b""),
    ]  # fmt: skip
    data = b"\x89PNG\r\n\x1a\n" + b"".join(parts)
    image = files.decoded(optimize(data, format="webp").data, "RGBA")
    assert [image.getpixel((x, 0))[3] for x in range(4)] == [0, 0, 255, 255]


def test_alpha_that_hides_nothing_is_left_out():
    opaque = files.photo(100, 80).convert("RGBA")
    made = optimize(files.encoded(opaque, "TIFF"))
    assert made.format == "jpeg"
    kept = optimize(files.encoded(opaque, "PNG"))
    assert files.decoded(kept.data).mode == "RGB"
    assert files.decoded(kept.data).tobytes() == opaque.convert("RGB").tobytes()
