"""`wrap`: everything at once."""

from __future__ import annotations

import pytest

import wsgiperf
from wsgiperf import (
    CacheMiddleware,
    CompressionMiddleware,
    MediaMiddleware,
    MonitorMiddleware,
    RequestIdMiddleware,
    SecurityHeadersMiddleware,
    Settings,
    SettingsError,
    TimingMiddleware,
    wrap,
)
from wsgiperf.settings import SECTIONS, CompressionSettings

from .client import HTML, answering, ask

PARTS = {
    "monitor": MonitorMiddleware,
    "request_id": RequestIdMiddleware,
    "timing": TimingMiddleware,
    "security": SecurityHeadersMiddleware,
    "compression": CompressionMiddleware,
    "cache": CacheMiddleware,
}
ALL_PARTS = {**PARTS, "media": MediaMiddleware}
BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd"}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    """The environment that runs the tests has no say."""
    for name in ALL_PARTS:
        monkeypatch.delenv(f"WSGIPERF_{name.upper()}", raising=False)


def test_one_call_gives_every_part():
    """A page, as a browser asks for it."""
    got = ask(wrap(answering(HTML)), headers=BROWSER)
    assert got["Content-Encoding"] == "br"
    for name in ("X-Request-ID", "X-Processing-Time", "Server-Timing", "X-Content-Type-Options", "Vary"):
        assert got[name], name


def test_the_order_of_the_parts():
    """Outermost first; a new part has its place in `SECTIONS` too."""
    assert [type(part) for part in wrap(answering()).parts] == [*PARTS.values()]
    stack = wrap(answering(), media=True)
    assert [type(part) for part in stack.parts] == [*ALL_PARTS.values()]
    assert [part.kind for part in stack.parts] == [*SECTIONS]


@pytest.mark.parametrize("off", PARTS)
def test_each_part_can_be_left_out(off):
    """By its section's name."""
    stack = wrap(answering(), **{off: False})
    assert [part.kind for part in stack.parts] == [name for name in PARTS if name != off]


def test_with_everything_off_the_application_answers_itself():
    """Nothing is added but the length of a list."""
    got = ask(wrap(answering(HTML), dict.fromkeys(PARTS, False)), headers=BROWSER)
    assert [field for field in got.fields if field[0] != "Content-Length"] == [HTML]


def test_the_example_of_the_documentation():
    """Sections as dictionaries and bools."""
    got = ask(
        wrap(answering(HTML, body=b"x" * 600), cache=False, compression={"minimum_size": 500}),
        headers=BROWSER,
    )
    assert got["Content-Encoding"] == "br"


def test_keywords_win_over_settings_and_settings_over_the_environment(monkeypatch):
    """The environment is read by `wrap`, when it is called."""
    monkeypatch.setenv("WSGIPERF_SECURITY_FRAME", "self")
    monkeypatch.setenv("WSGIPERF_COMPRESSION", "off")
    app = wrap(answering(HTML))
    monkeypatch.undo()
    got = ask(app, headers=BROWSER)
    assert (got["X-Frame-Options"], got["Content-Encoding"]) == ("SAMEORIGIN", None)


PLACES = {
    "a dictionary": {"compression": {"minimum_size": 5}},
    "a Settings object": Settings(compression={"minimum_size": 5}),
    "a section's object": {"compression": CompressionSettings(minimum_size=5)},
}


@pytest.mark.parametrize("settings", PLACES.values(), ids=PLACES)
def test_settings_as_an_object_or_a_dictionary(settings, monkeypatch):
    """Either way they win over the environment, and keywords over them."""
    monkeypatch.setenv("WSGIPERF_COMPRESSION_MINIMUM_SIZE", "70000")
    small = answering(HTML, body=b"a" * 100)
    assert ask(wrap(small, settings), headers=BROWSER)["Content-Encoding"] == "br"
    got = ask(wrap(small, settings, compression={"minimum_size": 101}), headers=BROWSER)
    assert got["Content-Encoding"] is None


def test_single_classes_do_not_read_the_environment(monkeypatch):
    """Who composes by hand says it by hand."""
    monkeypatch.setenv("WSGIPERF_SECURITY_FRAME", "self")
    assert ask(SecurityHeadersMiddleware(answering()))["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("part", ALL_PARTS.values(), ids=ALL_PARTS)
def test_each_class_takes_its_options_as_keywords(part):
    """And refuses others by one typed error."""
    assert ask(part(answering(HTML))).status == "200 OK"
    with pytest.raises(SettingsError, match="xyzzy"):
        part(answering(), xyzzy=1)


def test_a_name_of_security_is_a_preset():
    """`security="strict"`."""
    policy = ask(wrap(answering(HTML), security="strict"))["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")


def test_wrapping_twice_wraps_once():
    """However it comes about."""
    inside = wrap(answering(HTML))
    outside = wrap(lambda environ, start_response: inside(environ, start_response))
    for app in (wrap(inside), outside):
        got = ask(app, headers=BROWSER)
        assert len(got.all("X-Request-ID")) == len(got.all("X-Frame-Options")) == 1
        assert got.decoded().startswith(b"<p>")


def test_the_vocabulary_is_all_there():
    """What is public is exported."""
    for name in wsgiperf.__all__:
        assert hasattr(wsgiperf, name)
    assert {"Exchange", "Middleware", "Response", "Settings", "Stack", "wrap"} <= set(wsgiperf.__all__)
    assert {part.__name__ for part in ALL_PARTS.values()} <= set(wsgiperf.__all__)
