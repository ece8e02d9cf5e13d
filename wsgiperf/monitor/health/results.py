"""What is known of each check, and how the next sampler gets to know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wsgiperf.health_checks import HealthCheck
from wsgiperf.monitor.health.checks import Outcome
from wsgiperf.monitor.health.wording import bounded
from wsgiperf.monitor.histogram import CELLS, COARSE_CELLS, cell_of, coarse_quantile

__all__ = ["Result", "overall", "published", "ready"]

_STATUSES = ("unknown", "ok", "failing", "hung")
_PUBLISHED = (
    "name", "kind", "region", "status", "since", "checked", "age_seconds", "latency", "p50", "p95",
    "uptime_percent", "error",
)  # fmt: skip
_JOINED = -(-CELLS // COARSE_CELLS)
#: Latencies are halved in number when there are so many: the quantiles are those of late.
_MANY = 1024
_COUNTLESS = 1 << 53  # what JSON keeps exact


class Result:
    """What is known of one check.

    Times of day are seconds since the epoch. Uptime is the share of checks that were well, of all since the
    first one; one that hangs counts as not well once when that is noticed, and once more for every interval
    in which no other could be started. The quantiles are those of checks that were well.
    """

    def __init__(self, check: HealthCheck) -> None:
        self._check = check
        self._forget()

    def _forget(self) -> None:
        self.status = "unknown"
        self.since: float | None = None  #: of the status
        self.checked: float | None = None  #: when the last one ended
        self.latency: float | None = None  #: seconds that the last one took
        self.error: str | None = None
        self.good = self.all = 0
        self._cells: dict[int, int] = {}

    def record(self, outcome: Outcome, at: float, *, counted: bool = True) -> None:
        """One check ended.

        :param counted: False where `hang` or `miss` has counted it.
        """
        if counted:
            self.all += 1
            self.good += outcome.ok
        if outcome.ok:
            cell = cell_of(outcome.seconds) // _JOINED
            self._cells[cell] = self._cells.get(cell, 0) + 1
            if sum(self._cells.values()) >= _MANY:
                self._cells = {cell: (count + 1) // 2 for cell, count in self._cells.items()}
        self.checked, self.latency, self.error = at, outcome.seconds, outcome.error
        self._change("ok" if outcome.ok else "failing", at)

    def hang(self, since: float, seconds: float, *, counted: bool) -> None:
        """One check doesn't end.

        :param since: when it began.
        :param seconds: that it has taken so far.
        :param counted: False where this was said of it before.
        """
        self.all += counted
        self.error = f"no end after {seconds:.0f} s"
        self._change("hung", since)

    def miss(self, checks: int) -> None:
        """So many checks could not be started, because one still hangs."""
        self.all += checks

    def _change(self, status: str, at: float) -> None:
        if status != self.status:
            self.status, self.since = status, at

    def service(self, now: float) -> dict[str, Any]:
        """As it is published, and with "counts", by which `restore` goes on."""
        cells = [self._cells.get(cell, 0) for cell in range(COARSE_CELLS)]
        p50, p95 = coarse_quantile(cells, 0.5, 0.95)
        return {
            "name": self._check.name,
            "kind": self._check.kind,
            "region": self._check.region,
            "status": self.status,
            "since": self.since,
            "checked": self.checked,
            "age_seconds": _age(self.checked, now),
            "latency": self.latency,
            "p50": p50,
            "p95": p95,
            "uptime_percent": 100 * self.good / self.all if self.all else None,
            "error": self.error,
            "counts": {
                "ok": self.good,
                "all": self.all,
                "cells": [list(pair) for pair in self._cells.items()],
            },
        }

    def restore(self, service: Mapping[str, object]) -> None:
        """Go on from what `service` returned in another process; from nothing where it isn't that."""
        try:
            self._restore(service)
        except (ValueError, TypeError, OverflowError):
            self._forget()

    def _restore(self, service: Mapping[str, object]) -> None:
        status, error, counts = service.get("status"), service.get("error"), service.get("counts")
        if not isinstance(status, str) or status not in _STATUSES:
            raise ValueError(status)
        self.status = status
        self.since, self.checked, self.latency = (
            _moment(service.get(name)) for name in ("since", "checked", "latency")
        )
        self.error = bounded(error) if isinstance(error, str) else None
        if isinstance(counts, Mapping):
            self.all = _count(counts.get("all"))
            self.good = min(_count(counts.get("ok")), self.all)
            cells = counts.get("cells")
            for cell, count in cells if isinstance(cells, list) and len(cells) <= COARSE_CELLS else ():
                if not 0 <= _count(cell) < COARSE_CELLS:
                    raise ValueError(cell)
                self._cells[cell] = min(_count(count), _MANY)


def _age(checked: object, now: float) -> float | None:
    return max(0.0, now - checked) if isinstance(checked, (int, float)) else None


def _moment(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _COUNTLESS:
        raise ValueError(value)
    return float(value)


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _COUNTLESS:
        raise ValueError(value)
    return value


def published(services: Iterable[Mapping[str, Any]], now: float) -> list[dict[str, Any]]:
    """The items of `health.services`: without "counts", and as old as they are now."""
    return [
        {name: service.get(name) for name in _PUBLISHED} | {"age_seconds": _age(service.get("checked"), now)}
        for service in services
    ]


def overall(services: Iterable[Mapping[str, Any]]) -> str:
    """One word for all, critical or not.

    :returns: "failing" where any is failing or hung; else "unknown" where any is; else "ok".
    """
    statuses = {service.get("status") for service in services}
    if statuses & {"failing", "hung"}:
        return "failing"
    return "ok" if statuses <= {"ok"} else "unknown"


def ready(services: Iterable[Mapping[str, Any]], checks: Iterable[HealthCheck]) -> bool:
    """Whether every critical check was well the last time.

    Before its first result a check isn't: a new instance gets no requests until everything it can't do
    without has answered it once, which takes a second or two where it does. Without critical checks there is
    nothing to wait for.
    """
    statuses = {(service.get("name"), service.get("region")): service.get("status") for service in services}
    return all(statuses.get((check.name, check.region)) == "ok" for check in checks if check.critical)
