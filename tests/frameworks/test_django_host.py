"""`wsgiperf.django`: `wrap`, what it learns from Django, system checks, and what views and templates get."""

import re

import django_site
import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from werkzeug.test import Client

from wsgiperf import Middleware, SettingsError, Stack

django_site.configure()

from wsgiperf.django import options, wrap  # noqa: E402
from wsgiperf.django.host import settings_with  # noqa: E402

BROTLI = {"Accept-Encoding": "br"}


def site(**sections):
    """The site, wrapped."""
    return wrap(WSGIHandler(), **sections)


def fetch(app, path="/", **keywords):
    """The response, read and closed."""
    with Client(app).get(path, **keywords) as response:
        response.get_data()
    return response


# Wrapping


def test_wrap():
    """The parts are around the application."""
    response = fetch(site(), headers=BROTLI)
    assert response.headers["Content-Encoding"] == "br"
    assert {"X-Request-ID", "Server-Timing", "X-Frame-Options"} <= set(response.headers.keys())


@pytest.mark.parametrize(
    ("keywords", "given", "environ", "expected"),
    [("1", "2", "3", 1.0), (None, "2", "3", 2.0), (None, None, "3", 3.0)],
    ids=["keywords", "settings.WSGIPERF", "environment"],
)
def test_precedence(monkeypatch, keywords, given, environ, expected):
    """Keywords win over `settings.WSGIPERF`, that over the environment."""
    monkeypatch.setenv("WSGIPERF_TIMING_SLOW_SECONDS", environ)
    sections = {"timing": {"slow_seconds": float(keywords)}} if keywords else {}
    with override_settings(WSGIPERF={"timing": {"slow_seconds": float(given)}} if given else {}):
        assert site(**sections).settings["timing"].slow_seconds == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"compresion": {}}, r'WSGIPERF\["compresion"\].*did you mean WSGIPERF\["compression"\]'),
        ({"timing": {"slow": 1}}, r'WSGIPERF\["timing"\]\["slow"\]: expected an option of timing'),
        ("strict", "WSGIPERF: expected a dictionary of sections, got 'strict'"),
    ],
    ids=["section", "option", "not a dictionary"],
)
def test_bad_settings_stop_the_start(given, message):
    """A bad setting is an error of `wrap` and of `manage.py check`, spelled as in settings.py."""
    with override_settings(WSGIPERF=given):
        with pytest.raises(SettingsError, match=message):
            site()
        errors = [found for found in run_checks() if found.id == "wsgiperf.E001"]
        assert re.search(message, errors[0].msg)


# Routes


class Witness(Middleware):
    """Outside of all: remembers the route."""

    def on_close(self, exchange):
        self.route = exchange.route


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/posts/3", "/posts/<int:number>"),
        ("/posts/0", "/posts/<int:number>"),
        ("/archive/2026/", "/archive/(?P<year>[0-9]{4})/$"),
        ("/old/2026/", "/old/(?P<year>[0-9]{4})/$"),
        ("/nothing", None),
    ],
    ids=["root", "view", "view that raises", "include", "expression", "not found"],
)
def test_the_exchange_knows_the_route(path, route):
    """`exchange.route` is the template of the URL, whatever becomes of the view, and None without one."""
    witness = Witness(site())
    fetch(witness, path)
    assert witness.route == route


def test_the_route_is_known_when_exceptions_pass():
    """With DEBUG_PROPAGATE_EXCEPTIONS the server gets the exception, and the exchange the route."""
    with override_settings(DEBUG_PROPAGATE_EXCEPTIONS=True):
        witness = Witness(site())
        with pytest.raises(ZeroDivisionError):
            fetch(witness, "/posts/0")
    assert witness.route == "/posts/<int:number>"


