import pytest
from PIL import Image, ImageSequence

from tests.unit.media import files
from wsgiperf.media import Limits, MediaError, optimize, thumbnails

COLOURS = ["red", "lime", "blue", "white"]
DURATIONS = [40, 80, 120, 200]


def frames(alpha):
    """A square that moves over nothing, or over grey."""
    made = []
    for number, colour in enumerate(COLOURS):
        image = Image.new("RGBA", (80, 40), (0, 0, 0, 0) if alpha else (128, 128, 128, 255))
        image.paste(colour, (20 * number, 10, 20 * number + 20, 30))
        made.append(image if alpha else image.convert("RGB"))
    return made


def moving(name, alpha=False, loop=0):
    first, *others = frames(alpha)
    options = {
        "GIF": {"disposal": 2},
        "PNG": {},
        "WEBP": {"lossless": True, "kmin": 1, "kmax": 1},
        "AVIF": {"quality": 95},
    }[name]
    if name == "AVIF":
        options["speed"] = 10
    return files.encoded(
        first, name, save_all=True, append_images=others, duration=DURATIONS, loop=loop, **options
    )


def assert_moves(data, size, alpha):
    image = files.decoded(data)
    seen, durations = [], []
    for frame in ImageSequence.Iterator(image):
        frame.load()
        durations.append(round(frame.info["duration"]))
        seen.append(frame.convert("RGBA"))
    assert len(seen) == 4
    assert durations == DURATIONS
    scale = size[0] / 80
    for number, frame in enumerate(seen):
        assert frame.size == size
        expected = frames(False)[number]
        inside = (int((20 * number + 10) * scale), int(20 * scale))
        assert frame.getpixel(inside)[:3] == pytest.approx(expected.getpixel((20 * number + 10, 20)), abs=60)
        outside = (int((20 * ((number + 2) % 4) + 10) * scale), int(20 * scale))
        if alpha:
            assert frame.getpixel(outside)[3] < 16, number
        else:
            assert frame.getpixel(outside)[:3] == pytest.approx((128, 128, 128), abs=40)


@pytest.mark.parametrize("alpha", [False, True], ids=["opaque", "glass"])
@pytest.mark.parametrize("target", ["gif", "png", "webp", "avif"])
@pytest.mark.parametrize("name", ["GIF", "PNG", "WEBP", "AVIF"])
def test_an_animation_stays_one_in_every_format(name, target, alpha):
    made = optimize(moving(name, alpha), format=target, max_width=40)
    assert (made.frames, made.width, made.height) == (4, 40, 20)
    assert_moves(made.data, (40, 20), alpha)


@pytest.mark.parametrize("options", [{"max_width": 40}, {}], ids=["encoded", "cleaned"])
def test_an_avif_tells_nothing_of_when_it_was_made(options):
    """Its encoder writes the time into three boxes: the same pixels would give other bytes each second."""
    data = moving("AVIF")
    dated = (b"mvhd", b"tkhd", b"mdhd")
    assert any(times(data, kind).strip(b"\0") for kind in dated)
    made = optimize(data, **options).data
    assert [times(made, kind).strip(b"\0") for kind in dated] == [b""] * 3
    assert_moves(made, files.decoded(made).size, False)


def times(data, kind):
    at = data.index(kind) + 4
    return data[at + 4 : at + (20 if data[at] == 1 else 12)]


@pytest.mark.parametrize("name", ["GIF", "PNG", "WEBP", "AVIF"])
def test_an_animation_that_fits_is_no_larger(name):
    data = moving(name)
    made = optimize(data)
    assert len(made.data) <= len(data)
    assert_moves(made.data, (80, 40), False)


@pytest.mark.parametrize("target", ["gif", "png", "webp"])
@pytest.mark.parametrize("plays", [0, 2])
def test_it_is_played_as_often(target, plays):
    data = moving("PNG", loop=plays)
    made = files.decoded(optimize(data, format=target, max_width=40).data)
    # A GIF tells how often it is played again.
    assert made.info["loop"] == (plays - 1 if target == "gif" and plays else plays)


@pytest.mark.parametrize("name", ["GIF", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("options", [{"animation": "first"}, {"format": "jpeg"}], ids=["asked", "jpeg"])
def test_the_first_frame_alone(name, options):
    made = optimize(moving(name), **options)
    image = files.decoded(made.data)
    assert getattr(image, "n_frames", 1) == made.frames == 1
    assert image.convert("RGB").getpixel((10, 20)) == pytest.approx((255, 0, 0), abs=40)


def test_a_first_picture_that_is_no_part_of_the_animation_is_left_out():
    first, *others = frames(False)
    data = files.encoded(
        Image.new("RGB", (80, 40), "black"), "PNG", save_all=True, append_images=[first, *others],
        duration=DURATIONS, default_image=True,
    )  # fmt: skip
    assert_moves(optimize(data, format="webp").data, (80, 40), False)


def test_it_is_put_on_a_colour():
    made = files.decoded(optimize(moving("GIF", alpha=True), format="webp", background="#00f").data)
    made.seek(2)
    assert made.convert("RGBA").getpixel((5, 20)) == pytest.approx((0, 0, 255, 255), abs=20)


def test_thumbnails_show_the_first_frame():
    made = thumbnails(moving("GIF"), (40,))[40]
    assert made.frames == 1
    assert made.format in ("jpeg", "png")


@pytest.mark.parametrize("name", ["GIF", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize(
    ("limits", "reason"),
    [(Limits(max_frames=3), "too_many_frames"), (Limits(max_pixels=80 * 40 * 3), "too_many_pixels")],
    ids=["frames", "pixels"],
)
def test_limits_count_frames(name, limits, reason):
    with pytest.raises(MediaError) as caught:
        optimize(moving(name), limits=limits)
    assert caught.value.reason == reason


def test_what_an_encoder_has_to_hold_is_limited_before_it_begins():
    with pytest.raises(MediaError) as caught:
        optimize(moving("GIF"), format="png", limits=Limits(max_memory=120_000))
    assert caught.value.reason == "too_many_pixels"


def test_an_animation_cut_in_its_last_frame_is_an_error():
    data = moving("PNG")
    with pytest.raises(MediaError):
        optimize(data[: len(data) - 60])
