"""`wsgiperf.flask`: the extension, what it learns from Flask, and what it gives to views and templates."""

import pytest
from flask import abort, render_template_string, request, session
from flask_site import BROTLI, LONG, fetch, serve, site
from werkzeug.test import Client

from wsgiperf import Middleware, Settings, SettingsError
from wsgiperf.flask import WSGIPerf, options
from wsgiperf.wsgi import EXCHANGE

# Wrapping


def test_the_constructor_wraps():
    """`WSGIPerf(app)` puts the parts around the application."""
    app = site()
    WSGIPerf(app)
    response = fetch(app, headers=BROTLI)
    assert response.headers["Content-Encoding"] == "br"
    assert {"X-Request-ID", "Server-Timing", "X-Frame-Options"} <= set(response.headers.keys())


def test_one_extension_wraps_what_factories_make():
    """One object serves several applications, each with a configuration of its own."""
    extension = WSGIPerf()
    plain, bare = site(), site()
    bare.config["WSGIPERF_COMPRESSION"] = False
    for app in (plain, bare):
        extension.init_app(app)
    assert fetch(plain, headers=BROTLI).headers["Content-Encoding"] == "br"
    assert "Content-Encoding" not in fetch(bare, headers=BROTLI).headers
    assert plain.extensions["wsgiperf"] is not bare.extensions["wsgiperf"]


@pytest.mark.parametrize("same_object", [True, False])
def test_twice_is_once(same_object):
    """A second `init_app` with the same settings, from the same extension or another, changes nothing."""
    app = site()
    first = WSGIPerf(app, timing=False)
    wrapped = app.wsgi_app
    (first if same_object else WSGIPerf(timing=False)).init_app(app)
    assert app.wsgi_app is wrapped
    assert len(fetch(app).headers.getlist("X-Request-ID")) == 1


def test_other_settings_for_a_wrapped_application_are_an_error():
    """A second extension with other settings says so instead of being ignored."""
    app = site()
    WSGIPerf(app)
    with pytest.raises(RuntimeError, match="already, with other settings"):
        WSGIPerf(app, timing=False)


def test_what_flask_does_stays():
    """Error pages, redirects and sessions are Flask's as before."""
    app = site()
    WSGIPerf(app)

    @app.get("/visits/")
    def visits():
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])

    client = app.test_client()
    assert client.get("/nothing").status_code == 404
    assert client.get("/visits").status_code == 308
    assert [client.get("/visits/").text for _ in range(2)] == ["1", "2"]


# Settings


@pytest.mark.parametrize(
    ("keywords", "settings", "config", "environ", "expected"),
    [
        ("1", "2", "3", "4", "1"),
        (None, "2", "3", "4", "2"),
        (None, None, "3", "4", "3"),
        (None, None, None, "4", "4"),
    ],
    ids=["keywords", "settings", "app.config", "environment"],
)
def test_precedence(monkeypatch, keywords, settings, config, environ, expected):
    """Keywords win over settings, those over `app.config`, that over the environment."""
    app = site()
    monkeypatch.setenv("WSGIPERF_TIMING_SLOW_SECONDS", environ)
    if config:
        app.config["WSGIPERF_TIMING_SLOW_SECONDS"] = config
    given = settings and Settings(timing={"slow_seconds": float(settings)})
    sections = {"timing": {"slow_seconds": float(keywords)}} if keywords else {}
    WSGIPerf(app, given, **sections)
    assert app.extensions["wsgiperf"].settings["timing"].slow_seconds == float(expected)


def test_a_misspelt_name_stops_the_start():
    """An unknown name in `app.config` is an error at `init_app`, spelled as there, with the right name."""
    app = site()
    app.config["WSGIPERF_COMPRESSION_MINIMUM_SISE"] = 5
    with pytest.raises(SettingsError, match="did you mean WSGIPERF_COMPRESSION_MINIMUM_SIZE"):
        WSGIPerf(app)
    assert "wsgiperf" not in app.extensions


def test_the_command_lists_settings(tmp_path):
    """`flask wsgiperf settings` shows each value and where it came from, Flask's knowledge included."""
    app = site(static_folder=tmp_path, static_url_path="/assets")
    app.config["WSGIPERF_SECURITY"] = "strict"
    WSGIPerf(app, compression=False)
    result = app.test_cli_runner().invoke(args=["wsgiperf", "settings"])
    lines = {line.split()[0]: line.split()[1:] for line in result.output.splitlines()}
    assert lines["security.preset"] == ["Flask", "config:", "WSGIPERF_SECURITY", "strict"]
    assert lines["compression.enabled"] == ["keyword", "false"]
    assert lines["security.static_prefixes"] == ["Flask:", "static_url_path", "/assets/"]


