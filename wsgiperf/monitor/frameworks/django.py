"""Django: routes and exceptions of every site in the process, whatever its MIDDLEWARE."""

from __future__ import annotations

import logging
import sys
from functools import wraps
from typing import TYPE_CHECKING, Any

from wsgiperf.monitor.frameworks.noting import note_exception, note_route

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.urls import ResolverMatch

__all__ = ["install"]

logger = logging.getLogger(__name__)

#: On our `resolve_request`.
_OURS = "_wsgiperf_monitor"


def install() -> None:
    """Listen from now on; a second time changes nothing.

    Every request is told with the route that it was resolved to, as `wsgiperf.django` spells it, and with
    exceptions that Django answers with 500. Http404, PermissionDenied and the like are answers.
    """
    from django.core.signals import got_request_exception

    got_request_exception.connect(_note_exception, weak=False, dispatch_uid="wsgiperf.monitor")
    _note_routes()


def _note_routes() -> None:
    """No signal tells the route of a request that goes well. All pass this method once, behind the last
    process_request, since Django 3.1; a Django without it tells the routes of exceptions alone."""
    from django.core.handlers.base import BaseHandler

    resolve = getattr(BaseHandler, "resolve_request", None)
    if resolve is None or hasattr(resolve, _OURS):
        return

    @wraps(resolve)
    def resolve_request(self: BaseHandler, request: HttpRequest) -> ResolverMatch:
        match: ResolverMatch = resolve(self, request)
        _note_match(request, match)
        return match

    setattr(resolve_request, _OURS, True)
    BaseHandler.resolve_request = resolve_request  # type: ignore[method-assign]


def _note_exception(request: HttpRequest | None = None, **_more: Any) -> None:
    error = sys.exc_info()[1]
    if request is None:  # code that sends the signal itself may leave it out
        return
    _note_match(request, request.resolver_match)
    try:
        note_exception(request.META, error)
    except Exception:
        logger.exception("an exception was not noted")


def _note_match(request: HttpRequest, match: ResolverMatch | None) -> None:
    try:
        route = getattr(match, "route", None)
        if route is not None:
            note_route(request.META, "/" + route.removeprefix("^"))
    except Exception:  # it would be the request's
        logger.exception("a route was not noted")
