"""To go on in another slab: what was counted in one is added to another.

A process that found no free slab counts in memory of its own until there is one, and whose file was deleted
goes on in the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsgiperf.monitor.recording import layout
from wsgiperf.monitor.recording.folding import folded
from wsgiperf.monitor.recording.layout import (
    FAILURES,
    HOURS,
    LEAST,
    MOST,
    SECONDS,
    SERIES,
    SLOW_QUERIES,
    SLOWEST,
    SUM,
    WINDOWS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsgiperf.monitor.recording.layout import Slots, Table
    from wsgiperf.monitor.recording.slab import Rows, Slab

__all__ = ["absorb"]

_ADDED = (layout.IN_FLIGHT, layout.REQUESTS, layout.OWN, layout.REPEATED, layout.QUEUED, layout.QUEUE_NS)


def absorb(into: Slab, rows: Mapping[str, Rows], other: Slab) -> None:
    """Add all of one slab to another. Whoever calls holds the lock of `into`, and nobody adds to `other`.

    :param rows: the tables of `into`.
    """
    words, theirs = into.words, other.words
    for word in _ADDED:
        words[word] += theirs[word]
    words[layout.QUEUE_MOST] = max(words[layout.QUEUE_MOST], theirs[layout.QUEUE_MOST])
    for table in layout.TABLES:
        _absorb_table(into, rows[table.name], other, table)
    _absorb_slots(into, other, SECONDS)
    _absorb_slots(into, other, HOURS)
    _absorb_windows(into, other)
    for ring, following in ((FAILURES, layout.FAILURES_NEXT), (SLOW_QUERIES, layout.SLOW_QUERIES_NEXT)):
        for _, record in other.records(ring):
            into.put(ring, words[following], record, "message")
            words[following] += 1
    for cell, record in other.records(SLOWEST):
        into.put(SLOWEST, cell, record, "route")


def _absorb_table(into: Slab, rows: Rows, other: Slab, table: Table) -> None:
    words, theirs = into.words, other.words
    added = SUM + 1 if table is SERIES else table.words
    for key, word in other.rows(table):
        if not any(theirs[word : word + added]):
            continue
        text = key.decode("utf-8", "replace")
        own = rows.find(text, folded(int(text.split(" ")[1])) if table is SERIES and " " in text else None)
        if table is SERIES:
            least = theirs[word + LEAST]
            words[own + LEAST] = min(words[own + LEAST] or least, least)
            words[own + MOST] = max(words[own + MOST], theirs[word + MOST])
        for offset in range(added):
            words[own + offset] += theirs[word + offset]


def _absorb_slots(into: Slab, other: Slab, slots: Slots) -> None:
    words, theirs = into.words, other.words
    for first in range(slots.first, slots.end, slots.words):
        end = first + slots.words
        if theirs[first] > words[first]:
            words[first:end] = theirs[first:end]
        elif theirs[first] == words[first] != 0:
            for word in range(first + 1, end):
                words[word] += theirs[word]


def _absorb_windows(into: Slab, other: Slab) -> None:
    """The same for slots of half words."""
    half, theirs, width = into.half, other.half, 2 * WINDOWS.words
    for first in range(2 * WINDOWS.first, 2 * WINDOWS.end, width):
        end = first + width
        if theirs[first] > half[first]:
            half[first:end] = theirs[first:end]
        elif theirs[first] == half[first] != 0:
            for word in range(first + 1, end):
                half[word] += theirs[word]
