"""The application has the last word; what is one client's is kept for nobody."""

import time

import pytest

from unit.client import ask
from wsgiperf.media import middleware
from wsgiperf.wsgi import OPTIONS

from .site import Site, get, part, picture, warm


@pytest.fixture
def encodes(monkeypatch):
    """What was encoded."""
    found, real = [], middleware.encode

    def counting(*args, **options):
        found.append(args[1:3])
        return real(*args, **options)

    monkeypatch.setattr(middleware, "encode", counting)
    return found


@pytest.mark.parametrize(
    "status", ["401 Unauthorized", "403 Forbidden", "404 Not Found", "302 Found", "500 Oops"]
)
def test_a_refusal_is_final(tmp_path, status):
    site = Site()
    app = part(site, tmp_path)
    variant = warm(app)
    site.status = status
    for headers in ({}, {"If-None-Match": variant["ETag"]}, {"Range": "bytes=0-9"}):
        got = get(app, headers=headers)
        assert (got.status, got.body) == (status, b"no")
        assert got["ETag"] is None
    site.status = "200 OK"
    assert get(app).body == variant.body


def test_the_application_sees_who_asks(tmp_path):
    site = Site()
    app = part(site, tmp_path)
    warm(app)
    get(app, headers={"Cookie": "session=1", "Authorization": "Basic x"})
    assert (site.seen[-1]["HTTP_COOKIE"], site.seen[-1]["HTTP_AUTHORIZATION"]) == ("session=1", "Basic x")


# Response fields, request fields, whether a variant is made.
KEPT = {
    "silent": ([], {}, True),
    "public": ([("Cache-Control", "public, max-age=9")], {}, True),
    "no-cache": ([("Cache-Control", "no-cache")], {}, True),
    "private": ([("Cache-Control", "private, max-age=9")], {}, False),
    "private fields": ([("Cache-Control", 'private="x-a"')], {}, False),
    "no-store": ([("Cache-Control", "no-store")], {}, False),
    "no-store, public": ([("Cache-Control", "public, no-store")], {}, False),
    "a cookie is set": ([("Set-Cookie", "a=1")], {}, False),
    "a cookie is set, public": ([("Set-Cookie", "a=1"), ("Cache-Control", "public")], {}, False),
    "varying by everything": ([("Vary", "*")], {}, False),
    "varying by a field": ([("Vary", "Origin")], {}, True),
    "Cookie": ([], {"Cookie": "session=1"}, False),
    "Cookie, public": ([("Cache-Control", "public")], {"Cookie": "session=1"}, True),
    "Cookie of analytics": ([], {"Cookie": "_ga=1; _ga_X1=2"}, True),
    "Cookie of analytics and another": ([], {"Cookie": "_ga=1; id=2"}, False),
    "Cookie, two lines": ([], {"Cookie": "_ga=1,id=2"}, False),
    "Authorization": ([], {"Authorization": "Basic x"}, False),
    "Authorization, public": ([("Cache-Control", "public")], {"Authorization": "Basic x"}, True),
    "the request says no-store": ([("Cache-Control", "public")], {"Cache-Control": "no-store"}, False),
}


@pytest.mark.parametrize(("fields", "headers", "kept"), KEPT.values(), ids=KEPT)
def test_of_what_a_variant_is_kept(tmp_path, encodes, fields, headers, kept):
    site = Site(None, "image/jpeg", *fields)
    app = part(site, tmp_path)
    if kept:
        assert warm(app, headers=headers)["Content-Type"] == "image/avif"
        assert len(encodes) == 1
        return
    bare = ask(Site(None, "image/jpeg", *fields), "/a.jpg", headers=headers)
    for _ in range(2):
        got = get(app, headers=headers)
        assert (got.status, got.body, got["ETag"]) == ("200 OK", bare.body, '"v1"')
        assert got["Cache-Control"] == bare["Cache-Control"]
    assert encodes == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_member_gets_what_was_made_for_all_where_the_application_confirms_it(tmp_path):
    app = part(Site(), tmp_path)
    variant = warm(app)
    assert get(app, headers={"Cookie": "session=1"}).body == variant.body


def test_nothing_of_one_client_s_answer_is_in_another_s(tmp_path):
    site = Site(None, "image/jpeg", ("X-Request-ID", "one"), ("Date", "Mon, 01 Jan 2024 00:00:00 GMT"))
    app = part(site, tmp_path)
    warm(app)
    site.fields = [("Set-Cookie", "mine=1")]
    got = get(app)
    assert (got["Content-Type"], got["Set-Cookie"]) == ("image/avif", "mine=1")
    assert got["X-Request-ID"] is got["Date"] is None
    site.fields = []
    assert get(app)["Set-Cookie"] is None


def test_the_304_s_own_words_win(tmp_path):
    site = Site(None, "image/jpeg", ("Cache-Control", "max-age=9"))
    app = part(site, tmp_path)
    warm(app)
    site.fields = [("Cache-Control", "private, max-age=1")]
    got = get(app)
    assert (got["Content-Type"], got["Cache-Control"]) == ("image/avif", "private, max-age=1")


