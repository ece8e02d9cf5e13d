"""System checks, which `manage.py check`, `runserver` and most other commands run."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Problem
from django.core.servers.basehttp import get_internal_wsgi_application

from wsgiperf.configuration import Settings
from wsgiperf.django.host import Wrapped, inside, settings_with
from wsgiperf.errors import SettingsError
from wsgiperf.wsgi import Middleware, Stack

__all__ = ["register_all", "served_settings"]

_GZIP = "django.middleware.gzip.GZipMiddleware"
_CACHE = "django.middleware.cache.UpdateCacheMiddleware"
_REPORT = "wsgiperf.django.middleware.report"
_NONCE = "wsgiperf.django.context_processors.csp_nonce"


def register_all() -> None:
    """Let Django run the checks."""
    for check in (check_settings, check_wrapped, check_compression, check_order, check_nonces):
        register(check)


def check_settings(**_: Any) -> list[CheckMessage]:
    """E001: a setting is unknown, or has a bad value."""
    try:
        settings_with({})
    except SettingsError as error:
        return [Error(str(error), id="wsgiperf.E001")]
    return []


def check_wrapped(**_: Any) -> list[CheckMessage]:
    """W001: WSGI_APPLICATION is not wrapped, and no middleware shows that the server wraps it."""
    application = _application()
    if application is None or _REPORT in django_settings.MIDDLEWARE:
        return []
    if any(isinstance(layer, (Stack, Middleware)) for layer in inside(application)):
        return []
    return [
        Problem(
            f"wsgiperf.django is installed, but {django_settings.WSGI_APPLICATION} is not wrapped.",
            hint="There: from wsgiperf.django import wrap; application = wrap(get_wsgi_application()). Where "
            f"the server wraps it (wsgiperf.gunicorn), put {_REPORT!r} first in MIDDLEWARE.",
            id="wsgiperf.W001",
        )
    ]


def check_compression(**_: Any) -> list[CheckMessage]:
    """W002: GZipMiddleware compresses before wsgiperf can."""
    settings = served_settings()
    if _GZIP not in django_settings.MIDDLEWARE or settings is None or settings["compression"] is None:
        return []
    return [
        Problem(
            "Django's GZipMiddleware compresses responses before wsgiperf can: clients never get br or zstd.",
            hint="Remove it from MIDDLEWARE; or, if its random padding against BREACH is what you need, set "
            'WSGIPERF["compression"] = False.',
            id="wsgiperf.W002",
        )
    ]


def check_order(**_: Any) -> list[CheckMessage]:
    """W003: `middleware.report` is not the first in MIDDLEWARE."""
    if _REPORT not in django_settings.MIDDLEWARE[1:]:
        return []
    return [
        Problem(
            f"{_REPORT} is not the first in MIDDLEWARE: it misses what the ones above it answer.",
            hint="Move it to the top.",
            id="wsgiperf.W003",
        )
    ]


def check_nonces(**_: Any) -> list[CheckMessage]:
    """W004: whole pages are kept, with a CSP nonce that is good for one response."""
    processors = [
        name
        for engine in django_settings.TEMPLATES
        for name in engine.get("OPTIONS", {}).get("context_processors", ())
    ]
    if _CACHE not in django_settings.MIDDLEWARE or _NONCE not in processors:
        return []
    return [
        Problem(
            "Django's cache middleware keeps whole pages, and with them the CSP nonces in them: browsers "
            "refuse what carries the nonce of another response.",
            hint="Cache only views and template fragments that print no nonce.",
            id="wsgiperf.W004",
        )
    ]


def served_settings() -> Settings | None:
    """The settings of WSGI_APPLICATION, or those it would have; None where they are bad."""
    for layer in inside(_application()):
        if isinstance(layer, Wrapped):
            return layer.settings
    try:
        return settings_with({})
    except SettingsError:
        return None


def _application() -> object | None:
    if not django_settings.WSGI_APPLICATION:
        return None
    try:
        return get_internal_wsgi_application()
    except Exception:  # runserver, which serves it, says better what is wrong with it
        return None
