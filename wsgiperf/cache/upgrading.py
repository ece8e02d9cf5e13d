"""The best encoding for what stays hot: Brotli at its highest quality, made in the background.

It takes some sixty times as long as the quality that pages are first sent in, and saves another tenth of the
bytes. So it is done for entries that are asked for again and again, for one at a time in each process, and
only where the entry stays fresh for much longer than the work takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsgiperf.cache import clock
from wsgiperf.cache.refresh import Refresher

if TYPE_CHECKING:
    from wsgiperf.cache.entry import Entry

__all__ = ["HOT", "Upgrader"]

#: Hits of an entry in one process, after which it counts as hot.
HOT = 64
#: Bytes. A larger body would keep a processor busy for more than a third of a second.
LARGEST = 256 * 1024
#: Seconds a byte, measured with `benchmarks.compression`'s pages (121 ms for 100 KB), rounded up.
SECONDS_PER_BYTE = 1.5e-6
#: The remaining freshness is to be at least so many times what the work takes.
WORTH = 100


class Upgrader:
    """Re-encodes hot entries, one at a time."""

    def __init__(self) -> None:
        self._worker = Refresher(1)

    def consider(self, entry: Entry) -> bool:
        """Have an entry's variant improved, if that is worth it; whether it is."""
        size = len(entry.body)
        if "br" not in entry.variants or size > LARGEST:
            return False
        if entry.fresh_until - clock.now() < WORTH * SECONDS_PER_BYTE * size:
            return False
        return self._worker.schedule(entry.key, lambda: _improve(entry))


def _improve(entry: Entry) -> None:
    import brotli  # type: ignore[import-untyped]

    encoded = brotli.compress(entry.body, quality=11)
    if len(encoded) < len(entry.variants.get("br", b"")):
        entry.variants["br"] = encoded
