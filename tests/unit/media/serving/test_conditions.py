"""Conditions and ranges are about the variant; the application is asked by its own validators."""

import time

import pytest

from unit.client import ask

from .site import CHROMIUM, OLD, Site, get, kind_of, part, picture, warm

OLD_DATE = time.time() - 10_000


@pytest.fixture
def site():
    return Site(None, "image/jpeg", ("Cache-Control", "max-age=9"), modified=OLD_DATE)


@pytest.fixture
def app(site, tmp_path):
    return part(site, tmp_path)


@pytest.fixture
def variant(app):
    return warm(app)


def test_a_client_that_has_it_is_told_so(app, site, variant):
    got = get(app, headers={"If-None-Match": variant["ETag"]})
    assert (got.status, got.body, got["ETag"]) == ("304 Not Modified", b"", variant["ETag"])
    assert (got["Vary"], got["Cache-Control"]) == ("Accept", "max-age=9")
    assert got["Content-Type"] is got["Content-Length"] is None
    assert site.seen[-1]["HTTP_IF_NONE_MATCH"] == '"v1"'


@pytest.mark.parametrize("condition", ["W/{}", '"x", {}', "*"])
def test_weakly_compared(app, variant, condition):
    got = get(app, headers={"If-None-Match": condition.format(variant["ETag"])})
    assert got.status == "304 Not Modified"


@pytest.mark.parametrize(
    "headers",
    [{"If-None-Match": '"v1"'}, {"If-None-Match": '"other"'}, {"If-None-Match": "junk"}],
    ids=["the source's tag", "another", "none"],
)
def test_who_has_something_else_gets_the_variant(app, variant, headers):
    got = get(app, headers=headers)
    assert (got.status, got.body) == ("200 OK", variant.body)


def test_a_date_alone_is_the_source_s(app, site, variant):
    """Who asks by it may have any of its variants."""
    got = get(app, headers={"If-Modified-Since": site.modified})
    assert (got.status, got.body) == ("200 OK", variant.body)


def test_the_source_s_conditions_are_the_application_s(app, site, variant):
    got = get(app, accept=OLD, headers={"If-None-Match": '"v1"'})
    assert (got.status, got["ETag"], got["Vary"]) == ("304 Not Modified", '"v1"', "Accept")


def test_a_variant_s_tag_means_nothing_to_who_gets_the_source(app, site, variant):
    """Though the application heeds the date that comes with it."""
    site.etag = None
    headers = {"If-None-Match": variant["ETag"], "If-Modified-Since": site.modified}
    for accept in (OLD, "*/*", None):
        got = get(app, accept=accept, headers=headers)
        assert (got.status, got.body) == ("200 OK", site.body)


def test_the_request_is_left_as_it_came(app, site, variant):
    seen = {}

    def outside(environ, start_response):
        body = app(environ, start_response)
        seen.update(environ)
        return body

    headers = {
        "If-None-Match": variant["ETag"],
        "If-Modified-Since": site.modified,
        "Range": "bytes=0-1",
        "If-Range": variant["ETag"],
        "Accept": CHROMIUM,
    }
    ask(outside, "/a.jpg", "HEAD", headers)
    for name, value in headers.items():
        assert seen["HTTP_" + name.upper().replace("-", "_")] == value
    assert seen["REQUEST_METHOD"] == "HEAD"


class TestRanges:
    def test_a_part_of_the_variant(self, app, site, variant):
        got = get(app, headers={"Range": "bytes=100-199"})
        assert (got.status, got.body) == ("206 Partial Content", variant.body[100:200])
        assert got["Content-Range"] == f"bytes 100-199/{len(variant.body)}"
        assert (got["ETag"], got["Content-Type"]) == (variant["ETag"], "image/avif")
        assert (got["Content-Length"], got["Vary"]) == ("100", "Accept")
        assert "HTTP_RANGE" not in site.seen[-1]

    def test_several_parts(self, app, variant):
        got = get(app, headers={"Range": "bytes=0-9,50-59"})
        assert got["Content-Type"].startswith("multipart/byteranges")
        assert variant.body[50:60] in got.body

    def test_none_of_it(self, app, variant):
        got = get(app, headers={"Range": "bytes=99999999-"})
        assert (got.status, got["Content-Range"]) == (
            "416 Range Not Satisfiable",
            f"bytes */{len(variant.body)}",
        )

    def test_nonsense_is_ignored(self, app, variant):
        got = get(app, headers={"Range": "bytes=9-1"})
        assert (got.status, got.body) == ("200 OK", variant.body)

    def test_going_on_with_the_variant(self, app, variant):
        got = get(app, headers={"Range": "bytes=100-", "If-Range": variant["ETag"]})
        assert (got.status, got.body) == ("206 Partial Content", variant.body[100:])

    @pytest.mark.parametrize("validator", ['"v1"', "date", 'W/"v1"', "junk"])
    def test_never_with_something_else(self, app, site, variant, validator):
        value = site.modified if validator == "date" else validator
        got = get(app, headers={"Range": "bytes=100-", "If-Range": value})
        assert (got.status, got.body) == ("200 OK", variant.body)

    def test_a_part_of_what_has_no_variant_yet_is_the_source_s_and_not_kept(self, app, site):
        got = get(app, headers={"Range": "bytes=100-199"})
        assert (got.status, got.body) == ("206 Partial Content", site.body[100:200])
        assert (got["ETag"], got["Vary"], got["Cache-Control"]) == ('"v1"', "Accept", "no-store")

    def test_a_part_for_who_wants_the_source(self, app, site, variant):
        got = get(app, accept=None, headers={"Range": "bytes=100-199"})
        assert (got.status, got.body) == ("206 Partial Content", site.body[100:200])
        assert (got["Vary"], got["Cache-Control"]) == ("Accept", "max-age=9")


