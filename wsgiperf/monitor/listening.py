"""Who tells the monitor what it can't see: the frameworks and the database libraries that are in use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from wsgiperf.monitor.queries import counting

if TYPE_CHECKING:
    from wsgiperf.monitor.recording.recorder import Recorder
    from wsgiperf.settings import MonitorSettings

__all__ = ["Listening"]


class Listening:
    """Has them tell it, each from when it is found to be imported. It imports none itself.

    :param recorder: the process's.
    :param settings: those of its first monitor.
    """

    def __init__(self, recorder: Recorder, settings: MonitorSettings) -> None:
        self._queries = settings.queries
        self._heard: set[str] = set()
        recorder.slow_seconds, recorder.repeated = settings.slow_query_seconds, settings.repeated_queries
        counting.configure(slow_seconds=settings.slow_query_seconds, outside=recorder.query_outside)

    def look(self) -> None:
        """See whether one more is imported by now."""
        if "flask" in sys.modules and "flask" not in self._heard:
            from wsgiperf.monitor.frameworks import flask

            flask.install()
            self._heard.add("flask")
        if "django" in sys.modules and "django" not in self._heard:
            self._listen_to_django()
        if "sentry_sdk" in sys.modules and "sentry_sdk" not in self._heard:
            from wsgiperf.monitor.frameworks import sentry

            sentry.install()
            self._heard.add("sentry_sdk")
        if self._queries and "sqlalchemy" in sys.modules and "sqlalchemy" not in self._heard:
            from wsgiperf.monitor.queries import sqlalchemy

            sqlalchemy.watch_all()
            self._heard.add("sqlalchemy")

    def _listen_to_django(self) -> None:
        from wsgiperf.monitor.frameworks import django
        from wsgiperf.monitor.queries import django as queries

        django.install()
        # Connections are known once it is configured.
        if not self._queries or queries.watch_connections():
            self._heard.add("django")
