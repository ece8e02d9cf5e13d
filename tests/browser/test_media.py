"""Which picture a browser gets for a plain `img`, and what an old one would get."""

import urllib.request

import pytest

from . import serving
from .picture_site import write_pictures

PHOTO = "/files/photo.jpg"
CHROMIUM = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
OLD = "image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
NATURAL = 'const image = document.querySelector("img"); return [image.complete, image.naturalWidth];'


@pytest.fixture(scope="module")
def picture_site(window, tmp_path_factory):
    """The address of the site, with the media part on, behind two workers."""
    directory = tmp_path_factory.mktemp("pictures")
    write_pictures(directory)
    with serving.gunicorn(
        "picture_site:application",
        directory,
        PICTURES=str(directory),
        WSGIPERF_MEDIA="on",
        WSGIPERF_MEDIA_DIRECTORY=str(directory / "variants"),
    ) as address:
        yield address


def fetched(address, accept):
    """What a client with this Accept gets."""
    request = urllib.request.Request(address + PHOTO, headers={"Accept": accept} if accept else {})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
        return answer.headers, answer.read()


def test_a_plain_image_is_avif_on_the_second_load_at_the_latest(browser, picture_site):
    browser.open(f"{picture_site}/")
    first = browser.fetched(PHOTO)
    assert first.headers["vary"] == "Accept"
    if first.headers["content-type"] == "image/jpeg":
        assert first.headers["cache-control"] == "no-store"
        # Nobody turns pages in the tenth of a second that the encoder takes.
        browser.until(lambda: fetched(picture_site, CHROMIUM)[0]["Cache-Control"] != "no-store")
    browser.open(f"{picture_site}/?second")
    second = browser.fetched(PHOTO)
    assert (second.status, second.headers["content-type"]) == (200, "image/avif")
    assert int(second.headers["content-length"]) < 100_000
    assert browser.run(NATURAL) == [True, 800]


def test_it_is_kept_and_confirmed_by_its_own_tag(browser, picture_site):
    browser.until(lambda: fetched(picture_site, CHROMIUM)[0]["Cache-Control"] != "no-store")
    browser.open(f"{picture_site}/")
    tag = browser.fetched(PHOTO).headers["etag"]
    browser.reload()
    again = browser.fetched(PHOTO)
    assert again.from_cache or again.wire_status == 304
    assert again.headers["etag"] == tag
    assert browser.run(NATURAL) == [True, 800]


@pytest.mark.parametrize("accept", [OLD, "*/*", None], ids=["old browser", "anything", "no field"])
def test_an_old_client_gets_jpeg(picture_site, accept):
    for _ in range(2):
        headers, body = fetched(picture_site, accept)
        assert (headers["Content-Type"], body[:3], headers["Vary"]) == (
            "image/jpeg",
            b"\xff\xd8\xff",
            "Accept",
        )
