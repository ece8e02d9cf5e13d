"""What runs beside the requests of a process: its gauges, and its part in the sampler's work."""

from __future__ import annotations

from functools import partial
from socket import gethostname
from typing import TYPE_CHECKING

from wsgiperf.alert_rules import with_defaults
from wsgiperf.monitor.alerting.book import AlertBook
from wsgiperf.monitor.alerting.sinks import LoggingSink, SentrySink
from wsgiperf.monitor.health.runner import HealthRunner
from wsgiperf.monitor.imported import imported
from wsgiperf.monitor.listening import Listening
from wsgiperf.monitor.sampling.alone import Alone
from wsgiperf.monitor.sampling.processes import Processes
from wsgiperf.monitor.sampling.sampler import Sampler

if TYPE_CHECKING:
    from wsgiperf.monitor.alerting.sinks import Sink
    from wsgiperf.monitor.collector import Collector
    from wsgiperf.monitor.sampling.sampler import Board, Segment
    from wsgiperf.settings import MonitorSettings

__all__ = ["Background"]


class Background:
    """One process's.

    :param collector: the process's.
    :param settings: those of its first monitor.
    """

    def __init__(self, collector: Collector, settings: MonitorSettings) -> None:
        listening = Listening(collector.recorder, settings)
        listening.look()
        self._place = _Place(collector, listening, settings.threads)
        checks = settings.health_checks
        self._sampler = Sampler(
            self._place,
            partial(collector.recent, settings.alert_window),
            Processes(),
            HealthRunner(checks) if checks else None,
            AlertBook(
                with_defaults(settings.alert_rules) if settings.alerts else (),
                window=settings.alert_window,
                minimum=settings.alert_minimum,
                origin=gethostname(),
            ),
            _sinks(settings),
        )
        self._sampler.ensure_running()

    def board(self) -> bytes:
        """What the sampler, in whichever process, has published last."""
        return self._place.board.read()


class _Place:
    """The sampler's place, where each process looks in once a second: time for what it does for itself."""

    def __init__(self, collector: Collector, listening: Listening, threads: int) -> None:
        self._collector, self._listening, self._threads = collector, listening, threads
        self._alone = Alone()

    @property
    def _segment(self) -> Segment:
        return self._collector.segment or self._alone

    @property
    def board(self) -> Board:
        """The one that all workers read."""
        return self._segment.board

    def try_lead(self) -> bool:
        """Whether this process is the sampler."""
        self._collector.keep_place()
        self._listening.look()
        self._collector.recorder.tell(self._threads, _pools())
        return self._segment.try_lead()


def _pools() -> list[tuple[str, int, int, int]]:
    if not imported("sqlalchemy"):
        return []
    from wsgiperf.monitor.queries import sqlalchemy

    return sqlalchemy.pools()


def _sinks(settings: MonitorSettings) -> list[Sink]:
    sinks: list[Sink] = [LoggingSink(), SentrySink(), *settings.alert_sinks]
    if settings.alert_webhook:
        from wsgiperf.monitor.alerting.webhook import WebhookSink

        sinks.append(WebhookSink(settings.alert_webhook))
    return sinks
