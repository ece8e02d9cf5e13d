"""What alert rules look at: the figures of the last window, and of this moment.

Figures of requests are of the window's seconds, the running one included: with a window of 60 s, of the last
59 to 60 s. Durations are counted by tens of seconds, so the percentile is of the last 50 to 60 s: of the ten
seconds that run and the whole ones before that lie within the window. Of a window below 20 s it is of the
last two such tens, as one that just began says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from wsgiperf.monitor.histogram import COARSE_CELLS, coarse_quantile, merged

if TYPE_CHECKING:
    from wsgiperf.monitor.snapshot import Snapshot

__all__ = ["Figures", "Service", "figures_at"]

TENS = 10
MOST_SERVICES = 100
LONGEST_SUBJECT, LONGEST_ERROR = 100, 200


class Service(NamedTuple):
    """What a health check says."""

    subject: str  #: the service's name, with its region behind where it has one
    failing: bool | None  #: None while it isn't known
    seconds: float = 0.0  #: for so long it has been failing
    error: str = ""


class Figures(NamedTuple):
    """By name, what a rule's metric is about; None where it isn't known or nothing happened."""

    requests: int = 0  #: within the window
    errors: int = 0  #: those that failed
    lookups: int = 0  #: in the cache
    queries: int = 0
    response_time: float | None = None  #: the mean, in seconds
    p95: float | None = None  #: seconds
    error_rate: float | None = None  #: percent
    hit_rate: float | None = None  #: percent of the lookups
    database_time: float | None = None  #: of the mean query, in seconds
    memory: float | None = None  #: percent, now
    cpu: float | None = None  #: percent, now
    saturation: float | None = None  #: percent, now
    services: tuple[Service, ...] | None = None  #: None where nobody knows just now


def figures_at(
    snapshot: Snapshot,
    now: float,
    *,
    window: float = 60.0,
    system: Mapping[str, Any] | None = None,
    services: Iterable[object] | None = None,
) -> Figures:
    """The figures at one moment.

    :param window: seconds.
    :param system: as on the board: of it ``cpu_percent`` and ``memory_percent``.
    :param services: as on the board: of each ``name``, ``region``, ``status``, ``since`` and ``error``.
    """
    last = int(now)
    # A second that is still to come is of a clock that was set back.
    seconds = [second for second in snapshot.seconds if last - window < second.start <= last]
    requests = sum([sum(second.classes) for second in seconds])
    errors = sum([second.classes[4] for second in seconds])
    hits = sum([second.hits for second in seconds])
    lookups = hits + sum([second.misses for second in seconds])
    queries = sum([second.queries for second in seconds])
    reach = max(window, 2 * TENS)
    cells = [each.cells for each in snapshot.windows if last - reach < each.start <= last]
    return Figures(
        requests=requests,
        errors=errors,
        lookups=lookups,
        queries=queries,
        response_time=_share(sum([second.seconds for second in seconds]), requests),
        p95=coarse_quantile(merged(cells, COARSE_CELLS), 0.95)[0],
        error_rate=_share(100.0 * errors, requests),
        hit_rate=_share(100.0 * hits, lookups),
        database_time=_share(sum([second.query_seconds for second in seconds]), queries),
        memory=_number((system or {}).get("memory_percent")),
        cpu=_number((system or {}).get("cpu_percent")),
        saturation=_saturation(snapshot),
        services=None if services is None else tuple(_services(services, now)),
    )


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _number(value: object) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value):
        return float(value)
    return None


def _saturation(snapshot: Snapshot) -> float | None:
    """Of the workers that tell how many threads they have."""
    known = [worker for worker in snapshot.workers if worker.threads > 0]
    return _share(
        100.0 * sum([worker.in_flight for worker in known]), sum([worker.threads for worker in known])
    )


def _services(services: Iterable[object], now: float) -> Sequence[Service]:
    found: dict[str, Service] = {}
    for each in services:
        if isinstance(each, Mapping) and len(found) < MOST_SERVICES:
            service = _service(each, now)
            found.setdefault(service.subject, service)
    return tuple(found.values())


def _service(given: Mapping[str, Any], now: float) -> Service:
    name, region = str(given.get("name") or "?"), given.get("region")
    subject = (f"{name} ({region})" if region else name)[:LONGEST_SUBJECT]
    status = given.get("status")
    if status not in ("failing", "hung"):
        return Service(subject, False if status == "ok" else None)
    since = _number(given.get("since"))
    error = str(given.get("error") or ("hangs" if status == "hung" else "fails"))[:LONGEST_ERROR]
    return Service(subject, True, 0.0 if since is None else max(0.0, now - since), error)