class Hiding:
    """WSGI middleware of another library, with the application in an attribute."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


@pytest.mark.parametrize("around", [Hiding, Stack, Witness, lambda app: Hiding(Hiding(app))])
def test_the_handler_is_found_inside_other_middleware(around):
    """`wrap` around other WSGI middleware around Django knows routes too."""
    witness = Witness(wrap(around(WSGIHandler())))
    fetch(witness, "/posts/3")
    assert witness.route == "/posts/<int:number>"


def test_the_middleware_serves_where_the_server_wraps():
    """With `middleware.report` in MIDDLEWARE, a stack that knows no Django learns the same."""
    with override_settings(MIDDLEWARE=["wsgiperf.django.middleware.report", *settings.MIDDLEWARE]):
        witness = Witness(Stack(WSGIHandler()))
    fetch(witness, "/posts/3")
    assert witness.route == "/posts/<int:number>"


# Framing


@pytest.mark.parametrize(
    ("path", "frame_options", "ancestors"),
    [
        ("/", "DENY", "frame-ancestors 'none'"),
        ("/widget", None, None),
        ("/neighbour", "SAMEORIGIN", "frame-ancestors 'self'"),
        ("/chosen", "SAMEORIGIN", "frame-ancestors 'self'"),
        ("/bare", None, None),
    ],
    ids=["as configured", "exempt", "sameorigin", "exempt, but chosen", "part off"],
)
def test_framing_follows_djangos_decorators(path, frame_options, ancestors):
    """Exempt views may be framed; both headers follow the decorators; ours wins where both are there."""
    headers = fetch(site(), path).headers
    assert headers.get("X-Frame-Options") == frame_options
    if ancestors is None:
        assert "frame-ancestors" not in headers.get("Content-Security-Policy", "")
    else:
        assert ancestors in headers["Content-Security-Policy"]


# Static files


def test_static_and_media_files_are_kept():
    """Files below STATIC_URL may be cached by anybody, below MEDIA_URL by browsers."""
    app = site()
    assert fetch(app, "/assets/a.css").headers["Cache-Control"] == "public, max-age=60"
    assert fetch(app, "/uploads/a.css").headers["Cache-Control"] == "max-age=60"


@pytest.mark.parametrize(
    ("given", "prefixes"),
    [
        ({"STATIC_URL": "static/"}, ("/static/",)),
        ({"STATIC_URL": "/static/"}, ("/static/",)),
        ({"STATIC_URL": "/mount/static/", "FORCE_SCRIPT_NAME": "/mount"}, ("/static/",)),
        ({"STATIC_URL": "https://cdn.example/static/"}, ()),
        ({"STATIC_URL": "//cdn.example/static/"}, ()),
        ({"STATIC_URL": "/"}, ()),
        ({"STATIC_URL": None}, ()),
        ({"STATIC_URL": "x/", "WSGIPERF": {"security": {"static_prefixes": ["/own/"]}}}, ("/own/",)),
    ],
    ids=["relative", "absolute", "script name", "other host", "no scheme", "everything", "none", "own"],
)
def test_static_prefixes(given, prefixes):
    """Of STATIC_URL counts the path below the mount; a setting of ours wins."""
    with override_settings(**given):
        assert settings_with({})["security"].static_prefixes == prefixes


def test_a_relative_static_url_stays_relative():
    """Reading STATIC_URL at the start doesn't fix the mount of its first reader."""
    with override_settings(STATIC_URL="static/"):
        site()
        assert "STATIC_URL" not in vars(settings)


# Views and templates


@pytest.mark.parametrize("path", ["/plain", "/plain-async", "/plain-class"])
def test_a_view_chooses_its_options(path):
    """`options(compression=False)` works on functions, coroutines and, by method_decorator, classes."""
    app = site()
    response = fetch(app, path, headers=BROTLI)
    assert response.text == django_site.LONG
    assert "Content-Encoding" not in response.headers
    assert "Content-Encoding" in fetch(app, headers=BROTLI).headers


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"compresion": False}, "did you mean compression"),
        ({"compression": True}, "compression: expected False"),
        ({"security": {"frame": "everybody"}}, "security.frame: expected one of"),
    ],
    ids=["unknown", "true", "bad value"],
)
def test_wrong_options_are_an_error_at_decoration(sections, message):
    """What a view cannot choose is an error where it is decorated."""
    with pytest.raises(SettingsError, match=message):
        options(**sections)


def test_templates_have_the_nonce():
    """`{{ csp_nonce }}` is the nonce in the policy."""
    response = fetch(site(security="strict"), "/page")
    nonce = response.text.split('"')[1]
    assert len(nonce) == 32
    assert f"'nonce-{nonce}'" in response.headers["Content-Security-Policy"]


def test_without_a_security_part_the_nonce_is_empty():
    """A template needs no condition."""
    assert fetch(site(security=False), "/page").text == '<script nonce=""></script>'


def test_streams_pass():
    """A streaming response arrives, and its parts are closed."""
    assert fetch(site(), "/stream").text == "ab"
