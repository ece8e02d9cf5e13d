"""`wrap`: the parts around a Django application, with what Django knows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler

from wsgiperf.assembly import assemble
from wsgiperf.configuration import Given, Settings, nested, resolve
from wsgiperf.django.middleware import report
from wsgiperf.errors import SettingsError
from wsgiperf.wsgi import Stack

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["Wrapped", "inside", "settings_with", "wrap"]

# Under which name an application is found in what wraps it: WhiteNoise, werkzeug, Sentry and the like,
# OpenTelemetry, and our own.
_INNER = ("application", "app", "wsgi_app", "wsgi", "inner")
_DEEPEST = 20  # such names need not lead anywhere, not even inwards


class Wrapped(Stack):
    """The stack around a Django application.

    :param app: the application, with its parts.
    :param settings: the settings they were made with.
    """

    def __init__(self, app: WSGIApplication, settings: Settings) -> None:
        super().__init__(app)
        self.settings = settings


def wrap(application: WSGIApplication, **sections: object) -> Wrapped:
    """Put every part around a Django application, in wsgi.py.

    :param application: what `get_wsgi_application()` gave, or that with other WSGI middleware around it.
    :param sections: options by section name, as for `wsgiperf.wrap`. They win over `settings.WSGIPERF`, which
        wins over `WSGIPERF_...` in the environment.
    :returns: the wrapped application.
    :raises SettingsError: for an unknown name or a bad value.

    Around Django's handler it puts `middleware.report`, by which the parts hear of the route and of views
    that may be framed. Where `application` hides the handler, put that first in MIDDLEWARE.
    """
    settings = settings_with(sections)
    for inner in inside(application):
        if isinstance(inner, WSGIHandler):
            inner.get_response = report(inner.get_response)  # type: ignore[assignment,method-assign]
            break
    return Wrapped(assemble(application, settings), settings)


def inside(application: object) -> Iterator[object]:
    """The application and, as far as it can be seen, what it wraps."""
    for _ in range(_DEEPEST):
        yield application
        inner = [getattr(application, name, None) for name in _INNER]
        application = next(filter(callable, inner), None)
        if application is None:
            return


def settings_with(sections: Mapping[str, object]) -> Settings:
    """The settings from keywords, `settings.WSGIPERF`, the environment, and what Django knows.

    :param sections: the keywords.
    :raises SettingsError: for an unknown name or a bad value.
    """
    given = getattr(django_settings, "WSGIPERF", {})
    if not isinstance(given, Mapping):
        raise SettingsError("WSGIPERF", "a dictionary of sections", value=given)
    framework = nested(given, "Django settings", 'WSGIPERF["{}"]', 'WSGIPERF["{}"]["{}"]')
    settled = resolve(None, sections, framework, os.environ)
    known = {
        ("security", option): Given(_prefixes(name), name, "Django settings")
        for option, name in (("static_prefixes", "STATIC_URL"), ("media_prefixes", "MEDIA_URL"))
    }
    return Settings.of([settled.given, known])


def _prefixes(name: str) -> tuple[str, ...]:
    """The path of STATIC_URL or MEDIA_URL below the mount; none where this server has no such files."""
    # Read through `settings`, a relative URL would be completed by the mount of the current request, of which
    # there is none yet, and stay so.
    url = urlsplit(getattr(django_settings._wrapped, name, None) or "")
    path = url.path.removeprefix((django_settings.FORCE_SCRIPT_NAME or "").rstrip("/")).strip("/")
    return () if url.netloc or not path else (f"/{path}/",)