def test_each_host_and_url_has_its_own(tmp_path):
    """Though all have the same entity tag."""
    sites = {name: Site(picture(seed=n)) for n, name in enumerate(["a.example", "b.example"])}
    app = part(lambda e, s: sites[e["HTTP_HOST"]](e, s), tmp_path)
    bodies = {name: warm(app, headers={"Host": name}).body for name in sites}
    assert bodies["a.example"] != bodies["b.example"]
    for name, body in bodies.items():
        assert get(app, headers={"Host": name}).body == body
    get(app, headers={"Host": "a.example", "X-Forwarded-Host": "b.example"})
    assert "HTTP_IF_NONE_MATCH" not in sites["a.example"].seen[-1]  # another URL, not known yet


def test_what_depends_on_a_request_field_is_for_its_value(tmp_path, encodes):
    pictures = {"en": picture(seed=1), "de": picture(seed=2)}

    def app(environ, start_response):
        language = environ["HTTP_ACCEPT_LANGUAGE"]
        return Site(pictures[language], "image/jpeg", ("Vary", "Accept-Language"))(environ, start_response)

    app = part(app, tmp_path)
    bodies = {name: warm(app, headers={"Accept-Language": name}).body for name in pictures}
    assert bodies["en"] != bodies["de"]
    for _ in range(2):
        for name, body in bodies.items():
            got = get(app, headers={"Accept-Language": name})
            assert (got.body, got["Vary"]) == (body, "Accept-Language, Accept")
    assert len(encodes) == 2


def test_one_picture_under_two_urls_is_encoded_once(tmp_path, encodes):
    app = part(Site(), tmp_path)
    assert warm(app, "/a.jpg").body == warm(app, "/b.jpg").body
    assert len(encodes) == 1


def test_hostile_bytes_on_the_disk_are_never_served(tmp_path):
    """Not junk, and not another URL's, whatever lies there."""
    app = part(lambda e, s: Site(picture(seed=len(e["PATH_INFO"])))(e, s), tmp_path)
    one, other = warm(app, "/a"), warm(app, "/other")
    assert one.body != other.body
    deadline = time.monotonic() + 60
    while len(files := list(tmp_path.glob("??/[!.]*"))) < 4:  # with a dot they are still being written
        assert time.monotonic() < deadline, files  # the last is written behind the answer
        time.sleep(0.01)
    assert len(files) == 4
    contents = [path.read_bytes() for path in files]
    for shift in range(1, 4):
        for path, content in zip(files, contents[shift:] + contents[:shift], strict=True):
            path.write_bytes(content)
        assert warm(part(Site(picture(seed=2)), tmp_path), "/a").body == one.body
    for path in files:
        path.write_bytes(b"wpm1" + bytes(5000))
    assert warm(part(Site(picture(seed=2)), tmp_path), "/a").body == one.body


def test_an_application_can_keep_it_away(tmp_path):
    site = Site()

    def excusing(environ, start_response):
        if environ["PATH_INFO"] == "/kept":
            environ[OPTIONS] = {"media": False}
        return site(environ, start_response)

    app = part(excusing, tmp_path)
    for _ in range(2):
        got = get(app, "/kept")
        assert (got.body, got["Vary"], got["ETag"]) == (site.body, None, '"v1"')
    assert warm(app, "/other")["Content-Type"] == "image/avif"


def test_a_directory_of_no_use_leaves_the_memory(tmp_path, caplog):
    (tmp_path / "file").write_bytes(b"")
    app = part(Site(), tmp_path / "file")
    assert warm(app)["Content-Type"] == "image/avif"
    assert get(app)["Content-Type"] == "image/avif"
    assert "in memory only" in caplog.text


@pytest.mark.parametrize("name", ["If-Match", "If-Unmodified-Since"])
def test_preconditions_are_the_application_s(tmp_path, name):
    site = Site()
    app = part(site, tmp_path)
    warm(app)
    got = get(app, headers={name: '"v1"'})
    assert (got.body, got["ETag"]) == (site.body, '"v1"')
    assert site.seen[-1]["HTTP_" + name.upper().replace("-", "_")] == '"v1"'


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_pass(tmp_path, method):
    site = Site()
    app = part(site, tmp_path)
    warm(app)
    got = get(app, method=method)
    assert (got.body, got["Vary"], got["ETag"]) == (site.body, None, '"v1"')
    assert "HTTP_IF_NONE_MATCH" not in site.seen[-1]


def test_a_head_too_long_to_be_kept_is_read_each_time(tmp_path):
    site = Site(None, "image/jpeg", ("X-Long", "x" * 20_000))
    app = part(site, tmp_path)
    assert warm(app)["X-Long"] == "x" * 20_000
    assert "HTTP_IF_NONE_MATCH" not in site.seen[-1]
