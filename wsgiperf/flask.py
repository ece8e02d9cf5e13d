"""The Flask host: `WSGIPerf(app)` wraps `app.wsgi_app`.

It reads `app.config["WSGIPERF_..."]`, tells the parts what Flask knows (the route's template, where static
files are), gives templates `csp_nonce`, views the decorators `options` and `cached`, and adds
`flask wsgiperf settings` and `flask wsgiperf purge`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

from flask import Flask, current_app, has_request_context, request
from flask.cli import AppGroup
from werkzeug.wrappers import Response as WerkzeugResponse

from wsgiperf.assembly import assemble
from wsgiperf.caching_options import cache_tags, caching_options, put_options
from wsgiperf.cli.purging import takes_purge
from wsgiperf.configuration import Given, Layer, Settings, check_response_options, flat, resolve
from wsgiperf.purging import purge, purge_elsewhere
from wsgiperf.security.middleware import CSP_NONCE
from wsgiperf.settings import SecuritySettings
from wsgiperf.wsgi import EXCHANGE, Exchange, Middleware, Response, Stack

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from werkzeug.routing import Rule

__all__ = ["WSGIPerf", "cache_tags", "cached", "options"]

_P = ParamSpec("_P")

#: What werkzeug sends with a file for which nobody configured a maximum age.
_AUTOMATIC = "no-cache"
#: How the rule of a static folder ends, in applications and in blueprints.
_STATIC_FILE = "<path:filename>"


class WSGIPerf:
    """The extension, for one application or several.

    :param app: the Flask application; left out where `init_app` follows, as in application factories.
    :param settings: a `Settings` object, or a dictionary of sections.
    :param sections: options by section name, as for `wsgiperf.wrap`. They win over `settings`, which win over
        `app.config["WSGIPERF_..."]`, which wins over `WSGIPERF_...` in the environment.
    :raises SettingsError: for an unknown name or a bad value.
    """

    def __init__(
        self,
        app: Flask | None = None,
        settings: Settings | Mapping[str, object] | None = None,
        **sections: object,
    ) -> None:
        self._given = (settings, sections)
        self._app: Flask | None = None
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Wrap the application, once: a second call with the same settings changes nothing.

        :param app: the application; its configuration is read now.
        :raises SettingsError: for an unknown name or a bad value.
        :raises RuntimeError: where the application is wrapped already, with other settings.
        """
        wrapped = app.extensions.get("wsgiperf")
        if wrapped is not None:
            if wrapped.given != self._given:
                raise RuntimeError(f"{app!r} is wrapped by wsgiperf already, with other settings")
            return
        settings, sections = self._given
        resolved = resolve(settings, sections, flat(app.config, "Flask config"), os.environ)
        # Of all that runs for a request this is the first, and runs whatever before_request functions do.
        app.url_value_preprocessor(_note_route)
        app.context_processor(_csp_nonce)
        app.cli.add_command(_commands)
        app.extensions["wsgiperf"] = wrapped = _Wrapped(app, resolved, self._given)
        app.wsgi_app = wrapped  # type: ignore[method-assign]
        self._app = app

    def purge(self, kind: str, value: str = "", *, soft: bool = False) -> int:
        """Remove stored responses of the current application, in every worker and store.

        Outside of requests and application contexts: of the one that was wrapped last.

        :param kind: ``"url"``, ``"prefix"``, ``"tag"`` or ``"all"``.
        :param value: a URL, or its path and query alone for any scheme and host; the beginning of one; or a
            tag.
        :param soft: mark as stale: who asks next is served the old response while a new one is made, where
            the response allows that.
        :returns: how many responses were met in the shared store, or else in this process.
        :raises PurgeError: for what can't be understood.
        :raises PurgeFailed: where a store or a worker may have been missed.
        :raises RuntimeError: where no application is wrapped yet.
        """
        app = current_app if current_app else self._app
        if app is None:
            raise RuntimeError("no application is wrapped yet, so there is nothing to purge")
        wrapped: _Wrapped = app.extensions["wsgiperf"]
        return wrapped.purge(kind, value, soft=soft)


class _Wrapped:
    """The application's own `wsgi_app` with the parts around it.

    They are put together at the first request: only then are all blueprints, and so all static files, known.
    """

    _stack: Stack | None = None

    def __init__(self, app: Flask, resolved: Settings, given: tuple[object, object]) -> None:
        self._app, self._inner, self._resolved = app, app.wsgi_app, resolved
        self.given = given

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        stack = self._stack
        if stack is None:
            stack = self._stack = self._assemble()
        return stack(environ, start_response)

    @property
    def settings(self) -> Settings:
        """The settings, with what Flask knows instead of our defaults."""
        return Settings.of([self._resolved.given, _known(self._app)])

    def purge(self, kind: str, value: str = "", *, soft: bool = False) -> int:
        """What `WSGIPerf.purge` does, for this application."""
        # Before the first request there is no stack, and nothing in memory; others may have served some.
        return purge(self.settings, kind, value, soft=soft, stack=self._stack)

    def _assemble(self) -> Stack:
        settings = self.settings
        stack = assemble(self._inner, settings)
        security = settings["security"]
        if not (isinstance(security, SecuritySettings) and security.static_caching):
            return stack
        views = self._app.view_functions
        for endpoint in {rule.endpoint for rule in _static_rules(self._app)}:
            views[endpoint] = _without_automatic(views[endpoint])
        return Stack(stack, _Automatic())