# Routes


class Witness(Middleware):
    """Outside of all: remembers the route."""

    def on_close(self, exchange):
        self.route = exchange.route


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/posts/3", "/posts/<int:number>"),
        ("/posts/0", "/posts/<int:number>"),
        ("/posts/99", "/posts/<int:number>"),
        ("/nothing", None),
        ("/posts", None),
    ],
    ids=["view", "view that raises", "view that aborts", "not found", "redirect"],
)
def test_the_exchange_knows_the_route(path, route):
    """`exchange.route` is the rule's template, whatever becomes of the view, and None without a rule."""
    app = site()
    WSGIPerf(app)
    serve(app, "/posts/", lambda: "")

    @app.get("/posts/<int:number>")
    def post(number):
        if number == 99:
            abort(410)
        return str(1 // number)

    witness = Witness(app)
    Client(witness).get(path).close()
    assert witness.route == route


def test_the_route_is_known_before_any_before_request_function():
    """A before_request function that answers doesn't hide the route."""
    app = site()
    routes = []

    @app.before_request
    def refuse():
        routes.append(request.environ[EXCHANGE].route)
        return "no", 403

    WSGIPerf(app)
    fetch(app)
    assert routes == ["/"]


# Views and templates


def test_a_view_chooses_its_options():
    """`options(compression=False)` keeps the part away from this view's responses only."""
    app = site()

    @app.get("/plain")
    @options(compression=False)
    def plain():
        return LONG

    WSGIPerf(app)
    assert "Content-Encoding" not in fetch(app, "/plain", headers=BROTLI).headers
    assert "Content-Encoding" in fetch(app, headers=BROTLI).headers


def test_a_view_may_be_framed():
    """`options(security={"frame": "self"})` changes both framing headers."""
    app = site()
    serve(app, "/framed", options(security={"frame": "self"})(lambda: "framed"))
    WSGIPerf(app)
    headers = fetch(app, "/framed").headers
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]


def test_an_asynchronous_view_takes_options():
    """The decorator leaves it to Flask to run a coroutine."""

    async def plain():
        return LONG

    app = site()
    serve(app, "/plain", options(compression=False)(plain))
    WSGIPerf(app)
    response = fetch(app, "/plain", headers=BROTLI)
    assert response.text == LONG
    assert "Content-Encoding" not in response.headers


def test_options_hold_when_the_view_raises():
    """The error page of a view has the view's options."""
    app = site()
    serve(app, "/boom", options(security=False)(lambda: 1 // 0))
    WSGIPerf(app)
    response = fetch(app, "/boom")
    assert response.status_code == 500
    assert "X-Frame-Options" not in response.headers


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"compresion": False}, "did you mean compression"),
        ({"compression": True}, "compression: expected False"),
        ({"compression": {"minimum_size": 1}}, "compression: expected False"),
        ({"security": {"frame": "everybody"}}, "security.frame: expected one of"),
    ],
    ids=["unknown", "true", "not per response", "bad value"],
)
def test_wrong_options_are_an_error_at_decoration(sections, message):
    """What a view cannot choose is an error where it is decorated."""
    with pytest.raises(SettingsError, match=message):
        options(**sections)


def test_templates_have_the_nonce():
    """`{{ csp_nonce }}` is the nonce in the policy."""
    app = site()
    serve(app, "/page", lambda: render_template_string('<script nonce="{{ csp_nonce }}"></script>'))
    WSGIPerf(app, security="strict")
    response = fetch(app, "/page")
    nonce = response.text.split('"')[1]
    assert len(nonce) == 32
    assert f"'nonce-{nonce}'" in response.headers["Content-Security-Policy"]


def test_without_a_security_part_the_nonce_is_empty():
    """A template needs no condition: the nonce is an empty string where there is none."""
    app = site()
    serve(app, "/page", lambda: render_template_string("[{{ csp_nonce }}]"))
    WSGIPerf(app, security=False)
    assert fetch(app, "/page").text == "[]"
    with app.app_context():  # a mail, written by a command
        assert render_template_string("[{{ csp_nonce }}]") == "[]"


def test_only_a_template_that_prints_the_nonce_uses_it():
    """Pages without the nonce have the constant policy."""
    app = site()
    serve(app, "/page", lambda: render_template_string("no scripts"))
    WSGIPerf(app, security="strict")
    assert "nonce-" not in fetch(app, "/page").headers["Content-Security-Policy"]