class TestHead:
    def test_of_a_cold_variant_tells_no_length(self, app):
        got = get(app, method="HEAD")
        assert got["Content-Length"] is got["ETag"] is None
        assert (got["Vary"], got["Cache-Control"]) == ("Accept", "no-store")

    def test_of_a_warm_one_is_that_of_get(self, app, site, variant):
        got = get(app, method="HEAD")
        assert (got.body, got["Content-Length"]) == (b"", str(len(variant.body)))
        assert sorted(got.fields) == sorted(variant.fields)
        assert site.seen[-1]["REQUEST_METHOD"] == "GET"

    def test_is_confirmed_too(self, app, variant):
        got = get(app, method="HEAD", headers={"If-None-Match": variant["ETag"]})
        assert got.status == "304 Not Modified"

    def test_knows_no_ranges(self, app, variant):
        got = get(app, method="HEAD", headers={"Range": "bytes=0-1"})
        assert (got.status, got["Content-Length"]) == ("200 OK", str(len(variant.body)))

    def test_of_what_is_stored(self, app, site, variant):
        got = get(app, accept=None, method="HEAD")
        assert (got["Content-Length"], got["Vary"]) == (str(len(site.body)), "Accept")


class TestChanges:
    def test_a_changed_source_never_gets_the_old_variant(self, app, site, variant):
        site.body, site.etag = picture(seed=3), '"v2"'
        got = get(app)
        assert (got.body, got["Cache-Control"]) == (site.body, "no-store")
        assert warm(app).body not in (variant.body, site.body)

    def test_nor_one_changed_back_another(self, app, site, variant):
        site.body, site.etag = picture(seed=3), '"v2"'
        warm(app)
        site.body, site.etag = picture(), '"v1"'
        assert warm(app).body == variant.body

    def test_an_application_that_never_says_304(self, tmp_path):
        site = Site(validates=False)
        app = part(site, tmp_path)
        one = warm(app)
        assert get(app).body == one.body
        assert get(app, headers={"If-None-Match": one["ETag"]}).status == "304 Not Modified"
        site.body, site.etag = picture(seed=3), '"v2"'
        assert get(app).body == site.body

    @pytest.mark.parametrize("modified", [None, "now"])
    def test_without_a_trusted_validator_the_content_decides(self, tmp_path, modified):
        site = Site(etag=None, modified=None if modified is None else time.time())
        app = part(site, tmp_path)
        one = warm(app)
        assert kind_of(one.body)[0] == "AVIF"
        assert "HTTP_IF_MODIFIED_SINCE" not in site.seen[-1]
        site.body = picture(seed=4, size=(400, 300))  # in the same second
        assert get(app).body == site.body
        assert warm(app).body != one.body

    def test_a_date_is_a_validator_once_it_is_old(self, tmp_path):
        site = Site(etag=None, modified=OLD_DATE)
        app = part(site, tmp_path)
        warm(app)
        reads = site.read
        assert get(app)["Content-Type"] == "image/avif"
        assert (site.read, site.seen[-1]["HTTP_IF_MODIFIED_SINCE"]) == (reads, site.modified)

    def test_a_304_about_something_else_is_asked_about_again(self, app, site, variant):
        real = site.__call__

        def lying(environ, start_response):
            def start(status, fields, exc_info=None):
                if status[:3] == "304":
                    fields = [("ETag", '"v9"')]
                return start_response(status, fields)

            return real(environ, start)

        app._stack.app, app.inner = lying, lying
        got = get(app)
        assert (got.status, got["Content-Type"]) == ("200 OK", "image/avif")
        assert site.read >= 2
