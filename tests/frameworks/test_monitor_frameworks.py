"""What the monitor hears from Flask and Django of applications that neither host wraps."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import django_site
import flask
import pytest
from django.core.exceptions import PermissionDenied
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import got_request_exception
from django.http import Http404, HttpResponse
from django.test import override_settings
from django.urls import include, path, re_path
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from wsgiperf import Middleware, Stack
from wsgiperf.events import Raised
from wsgiperf.monitor.frameworks import django as django_frameworks
from wsgiperf.monitor.frameworks import flask as flask_frameworks

django_site.configure()

from wsgiperf.django import wrap  # noqa: E402
from wsgiperf.flask import WSGIPerf  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True, scope="module")
def _installed():
    """Twice, as two monitors in one process do."""
    for _ in range(2):
        flask_frameworks.install()
        django_frameworks.install()


BY_ZERO = [Raised("ZeroDivisionError", "integer division or modulo by zero", "error")]
OWN = f"{__name__}.ShopError"


class Witness(Middleware):
    """Stands where a monitor stands."""

    def on_close(self, exchange):
        self.route = exchange.route
        self.raised = [event for event in exchange.events if type(event) is Raised]


class HiddenEnviron:
    """Middleware that makes a new environ for the application."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        plain = {name: value for name, value in environ.items() if not name.startswith("wsgiperf.")}
        return self.app(plain, start_response)


def ask(app, where="/", method="GET", through=lambda app: app):
    """The status, and what is known at the end of the request."""
    witness = Witness()
    with Client(Stack(through(app), witness)).open(where, method=method) as response:
        response.get_data()
    return response.status_code, witness.route, witness.raised


# Flask


class ShopError(Exception):
    pass


