"""From the slabs of all workers to one `Snapshot`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from struct import Struct
from sys import byteorder
from typing import TYPE_CHECKING, Any

from wsgiperf.monitor.histogram import COARSE_CELLS
from wsgiperf.monitor.recording import layout
from wsgiperf.monitor.recording.layout import (
    ALIASES,
    BUCKETS,
    CODINGS,
    CONTENT_TYPES,
    ENDPOINTS,
    EXCEPTIONS,
    FAILURES,
    HOURS,
    OVERFLOW,
    SECONDS,
    SERIES,
    SLOW_QUERIES,
    SLOWEST,
    SUM,
    TABLES,
    WINDOWS,
)  # fmt: skip
from wsgiperf.monitor.recording.slab import Slab
from wsgiperf.monitor.snapshot import (
    Coding,
    ContentType,
    Database,
    Failure,
    Hour,
    Latencies,
    Queue,
    Second,
    Series,
    SlowQuery,
    SlowRequest,
    Snapshot,
    Window,
    Worker,
)  # fmt: skip

if TYPE_CHECKING:
    from wsgiperf.monitor.recording.layout import Ring, Table

__all__ = ["read", "read_recent"]

_NS = 1e-9
#: What a series adds up, in bytes; behind it stand the least and the most.
_SUMMED = SUM * layout.WORD + layout.WORD
_LEAST_MOST = Struct("=QQ")
#: Failures and slow queries that are told of, of all workers together.
MOST_RECORDS = 100
MOST_SLOWEST = 32
#: Seconds after which a request isn't among the slowest any more.
_SLOWEST_FOR = 3600.0


def read(
    memory: Sequence[memoryview],
    holders: Sequence[int],
    now: float,
    *,
    started: float,
    respawns: int = 0,
    shared: bool = True,
    reason: str | None = None,
    counters_only: bool = False,
) -> Snapshot:
    """Sum up all slabs.

    :param memory: every slab, cast to ``"Q"``.
    :param holders: by slab the process that holds it, 0 for none.
    :param now: seconds since the epoch.
    :param counters_only: leave out what only the dashboard shows: half of the work.
    """
    slabs = [Slab(words) for words in memory]
    return Snapshot(
        taken=now,
        started=started,
        shared=shared,
        reason=reason,
        slabs=len(slabs),
        respawns=respawns,
        series=_series(slabs),
        latencies=() if counters_only else _latencies(slabs),
        own=sum(slab.words[layout.OWN] for slab in slabs),
        failures=() if counters_only else _failures(slabs),
        exceptions=_exceptions(slabs),
        slowest=() if counters_only else _slowest(slabs, now),
        content_types=[ContentType(key, *row) for key, row in _summed(slabs, CONTENT_TYPES)],
        codings=[Coding(key, row[0], row[1], row[2], row[3] * _NS) for key, row in _summed(slabs, CODINGS)],
        databases=[Database(key, row[0], row[1] * _NS, *row[2:]) for key, row in _summed(slabs, ALIASES)],
        slow_queries=() if counters_only else _slow_queries(slabs),
        repeated=sum(slab.words[layout.REPEATED] for slab in slabs),
        queue=_queue(slabs),
        workers=_workers(slabs, holders),
        seconds=() if counters_only else _seconds(slabs, int(now)),
        windows=() if counters_only else _windows(slabs, int(now)),
        hours=() if counters_only else _hours(slabs, int(now)),
        overflow=_overflow(slabs),
    )


def read_recent(
    memory: Sequence[memoryview], holders: Sequence[int], now: float, seconds: float, *, started: float
) -> Snapshot:
    """The workers, and the last seconds and windows: what is looked at once a second.

    :param seconds: how far back, up to 300.
    """
    slabs = [Slab(words) for words in memory]
    windows = int(seconds) // layout.W_SECONDS + 2  # one is running, and one may be cut at either end
    return Snapshot(
        taken=now,
        started=started,
        slabs=len(slabs),
        workers=_workers(slabs, holders),
        seconds=_seconds(slabs, int(now), min(int(seconds) + 1, SECONDS.slots)),
        windows=_windows(slabs, int(now), min(windows, WINDOWS.slots)),
    )


def _added(slabs: Iterable[Slab], table: Table) -> dict[bytes, int]:
    """The rows of a table, added up over slabs, each as one long integer.

    No word of 64 bits ever carries into the next, so one addition does for all.
    """
    sums: dict[bytes, int] = {}
    for slab in slabs:
        for key, _, row in slab.copied(table):
            sums[key] = sums.get(key, 0) + int.from_bytes(row, byteorder)
    return sums


def _words(row: int, count: int) -> list[int]:
    """The words of such an integer."""
    data: Any = memoryview(row.to_bytes(count * layout.WORD, byteorder))
    words: list[int] = data.cast("Q").tolist()
    return words


def _summed(slabs: Iterable[Slab], table: Table) -> Iterator[tuple[str, list[int]]]:
    """The rows of a table, added up over slabs, but for those of zeros, as row 0 mostly is."""
    return ((_text(key), _words(row, table.words)) for key, row in _added(slabs, table).items() if row)


@lru_cache(2048)
def _text(key: bytes) -> str:
    return key.decode("utf-8", "replace")


def _series(slabs: Iterable[Slab]) -> list[Series]:
    extremes: dict[bytes, list[int]] = {}
    sums: dict[bytes, int] = {}
    for slab in slabs:
        for key, _, row in slab.copied(SERIES):
            summed, ends = row[:_SUMMED], row[_SUMMED:]
            sums[key] = sums.get(key, 0) + int.from_bytes(summed, byteorder)
            extremes.setdefault(key, []).extend(_LEAST_MOST.unpack(ends))
    found = []
    for key, summed_up in sums.items():
        if summed_up:
            *buckets, total = _words(summed_up, BUCKETS + 1)
            method, status, route = _series_key(key)
            both = extremes[key]
            least = min(filter(None, both[::2]), default=0)
            found.append(
                Series(
                    route,
                    method,
                    status,
                    sum(buckets),
                    total * _NS,
                    least * _NS,
                    max(both) * _NS,
                    tuple(buckets),
                )
            )
    return found


@lru_cache(2048)
def _series_key(key: bytes) -> tuple[str, int, str]:
    words = _text(key).split(" ", 2)
    if len(words) == 3 and words[1].isdigit():
        return words[0], int(words[1]), words[2]
    return "_OTHER", 0, OVERFLOW


def _latencies(slabs: Iterable[Slab]) -> list[Latencies]:
    found = []
    for key, cells in _summed(slabs, ENDPOINTS):
        method, _, route = key.partition(" ")
        method, route = (method, route) if route else ("_OTHER", OVERFLOW)
        found.append(Latencies(route, method, cells))
    return found


def _exceptions(slabs: Iterable[Slab]) -> dict[tuple[str, str], int]:
    counts = {}
    for key, (count,) in _summed(slabs, EXCEPTIONS):
        severity, _, kind = key.partition(" ")
        counts[(kind or OVERFLOW, severity if kind else "error")] = count
    return counts


def _records(slabs: Iterable[Slab], ring: Ring, make: Callable[[dict[str, Any]], Any]) -> list[Any]:
    """What the rings hold, newest first; what isn't as we write it is left out."""
    found = []
    for slab in slabs:
        for _, record in slab.records(ring):
            try:
                found.append(make(record))
            except (KeyError, TypeError, ValueError):
                continue
    found.sort(key=lambda one: one.at, reverse=True)
    return found


