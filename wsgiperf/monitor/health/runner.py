"""Runs what is due, each check in a thread of its own, and never waits for one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from logging import getLogger
from threading import Thread
from time import monotonic
from typing import Any

from wsgiperf.health_checks import HealthCheck
from wsgiperf.monitor.health.checks import Outcome, perform
from wsgiperf.monitor.health.results import Result, overall, published, ready

__all__ = ["GRACE", "HealthRunner"]

#: Seconds after its timeout at which a check that hasn't ended hangs.
GRACE = 1.0

logger = getLogger(__name__)


class _Run:
    """One run of a check. Its thread writes here and nowhere else."""

    def __init__(
        self, perform: Callable[[HealthCheck], Outcome], check: HealthCheck, now: float, clock: float
    ):
        self.began_at, self.began = now, clock
        self.hangs = False
        self.done: tuple[Outcome, float] | None = None
        self.thread = Thread(target=self._perform, args=(perform, check), name="wsgiperf-health", daemon=True)

    def _perform(self, perform: Callable[[HealthCheck], Outcome], check: HealthCheck) -> None:
        outcome = perform(check)
        self.done = outcome, self.began + outcome.seconds


class _Job:
    def __init__(self, check: HealthCheck) -> None:
        self.check, self.result = check, Result(check)
        self.run: _Run | None = None
        self.due = 0.0  # by the runner's clock
        self.begun = False


class HealthRunner:
    """The checks of one process. All methods belong to one thread, the sampler's.

    :param checks: at most `health_checks.MOST_CHECKS`, each with a name and region of its own.
    :param clock: one that never steps; what is due is decided by it.
    :param perform: does one check; it must not raise.

    All are due at first; then they spread over their intervals, so that they don't go out in one second for
    ever. At most one thread runs a check. What hangs has its next run when it has ended.
    """

    def __init__(
        self,
        checks: Sequence[HealthCheck],
        *,
        clock: Callable[[], float] = monotonic,
        perform: Callable[[HealthCheck], Outcome] = perform,
    ) -> None:
        self._checks = tuple(checks)
        self._clock, self._perform = clock, perform
        self._jobs = [_Job(check) for check in checks]
        now = clock()
        for job in self._jobs:
            job.due = now

    def tick(self, now: float) -> None:
        """Take in what has ended, and start what is due. To be called about once a second; doesn't block.

        :param now: seconds since the epoch.
        """
        clock = self._clock()
        for number, job in enumerate(self._jobs):
            if job.run is not None:
                self._look_after(job, job.run, now, clock)
            if job.run is None and clock >= job.due:
                self._start(job, number, now, clock)

    def results(self, now: float) -> list[dict[str, Any]]:
        """The items of `health.services` as published."""
        return published(self.state(now), now)

    def state(self, now: float) -> list[dict[str, Any]]:
        """The same with what `restore` needs besides: for the board."""
        return [job.result.service(now) for job in self._jobs]

    def restore(self, services: object) -> None:
        """Go on from another sampler's `state`, or as far as they go from its results. Raises nothing.

        What isn't known here is ignored, what isn't understood begins anew.
        """
        known: dict[tuple[str, str, str], Mapping[str, object]] = {}
        for service in services if isinstance(services, list) else ():
            if isinstance(service, Mapping):
                key = service.get("name"), service.get("region"), service.get("kind")
                if all(isinstance(each, str) for each in key):
                    known[key] = service  # type: ignore[index]
        for job in self._jobs:
            service = known.get((job.check.name, job.check.region, job.check.kind))
            if service is not None:
                job.result.restore(service)

    def overall(self, services: Iterable[Mapping[str, Any]]) -> str:
        """As `results.overall`."""
        return overall(services)

    def ready(self, services: Iterable[Mapping[str, Any]]) -> bool:
        """As `results.ready`, by these checks."""
        return ready(services, self._checks)

    def _look_after(self, job: _Job, run: _Run, now: float, clock: float) -> None:
        alive = run.thread.is_alive()  # before what it left behind is looked for
        if run.done is not None:
            outcome, ended = run.done
            job.result.record(outcome, now - max(0.0, clock - ended), counted=not run.hangs)
            job.run = None
        elif not alive:  # a fork's child, in which no thread of the parent's lives
            job.run, job.due = None, clock
        elif (seconds := clock - run.began) > job.check.timeout + GRACE:
            job.result.hang(run.began_at, seconds, counted=not run.hangs)
            if not run.hangs:
                run.hangs, job.due = True, clock + job.check.interval
            elif clock >= job.due:
                missed = int((clock - job.due) // job.check.interval) + 1
                job.result.miss(missed)
                job.due += missed * job.check.interval

    def _start(self, job: _Job, number: int, now: float, clock: float) -> None:
        run = _Run(self._perform, job.check, now, clock)
        try:
            run.thread.start()
        except RuntimeError as error:  # no more threads for now, or the interpreter ends
            logger.info("a health check could not be started: %s", error)
            return
        # The first time less than the interval, each a little less than the one before.
        share = 1.0 if job.begun else 1.0 - 0.5 * number / len(self._jobs)
        job.run, job.begun, job.due = run, True, clock + job.check.interval * share
