"""Cache-Control for files: for how long, and never for what belongs to somebody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.client import answering, ask
from wsgiperf import SecurityHeadersMiddleware

SHORT, YEAR, MEDIA = "public, max-age=60", "public, max-age=31536000, immutable", "max-age=60"
CSS = ("Content-Type", "text/css")


def cache_control(path, *fields, method="GET", status="200 OK", headers=None, mount="", **options):
    """What a file answered so is sent with."""
    app = SecurityHeadersMiddleware(answering(*fields, status=status), **options)
    return ask(app, path, method, headers, mount=mount)["Cache-Control"]


NAMES = {
    "/static/app.css": SHORT,
    "/static/deep/er/app.css": SHORT,
    "/static/app": SHORT,
    "/static/app.3f2a9c1b.css": YEAR,
    "/static/app-3f2a9c1b.css": YEAR,
    "/static/app.3F2A9C1B.css": YEAR,
    "/static/app.3f2a9c1b5d6e7f80112233445566778899aabbcc.css": YEAR,
    "/static/app.3f2a9c1b.min.css": YEAR,
    "/static/app-3f2a9c1b": YEAR,
    "/static/deep/app.3f2a9c1b.css": YEAR,
    "/static/app.min.3f2a9c1b.css.map": YEAR,
    "/static/app.3f2a9c1.css": SHORT,  # seven digits
    "/static/app.20260131.css": SHORT,  # a date
    "/static/app.deadbeef.css": SHORT,  # a word
    "/static/app3f2a9c1b.css": SHORT,  # not set off
    "/static/app_3f2a9c1b.css": SHORT,
    "/static/app.3f2a9c1bx.css": SHORT,
    "/static/app.3f2a9c1b_x.css": SHORT,
    "/static/app.3f2a9c1b/app.css": SHORT,  # the folder's name
    "/static/app.3f2a9c1b.d/app.css": SHORT,
    "/static/jquery-3.7.1.min.js": SHORT,
    "/static/caf\xc3\xa9.css": SHORT,
    "/media/photo.jpg": MEDIA,
    "/media/photo.3f2a9c1b.jpg": "max-age=31536000, immutable",
    "/other/app.css": None,
    "/": None,
    "": None,
}


@pytest.mark.parametrize(("path", "value"), NAMES.items(), ids=NAMES)
def test_paths_and_names(path, value):
    """A content hash in the name: a year; else a minute. Media are not public unless asked."""
    assert cache_control(path) == value


LOOK_ALIKES = [
    "/static",
    "/static/",
    "/staticx/app.css",
    "/static-old/app.css",
    "/STATIC/app.css",
    "//static/app.css",
    "/x/static/app.css",
    "static/app.css",
    " /static/app.css",
    "/./static/app.css",
    "/static/../secret",
    "/static/a/../../secret",
    "/static/..",
    "/static/.",
    "/static/./app.css",
    "/static//app.css",
    "/static/deep/",
    "/static/..\\secret",
    "/static\\app.css",
    "/static/%2e%2e/secret",  # encoded twice: whoever decodes once more is out of the folder
    "/static/%2E%2E/secret",
    "/static/.%2e/secret",
    "/static/%2e/app.css",
    "/media/../secret",
]


@pytest.mark.parametrize("path", LOOK_ALIKES)
def test_paths_that_only_look_alike(path):
    """Another address, or one that may lead out of the folder again."""
    assert cache_control(path) is None


ANSWERS = {
    "GET 200": ({}, SHORT),
    "HEAD": ({"method": "HEAD"}, SHORT),
    "206": ({"status": "206 Partial Content"}, SHORT),
    "304": ({"status": "304 Not Modified"}, SHORT),
    "POST": ({"method": "POST"}, None),
    "OPTIONS": ({"method": "OPTIONS"}, None),
    "lower case": ({"method": "get"}, None),
    "201": ({"status": "201 Created"}, None),
    "204": ({"status": "204 No Content"}, None),
    "301": ({"status": "301 Moved Permanently"}, None),
    "404": ({"status": "404 Not Found"}, None),
    "410": ({"status": "410 Gone"}, None),
    "500": ({"status": "500 Internal Server Error"}, None),
    "Authorization": ({"headers": {"Authorization": "Basic YTpi"}}, None),
    "an empty Authorization": ({"headers": {"Authorization": ""}}, None),
    "a cookie in the request": ({"headers": {"Cookie": "a=b"}}, SHORT),
}


@pytest.mark.parametrize(("request_and_status", "value"), ANSWERS.values(), ids=ANSWERS)
def test_requests_and_statuses(request_and_status, value):
    """Only what is the file: no error under /static/ is kept for a year, nor what is for one user."""
    assert cache_control("/static/app.css", CSS, **request_and_status) == value
    hashed = cache_control("/static/app.3f2a9c1b.css", CSS, **request_and_status)
    assert hashed == (YEAR if value else None)


FIELDS = {
    "no type": ([], SHORT),
    "style": ([CSS], SHORT),
    "HTML": ([("Content-Type", "text/html")], None),
    "HTML with parameters": ([("content-type", "Text/HTML; charset=utf-8")], None),
    "XHTML": ([("Content-Type", "application/xhtml+xml")], None),
    "Set-Cookie": ([CSS, ("Set-Cookie", "a=b")], None),
    "set-cookie": ([CSS, ("set-cookie", "a=b")], None),
    "Vary: Cookie": ([CSS, ("Vary", "Cookie")], None),
    "Vary: Cookie among others": ([CSS, ("vary", "Accept-Encoding , cOOkie")], None),
    "two Vary": ([CSS, ("Vary", "Accept"), ("Vary", "Cookie")], None),
    "Vary: Authorization": ([CSS, ("Vary", "authorization")], None),
    "Vary: *": ([CSS, ("Vary", "*")], None),
    "Vary: Accept-Encoding": ([CSS, ("Vary", "Accept-Encoding")], SHORT),
    "Vary: Cookies": ([CSS, ("Vary", "X-Cookie")], SHORT),
    "own": ([CSS, ("Cache-Control", "private")], "private"),
    "own, lower case": ([CSS, ("cache-control", "no-cache")], "no-cache"),
    "own, empty": ([CSS, ("Cache-Control", "")], ""),
    "Expires": ([CSS, ("Expires", "0")], None),
}


@pytest.mark.parametrize(("fields", "value"), FIELDS.values(), ids=FIELDS)
@pytest.mark.parametrize("path", ["/static/app.css", "/media/app.css"])
def test_what_the_application_says(fields, value, path):
    """Its own word wins; pages, and whatever differs from user to user, are left alone."""
    expected = MEDIA if value == SHORT and path.startswith("/media/") else value
    assert cache_control(path, *fields) == expected


PAGES = ["/static/index.html", "/static/INDEX.HTM", "/static/a.xhtml"]


@pytest.mark.parametrize("path", PAGES)
def test_a_304_of_a_page_is_a_page(path):
    """It names no type; the 200 would have been left alone."""
    assert cache_control(path, status="304 Not Modified") is None


OPTIONS = {
    "off": ({"static_caching": False}, None, None),
    "an hour": ({"static_max_age": 3600}, "public, max-age=3600", "max-age=3600"),
    "nothing": ({"static_max_age": 0}, "public, max-age=0", "max-age=0"),
    "a year for all": ({"static_year": True}, "public, max-age=31536000", "public, max-age=31536000"),
    "public media": ({"media_public": True}, SHORT, SHORT),
    "no media": ({"media_prefixes": ()}, SHORT, None),
    "no prefixes": ({"media_prefixes": (), "static_prefixes": ()}, None, None),
    "one for both": ({"media_prefixes": ("/static/",)}, SHORT, None),
}


@pytest.mark.parametrize(("options", "static", "media"), OPTIONS.values(), ids=OPTIONS)
def test_options(options, static, media):
    """Each of them."""
    assert cache_control("/static/app.css", CSS, **options) == static
    assert cache_control("/media/app.css", CSS, **options) == media


def test_a_year_for_all_keeps_the_other_rules():
    """No errors, no pages, nothing that belongs to somebody."""
    options = {"static_year": True}
    assert cache_control("/static/app.css", status="404 Not Found", **options) is None
    assert cache_control("/static/app.css", ("Set-Cookie", "a=b"), **options) is None
    assert cache_control("/static/a.html", ("Content-Type", "text/html"), **options) is None


PREFIXES = {
    "/assets/": ("/assets/app.css", SHORT),
    "/a/b/": ("/a/b/app.css", SHORT),
    "/m\xe9dias/": ("/m\xc3\xa9dias/app.css", SHORT),  # as PEP 3333 has it: UTF-8 in latin-1 clothing
    "/\N{SNOWMAN}/": ("/\xe2\x98\x83/app.css", SHORT),
}


@pytest.mark.parametrize(("prefix", "path_and_value"), PREFIXES.items(), ids=map(ascii, PREFIXES))
def test_other_prefixes(prefix, path_and_value):
    """Then the usual ones are paths like any other."""
    path, value = path_and_value
    assert cache_control(path, static_prefixes=[prefix]) == value
    assert cache_control("/static/app.css", static_prefixes=[prefix]) is None


def test_prefixes_are_below_the_mount():
    """What a server mounts elsewhere is elsewhere."""
    assert cache_control("/static/app.css", mount="/shop") == SHORT
    assert cache_control("/app.css", mount="/static") is None
    assert cache_control("/static/app.css", mount="/static") == SHORT


def test_a_dispatcher_inside_changes_nothing():
    """The path is the one this server got; so is Authorization, though the application takes it away."""

    def app(environ, start_response):
        environ.update(SCRIPT_NAME="/static", PATH_INFO="/app.css")
        environ.pop("HTTP_AUTHORIZATION", None)
        start_response("200 OK", [CSS])
        return [b"x"]

    wrapped = SecurityHeadersMiddleware(app)
    assert ask(wrapped, "/static/app.css")["Cache-Control"] == SHORT
    assert ask(wrapped, "/static/app.css", headers={"Authorization": "x"})["Cache-Control"] is None

    def into(environ, start_response):
        environ.update(PATH_INFO="/static/app.css")
        return answering(CSS)(environ, start_response)

    assert ask(SecurityHeadersMiddleware(into), "/other")["Cache-Control"] is None


@given(st.lists(st.sampled_from(["static", "media", "..", ".", "", "%2e", "a", "x.3f2a9c1b.js", "\\", "/"])))
def test_no_path_with_an_odd_segment_is_cached(segments):
    """However the segments come."""
    path = "/" + "/".join(segments)
    if {"", ".", ".."} & set(path.replace("%2e", ".")[1:].split("/")) or "\\" in path:
        assert cache_control(path) is None


def test_a_long_path_takes_no_time():
    """However many pieces of it look like a hash: the work grows with the length, not with its square."""
    for unit in ("-12345678a", "/-12345678a", ".a1", "-", ".", "-aaaaaaaa", "%2e"):
        path = "/static/" + unit * (2**18 // len(unit)) + "/x"
        cache_control(path)
        cache_control(path.rstrip("/x"))