def _failures(slabs: Iterable[Slab]) -> list[Failure]:
    def make(record: dict[str, Any]) -> Failure:
        return Failure(
            float(record["at"]), str(record["type"]), str(record["severity"]), str(record["message"]),
            str(record["route"]), str(record["method"]), int(record["status"]), float(record["seconds"]),
            _optional(record["request_id"]),
        )  # fmt: skip

    return _records(slabs, FAILURES, make)[:MOST_RECORDS]


def _slowest(slabs: Iterable[Slab], now: float) -> list[SlowRequest]:
    def make(record: dict[str, Any]) -> SlowRequest:
        return SlowRequest(
            float(record["at"]), str(record["route"]), str(record["method"]), int(record["status"]),
            float(record["seconds"]), _optional(record["request_id"]),
        )  # fmt: skip

    recent = [one for one in _records(slabs, SLOWEST, make) if one.at > now - _SLOWEST_FOR]
    return sorted(recent, key=lambda one: one.seconds, reverse=True)[:MOST_SLOWEST]


def _slow_queries(slabs: Iterable[Slab]) -> list[SlowQuery]:
    def make(record: dict[str, Any]) -> SlowQuery:
        return SlowQuery(
            float(record["at"]), str(record["alias"]), str(record["statement"]), float(record["seconds"]),
            str(record.get("route", "")), _optional(record.get("request_id")),
        )  # fmt: skip

    return _records(slabs, SLOW_QUERIES, make)[:MOST_RECORDS]


