"""Who tells the monitor what it can't see: the frameworks and the database libraries that are in use."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from wsgiperf.monitor.imported import imported
from wsgiperf.monitor.queries import counting

if TYPE_CHECKING:
    from wsgiperf.monitor.recording.recorder import Recorder
    from wsgiperf.settings import MonitorSettings

__all__ = ["Listening"]

logger = logging.getLogger(__name__)


class Listening:
    """Has them tell it, each from when it is found to be imported. It imports none itself.

    :param recorder: the process's.
    :param settings: those of its first monitor.
    """

    def __init__(self, recorder: Recorder, settings: MonitorSettings) -> None:
        # By a module that has brought, once it is there, what is asked of the library.
        self._unheard = _REQUESTS | _QUERIES if settings.queries else _REQUESTS.copy()
        recorder.slow_seconds, recorder.repeated = settings.slow_query_seconds, settings.repeated_queries
        counting.configure(slow_seconds=settings.slow_query_seconds, outside=recorder.query_outside)

    def look(self) -> None:
        """See whether one more is imported by now. One that can't be listened to is left alone."""
        for module, listen in [*self._unheard.items()]:
            if imported(module):
                try:
                    heard = listen()
                except Exception:
                    logger.exception("what %s knows of requests is not counted", module.partition(".")[0])
                    heard = True
                if heard:
                    del self._unheard[module]


def _listen_to_flask() -> bool:
    from wsgiperf.monitor.frameworks import flask

    flask.install()
    return True


def _listen_to_django() -> bool:
    from wsgiperf.monitor.frameworks import django

    django.install()
    return True


def _listen_to_sentry() -> bool:
    from wsgiperf.monitor.frameworks import sentry

    sentry.install()
    return True


def _listen_to_sqlalchemy() -> bool:
    from wsgiperf.monitor.queries import sqlalchemy

    sqlalchemy.watch_all()
    return True


def _listen_to_django_connections() -> bool:
    from wsgiperf.monitor.queries import django

    return django.watch_connections()  # which are known once it is configured


_REQUESTS: dict[str, Callable[[], bool]] = {
    "flask": _listen_to_flask,
    "django.core.handlers.base": _listen_to_django,
    "sentry_sdk": _listen_to_sentry,
}
_QUERIES: dict[str, Callable[[], bool]] = {
    "sqlalchemy": _listen_to_sqlalchemy,
    "django.db": _listen_to_django_connections,
}
