"""The header sets, and the site's own headers in and beside them."""

from __future__ import annotations

import pytest

from unit.client import HTML, answering, ask, returning
from unit.parts import Changing
from wsgiperf import SecurityHeadersMiddleware, Stack
from wsgiperf.security.presets import PRESETS

BALANCED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "base-uri 'self'; object-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
    "Permissions-Policy": "hid=(self), midi=(self), serial=(self), usb=(self)",
    "X-XSS-Protection": "0",
}
STRICT = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; media-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), midi=(), "
    "payment=(), serial=(), usb=()",
    "X-XSS-Protection": "0",
}
API = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-XSS-Protection": "0",
}
SETS = {"balanced": BALANCED, "strict": STRICT, "api": API}


def added(got, *own):
    """What was added to the application's fields, by name; nothing twice."""
    fields = [field for field in got.fields if field not in own and field[0] != "Content-Length"]
    assert len({name.lower() for name, _ in fields}) == len(fields)
    return dict(fields)


@pytest.mark.parametrize(("preset", "expected"), SETS.items(), ids=SETS)
def test_what_a_preset_sends(preset, expected):
    """Over http, all of it and nothing else."""
    assert added(ask(SecurityHeadersMiddleware(answering(HTML), preset=preset)), HTML) == expected


def test_every_preset_is_in_the_table():
    """A new one is told here."""
    assert SETS.keys() == PRESETS.keys()


def test_balanced_is_the_default():
    """Wrapping must not break a working site."""
    assert added(ask(SecurityHeadersMiddleware(answering()))) == BALANCED


@pytest.mark.parametrize(
    "status", ["302 Found", "404 Not Found", "500 Internal Server Error", "206 Partial Content"]
)
def test_every_answer_carries_them(status):
    """Errors and redirects too."""
    assert added(ask(SecurityHeadersMiddleware(answering(status=status)))) == BALANCED