def _optional(value: object) -> str | None:
    return None if value is None else str(value)


def _queue(slabs: Iterable[Slab]) -> Queue:
    count = sum(slab.words[layout.QUEUED] for slab in slabs)
    seconds = sum(slab.words[layout.QUEUE_NS] for slab in slabs) * _NS
    return Queue(count, seconds, max(slab.words[layout.QUEUE_MOST] for slab in slabs) * _NS)


def _workers(slabs: Sequence[Slab], holders: Sequence[int]) -> list[Worker]:
    held = enumerate(zip(slabs, holders, strict=True))
    return [_worker(slab, number, holder) for number, (slab, holder) in held if holder]


def _worker(slab: Slab, number: int, pid: int) -> Worker:
    words = slab.words
    pools = []
    for pool in range(min(words[layout.POOLS_COUNT], layout.MOST_POOLS)):
        first = layout.POOLS + pool * layout.POOL_WORDS
        place = first * layout.WORD
        alias = bytes(slab.raw[place : place + layout.POOL_ALIAS_BYTES]).rstrip(b"\0")
        pools.append((_text(alias), words[first + 8], words[first + 9], words[first + 10] - 2**32))
    in_flight = words[layout.IN_FLIGHT]
    return Worker(
        pid,
        number,
        words[layout.STARTED] / 1e6,
        words[layout.REQUESTS],
        in_flight,
        words[layout.THREADS],
        tuple(pools),
    )


def _merged(
    memory: Iterable[Any], first: int, slots: int, width: int, stamps: range
) -> list[tuple[int, list[int]]]:
    """What lies behind the stamps that are there, added up over slabs, in order.

    :param memory: of each slab, in words or half words, and so are `first` and `width`.
    """
    sums: dict[int, list[int]] = {}
    for words in memory:
        for stamp in stamps:
            place = first + stamp % slots * width
            if words[place] == stamp:
                row = words[place + 1 : place + width].tolist()
                own = sums.get(stamp)
                sums[stamp] = row if own is None else [a + b for a, b in zip(own, row, strict=True)]
    return sorted(sums.items())


def _seconds(slabs: Iterable[Slab], now: int, seconds: int = SECONDS.slots) -> list[Second]:
    first, slots, width = SECONDS
    found = _merged((slab.words for slab in slabs), first, slots, width, range(now - seconds + 1, now + 1))
    return [
        Second(stamp, (row[0], row[1], row[2], row[3], row[4]), row[5] * _NS, *row[6:10], row[10] * _NS)  # type: ignore[call-arg]
        for stamp, row in found
    ]


def _windows(slabs: Iterable[Slab], now: int, windows: int = WINDOWS.slots) -> list[Window]:
    first, slots, width = WINDOWS
    last = now // layout.W_SECONDS
    stamps = range(last - windows + 1, last + 1)
    found = _merged((slab.half for slab in slabs), 2 * first, slots, 2 * width, stamps)
    return [
        Window(stamp * layout.W_SECONDS, sum(row[1 : COARSE_CELLS + 1]), row[0], row[1 : COARSE_CELLS + 1])
        for stamp, row in found
    ]


def _hours(slabs: Iterable[Slab], now: int) -> list[Hour]:
    first, slots, width = HOURS
    last = now // 3600
    found = _merged((slab.words for slab in slabs), first, slots, width, range(last - slots + 1, last + 1))
    return [Hour(stamp * 3600, row[0], row[1]) for stamp, row in found]


def _overflow(slabs: Iterable[Slab]) -> dict[str, int]:
    return {table.name: sum(slab.words[table.overflow] for slab in slabs) for table in TABLES}