def shop(**keywords):
    app = flask.Flask("shop", static_folder=None)
    app.config.update(keywords)
    blueprint = flask.Blueprint("items", __name__, url_prefix="/items")

    @blueprint.get("/<int:number>")
    def item(number):
        return str(1 // number)

    @app.get("/aborts")
    def aborts():
        flask.abort(500)

    @app.get("/missing")
    def missing():
        raise NotFound

    @app.get("/own")
    def own():
        raise ShopError("postgres://bob:hunter2@db/shop")

    @app.get("/handled")
    def handled():
        raise KeyError("handled")

    @app.get("/async")
    async def asynchronous():
        raise ShopError("asynchronous")

    app.register_error_handler(KeyError, lambda error: ("handled", 400))
    app.register_blueprint(blueprint)
    return app


@pytest.mark.parametrize(
    ("where", "method", "expected"),
    [
        ("/items/1", "GET", (200, "/items/<int:number>", [])),
        ("/items/1", "HEAD", (200, "/items/<int:number>", [])),
        ("/items/1", "POST", (405, None, [])),
        ("/nowhere", "GET", (404, None, [])),
        ("/missing", "GET", (404, "/missing", [])),
        ("/aborts", "GET", (500, "/aborts", [])),
        ("/handled", "GET", (400, "/handled", [])),
        ("/items/0", "GET", (500, "/items/<int:number>", BY_ZERO)),
        ("/own", "GET", (500, "/own", [Raised(OWN, "postgres://[redacted]@db/shop", "error")])),
        ("/async", "GET", (500, "/async", [Raised(OWN, "asynchronous", "error")])),
    ],
    ids=["blueprint", "HEAD", "other method", "no route", "404 of a view", "abort(500)", "handled", "raised",
         "own type", "asynchronous"],
)  # fmt: skip
@pytest.mark.parametrize("through", [lambda app: app, HiddenEnviron], ids=["as it is", "new environ"])
def test_flask(where, method, expected, through):
    """Whatever the request meets, it is told once, and what is an answer is no exception."""
    assert ask(shop(), where, method, through) == expected


def test_flask_before_request_raises():
    app = shop()
    app.before_request(lambda: {}["missing"])
    app.error_handler_spec.clear()
    assert ask(app, "/items/1") == (500, "/items/<int:number>", [Raised("KeyError", "'missing'", "error")])


def test_flask_lets_exceptions_through():
    """With PROPAGATE_EXCEPTIONS the server sees it too; it is told once."""
    witness = Witness()
    with suppress(ZeroDivisionError):
        Client(Stack(shop(PROPAGATE_EXCEPTIONS=True), witness)).get("/items/0")
    assert [raised.kind for raised in witness.raised] == ["ZeroDivisionError"]


@pytest.mark.parametrize("where", ["/items/1", "/shop/items/1"])
def test_flask_mounted(where):
    """The rule is that of the application that answers, as the host tells it."""
    app = DispatcherMiddleware(shop(), {"/shop": shop()})
    hosted = shop()
    WSGIPerf(hosted, security=False)
    assert ask(app, where)[:2] == (200, "/items/<int:number>")
    assert ask(DispatcherMiddleware(hosted, {"/shop": hosted}), where)[:2] == (200, "/items/<int:number>")


def test_a_view_that_calls_another_application_keeps_its_route():
    app, inner = shop(), shop()

    @app.get("/calls")
    def calls():
        return inner.test_client().get("/items/1").text

    assert ask(app, "/calls") == (200, "/calls", [])


def test_flask_outside_of_any_stack_is_undisturbed():
    assert Client(shop()).get("/items/0").status_code == 500


# Django


def boom(request, number=0):
    return HttpResponse(1 // number)


async def asynchronous(request, number):
    return HttpResponse(1 // number)


def refuse(request):
    raise PermissionDenied


def missing(request):
    raise Http404


class StopsBefore:
    """A Django middleware that answers before a route is known, or raises."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "stop" in request.GET:
            return HttpResponse("stopped")
        if "raise" in request.GET:
            raise ValueError("token=abc")
        return self.get_response(request)


urlpatterns = [
    path("posts/<int:number>", boom),
    path("async/<int:number>", asynchronous),
    re_path(r"^old/(?P<year>[0-9]{4})/$", lambda request, year: HttpResponse(year)),
    path("archive/", include([re_path(r"^(?P<year>[0-9]{4})/$", lambda request, year: HttpResponse(year))])),
    path("refuse", refuse),
    path("missing", missing),
]


@pytest.fixture
def _these_urls():
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[f"{__name__}.StopsBefore"]):
        yield


@pytest.mark.usefixtures("_these_urls")
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("/posts/1", (200, "/posts/<int:number>", [])),
        ("/async/1", (200, "/async/<int:number>", [])),
        ("/old/2024/", (200, "/old/(?P<year>[0-9]{4})/$", [])),
        ("/archive/2024/", (200, "/archive/(?P<year>[0-9]{4})/$", [])),
        ("/nowhere", (404, None, [])),
        ("/missing", (404, "/missing", [])),
        ("/refuse", (403, "/refuse", [])),
        ("/posts/1?stop", (200, None, [])),
        ("/posts/1?raise", (500, None, [Raised("ValueError", "token=[redacted]", "error")])),
        ("/posts/0", (500, "/posts/<int:number>", BY_ZERO)),
        ("/async/0", (500, "/async/<int:number>", BY_ZERO)),
    ],
    ids=["path", "asynchronous", "regular expression", "included", "no route", "Http404", "PermissionDenied",
         "answered before", "raised before", "raised", "raised asynchronously"],
)  # fmt: skip
@pytest.mark.parametrize("through", [lambda app: app, HiddenEnviron], ids=["as it is", "new environ"])
def test_django(where, expected, through):
    assert ask(WSGIHandler(), where, through=through) == expected


@pytest.mark.usefixtures("_these_urls")
@pytest.mark.parametrize("where", ["/posts/1", "/old/2024/", "/archive/2024/", "/nowhere"])
def test_the_route_is_spelled_as_the_host_spells_it(where):
    assert ask(WSGIHandler(), where)[1] == ask(wrap(WSGIHandler(), security=False), where)[1]


@pytest.mark.usefixtures("_these_urls")
def test_a_django_without_the_method_tells_the_routes_of_exceptions(monkeypatch):
    """None is without it now; the names of methods are nobody's promise."""
    resolve = BaseHandler.resolve_request.__wrapped__
    monkeypatch.delattr(BaseHandler, "resolve_request")
    django_frameworks.install()
    assert not hasattr(BaseHandler, "resolve_request")
    monkeypatch.setattr(BaseHandler, "resolve_request", resolve, raising=False)
    assert ask(WSGIHandler(), "/posts/1") == (200, None, [])
    assert ask(WSGIHandler(), "/posts/0") == (500, "/posts/<int:number>", BY_ZERO)


@pytest.mark.usefixtures("_these_urls")
def test_django_lets_exceptions_through():
    witness = Witness()
    with override_settings(DEBUG_PROPAGATE_EXCEPTIONS=True), suppress(ZeroDivisionError):
        Client(Stack(WSGIHandler(), witness)).get("/posts/0")
    assert (witness.route, witness.raised) == ("/posts/<int:number>", BY_ZERO)


def test_a_signal_of_somebody_elses_is_undisturbed():
    got_request_exception.send(sender=None)
    got_request_exception.send(sender=None, request=None)


@pytest.mark.parametrize("module", ["flask", "django"])
def test_neither_is_imported_before_it_is_installed(module):
    program = f"import sys, wsgiperf.monitor.frameworks.{module}; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60).returncode == 0
