"""The gallery of each example site: what becomes of a photo, of a video, and of what is neither."""

import io
import os
import random
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from example_site import EXAMPLES, Page
from PIL import Image

SHARED = EXAMPLES / "shared" / "communiconnect"


def share(visitor, content, name="photo.png"):
    """Send the form as browsers do; those of libraries send an empty file otherwise."""
    parts = [
        *((f'name="{field}"', value.encode()) for field, value in visitor.page("/upload").fields.items()
          if field != "photo"),
        (f'name="photo"; filename="{name}"\r\nContent-Type: text/html', content),
    ]  # fmt: skip
    body = b"".join(
        b"--limit\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (head.encode(), value)
        for head, value in parts
    )
    return visitor.post(
        "/upload", data=body + b"--limit--\r\n", content_type="multipart/form-data; boundary=limit"
    )


class Media(HTMLParser):
    """The attributes of each `img` and `video` of the page's content."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text[text.index("<main") :])
        self.close()

    def handle_starttag(self, tag, attributes):
        if tag in ("img", "video"):
            self.found.append((tag, dict(attributes)))


def photo(width=1600, height=1200):
    """As a phone makes them: on its side, and it says where and with what it was taken."""
    noise = random.Random(width)
    image = Image.frombytes("RGB", (16, 12), noise.randbytes(576)).resize((width, height))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "SecretCamera"
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 14.0)}
    sink = io.BytesIO()
    image.save(sink, "JPEG", quality=95, exif=exif)
    return sink.getvalue()


@pytest.fixture(scope="session")
def video(tmp_path_factory):
    """A video of so many seconds."""
    if shutil.which("ffmpeg") is None:
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says("ffmpeg is not installed")
    folder = tmp_path_factory.mktemp("videos")

    def make(seconds):
        path = folder / f"{seconds}.webm"
        if not path.exists():
            source = ["-f", "lavfi", "-i", f"testsrc2=s=160x90:r=4:d={seconds}"]
            coding = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"]
            subprocess.run(["ffmpeg", "-v", "error", *source, *coding, str(path)], check=True, timeout=100)
        return path.read_bytes()

    return make


def shared(visitor, content, name="../../évil.html"):
    """Share it; the page it is shown on, its media there, and its attributes in the gallery."""
    sent = share(visitor, content, name)
    assert sent.status_code == 303, sent.text
    path = visitor.inside(sent.headers["Location"])
    page = visitor.get(path)
    gallery = visitor.get("/upload")
    for response in (page, gallery):
        found = Page(response.text)
        assert found.forbidden == []
        assert sorted(tag for tag, _ in found.inline) == ["script", "style"]
    [alone] = Media(page.text).found
    beside = next(one for one in Media(gallery.text).found if one[1]["src"] == alone[1]["src"])
    assert f'href="{sent.headers["Location"]}"' in gallery.text
    return page, alone, beside


def test_a_photo_is_optimised_and_shown_in_the_size_that_a_screen_needs(visitor):
    content = photo()
    _, (_, alone), (tag, beside) = shared(visitor, content)
    assert tag == "img"
    assert (beside["width"], beside["height"]) == ("810", "1080")  # upright
    assert beside["loading"] == "lazy"
    assert beside["alt"]
    assert beside["sizes"] != alone["sizes"]
    assert beside["srcset"] == alone["srcset"]
    candidates = [candidate.split() for candidate in beside["srcset"].split(", ")]
    assert [width for _, width in candidates] == ["112w", "225w", "450w", "810w"]
    assert candidates[-1][0] == beside["src"]
    for address, width in candidates:
        stored = visitor.get(visitor.inside(address))
        assert stored.mimetype == "image/jpeg"
        assert stored.headers["X-Content-Type-Options"] == "nosniff"
        assert re.search(r"/media/[0-9a-f]{2}/[0-9a-f]{40}\.jpg$", address)
        assert f"{Image.open(io.BytesIO(stored.data)).width}w" == width
        assert b"SecretCamera" not in stored.data
        assert len(stored.data) < len(content)


def test_the_gallery_shows_a_colour_until_a_photo_has_come(visitor):
    _, _, (_, beside) = shared(visitor, photo())
    style = re.search(r"<style nonce[^>]*>(.*?)</style>", visitor.get("/upload").text, re.DOTALL)[1]
    assert re.search(rf"#{beside['id']} {{ background: #[0-9a-f]{{6}}; }}", style)


def test_a_small_picture_stays_as_it_is_to_the_pixel(visitor):
    picture = (SHARED / "static" / "icon.png").read_bytes()
    _, (_, alone), _ = shared(visitor, picture)
    stored = visitor.get(visitor.inside(alone["src"]))
    assert stored.mimetype == "image/png"
    with Image.open(io.BytesIO(stored.data)) as new, Image.open(io.BytesIO(picture)) as old:
        assert new.convert("RGBA").tobytes() == old.convert("RGBA").tobytes()


def test_a_video_is_stored_and_played_in_parts(visitor, video):
    content = video(3)
    page, (tag, alone), (_, beside) = shared(visitor, content, "film.jpg")
    assert tag == "video"
    assert {"controls", "preload", "width", "height"} <= beside.keys()
    assert beside["preload"] == "metadata"
    assert "3.0 s" in page.text
    path = visitor.inside(alone["src"])
    whole = visitor.get(path)
    assert whole.mimetype == "video/webm"
    assert whole.data == content
    for wanted, part in {"0-99": content[:100], "1000-": content[1000:], "-50": content[-50:]}.items():
        answer = visitor.get(path, headers={"Range": f"bytes={wanted}"})
        assert answer.status_code == 206, wanted
        assert answer.data == part
        begin = content.index(part) if wanted != "1000-" else 1000
        assert answer.headers["Content-Range"] == f"bytes {begin}-{begin + len(part) - 1}/{len(content)}"
    assert visitor.get(path, headers={"Range": f"bytes={len(content)}-"}).status_code == 416


REFUSED = {
    "nothing chosen": (b"", "", "Please choose a photo or a video first."),
    "an empty file": (b"", "photo.png", r"(This|The submitted) file is empty\."),
    "a script": (b"<svg onload=alert(1)>", "photo.png", "This is neither a PNG, JPEG, GIF, WebP or AVIF"),
    "a cut photo": (photo()[:5000], "photo.jpg", "This file is incomplete."),
    "a large photo": (b"\xff\xd8\xff" + bytes(13 << 20), "photo.jpg", "A photo may have up to 12 MB"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_taken_comes_back_with_the_reason(visitor, name):
    content, filename, reason = REFUSED[name]
    before = len(Media(visitor.get("/upload").text).found)
    response = share(visitor, content, filename)
    assert response.status_code == 422
    assert re.search(f'<span class="error">{reason}', response.text)
    assert Page(response.text).forbidden == []
    assert len(Media(response.text).found) == before


def test_a_video_of_more_than_a_minute_comes_back_with_the_reason(visitor, video):
    response = share(visitor, video(62), "film.webm")
    assert response.status_code == 422
    assert "A video may last up to 60 seconds." in response.text


def test_a_body_beyond_the_limit_is_refused_unread(visitor):
    # Announced and never sent: the answer does not wait for it.
    announced = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": str(41 << 20)}
    response = visitor.post("/upload", environ_overrides=announced)
    assert response.status_code == 413
    assert "A photo may have up to 12 MB, a video up to 30 MB." in response.text


@pytest.mark.parametrize(
    "name",
    [
        "nothing.png",
        "..%2fcommunity.sqlite3",
        "secret-key",
        "store.lock",
        "records",
        "00/" + 40 * "0" + ".jpg",
    ],
)
def test_only_what_was_shared_comes_out_of_the_store(visitor, name):
    assert visitor.get(f"/media/{name}").status_code == 404


def test_records_do_not_come_out_of_the_store(visitor):
    sent = share(visitor, photo())
    digest = sent.headers["Location"].rpartition("/")[2]
    assert visitor.get(f"/media/records/{digest}.json").status_code == 404
    assert visitor.get("/upload/" + 40 * "0").status_code == 404
