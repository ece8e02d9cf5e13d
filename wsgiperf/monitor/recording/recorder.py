"""What each request adds to its process's slab: integers, under one lock."""

from __future__ import annotations

import os
from os import getpid
from threading import RLock
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

from wsgiperf.events import Cached, Compressed
from wsgiperf.monitor.histogram import bucket_of, cell_of
from wsgiperf.monitor.queries.counting import QUERIES, REPEATED, SLOW_SECONDS
from wsgiperf.monitor.recording import layout
from wsgiperf.monitor.recording.absorbing import absorb
from wsgiperf.monitor.recording.folding import METHODS, OTHER_METHOD, UNMATCHED, folded, status_code
from wsgiperf.monitor.recording.layout import (
    HOURS,
    IN_FLIGHT,
    LEAST,
    MOST,
    REQUESTS,
    S_HITS,
    S_MISSES,
    S_NS,
    S_SAVED,
    SECONDS,
    SUM,
    W_CELLS,
    W_ERRORS,
    WINDOWS,
)
from wsgiperf.monitor.recording.records import Records, cause_of
from wsgiperf.monitor.recording.slab import Rows, Slab

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wsgiperf.exchange import Exchange
    from wsgiperf.monitor.queries.counting import Queries

    #: Route, method, and status as given.
    _Place = tuple[str, str, str | None]

__all__ = ["Recorder"]

#: Routes with methods and statuses, as given, whose place is remembered, and likewise content types. Reason
#: phrases and parameters may be anything.
MOST_REMEMBERED = 2048
#: Paths below which applications are mounted in one process.
MOST_MOUNTS, LONGEST_MOUNT = 8, 60
_CACHED = {"hit": 0, "stale": 1, "collapsed": 2, "miss": 3}
_TOKEN = frozenset("!#$&-^_.+abcdefghijklmnopqrstuvwxyz0123456789/")
_SECONDS, _SECOND_SLOTS, _SECOND_WORDS = SECONDS
_TENS = layout.W_SECONDS
_NOTHING: Any = memoryview(bytearray(8 * max(SECONDS.words, WINDOWS.words, HOURS.words))).cast("Q")


