"""One slab in hand: its words, its tables and its rings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from zlib import crc32

from wsgiperf.monitor.recording.layout import KEPT, OVERFLOW, WORD

if TYPE_CHECKING:
    from wsgiperf.monitor.recording.layout import Ring, Table

__all__ = ["Rows", "Slab", "fitted"]


class Slab:
    """A slab's memory in its three widths.

    :param words: the whole of it, cast to ``"Q"``.
    """

    __slots__ = ("half", "raw", "words")

    def __init__(self, words: memoryview) -> None:
        self.words: Any = words
        self.raw = words.cast("B")
        self.half: Any = self.raw.cast("I")

    def rows(self, table: Table) -> Iterator[tuple[bytes, int]]:
        """The keys of a table, each with the first word of what stands beside it."""
        for key, place, _ in self.copied(table):
            yield key, place

    def copied(self, table: Table) -> Iterator[tuple[bytes, int, bytes]]:
        """The same, each with the bytes that stand there: copied at once, which is much quicker."""
        stride, longest = table.stride * WORD, table.longest_key
        first = table.first * WORD
        rows = min(self.words[table.used], table.rows)
        data = bytes(self.raw[first : first + rows * stride])
        values, word = table.key_words * WORD, table.first + table.key_words
        for start in range(0, len(data), stride):
            length = min(data[start] | data[start + 1] << 8, longest)
            key = data[start + 2 : start + 2 + length]
            yield key, word + start // WORD, data[start + values : start + stride]

    def put(self, ring: Ring, cell: int, record: dict[str, Any], shortened: str) -> None:
        """Write a record into a cell of a ring, shortening one of its strings where that must be."""
        import json  # with the first failure, not with the import

        room = ring.words * WORD - 8
        while (
            len(data := json.dumps(record, ensure_ascii=False, default=str).encode("utf-8", "replace")) > room
        ):
            text = record.get(shortened) or ""
            if not text:
                return  # nothing of ours: every other string has a bound
            record = {**record, shortened: text[: max(0, len(text) - max(8, (len(data) - room) // 4))]}
        place = (ring.first + cell % ring.cells * ring.words) * WORD
        self.raw[place : place + 8 + len(data)] = (
            crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little") + data
        )

    def records(self, ring: Ring) -> Iterator[tuple[int, dict[str, Any]]]:
        """The records of a ring by their cells, without what is damaged or just being written."""
        import json

        room = ring.words * WORD - 8
        for cell in range(ring.cells):
            place = (ring.first + cell * ring.words) * WORD
            head = bytes(self.raw[place : place + 8])
            length = int.from_bytes(head[4:], "little")
            if not 0 < length <= room:
                continue
            data = bytes(self.raw[place + 8 : place + 8 + length])
            if crc32(data) != int.from_bytes(head[:4], "little"):
                continue
            try:
                record = json.loads(data)
            except ValueError:
                continue
            if type(record) is dict:
                yield cell, record


class Rows:
    """A table of this process's own slab, by key. Whoever adds holds the slab's lock.

    :param slab: what a former owner left in it is found again.
    """

    __slots__ = ("_known", "_slab", "_table")

    def __init__(self, slab: Slab, table: Table) -> None:
        self._slab, self._table = slab, table
        self._known = dict(reversed([*slab.rows(table)]))  # of two, the first
        if not self._known:
            self._add(OVERFLOW.encode())

    def find(self, key: str, instead: str | None = None) -> int:
        """The first word beside a key, in a new row where there is room, else in row 0.

        :param instead: one of a few keys to do in its place where there is none: for these room is kept.
        """
        encoded = fitted(key, self._table.longest_key).encode("utf-8", "replace")
        word = self._known.get(encoded)
        if word is not None:
            return word
        if instead is None or self._slab.words[self._table.used] < self._table.rows - KEPT:
            return self._add(encoded)
        self._slab.words[self._table.overflow] += 1
        return self.find(instead)

    def _add(self, key: bytes) -> int:
        table, slab = self._table, self._slab
        count = slab.words[table.used]
        if count >= table.rows:
            slab.words[table.overflow] += 1
            return table.first + table.key_words
        word = table.first + count * table.stride
        slab.raw[word * WORD : word * WORD + 2 + len(key)] = len(key).to_bytes(2, "little") + key
        slab.words[table.used] = count + 1
        self._known[key] = word + table.key_words
        return self._known[key]


def fitted(text: str, most: int) -> str:
    """The text, shortened to so many bytes of UTF-8 where it is longer."""
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= most else encoded[: most - 3].decode("utf-8", "ignore") + "…"
