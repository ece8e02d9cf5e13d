"""`accept_upload`: what becomes of files of each kind, and that nothing is left of those not taken."""

import json
from hashlib import sha256
from io import BytesIO

import pytest

from tests.unit.media import files
from wsgiperf.errors import SettingsError
from wsgiperf.media import Limits, MediaError
from wsgiperf.media.uploads import SENTENCES, StoredFile, Upload, accept_upload, sentence

JPEG = files.encoded(files.photo(1400, 1050), "JPEG", quality=95, exif=files.exif(orientation=6))
PICTURES = {
    "jpeg": (JPEG, "image/jpeg", "jpg"),
    "png": (files.encoded(files.quadrants(400, 300), "PNG"), "image/png", "png"),
    "gif": (files.encoded(files.quadrants(400, 300), "GIF"), "image/gif", "gif"),
    "webp": (files.encoded(files.photo(), "WEBP", quality=95), "image/webp", "webp"),
    "avif": (files.encoded(files.photo(), "AVIF", quality=90), "image/avif", "avif"),
    "bmp": (files.encoded(files.photo(), "BMP"), "image/jpeg", "jpg"),
    "tiff": (files.encoded(files.quadrants(400, 300), "TIFF"), "image/png", "png"),
}


def url(name):
    return f"/media/{name}"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_stored_under_its_own_digest_and_true_extension(store, stored, name):
    data, content_type, extension = PICTURES[name]
    upload = accept_upload(BytesIO(data), store)
    assert upload.kind == "image"
    assert upload.file.content_type == content_type
    assert upload.file.name.endswith(f".{extension}")
    assert stored() == sorted({file.name for file in upload.files})
    for file in upload.files:
        kept = (store / file.name).read_bytes()
        digest = sha256(kept).hexdigest()[:40]
        assert file.name.partition(".")[0] == f"{digest[:2]}/{digest}"
        assert file.size == len(kept)
        assert files.decoded(kept).size == (file.width, file.height)


def test_a_photo_is_turned_fitted_and_rid_of_where_it_was_taken(store):
    upload = accept_upload(BytesIO(JPEG), store)
    kept = (store / upload.file.name).read_bytes()
    assert (upload.file.width, upload.file.height) == (810, 1080)
    assert b"SecretCamera" in JPEG
    assert b"SecretCamera" not in kept
    assert upload.file.size < upload.received == len(JPEG)
    assert [max(file.width, file.height) for file in upload.thumbnails] == [150, 300, 600]


def test_the_attributes_let_a_browser_choose(store):
    upload = accept_upload(BytesIO(JPEG), store)
    attributes = upload.attributes(url, "50vw")
    widths = [candidate.split()[1] for candidate in attributes["srcset"].split(", ")]
    assert widths == ["112w", "225w", "450w", "810w"]
    assert attributes["srcset"].endswith(f"{url(upload.file.name)} 810w")
    assert attributes["sizes"] == "50vw"
    assert (attributes["src"], attributes["width"], attributes["height"]) == (
        url(upload.file.name), "810", "1080",
    )  # fmt: skip


def test_what_is_no_smaller_than_a_wider_one_is_no_candidate():
    def file(width, size):
        return StoredFile(name=f"aa/{width}.png", content_type="image/png", size=size, width=width, height=9)

    upload = Upload(
        kind="image",
        file=file(400, 900),
        thumbnails=(file(100, 500), file(200, 950), file(400, 900)),
        received=9,
    )
    assert upload.srcset(url) == "/media/aa/100.png 100w, /media/aa/400.png 400w"


@pytest.mark.parametrize("options", [{}, {"thumbnails": ()}, {"placeholder": False}])
def test_what_is_kept_of_an_upload_comes_back_from_json(store, options):
    upload = accept_upload(BytesIO(JPEG), store, **options)
    assert Upload.from_dict(json.loads(json.dumps(upload.to_dict()))) == upload
    assert bool(upload.thumbnails) == ("thumbnails" not in options)
    assert bool(upload.placeholder) == bool(upload.color) == ("placeholder" not in options)


def test_a_transparent_picture_has_no_placeholder_shining_through(store):
    image = files.quadrants(mode="RGBA")
    image.putalpha(100)
    assert accept_upload(BytesIO(files.encoded(image, "PNG")), store).placeholder is None