def _static_rules(app: Flask) -> Iterator[Rule]:
    """The rules by which Flask serves the static folders of the application and its blueprints."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.rpartition(".")[2] == "static" and rule.rule.endswith(_STATIC_FILE):
            yield rule


def _known(app: Flask) -> Layer:
    """What Flask knows of the options: where static files are."""
    prefixes = [
        rule.rule.removesuffix(_STATIC_FILE)
        for rule in _static_rules(app)
        # Elsewhere than on one of several hosts the same path may be anything.
        if not rule.host and not rule.subdomain
    ]
    usable = tuple(dict.fromkeys(prefix for prefix in prefixes if len(prefix) > 1 and "<" not in prefix))
    return {("security", "static_prefixes"): Given(usable, "static_url_path", "Flask")} if usable else {}


def _without_automatic(view: Callable[..., Any]) -> Callable[..., Any]:
    """The static view without its automatic `no-cache`: nobody chose it, so it shall not count as chosen.

    A maximum age of the application's own (SEND_FILE_MAX_AGE_DEFAULT, get_send_file_max_age) gives another
    value, which stays; so does what an after_request function sets, for it runs later.
    """

    @wraps(view)
    def static(**arguments: Any) -> Any:
        response = view(**arguments)
        if isinstance(response, WerkzeugResponse) and response.headers.get("Cache-Control") == _AUTOMATIC:
            exchange = request.environ.get(EXCHANGE)
            if exchange is not None:
                exchange.notes[_Automatic] = True
                del response.headers["Cache-Control"]
        return response

    return static


class _Automatic(Middleware):
    """Outermost: gives a static file its `no-cache` back where the security part found no better word.

    Without any, browsers would keep a page for a tenth of its age (RFC 9111 section 4.2.2).
    """

    def on_response(self, exchange: Exchange, response: Response) -> None:
        """Put it back."""
        if _Automatic in exchange.notes and "Cache-Control" not in response.headers:
            response.headers.add("Cache-Control", _AUTOMATIC)


def _note_route(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    rule, exchange = request.url_rule, request.environ.get(EXCHANGE)
    if rule is not None and exchange is not None:
        exchange.route = rule.rule


def _csp_nonce() -> dict[str, object]:
    return {"csp_nonce": request.environ.get(CSP_NONCE, "") if has_request_context() else ""}


def options(**sections: object) -> Callable[[Callable[_P, Any]], Callable[_P, Any]]:
    """Decorate a view to choose for its responses.

    :param sections: by section name False, which keeps that part away; for `security` also
        ``{"frame": "any"}`` (or "self", "deny").
    :raises SettingsError: at decoration, for an unknown name or a bad value.

    It goes below `@app.route(...)`.
    """
    check_response_options(sections)
    return _choosing(sections)


def cached(
    ttl: float | None = None, *, tags: Iterable[str] = (), shared: bool = False
) -> Callable[[Callable[_P, Any]], Callable[_P, Any]]:
    """Decorate a view to have its responses stored.

    :param ttl: how long they are fresh, in seconds, up to a year; None leaves that to their header fields.
    :param tags: by which they can be purged; `cache_tags` adds some at run time.
    :param shared: they are the same for everybody, whatever cookies or credentials a request carries.
        Otherwise they are stored for, and served to, only those who send none (but ignored ones).
    :raises SettingsError: at decoration, for a bad value, and for `shared` without a `ttl`.

    It goes below `@app.route(...)`. Responses that say `no-store` or `private`, or set cookies, and errors of
    the server are not stored all the same.
    """
    return _choosing({"cache": caching_options(ttl, tags, shared=shared)})


def _choosing(sections: dict[str, Any]) -> Callable[[Callable[_P, Any]], Callable[_P, Any]]:
    def decorate(view: Callable[_P, Any]) -> Callable[_P, Any]:
        @wraps(view)
        def decorated(*args: _P.args, **kwargs: _P.kwargs) -> Any:
            put_options(request.environ, sections)
            return current_app.ensure_sync(view)(*args, **kwargs)

        return decorated

    return decorate


_commands = AppGroup("wsgiperf", help="What wsgiperf does around this application.")


@_commands.command("settings")
def _settings() -> None:
    """List every option with its value and where it came from."""
    from wsgiperf.cli.listing import listing

    print(listing(current_app.extensions["wsgiperf"].settings))


@_commands.command("purge")
@takes_purge
def _purge(kind: str, value: str, soft: bool) -> str:
    """Remove stored responses from the caches of running workers.

    Run it where and as the workers run: on one machine they hear of it through a journal that is found by the
    working directory, the user, the Python environment, TMPDIR and the option `cache.namespace`.

    Exit status: 0 done, 1 something may have been missed, 2 not understood.
    """
    return purge_elsewhere(current_app.extensions["wsgiperf"].settings, kind, value, soft=soft)
