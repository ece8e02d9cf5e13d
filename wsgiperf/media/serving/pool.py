"""The threads that encode: few, daemons, and with a queue that is bounded in bytes."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable

__all__ = ["MOST_WAITING", "Pool"]

#: Tasks, whatever they weigh.
MOST_WAITING = 256

_log = logging.getLogger("wsgiperf.media")


class Pool:
    """Started when there is something to do, in the process that has it to do.

    :param threads: at most so many.
    :param capacity: bytes of sources that may wait or be at work. One alone may be larger.
    """

    def __init__(self, threads: int, capacity: int) -> None:
        self._most, self._capacity = threads, capacity
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._tasks: deque[tuple[Callable[[], object], int]] = deque()
        self._wake = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._held = self._count = self._running = self._idle = 0

    def submit(self, task: Callable[[], object], size: int) -> bool:
        """Have a task run soon; False where too much waits already.

        :param size: of what it holds, in bytes.
        """
        if self._pid != os.getpid():
            self._begin()
        with self._lock:
            if self._count >= MOST_WAITING or (self._count and self._held + size > self._capacity):
                return False
            starts = self._running < self._most and self._count >= self._running
            if starts and not self._start():
                return False
            self._count += 1
            self._held += size
            self._tasks.append((task, size))
        self._wake.release()
        return True

    def _start(self) -> bool:
        try:
            threading.Thread(target=self._work, name="wsgiperf-media", daemon=True).start()
        except RuntimeError:  # the interpreter ends, or can't have another thread
            return self._running > 0
        self._running += 1
        return True

    def _work(self) -> None:
        while True:
            self._wake.acquire()
            task, size = self._tasks.popleft()
            try:
                task()
            except Exception:
                _log.exception("a task failed; the pictures go out as they are stored")
            finally:
                del task  # or its source stays until the next one comes
                with self._lock:
                    self._count -= 1
                    self._held -= size