def test_an_animation_moves_and_its_thumbnails_do_not(store):
    frames = [files.quadrants(200, 150), files.quadrants(200, 150).rotate(180)]
    data = files.encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100, loop=0)
    upload = accept_upload(BytesIO(data), store)
    assert upload.animated
    assert upload.srcset(url) == ""
    assert files.decoded((store / upload.file.name).read_bytes()).n_frames == 2
    for file in upload.thumbnails:
        assert getattr(files.decoded((store / file.name).read_bytes()), "n_frames", 1) == 1


def test_the_same_upload_twice_is_stored_once(store, stored):
    first = accept_upload(BytesIO(JPEG), store)
    names = stored()
    times = [(store / name).stat().st_mtime_ns for name in names]
    assert accept_upload(BytesIO(JPEG), store) == first
    assert stored() == names
    assert [(store / name).stat().st_mtime_ns for name in names] == times


def test_a_stored_file_that_was_cut_is_made_good(store):
    upload = accept_upload(BytesIO(JPEG), store)
    whole = (store / upload.file.name).read_bytes()
    (store / upload.file.name).write_bytes(whole[:100])
    accept_upload(BytesIO(JPEG), store)
    assert (store / upload.file.name).read_bytes() == whole


def test_options_of_optimize_apply(store):
    upload = accept_upload(
        BytesIO(JPEG), store, max_width=300, max_height=300, format="webp", thumbnails=(64,)
    )
    assert {file.content_type for file in upload.files} == {"image/webp"}
    assert (upload.file.width, upload.file.height) == (225, 300)


REFUSED = {
    "nothing": (b"", {}, "empty"),
    "text": (b"<script>alert(1)</script>" * 50, {}, "format_refused"),
    "text for a picture": (b"<svg onload=alert(1)>", {"kinds": ("image",)}, "not_an_image"),
    "text for a video": (b"hello" * 999, {"kinds": ("video",)}, "not_a_video"),
    "a picture for a video": (JPEG, {"kinds": "video"}, "not_a_video"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n" * 99, {"kinds": ("image",)}, "not_an_image"),
    "a cut picture": (JPEG[: len(JPEG) // 2], {}, "truncated"),
    "a large picture": (JPEG, {"max_image_bytes": 10_000}, "too_many_bytes"),
    "a large file": (b"x" * 100_000, {"max_bytes": 99_999}, "too_many_bytes"),
    "more pixels than allowed": (JPEG, {"limits": Limits(max_pixels=10_000)}, "too_many_pixels"),
    "a format that isn't wanted": (PICTURES["bmp"][0], {"formats": ("jpeg",)}, "format_refused"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_taken_is_said_and_leaves_nothing(store, stored, name):
    data, options, reason = REFUSED[name]
    with pytest.raises(MediaError) as caught:
        accept_upload(BytesIO(data), store, **options)
    assert caught.value.reason == reason
    assert sentence(caught.value) == SENTENCES[reason]
    assert sentence(caught.value, {reason: "Nein."}) == "Nein."
    assert stored() == []


@pytest.mark.parametrize(
    "options", [{"kinds": ("audio",)}, {"qualty": 85}, {"max_bytes": 0}, {"kinds": "video", "quality": 85}]
)
def test_a_wrong_option_is_said_before_anything_is_read(store, options):
    stream = BytesIO(JPEG)
    with pytest.raises(SettingsError):
        accept_upload(stream, store, **options)
    assert not store.exists()


def test_a_video_is_stored_as_it_came(store, stored, video):
    data = video("h264.mp4").read_bytes()
    upload = accept_upload(BytesIO(data), store, max_seconds=7)
    assert (upload.kind, upload.file.content_type, upload.video_codec) == ("video", "video/mp4", "h264")
    assert upload.duration == pytest.approx(6, abs=0.1)
    assert stored() == [upload.file.name]
    assert (store / upload.file.name).read_bytes() == data
    assert upload.attributes(url) == {"src": url(upload.file.name), "width": "128", "height": "72"}
    assert Upload.from_dict(json.loads(json.dumps(upload.to_dict()))) == upload


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("h264.mp4", {"max_seconds": 5}, "too_long"),
        ("audio.m4a", {}, "no_video"),
        ("vp9.webm", {"containers": ("mp4",)}, "format_refused"),
        ("vp9.webm", {"codecs": ("h264",)}, "codec_refused"),
        ("h264.mp4", {"kinds": ("image",)}, "not_an_image"),
        ("h264.mp4", {"max_bytes": 5000}, "too_many_bytes"),
    ],
)
def test_a_video_beyond_the_limits_leaves_nothing(store, stored, video, name, options, reason):
    with video(name).open("rb") as stream, pytest.raises(MediaError) as caught:
        accept_upload(stream, store, **options)
    assert caught.value.reason == reason
    assert stored() == []
