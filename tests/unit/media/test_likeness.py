"""How alike pictures are, and qualities chosen by that or by bytes."""

import pytest
from PIL import Image, ImageFilter

from tests.unit.media import files
from wsgiperf.media import MediaError, optimize, thumbnails
from wsgiperf.media.pictures import encoding, visual


def by_the_book(one, other):
    """The formula for every whole window of 8 by 8, in Python's own numbers."""
    width, height = one.size
    first, second = one.load(), other.load()
    c1, c2, values = (0.01 * 255) ** 2, (0.03 * 255) ** 2, []
    for top in range(0, height - 7, 8):
        for left in range(0, width - 7, 8):
            a = [first[left + x, top + y] for y in range(8) for x in range(8)]
            b = [second[left + x, top + y] for y in range(8) for x in range(8)]
            mean_a, mean_b = sum(a) / 64, sum(b) / 64
            var_a = sum(value * value for value in a) / 64 - mean_a**2
            var_b = sum(value * value for value in b) / 64 - mean_b**2
            both = sum(x * y for x, y in zip(a, b, strict=True)) / 64 - mean_a * mean_b
            up = (2 * mean_a * mean_b + c1) * (2 * both + c2)
            values.append(up / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)))
    return sum(values) / len(values)


@pytest.mark.parametrize("size", [(64, 48), (67, 51), (8, 8)], ids=str)
@pytest.mark.parametrize("radius", [0.5, 1, 3])
def test_likeness_is_what_the_formula_says(size, radius):
    image = files.photo(*size).convert("L")
    other = image.filter(ImageFilter.GaussianBlur(radius))
    assert visual.similarity(image, other) == pytest.approx(by_the_book(image, other), abs=1e-5)


@pytest.mark.parametrize("size", [(64, 48), (5, 3), (1, 1), (1, 40)], ids=str)
def test_a_picture_is_like_itself(size):
    image = files.photo(*size)
    assert visual.similarity(image, image) == pytest.approx(1, abs=1e-6)


def counted(monkeypatch):
    calls = []
    straight = encoding.encode

    def count(image, name, quality, words, **options):
        calls.append(name)
        return straight(image, name, quality, words, **options)

    monkeypatch.setattr(encoding, "encode", count)
    return calls


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif"])
@pytest.mark.parametrize("blur", [0, 1.5], ids=["grainy", "smooth"])
def test_it_looks_as_good_as_jpeg_in_three_encodes(name, blur, monkeypatch):
    image = files.photo(480, 360).filter(ImageFilter.GaussianBlur(blur))
    data = files.encoded(image, "PNG")
    standard = optimize(data, format="jpeg").data
    calls = counted(monkeypatch)
    result = optimize(data, format=name, target="visual")
    assert calls.count(name) <= 3
    assert len(calls) <= 4
    likeness = visual.similarity(image, files.decoded(result.data))
    assert likeness >= visual.similarity(image, files.decoded(standard)) - visual.TOLERANCE - 1e-6
    assert name != "jpeg" or len(result.data) <= len(standard)


def test_where_nothing_is_to_be_seen_little_is_needed():
    # Smooth colours lose nothing: half the bytes look the same.
    image = Image.linear_gradient("L").resize((600, 400)).convert("RGB")
    data = files.encoded(image, "PNG")
    plain = optimize(data, format="jpeg")
    result = optimize(data, format="jpeg", target="visual")
    assert result.quality < 85
    assert len(result.data) < len(plain.data)


def test_transparent_pictures_have_a_visual_target_too():
    image = files.photo(160, 120).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize((160, 120)))
    made = optimize(files.encoded(image, "PNG"), format="webp", target="visual")
    assert files.decoded(made.data).mode == "RGBA"


@pytest.mark.parametrize("name", ["jpeg", "png", "gif", "webp", "avif"])
@pytest.mark.parametrize("most", [20_000, 4_000, 900])
def test_no_more_bytes_than_asked_for(name, most):
    made = optimize(files.encoded(files.photo(320, 240), "PNG"), format=name, target=most)
    assert len(made.data) <= most
    assert files.decoded(made.data).size == (made.width, made.height)
    # And not much less where a larger picture is possible.
    assert len(made.data) > most / 4


def test_what_fits_already_keeps_its_quality():
    made = optimize(files.encoded(files.photo(320, 240), "PNG"), format="jpeg", target=500_000)
    assert (made.quality, made.width) == (85, 320)


def test_bytes_that_nothing_fits_into():
    with pytest.raises(MediaError) as caught:
        optimize(files.encoded(files.photo(320, 240), "PNG"), target=20)
    assert caught.value.reason == "too_many_bytes"


def test_quality_is_on_the_scale_of_jpeg():
    assert [encoding.avif_quality(quality) for quality in (1, 85, 100)] == [1, 65, 100]
    numbers = [encoding.avif_quality(quality) for quality in range(1, 101)]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("name", ["JPEG", "PNG"])
def test_a_thumbnail_from_a_fraction_looks_like_one_from_all_pixels(name):
    image = files.photo(1_600, 1_200)
    data = files.encoded(image, name, **({"quality": 92} if name == "JPEG" else {}))
    exact = files.decoded(data)
    for size, made in thumbnails(data, (75, 150, 300), format="jpeg", quality=95).items():
        best = exact.resize((made.width, made.height), Image.Resampling.LANCZOS)
        standard = files.decoded(files.encoded(best, "JPEG", quality=95))
        loss = visual.similarity(best, standard) - visual.similarity(best, files.decoded(made.data))
        assert loss < 0.01, size
