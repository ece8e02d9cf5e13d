"""Between the cache and the application, as `wrap` puts it."""

import time

import pytest

from unit.client import ask
from wsgiperf import wrap

from .site import CHROMIUM, OLD, PATIENCE, Site, kind_of

FIREFOX = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
CODINGS = {"Accept-Encoding": "gzip, deflate, br, zstd"}


@pytest.fixture
def site():
    return Site(None, "image/jpeg", ("Cache-Control", "public, max-age=60"))


@pytest.fixture
def app(site, tmp_path):
    return wrap(
        site,
        monitor=False,
        cache={"journal": str(tmp_path / "journal")},
        media={"directory": str(tmp_path / "variants"), "minimum_size": 500},
    )


def get(app, accept=CHROMIUM, method="GET", **headers):
    fields = {**CODINGS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return ask(app, "/a.jpg", method, fields if accept is None else {**fields, "Accept": accept})


def warm(app, accept=CHROMIUM):
    until = time.monotonic() + PATIENCE
    while (got := get(app, accept))["Cache-Control"] == "no-store":
        assert time.monotonic() < until, "no variant came"
        time.sleep(0.01)
    return got


def hit(app, accept=CHROMIUM):
    """Ask until the cache answers: it remembers for one request that this was not to be stored."""
    warm(app, accept)
    for _ in range(3):
        got = get(app, accept)
        if "hit" in got["Cache-Status"]:
            return got
    raise AssertionError(got["Cache-Status"])


def test_the_cache_keeps_the_variant_and_never_its_stopgap(app, site):
    first = get(app)
    assert (first["Content-Type"], first["Cache-Control"]) == ("image/jpeg", "no-store")
    variant = warm(app)
    assert (variant["Content-Type"], variant["Content-Encoding"]) == ("image/avif", None)
    again = hit(app)
    asked = len(site.seen)
    assert (again.body, again["ETag"], again["Vary"]) == (variant.body, variant["ETag"], "Accept")
    assert "hit" in get(app)["Cache-Status"]
    assert len(site.seen) == asked


def test_each_client_gets_its_own_of_it(app, site):
    for accept, name in ((CHROMIUM, "AVIF"), (FIREFOX, "AVIF"), ("image/webp,*/*", "WEBP"), (OLD, "JPEG")):
        assert kind_of(hit(app, accept).body)[0] == name
    assert get(app, None)["Content-Type"] == get(app, "*/*")["Content-Type"] == "image/jpeg"


def test_the_spelling_of_accept_does_not_matter(app, site):
    hit(app)
    asked = len(site.seen)
    assert "hit" in get(app, CHROMIUM.replace(",", " , "))["Cache-Status"]
    assert len(site.seen) == asked


def test_conditions_ranges_and_head_of_what_the_cache_has(app, site):
    variant = hit(app)
    asked = len(site.seen)
    assert get(app, If_None_Match=variant["ETag"]).status == "304 Not Modified"
    assert get(app, If_None_Match='"v1"').body == variant.body
    got = get(app, Range="bytes=5-9", If_Range=variant["ETag"])
    assert (got.status, got.body) == ("206 Partial Content", variant.body[5:10])
    assert get(app, method="HEAD")["Content-Length"] == str(len(variant.body))
    assert len(site.seen) == asked


def test_the_cache_validates_the_variant_by_its_own_tag(app, site):
    site.fields = [("Cache-Control", "public, no-cache")]
    variant = warm(app)
    for _ in range(2):
        got = get(app)
        assert (got.body, got["ETag"]) == (variant.body, variant["ETag"])
        assert site.seen[-1]["HTTP_IF_NONE_MATCH"] == '"v1"'
    site.body, site.etag = site.body + b" ", '"v2"'
    assert get(app)["ETag"] != variant["ETag"]


def test_a_visitor_s_picture_stays_the_visitor_s(app, site):
    site.fields = [("Cache-Control", "private, max-age=60")]
    for _ in range(3):
        got = get(app, Cookie="session=1")
        assert (got.body, got["Cache-Control"]) == (site.body, "private, max-age=60")


def test_it_is_off_unless_it_is_asked_for(site):
    got = get(wrap(site, monitor=False, cache=False))
    assert (got.body, got["Vary"]) == (site.body, None)
