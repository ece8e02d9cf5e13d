"""One process's place among those that count together: its slab, and the view of all slabs."""

from __future__ import annotations

import logging
from os import getpid
from threading import Lock
from time import time
from typing import TYPE_CHECKING, Any

from wsgiperf.monitor.recording.layout import GAUGES, LAYOUT, SLAB_BYTES
from wsgiperf.monitor.recording.reading import read
from wsgiperf.monitor.recording.recorder import Recorder
from wsgiperf.monitor.shared.segment import Segment, SegmentError, attach

if TYPE_CHECKING:
    from wsgiperf.monitor.background import Background
    from wsgiperf.monitor.snapshot import Snapshot
    from wsgiperf.settings import MonitorSettings

__all__ = ["Collector", "collector_of"]

_log = logging.getLogger("wsgiperf.monitor")


class Collector:
    """Counts into a slab of the shared file or, where there is none, into memory of this process alone.

    :param segment: the shared file; None for none.
    :param reason: why not, in a sentence.
    """

    def __init__(self, segment: Segment | None, reason: str | None = None) -> None:
        self.segment, self.reason = segment, reason
        self.pid = getpid()
        if segment is None:
            self._memory = [memoryview(bytearray(SLAB_BYTES)).cast("Q")]
            self._started = time()
        else:
            self._memory = [segment.slab(number) for number in range(segment.slabs)]
            self._started = segment.created
        own = self._memory[0] if segment is None else segment.words
        self.recorder = Recorder(own)
        self._background: Background | None = None
        self._lock = Lock()

    def run(self, settings: MonitorSettings) -> None:
        """Start what runs beside requests, once: by the settings of the first monitor of this process."""
        with self._lock:
            if self._background is None:
                from wsgiperf.monitor.background import Background  # brings threads, and more modules

                self._background = Background(self, settings)

    def board(self) -> dict[str, Any]:
        """What the sampler, in whichever process, has published last; nothing before its first turn."""
        import json

        background = self._background
        try:
            found = json.loads(background.board() if background is not None else b"{}")
        except ValueError:
            return {}
        return found if type(found) is dict else {}

    def snapshot(self, *, counters_only: bool = False) -> Snapshot:
        """The figures of all workers, as they are now."""
        segment = self.segment
        return read(
            self._memory,
            [self.pid] if segment is None else segment.holders(),
            time(),
            started=self._started,
            respawns=0 if segment is None else segment.respawns,
            shared=segment is not None and not segment.reason,
            reason=self.reason,
            counters_only=counters_only,
        )


_collectors: dict[tuple[int, str, int], Collector] = {}
_lock = Lock()


def collector_of(state: str, slabs: int) -> Collector:
    """This process's collector: one for all monitors with the same shared file.

    :param state: the file's path; empty has one found.
    :param slabs: how many workers can share it.
    """
    global _lock
    wanted = getpid(), state, slabs
    found = _collectors.get(wanted)
    if found is not None:
        return found
    if any(pid != wanted[0] for pid, _, _ in _collectors):  # forked: what is there is the parent's
        _lock = Lock()
        _collectors.clear()
    with _lock:
        if wanted not in _collectors:
            _collectors[wanted] = _attached(state, slabs)
        return _collectors[wanted]


def _attached(state: str, slabs: int) -> Collector:
    try:
        segment = attach(state, slabs=slabs, slab_bytes=SLAB_BYTES, layout=LAYOUT, gauges=GAUGES)
    except SegmentError as error:
        _log.warning("the monitor counts in this process alone: %s", error)
        return Collector(None, str(error))
    except Exception as error:
        _log.exception("the monitor counts in this process alone")
        return Collector(None, f"{type(error).__name__} while the shared file was opened")
    return Collector(segment, segment.reason or None)
