"""Who is told of alerts: the log, Sentry, and anything that can be called. The webhook has its own file.

A sink is called with a `Change`, in a thread of its own, one after the other. What it raises is logged.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from logging import CRITICAL, INFO, WARNING, getLogger
from typing import Any

from wsgiperf.errors import WSGIPerfError
from wsgiperf.monitor.alerting.records import Change

__all__ = ["DeliveryError", "LoggingSink", "SentrySink", "Sink"]

Sink = Callable[[Change], object]

LOGGER = "wsgiperf.alerts"
_LEVELS = {"info": INFO, "warning": WARNING, "critical": CRITICAL}


class DeliveryError(WSGIPerfError):
    """A sink raises it where another attempt may succeed; whatever else it raises is final."""


class LoggingSink:
    """Logs to ``wsgiperf.alerts``: what fired by its severity, what cleared as INFO.

    The record has the change as its ``alert``, for formatters and filters.
    """

    def __init__(self) -> None:
        self._log = getLogger(LOGGER)

    def __call__(self, change: Change) -> None:
        level = _LEVELS[change.severity] if change.event == "fired" else INFO
        # A service's answer may be in the message.
        message = change.message.encode("unicode_escape").decode("ascii")
        self._log.log(
            level,
            "alert %s: %s, %s, ID %s",
            change.event,
            change.severity,
            message,
            change.id,
            extra={"alert": change},
        )


class SentrySink:
    """Sends what fired to Sentry, where the application has initialised ``sentry_sdk``; else does nothing.

    Alerts of one metric and service make one issue, with tags. What cleared isn't sent: an event, of whatever
    level, would open the issue again that somebody has resolved.
    """

    def prepare(self) -> None:
        """Before the first alert: Sentry's own logging integration isn't to report the log's line as well."""
        logging = sys.modules.get("sentry_sdk.integrations.logging")
        if logging is not None:
            logging.ignore_logger(LOGGER)

    def __call__(self, change: Change) -> None:
        sentry: Any = sys.modules.get("sentry_sdk")
        if change.event != "fired" or sentry is None or not _initialised(sentry):
            return
        sentry.capture_message(
            change.message,
            level={"critical": "error"}.get(change.severity, change.severity),
            tags={
                "wsgiperf.alert": change.id,
                "wsgiperf.metric": change.metric,
                "wsgiperf.severity": change.severity,
                **({} if change.subject is None else {"wsgiperf.subject": change.subject}),
            },
            fingerprint=["wsgiperf", change.metric, change.subject or ""],
        )


def _initialised(sentry: Any) -> bool:
    get_client = getattr(sentry, "get_client", None)
    if get_client is not None:
        return bool(get_client().is_active())
    return sentry.Hub.current.client is not None  # before 2.0
