"""What nobody needs to see a picture never leaves; what is lean stays lean."""

import zlib

import pytest
from PIL import Image

from tests.unit.media import files
from wsgiperf.media import optimize, thumbnails

SECRETS = [b"SecretCamera", b"secret words", b"x:secret", b"behind the end"]
NOTICE = "(c) 2026 Zoe"


def lean(name):
    """Encoded so that once more would not make it smaller."""
    picture = files.photo(120, 90)
    options = {"quality": 30} if name in ("JPEG", "WEBP", "AVIF") else {"optimize": True}
    if name == "PNG":
        return optimize(files.encoded(picture.quantize(16), name, **options)).data
    return files.encoded(picture, name, exif=files.exif(notice=NOTICE), **options)


def chatty(name):
    """With all kinds of words in it, without a change of its pixels."""
    data = lean(name)
    if name == "JPEG":
        for marker, content in [
            (0xFE, b"secret words"), (0xE1, b"http://ns.adobe.com/xap/1.0/\0x:secret"),
            (0xED, b"Photoshop 3.0\0secret words"), (0xE5, b"secret words"), (0xE2, b"MPF\0secret words"),
        ]:  # fmt: skip
            data = files.with_segment(data, marker, content)
    elif name == "PNG":
        text = [
            (b"tEXt", b"Comment\0secret words"), (b"zTXt", b"Comment\0\0" + zlib.compress(b"secret words")),
            (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0x:secret"), (b"eXIf", files.exif(notice=NOTICE)[6:]),
            (b"tIME", b"\x07\xea\1\1\1\1\1"), (b"prVt", b"secret words"),
        ]  # fmt: skip
        words = b"".join(files.png_chunk(*one) for one in text)
        data = data[:33] + words + data[33:-12] + words + data[-12:]
    elif name == "WEBP":
        more = b"XMP \x08\0\0\0x:secretzzzz\x0c\0\0\0secret words"
        size = int.from_bytes(data[4:8], "little") + len(more)
        data = b"RIFF" + size.to_bytes(4, "little") + data[8:] + more
    else:
        words = b"\x21\xfe\x0csecret words\0\x21\xff\x0bXMP DataXMPx:secret\0\0"
        data = data[:-1] + words + b";"
    return data + b"behind the end"


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF"])
def test_the_original_comes_back_without_a_word_and_with_every_pixel(name):
    data = chatty(name)
    assert b"secret words" in data
    result = optimize(data)
    assert result.reason == "original"
    assert len(result.data) < len(data)
    for secret in SECRETS:
        assert secret not in result.data
    before, after = files.decoded(lean(name)), files.decoded(result.data)
    assert before.convert("RGBA").tobytes() == after.convert("RGBA").tobytes()
    assert "comment" not in after.info
    assert 0x8825 not in after.getexif()


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("again", [False, True], ids=["cleaned", "encoded"])
def test_the_copyright_notice_stays_and_can_be_left_out(name, again):
    options = {"max_width": 60} if again else {}
    kept = files.decoded(optimize(chatty(name), **options).data).getexif()
    assert dict(kept) == {0x8298: NOTICE}
    assert not files.decoded(optimize(chatty(name), keep=("icc",), **options).data).getexif()


def test_a_notice_among_png_texts_stays():
    words = files.png_chunk(b"tEXt", b"Copyright\0(c) A") + files.png_chunk(b"tEXt", b"Author\0secret words")
    data = lean("PNG")[:33] + words + lean("PNG")[33:]
    result = optimize(data)
    assert files.decoded(result.data).text == {"Copyright": "(c) A"}
    assert len(result.data) < len(data)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF"])
@pytest.mark.parametrize("target", ["jpeg", "png", "gif", "webp", "avif"])
def test_what_is_encoded_has_no_metadata_either(name, target):
    options = {"exif": files.exif()} if name != "GIF" else {"comment": b"secret words"}
    data = files.encoded(files.photo(80, 60), name, **options)
    made = optimize(data, format=target, max_width=40).data
    assert b"SecretCamera" not in made
    assert b"secret words" not in made
    assert not files.decoded(made).getexif()
    small = thumbnails(data, (30,), format=target)[30].data
    assert b"SecretCamera" not in small


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_done_twice_changes_nothing(name):
    once = optimize(files.encoded(files.photo(120, 90), name)).data
    twice = optimize(once)
    assert len(twice.data) <= len(once)
    assert twice.data == once or twice.reason == "smaller"


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
@pytest.mark.parametrize("quality", [30, 60, 90])
def test_never_larger_than_the_original(name, quality):
    image = files.photo(120, 90)
    data = files.encoded(image, name, **({} if name in ("PNG", "GIF") else {"quality": quality}))
    result = optimize(data)
    assert len(result.data) <= len(data)
    assert result.saved == len(data) - len(result.data)


def test_an_avif_that_cannot_be_cleaned_is_encoded_again_and_says_why():
    data = files.encoded(files.photo(120, 90), "AVIF", quality=5, exif=files.exif())
    result = optimize(data)
    assert result.reason == "private"
    assert result.saved < 0
    assert b"SecretCamera" not in result.data


def test_a_progressive_jpeg_keeps_all_its_scans():
    data = files.encoded(files.photo(120, 90), "JPEG", quality=30, progressive=True, restart_marker_rows=1)
    result = optimize(files.with_segment(data, 0xFE, b"secret words"))
    assert (result.reason, result.data) == ("original", data)


def test_a_jpeg_with_a_second_picture_behind_it_loses_that():
    data = lean("JPEG")
    result = optimize(data + data)
    assert result.data.count(b"\xff\xd8\xff") == 1


def test_an_animation_is_cleaned_with_every_frame():
    frames = [files.photo(40, 30, seed).quantize(8) for seed in range(3)]
    data = files.encoded(
        frames[0], "GIF", save_all=True, append_images=frames[1:], duration=[30, 70, 110], loop=3,
        comment=b"secret words",
    )  # fmt: skip
    result = optimize(data)
    after, before = files.decoded(result.data), files.decoded(data)
    assert (result.reason, result.frames, after.info["loop"]) == ("original", 3, 3)
    for number in range(3):
        after.seek(number)
        before.seek(number)
        assert after.info["duration"] == before.info["duration"]
        assert after.convert("RGB").tobytes() == before.convert("RGB").tobytes()
        assert "comment" not in after.info


def test_hidden_colours_of_a_picture_that_is_cleaned_stay_as_they_are():
    image = Image.new("RGBA", (30, 30), (9, 8, 7, 0))
    result = optimize(files.encoded(image, "PNG", optimize=True))
    assert files.decoded(result.data, "RGBA").getpixel((0, 0))[3] == 0
