"""What Django knows of a request and its response, told to the stack around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from wsgiperf.wsgi import EXCHANGE, OPTIONS

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

__all__ = ["report"]


def report(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """A Django middleware: the route's template, and whether a view is exempt from X-Frame-Options.

    `wsgiperf.django.wrap` puts it around Django's handler itself. Where `wsgiperf.gunicorn` wraps the
    application instead, put `"wsgiperf.django.middleware.report"` first in MIDDLEWARE.

    :param get_response: the rest of the chain.
    :returns: the chain with this around it.
    """

    def reporting(request: HttpRequest) -> HttpResponseBase:
        try:
            response = get_response(request)
        finally:  # DEBUG_PROPAGATE_EXCEPTIONS lets them through
            exchange, match = request.META.get(EXCHANGE), request.resolver_match
            if exchange is not None and match is not None:
                exchange.route = "/" + match.route.removeprefix("^")
        if getattr(response, "xframe_options_exempt", False):
            _allow_framing(request)
        return response

    return reporting


def _allow_framing(request: HttpRequest) -> None:
    """A view under `xframe_options_exempt` may be framed by anybody, unless `options` says otherwise."""
    options = request.META.setdefault(OPTIONS, {})
    security = options.get("security", {})
    if isinstance(security, dict):
        options["security"] = {"frame": "any", **security}
