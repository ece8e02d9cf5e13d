"""One process's place among those that count together: its slab, and the view of all slabs."""

from __future__ import annotations

import logging
import threading
from os import getpid
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from wsgiperf.monitor.recording.layout import GAUGES, LAYOUT, SLAB_BYTES
from wsgiperf.monitor.recording.reading import read, read_recent
from wsgiperf.monitor.recording.recorder import Recorder
from wsgiperf.monitor.shared.segment import Segment, SegmentError, attach

if TYPE_CHECKING:
    from wsgiperf.monitor.background import Background
    from wsgiperf.monitor.snapshot import Snapshot
    from wsgiperf.settings import MonitorSettings

__all__ = ["Collector", "collector_of"]

#: Seconds between two looks for a slab, where there was none: old workers make room when they go.
RETRY = 5.0

_log = logging.getLogger("wsgiperf.monitor")


class Collector:
    """Counts into a slab of the shared file or, while there is none, into memory of this process alone.

    :param state: the file's path; empty has one found.
    :param slabs: how many workers can share it.
    """

    def __init__(self, state: str, slabs: int) -> None:
        self._wanted = state, slabs
        self.pid = getpid()
        self._again = monotonic() + RETRY  # when to look for a slab again, on the monotonic clock
        self._background: Background | None = None
        self._lock = threading.Lock()
        self._view = view = _View(*self._attached())
        self.recorder = Recorder(view.own)

    @property
    def segment(self) -> Segment | None:
        """The shared file; None while there is none."""
        return self._view.segment

    def keep_place(self) -> None:
        """Once a second: see whether the file is still that of all, or whether there is a slab by now."""
        segment = self.segment
        if segment is None:
            if monotonic() < self._again:
                return
            self._again = monotonic() + RETRY
        elif segment.is_current():
            return
        found, reason = self._attached(again=True)
        if found is not None or segment is not None:
            view = _View(found, reason)
            # Counts only grow for who looks meanwhile: what is looked at has them all until the other has.
            self.recorder.move_to(view.own)
            self._view = view

    def _attached(self, again: bool = False) -> tuple[Segment | None, str | None]:
        state, slabs = self._wanted
        try:
            segment = attach(state, slabs=slabs, slab_bytes=SLAB_BYTES, layout=LAYOUT, gauges=GAUGES)
        except SegmentError as error:
            if not again:
                _log.warning("the monitor counts in this process alone: %s", error)
            return None, str(error)
        except Exception as error:
            if not again:
                _log.exception("the monitor counts in this process alone")
            return None, f"{type(error).__name__} while the shared file was opened"
        return segment, segment.reason or None

    def run(self, settings: MonitorSettings) -> None:
        """Start what runs beside requests, once: by the settings of the first monitor of this process."""
        with self._lock:
            if self._background is not None:
                return
            try:
                from wsgiperf.monitor.background import Background  # brings threads, and more modules

                self._background = Background(self, settings)
            except Exception:  # the request that came first is to be counted all the same
                _log.exception("the monitor counts, but samples nothing and looks after no alerts")

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
        view = self._view
        segment = view.segment
        return read(
            view.memory,
            [self.pid] if segment is None else segment.holders(),
            time(),
            started=view.started,
            respawns=0 if segment is None else segment.respawns,
            shared=segment is not None and not segment.reason,
            reason=view.reason,
            counters_only=counters_only,
        )

    def recent(self, seconds: float) -> Snapshot:
        """The workers, and what they did in the last so many seconds."""
        view = self._view
        holders = [self.pid] if view.segment is None else view.segment.holders()
        return read_recent(view.memory, holders, time(), seconds, started=view.started)


class _View:
    """What is counted into and looked at, at one time: replaced as a whole.

    :param segment: the shared file, None for none.
    :param reason: why it isn't shared with all workers, in a sentence.
    """

    __slots__ = ("memory", "own", "reason", "segment", "started")

    def __init__(self, segment: Segment | None, reason: str | None) -> None:
        self.segment, self.reason = segment, reason
        if segment is None:
            self.own = memoryview(bytearray(SLAB_BYTES)).cast("Q")
            self.memory, self.started = [self.own], time()
        else:
            self.own = segment.words
            self.memory = [segment.slab(number) for number in range(segment.slabs)]
            self.started = segment.created


_collectors: dict[tuple[int, str, int], Collector] = {}
#: By process, and made there: in a child of a fork the parent's may be held for ever, and gevent's exist only
#: after it has patched. Another would stop all greenlets while the one that holds it waits for a file.
_turns: dict[int, threading.Lock] = {}


def collector_of(state: str, slabs: int) -> Collector:
    """This process's collector: one for all monitors with the same shared file.

    :param state: the file's path; empty has one found.
    :param slabs: how many workers can share it.
    """
    pid = getpid()
    wanted = pid, state, slabs
    found = _collectors.get(wanted)
    if found is not None:
        return found
    with _turns.setdefault(pid, threading.Lock()):
        for parents in [key for key in _collectors if key[0] != pid]:
            del _collectors[parents]
        if wanted not in _collectors:
            _collectors[wanted] = Collector(state, slabs)
        return _collectors[wanted]