@pytest.mark.parametrize("preset", SETS)
@pytest.mark.parametrize("spell", [str, str.lower, str.upper], ids=["usual", "lower", "upper"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_applications_own_header_always_wins(preset, spell, scheme):
    """Each of them, whatever its spelling; it is never doubled, and the others are still added."""
    app = SecurityHeadersMiddleware
    names = added(ask(app(answering(), preset=preset), scheme=scheme))
    for name in names:
        own = (spell(name), "own")
        got = ask(app(answering(own), preset=preset), scheme=scheme)
        assert got.all(name) == ["own"]
        # A policy or a frame option that says something else is followed, or left out; see test_framing.
        others = names.keys() - {name, "X-Frame-Options", "Content-Security-Policy"}
        assert others <= added(got, own).keys()


def test_all_of_the_applications_own_headers():
    """There is nothing left to add."""
    own = [(name.lower(), "own") for name in STRICT]
    assert added(ask(SecurityHeadersMiddleware(answering(*own), preset="strict")), *own) == {}


HEADERS = {
    "set": ({"X-New": "1"}, {"X-New": "1"}),
    "replace": ({"Referrer-Policy": "same-origin"}, {"Referrer-Policy": "same-origin"}),
    "replace, other spelling": (
        {"referrer-policy": "origin"},
        {"Referrer-Policy": None, "referrer-policy": "origin"},
    ),
    "drop": ({"Permissions-Policy": None}, {"Permissions-Policy": None}),
    "drop, other spelling": ({"permissions-POLICY": None}, {"Permissions-Policy": None}),
    "drop what isn't there": ({"X-New": None}, {}),
    "set to nothing": ({"X-New": ""}, {"X-New": ""}),
    "drop the policy": ({"Content-Security-Policy": None}, {"Content-Security-Policy": None}),
    "replace the policy": (
        {"Content-Security-Policy": "default-src 'self'"},
        {"Content-Security-Policy": "default-src 'self'"},
    ),
    "several": ({"X-New": "1", "X-XSS-Protection": None}, {"X-New": "1", "X-XSS-Protection": None}),
}


@pytest.mark.parametrize(("headers", "changes"), HEADERS.values(), ids=HEADERS)
def test_any_header_can_be_set_replaced_and_dropped(headers, changes):
    """Against the preset's."""
    expected = {name: value for name, value in {**BALANCED, **changes}.items() if value is not None}
    assert added(ask(SecurityHeadersMiddleware(answering(), headers=headers))) == expected


def test_the_sites_headers_give_way_to_the_applications():
    """They are defaults for all responses."""
    got = ask(SecurityHeadersMiddleware(answering(("x-new", "own")), headers={"X-New": "1"}))
    assert got.all("X-New") == ["own"]


def test_the_old_filter_can_be_asked_for():
    """By an option of its own."""
    got = ask(SecurityHeadersMiddleware(answering(), xss_protection="1; mode=block"))
    assert got["X-XSS-Protection"] == "1; mode=block"


def test_a_response_can_do_without_all_of_them():
    """Where the application says so."""

    def app(environ, start_response):
        environ["wsgiperf.options"] = {"security": False}
        start_response("200 OK", [])
        return [b"x"]

    assert added(ask(SecurityHeadersMiddleware(app))) == {}


def test_parts_inside_count_as_the_application():
    """What they set wins too."""
    change = Changing(lambda response: response.headers.add("referrer-policy", "own"))
    got = ask(Stack(returning([b"x"]), SecurityHeadersMiddleware(), change))
    assert got.all("Referrer-Policy") == ["own"]


@pytest.mark.parametrize("preset", SETS)
def test_responses_do_not_share_their_headers(preset):
    """What is done to one is not seen in the next."""
    app = SecurityHeadersMiddleware(answering(), preset=preset)
    first = ask(app)
    first.fields.clear()
    assert added(ask(app)) == SETS[preset]


YEAR = "max-age=31536000"
# options, value by https
HSTS = {
    "balanced": ({}, YEAR),
    "strict": ({"preset": "strict"}, f"{YEAR}; includeSubDomains"),
    "api": ({"preset": "api"}, YEAR),
    "subdomains": ({"hsts_include_subdomains": True}, f"{YEAR}; includeSubDomains"),
    "preload": ({"hsts_preload": True}, f"{YEAR}; includeSubDomains; preload"),
    "strict with preload": (
        {"preset": "strict", "hsts_preload": True},
        f"{YEAR}; includeSubDomains; preload",
    ),
    "a day": ({"hsts_max_age": 86_400}, "max-age=86400"),
    "taken back": ({"hsts_max_age": 0}, "max-age=0"),
    "off": ({"hsts": False}, None),
    "dropped": ({"headers": {"strict-transport-security": None}}, None),
    "replaced": ({"headers": {"Strict-Transport-Security": "max-age=5"}}, "max-age=5"),
}


@pytest.mark.parametrize(("options", "value"), HSTS.values(), ids=HSTS)
def test_hsts(options, value):
    """By https only: whoever is on the line could send it by http (RFC 6797 section 7.2)."""
    app = SecurityHeadersMiddleware(answering(), **options)
    assert ask(app, scheme="https")["Strict-Transport-Security"] == value
    assert ask(app, scheme="http")["Strict-Transport-Security"] is None


# trusted proxies, peer, X-Forwarded-Proto: whether the client came by https
FORWARDED = {
    "an address": (["192.0.2.1"], "192.0.2.1", "https", True),
    "a network": (["192.0.2.0/24"], "192.0.2.9", "https", True),
    "IPv6": (["2001:db8::/32"], "2001:db8::9", "https", True),
    "a unix socket": (["unix"], "", "https", True),
    "one of several": (["unix", "10.0.0.0/8", "192.0.2.1"], "10.9.9.9", "https", True),
    "upper case": (["192.0.2.1"], "192.0.2.1", "HTTPS", True),
    "the nearest proxy's word": (["192.0.2.1"], "192.0.2.1", "http, https", True),
    "not the client's word": (["192.0.2.1"], "192.0.2.1", "https, http", False),
    "http": (["192.0.2.1"], "192.0.2.1", "http", False),
    "nothing": (["192.0.2.1"], "192.0.2.1", "", False),
    "something else": (["192.0.2.1"], "192.0.2.1", "https\r\nX: y", False),
    "nobody is trusted": ([], "192.0.2.1", "https", False),
    "nobody is trusted, on a unix socket": ([], "", "https", False),
    "another address": (["192.0.2.1"], "192.0.2.2", "https", False),
    "outside of the network": (["192.0.2.0/24"], "198.51.100.1", "https", False),
    "not by unix socket": (["unix"], "192.0.2.1", "https", False),
    "a unix socket that isn't trusted": (["192.0.2.1"], "", "https", False),
    "no address": (["0.0.0.0/0"], "unknown", "https", False),
}


@pytest.mark.parametrize(("proxies", "peer", "proto", "https"), FORWARDED.values(), ids=FORWARDED)
def test_https_as_a_trusted_proxy_sees_it(proxies, peer, proto, https):
    """Anybody can send the header; only who is trusted is believed."""
    app = SecurityHeadersMiddleware(answering(), trusted_proxies=proxies)
    got = ask(app, headers={"X-Forwarded-Proto": proto}, peer=peer)
    assert (got["Strict-Transport-Security"] == YEAR) is https


def test_https_of_this_server_needs_no_proxy():
    """And none can take it back."""
    app = SecurityHeadersMiddleware(answering(), trusted_proxies=["192.0.2.1"])
    got = ask(app, headers={"X-Forwarded-Proto": "http"}, peer="192.0.2.1", scheme="https")
    assert got["Strict-Transport-Security"] == YEAR


def test_the_scheme_and_the_peer_are_those_of_the_request():
    """An application that changes environ doesn't change who asked, and how."""

    def app(environ, start_response):
        environ.update(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_PROTO="https")
        environ["wsgi.url_scheme"] = "https"
        start_response("200 OK", [])
        return []

    got = ask(SecurityHeadersMiddleware(app, trusted_proxies=["192.0.2.1"]), peer="203.0.113.1")
    assert got["Strict-Transport-Security"] is None
