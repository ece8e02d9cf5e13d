"""What lies where in a slab: the one process's part of the shared file.

A slab is 64-bit words in the machine's own byte order, all zero at first. Counters only grow; a process that
takes a slab over goes on where its owner stopped. Only the gauges are set to zero then.

Tables have rows of a key (two bytes of length, then UTF-8) and words. A row is written before the table's
count says that it is there, so a reader in another process never sees half a key. What finds no room any more
is counted in row 0, which is kept for that. Rings have cells that are overwritten in turn.
"""

from __future__ import annotations

from typing import NamedTuple

from wsgiperf.monitor.histogram import BOUNDS, CELLS, COARSE_CELLS

__all__ = [
    "ALIASES",
    "CODINGS",
    "CONTENT_TYPES",
    "ENDPOINTS",
    "EXCEPTIONS",
    "FAILURES",
    "GAUGES",
    "HOURS",
    "KEPT",
    "LAYOUT",
    "OVERFLOW",
    "SECONDS",
    "SERIES",
    "SLAB_BYTES",
    "SLOWEST",
    "SLOW_QUERIES",
    "TABLES",
    "WINDOWS",
    "Ring",
    "Slots",
    "Table",
]

#: Changes whenever anything here does: files of another layout are other files.
LAYOUT = 1
WORD = 8
#: The key of each table's row 0.
OVERFLOW = "overflow"
#: Rows of a table that are kept for keys which do in the place of others.
KEPT = 5

# -- the head: gauges of the process that holds the slab, then counters

STARTED, IN_FLIGHT, THREADS, REQUESTS, POOLS_COUNT = range(5)
#: Connection pools: alias (in 8 words), size, checked out, overflow plus 2**32.
POOLS, MOST_POOLS, POOL_WORDS, POOL_ALIAS_BYTES = 8, 4, 11, 64
GAUGES = (0, POOLS + MOST_POOLS * POOL_WORDS)

OWN, REPEATED, QUEUED, QUEUE_NS, QUEUE_MOST, FAILURES_NEXT, SLOW_QUERIES_NEXT = range(64, 71)
_COUNTS, _OVERFLOWS, _HEAD = 80, 96, 128


class Table(NamedTuple):
    """Rows found by key."""

    name: str
    number: int
    first: int  #: its first word
    rows: int
    key_words: int
    words: int  #: of a row, after its key

    @property
    def stride(self) -> int:
        """Words from row to row."""
        return self.key_words + self.words

    @property
    def end(self) -> int:
        """The first word after it."""
        return self.first + self.rows * self.stride

    @property
    def longest_key(self) -> int:
        """Bytes."""
        return self.key_words * WORD - 2

    @property
    def used(self) -> int:
        """The word that says how many rows there are."""
        return _COUNTS + self.number

    @property
    def overflow(self) -> int:
        """The word that says how often row 0 had to do."""
        return _OVERFLOWS + self.number


class Slots(NamedTuple):
    """One slot a span of time, in turn; its first word says which."""

    first: int
    slots: int
    words: int

    @property
    def end(self) -> int:
        """The first word after it."""
        return self.first + self.slots * self.words


class Ring(NamedTuple):
    """Cells of bytes: a check sum and a length (4 bytes each), then JSON."""

    first: int
    cells: int
    words: int

    @property
    def end(self) -> int:
        """The first word after it."""
        return self.first + self.cells * self.words


# -- a request's series: counts by bound, then the sum, the least and the most, in nanoseconds

BUCKETS = len(BOUNDS) + 1
SUM, LEAST, MOST = BUCKETS, BUCKETS + 1, BUCKETS + 2

# -- a second: the stamp, 1xx to 5xx, the durations' sum, and what else happened

STAMP, BY_CLASS, S_NS, S_HITS, S_MISSES, S_SAVED, S_QUERIES, S_QUERY_NS, _SECOND = (
    0,
    0,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
)

# -- ten seconds, in 32-bit words: the stamp, how many failed, and a coarse histogram

W_SECONDS, W_ERRORS, W_CELLS = 10, 1, 2
_WINDOW = (W_CELLS + COARSE_CELLS + 1) // 2

SERIES = Table("series", 0, _HEAD, 512, 29, BUCKETS + 3)
ENDPOINTS = Table("endpoints", 1, SERIES.end, 78, 28, CELLS)
#: Hits, stale, collapsed, misses.
CONTENT_TYPES = Table("content_types", 2, ENDPOINTS.end, 48, 13, 4)
#: Responses, bytes before and after, nanoseconds.
CODINGS = Table("codings", 3, CONTENT_TYPES.end, 8, 4, 4)
#: Queries, nanoseconds, slow ones, failed ones.
ALIASES = Table("aliases", 4, CODINGS.end, 16, 9, 4)
#: By severity and type.
EXCEPTIONS = Table("errors", 5, ALIASES.end, 64, 17, 1)
TABLES = (SERIES, ENDPOINTS, CONTENT_TYPES, CODINGS, ALIASES, EXCEPTIONS)

SECONDS = Slots(EXCEPTIONS.end, 300, _SECOND)
WINDOWS = Slots(SECONDS.end, 90, _WINDOW)
#: The stamp, requests, errors.
HOURS = Slots(WINDOWS.end, 168, 3)

FAILURES = Ring(HOURS.end, 100, 80)
SLOWEST = Ring(FAILURES.end, 32, 48)
SLOW_QUERIES = Ring(SLOWEST.end, 32, 100)

SLAB_BYTES = SLOW_QUERIES.end * WORD
