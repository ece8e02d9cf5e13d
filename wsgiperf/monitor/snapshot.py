"""The figures of all workers at one moment: what every output reads.

Made by `recording.reading` from the slabs, and by tests by hand. Times of day are seconds since the epoch,
durations seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = [
    "Coding",
    "ContentType",
    "Database",
    "Failure",
    "Hour",
    "Latencies",
    "Queue",
    "Second",
    "Series",
    "SlowQuery",
    "SlowRequest",
    "Snapshot",
    "Window",
    "Worker",
]


class Series(NamedTuple):
    """All requests of one route, method and status."""

    route: str  #: a template, ``unmatched``, or ``overflow`` where the table was full
    method: str  #: ``_OTHER`` for one that HTTP doesn't define
    status: int  #: 0 where no head was sent
    count: int  # type: ignore[assignment]
    seconds: float  #: their durations' sum
    least: float
    most: float
    buckets: tuple[int, ...]  #: per bound of `histogram.BOUNDS`, one more above: not cumulative


class Latencies(NamedTuple):
    """The fine histogram of one route and method."""

    route: str
    method: str
    cells: Sequence[int]  #: as `histogram.quantile` takes them


class Failure(NamedTuple):
    """A request that failed: an exception, or a status of 500 and above without one."""

    at: float
    kind: str  #: the exception's type, or ``HTTP 503``
    severity: str  #: ``error``, ``critical``
    message: str  #: redacted
    route: str
    method: str
    status: int
    seconds: float
    request_id: str | None


class SlowRequest(NamedTuple):
    """One of the slowest."""

    at: float
    route: str
    method: str
    status: int
    seconds: float
    request_id: str | None


class SlowQuery(NamedTuple):
    """A query over the limit, its statement without parameters."""

    at: float
    alias: str
    statement: str
    seconds: float
    route: str
    request_id: str | None


class ContentType(NamedTuple):
    """What the cache did for one content type."""

    content_type: str
    hits: int
    stale: int
    collapsed: int
    misses: int


class Coding(NamedTuple):
    """What compression did with one content coding."""

    coding: str
    responses: int
    before: int
    after: int
    seconds: float


class Database(NamedTuple):
    """The queries of one database."""

    alias: str
    queries: int
    seconds: float
    slow: int
    errors: int


class Queue(NamedTuple):
    """How long requests waited before a worker took them, as X-Request-Start tells."""

    count: int  # type: ignore[assignment]
    seconds: float
    most: float


NO_QUEUE = Queue(0, 0.0, 0.0)


class Worker(NamedTuple):
    """A living process."""

    pid: int
    slab: int
    started: float
    requests: int
    in_flight: int
    threads: int  #: 0 where unknown
    pools: tuple[tuple[str, int, int, int], ...] = ()  #: alias, size, checked out, overflow


class Second(NamedTuple):
    """One second of the last minutes."""

    start: int
    classes: tuple[int, int, int, int, int]  #: 1xx to 5xx
    seconds: float  #: the durations' sum
    hits: int
    misses: int
    saved: int  #: bytes, by compression
    queries: int
    query_seconds: float


class Window(NamedTuple):
    """Ten seconds of the last quarter of an hour."""

    start: int
    requests: int
    errors: int
    cells: Sequence[int]  #: coarse, as `histogram.coarse_quantile` takes them


class Hour(NamedTuple):
    """One hour of the last seven days."""

    start: int
    requests: int
    errors: int


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything counted since `started`, by all workers that ever were, and the state of those that are."""

    taken: float
    started: float
    shared: bool = True  #: whether it is of all workers; else of this process alone
    reason: str | None = None  #: why not, in a sentence
    slabs: int = 1
    respawns: int = 0  #: workers that took a dead one's place
    series: Sequence[Series] = ()
    latencies: Sequence[Latencies] = ()
    own: int = 0  #: requests to the monitor's own pages, which are in nothing else here
    failures: Sequence[Failure] = ()  #: newest first
    exceptions: Mapping[tuple[str, str], int] = field(default_factory=dict)  #: (type, severity) -> count
    slowest: Sequence[SlowRequest] = ()  #: slowest first
    content_types: Sequence[ContentType] = ()
    codings: Sequence[Coding] = ()
    databases: Sequence[Database] = ()
    slow_queries: Sequence[SlowQuery] = ()  #: newest first
    repeated: int = 0  #: requests that sent one query many times (N+1)
    queue: Queue = NO_QUEUE
    workers: Sequence[Worker] = ()
    seconds: Sequence[Second] = ()  #: oldest first; seconds without a request are left out
    windows: Sequence[Window] = ()  #: likewise
    hours: Sequence[Hour] = ()  #: likewise
    overflow: Mapping[str, int] = field(default_factory=dict)  #: table -> what was folded because it was full
