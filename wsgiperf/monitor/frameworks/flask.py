"""Flask: routes and exceptions of every application in the process, by its signals."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from wsgiperf.monitor.frameworks.noting import note_exception, note_route

if TYPE_CHECKING:
    from flask import Flask, Request

__all__ = ["install"]

logger = logging.getLogger(__name__)


def install() -> None:
    """Listen from now on; a second time changes nothing.

    Every application's requests are told with the rule that they matched, as `wsgiperf.flask` spells it, and
    with exceptions that no error handler took. `abort(500)` is an answer, not an exception.
    """
    from flask import got_request_exception, request, request_started

    global _request
    _request = request._get_current_object  # type: ignore[attr-defined]
    request_started.connect(_note_route, weak=False)
    got_request_exception.connect(_note_exception, weak=False)


_request: Callable[[], Request]  # the proxy's attributes take three times as long


def _note_route(_app: Flask, **_more: object) -> None:
    try:
        request = _request()
        if request.url_rule is not None:
            note_route(request.environ, request.url_rule.rule)
    except Exception:  # it would be the request's
        logger.exception("a route was not noted")


def _note_exception(_app: Flask, exception: BaseException, **_more: object) -> None:
    try:
        note_exception(_request().environ, exception)
    except Exception:
        logger.exception("an exception was not noted")
