"""Messages between machines, by publish and subscribe of Redis.

Redis keeps no message: whoever is not connected when it is sent never gets it. So a subscription can't
promise to deliver, but it knows when it may have missed something, and tells: what was built on its messages
is to be trusted only while it is healthy, and not from one generation into the next.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from contextlib import suppress
from logging import getLogger
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any
from weakref import WeakSet

from wsgiperf.cache.stores.redis_connections import FAILURES, MORE, Connections, Wire, packed

__all__ = ["Subscription"]

#: Seconds for connecting: nobody waits for it.
CONNECTING = 2.0
SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 5.0

logger = getLogger(__name__)

_all: WeakSet[Subscription] = WeakSet()


class Subscription:
    """Delivers messages to a callback, in one daemon thread per process, from `start` on.

    :param callback: gets each message, in that thread. When it raises, the message counts as missed.
    :param ping: seconds between two questions whether the connection still carries.
    :param patience: seconds that an answer is good for, and that one is waited for.

    On the way of a request read `healthy_until` first, then `generation`: the thread writes them in the other
    order. Where the time is up, call `start`, which does nothing but once in each process.
    """

    def __init__(
        self,
        connections: Connections,
        channel: bytes,
        callback: Callable[[bytes], object],
        *,
        ping: float = 1.0,
        patience: float = 3.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._connections, self._channel, self._callback = connections, channel, callback
        self._ping, self._patience, self._clock = ping, patience, clock
        #: Up to this moment, by `time.monotonic`, no message is known or suspected to be missed.
        self.healthy_until = 0.0
        #: Grows with each new subscription, before it counts as healthy.
        self.generation = 0
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self._wire: Wire | None = None
        _all.add(self)

    def _forked(self) -> None:
        """Begin anew in a child process: threads don't follow into it, and what it inherited gets old."""
        self.healthy_until = 0.0
        self._lock = Lock()
        stop = Event()
        if self._stop.is_set():
            stop.set()
        self._stop, self._thread = stop, None
        wire, self._wire = self._wire, None
        if wire is not None:
            with suppress(Exception):  # closes this process's descriptor; the parent's connection stays
                wire.close()

    @property
    def healthy(self) -> bool:
        """Whether it is subscribed, and the server answered within the last few seconds."""
        return self._clock() < self.healthy_until

    def start(self) -> None:
        """Make sure that this process listens. Doesn't wait for the connection."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            return
        with self._lock:
            if self._stop.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            thread = Thread(target=self._run, args=(self._stop,), name="wsgiperf-messages", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter ends, or can't have another thread: not healthy
                return
            self._thread = thread
        atexit.register(self.close)

    def close(self, seconds: float = 1.0) -> None:
        """End the thread; it is over when this returns, or after `seconds`. There is no other start."""
        self._stop.set()
        self.healthy_until = 0.0
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        atexit.unregister(self.close)

    def _run(self, stop: Event) -> None:
        pause = SHORTEST_PAUSE
        while not stop.is_set():
            generation = self.generation
            try:
                self._listen(stop)
            except FAILURES as error:
                logger.info("no messages from Redis: %s", error)
            except Exception:
                logger.exception("a message from Redis could not be used")
            finally:
                self.healthy_until = 0.0
            # What had worked is tried again soon.
            pause = SHORTEST_PAUSE if self.generation != generation else min(pause * 2, LONGEST_PAUSE)
            stop.wait(pause)

    def _listen(self, stop: Event) -> None:
        """Subscribe and deliver, until something goes wrong."""
        wire = self._wire = self._connections.connect(CONNECTING)
        try:
            wire.send(packed(b"SUBSCRIBE", self._channel))
            self._deliver(wire, stop)
        finally:
            self._wire = None
            wire.close()

    def _deliver(self, wire: Wire, stop: Event) -> None:
        asked = self._clock()  # when the question that is open, or was answered last, was put
        waiting = True  # for the answer; the first question is to be subscribed
        while not stop.is_set():
            now = self._clock()
            if waiting and now > asked + self._patience:
                raise TimeoutError("no answer")
            if not waiting and now >= asked + self._ping:
                wire.send(packed(b"PING"))
                asked, waiting = now, True
            # Never longer than a quarter of a second: `close` waits for it.
            reply = wire.listen(min(0.25, self._ping))
            if reply is MORE:
                continue
            kind = self._kind(reply)
            if kind == b"message":
                self._callback(reply[2])
                continue
            if kind == b"subscribe":
                self.generation += 1
            elif kind != b"pong":
                raise ConnectionError(f"an answer to what nobody asked: {reply!r:.80}")
            waiting = False
            self.healthy_until = asked + self._patience

    @staticmethod
    def _kind(reply: Any) -> Any:
        if isinstance(reply, Exception):
            raise reply
        return reply[0] if isinstance(reply, list) and reply else reply


def _after_fork() -> None:
    for subscription in _all:
        subscription._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