class Recorder:
    """Adds to one slab, from any thread of the process that holds it.

    :param words: the slab, cast to ``"Q"``.
    """

    def __init__(self, words: memoryview) -> None:
        self._lock = RLock()  # a finalizer may send a query amid all this
        self._pid = _see_process()
        self._began = int(time() * 1e6)
        self._mounts: set[str] = set()
        self.slow_seconds, self.repeated = SLOW_SECONDS, REPEATED  #: of queries
        self._settle(Slab(words))

    def _settle(self, slab: Slab) -> None:
        self._slab, self._words, self._half = slab, slab.words, slab.half
        self._places: dict[_Place, tuple[int, int, int]] = {}
        self._codings: dict[str, int] = {}
        self._types: dict[str, int] = {}  # a Content-Type as sent -> the first word beside its media type
        self._rows = {table.name: Rows(slab, table) for table in layout.TABLES}
        self._records = Records(slab)
        # The second that is now; where it, its window and its hour begin: in words, half words and words.
        self._stamp = self._second = self._window = self._hour = 0
        slab.words[layout.STARTED] = self._began

    def move_to(self, words: memoryview) -> None:
        """Go on in another slab, with all that was counted in this one."""
        with self._lock:
            left = self._slab
            self._settle(Slab(words))
            absorb(self._slab, self._rows, left)

    def begin(self) -> None:
        """A request has come in."""
        with self._lock:
            self._words[IN_FLIGHT] += 1

    def queued(self, seconds: float) -> None:
        """A request waited for a worker."""
        ns = int(seconds * 1e9)
        with self._lock:
            words = self._words
            words[layout.QUEUED] += 1
            words[layout.QUEUE_NS] += ns
            words[layout.QUEUE_MOST] = max(ns, words[layout.QUEUE_MOST])

    def own(self) -> None:
        """A request was for the monitor's own pages."""
        with self._lock:
            self._words[layout.OWN] += 1

    def record(self, exchange: Exchange, match: Callable[[str], str] | None) -> None:
        """The last byte is out: count the request.

        :param match: the route of a path, where no framework tells it.
        """
        if self._pid != _pid:
            return  # begun before a fork: it is the parent's
        elapsed = perf_counter() - exchange.started
        now = time()
        route = exchange._route
        if route is None:
            route = UNMATCHED if match is None else match(exchange.path)
        elif exchange.mount:
            route = self._mounted(exchange.mount) + route
        method = exchange.method
        place = (route, method if method in METHODS else OTHER_METHOD, exchange.status)
        ns = int(elapsed * 1e9)
        cell = cell_of(elapsed)
        stamp = int(now)
        with self._lock:
            words, half = self._words, self._half
            series, cells, kind = self._places.get(place) or self._find(place)
            in_flight = words[IN_FLIGHT]
            if in_flight:  # there is nothing below zero
                words[IN_FLIGHT] = in_flight - 1
            words[REQUESTS] += 1
            words[series + bucket_of(elapsed)] += 1
            words[series + SUM] += ns
            if ns > words[series + MOST]:
                words[series + MOST] = ns
            least = words[series + LEAST]
            if ns < least or not least:
                words[series + LEAST] = ns or 1
            words[cells + cell] += 1
            if stamp != self._stamp:
                self._begin_second(stamp)
            second = self._second
            words[second + kind] += 1
            words[second + S_NS] += ns
            words[self._hour + 1] += 1
            half[self._window + W_CELLS + cell // 5] += 1
            if exchange.events or exchange.notes:
                self._count_events(exchange, route, second, now)
            if kind == 5 or exchange.error is not None or ns > self._records.slow_beyond:
                self._keep(exchange, route, elapsed, now, kind == 5)

    # -- the rest is rare, or holds the lock

    def _find(self, place: _Place) -> tuple[int, int, int]:
        """Where a request is counted: its series, its endpoint's cells, its class."""
        route, method, status = place
        code = status_code(status)
        series = self._rows["series"].find(f"{method} {code} {route}", folded(code))
        cells = self._rows["endpoints"].find(f"{method} {route}")
        if len(self._places) >= MOST_REMEMBERED:
            self._places.clear()
        self._places[place] = found = series, cells, code // 100
        return found

    def _mounted(self, mount: str) -> str:
        """What routes of an application begin with that a dispatcher passes requests to below this path."""
        if mount in self._mounts:
            return mount
        # A proxy that passes such a header of the client's on makes it anybody's word.
        if len(self._mounts) >= MOST_MOUNTS or len(mount) > LONGEST_MOUNT:
            return ""
        self._mounts.add(mount)
        return mount

    def _begin_second(self, stamp: int) -> None:
        words, half = self._words, self._half
        self._stamp = stamp
        self._second = second = _SECONDS + stamp % _SECOND_SLOTS * _SECOND_WORDS
        if words[second] != stamp:
            words[second : second + _SECOND_WORDS] = _NOTHING[:_SECOND_WORDS]
            words[second] = stamp
        tens = stamp // _TENS
        window = WINDOWS.first + tens % WINDOWS.slots * WINDOWS.words
        if half[2 * window] != tens:
            words[window : window + WINDOWS.words] = _NOTHING[: WINDOWS.words]
            half[2 * window] = tens
        self._window = 2 * window
        hours = stamp // 3600
        self._hour = hour = HOURS.first + hours % HOURS.slots * HOURS.words
        if words[hour] != hours:
            words[hour : hour + HOURS.words] = _NOTHING[: HOURS.words]
            words[hour] = hours

    def _keep(self, exchange: Exchange, route: str, elapsed: float, now: float, failed: bool) -> None:
        """A request that failed, or one of the slowest."""
        words = self._words
        if failed:
            words[self._hour + 2] += 1
            self._half[self._window + W_ERRORS] += 1
        if failed or exchange.error is not None:
            cause = cause_of(exchange)
            words[self._rows["errors"].find(f"{cause[1]} {cause[0]}")] += 1
            self._records.failed(exchange, route, elapsed, now, cause)
        ns = int(elapsed * 1e9)
        if ns > self._records.slow_beyond:
            self._records.slow(exchange, route, ns, now)

    def _count_events(self, exchange: Exchange, route: str, second: int, now: float) -> None:
        for event in exchange.events:
            kind = type(event)
            if kind is Cached:
                self._count_cached(event.how, exchange, second)
            elif kind is Compressed:
                self._count_compressed(event, second)
        queries = exchange.notes.get(QUERIES)
        if queries is not None:
            self._count_queries(exchange, route, queries, second, now)

    def _count_cached(self, event_how: str, exchange: Exchange, second: int) -> None:
        how = _CACHED.get(event_how)
        if how is None:
            return
        sent = _content_type(exchange)
        words, row = self._words, self._types.get(sent)
        if row is None:
            if len(self._types) >= MOST_REMEMBERED:
                self._types.clear()
            row = self._types[sent] = self._rows["content_types"].find(_media_type(sent))
        words[row + how] += 1
        words[second + (S_MISSES if how == 3 else S_HITS)] += 1

    def _count_compressed(self, event: Compressed, second: int) -> None:
        coding, before, after, seconds = event
        words, row = self._words, self._codings.get(coding)
        if row is None:
            row = self._codings[coding] = self._rows["codings"].find(coding)  # there are three
        words[row] += 1
        words[row + 1] += before
        words[row + 2] += after
        if seconds:
            words[row + 3] += int(seconds * 1e9)
        if before > after:
            words[second + S_SAVED] += before - after

    def _count_queries(
        self, exchange: Exchange, route: str, queries: Queries, second: int, now: float
    ) -> None:
        words = self._words
        for alias, counted in queries.aliases.items():
            self._add_queries(alias, counted.count, counted.seconds, counted.slow, counted.failures)
        words[second + layout.S_QUERIES] += queries.count
        words[second + layout.S_QUERY_NS] += int(queries.seconds * 1e9)
        words[layout.REPEATED] += queries.most_repeated[1] >= self.repeated
        for slow in queries.slow:
            self._records.slow_query(slow.alias, slow.statement, slow.seconds, now, exchange, route)

    def query_outside(self, alias: str, seconds: float, failed: bool, statement: str) -> None:
        """A query of no request: of a background thread, say.

        :param statement: without parameters.
        """
        if getpid() != self._pid:
            return
        slow = seconds > self.slow_seconds
        with self._lock:
            self._add_queries(alias, 1, seconds, int(slow), int(failed))
            if slow:
                self._records.slow_query(alias, statement, seconds, time())

    def _add_queries(self, alias: str, count: int, seconds: float, slow: int, failed: int) -> None:
        words, row = self._words, self._rows["aliases"].find(alias)
        words[row] += count
        words[row + 1] += int(seconds * 1e9)
        words[row + 2] += slow
        words[row + 3] += failed

    def tell(self, threads: int, pools: Sequence[tuple[str, int, int, int]]) -> None:
        """The process's gauges.

        :param threads: how many requests it can take at once; 0 where that isn't known.
        :param pools: connection pools: alias, size, checked out, overflow.
        """
        with self._lock:
            words, raw = self._words, self._slab.raw
            words[layout.THREADS] = threads
            for number, (alias, size, out, beyond) in enumerate(pools[: layout.MOST_POOLS]):
                first = layout.POOLS + number * layout.POOL_WORDS
                key = alias.encode("utf-8", "replace")[: layout.POOL_ALIAS_BYTES]
                place = first * layout.WORD
                raw[place : place + layout.POOL_ALIAS_BYTES] = key.ljust(layout.POOL_ALIAS_BYTES, b"\0")
                words[first + 8], words[first + 9] = max(0, size), max(0, out)
                words[first + 10] = beyond + 2**32
            words[layout.POOLS_COUNT] = min(len(pools), layout.MOST_POOLS)


def _see_process() -> int:
    """The process's ID, which is looked at without a system call from then on."""
    global _pid
    _pid = getpid()
    return _pid


_pid = 0
if hasattr(os, "register_at_fork"):  # uWSGI runs nothing then, but it forks between requests only
    os.register_at_fork(after_in_child=_see_process)


def _content_type(exchange: Exchange) -> str:
    headers = exchange.headers or ()
    for name, value in headers:
        if name == "Content-Type":  # as it is spelt nearly always
            return value
    return next((value for name, value in headers if name.lower() == "content-type"), "none")


def _media_type(sent: str) -> str:
    """A media type without its parameters. The application's word, so it is looked at."""
    word = sent.partition(";")[0].strip().lower()
    return word if 0 < len(word) <= 80 and _TOKEN.issuperset(word) else "other"
