"""A streamed body on its way out, recorded for the store and for those who read along.

The leader's server drives: each block goes to the client when it comes, and into the recording. Followers are
given what is there, then wait for more. The recording is done when the body ended by itself, as long as it
said it would be. It is given up when the application fails, when it outgrows the limit, or when the client
leaves; where others read along the rest is then read on, for a second at most.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from logging import getLogger
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

__all__ = ["Follower", "Recorded", "Recording"]

_log = getLogger("wsgiperf.cache")

#: Seconds that a body is read on for, once the client it was made for has left.
READ_ON = 1.0


class Recording:
    """The blocks so far, and whether there will be more.

    :param head: status and fields as stored, for followers.
    :param length: the Content-Length stated, None for none.
    :param limit: bytes; a longer body is not kept.
    :param secondary: the secondary key of a request, for those fields that the response varies by.
    :param anonymous: only for requests without cookies and credentials.
    :param finish: called once with the whole body, or with None when there will be none.
    """

    __slots__ = (
        "_finish", "_key", "_length", "_limit", "_secondary", "_waiting", "anonymous", "blocks", "ended",
        "followers", "head", "held_up", "route", "size", "whole",
    )  # fmt: skip

    def __init__(
        self, head: tuple[str, list[tuple[str, str]]], length: int | None, limit: int, anonymous: bool,
        secondary: Callable[[WSGIEnvironment], str], environ: WSGIEnvironment,
        finish: Callable[[bytes | None], None],
    ) -> None:  # fmt: skip
        self.head, self._length, self._limit, self.anonymous = head, length, limit, anonymous
        self._secondary, self._key = secondary, secondary(environ)
        self._finish = finish
        self.route: str | None = None  #: as an entry has it
        self.blocks: list[bytes] = []
        self.size = 0
        self.held_up = 0.0  #: seconds that the leader's client has taken for its blocks
        self.ended = False  #: no more blocks come
        self.whole = False  #: and those that came are all of the body
        self.followers: list[object] = []  #: a list, because its changes are atomic
        self._waiting: list[threading.Lock] = []

    def is_for(self, environ: WSGIEnvironment) -> bool:
        """Whether this request would be given the same response, as far as Vary goes."""
        return self._secondary(environ) == self._key

    def add(self, block: bytes) -> None:
        """One more block."""
        if self.ended or not block:
            return
        self.size += len(block)
        if self.size > self._limit or (self._length is not None and self.size > self._length):
            self.end(False)
            return
        self.blocks.append(block)
        self._wake()

    def end(self, whole: bool) -> None:
        """No more blocks come."""
        if self.ended:
            return
        self.whole = whole and (self._length is None or self.size == self._length)
        self.ended = True
        try:
            self._finish(b"".join(self.blocks) if self.whole else None)
        except Exception:
            _log.exception("a response could not be stored")
        finally:
            if not self.whole and not self.followers:
                self.blocks = []
            self._wake()

    def wait(self, known: int, seconds: float) -> bool:
        """Wait until there are more than so many blocks, or there will be none; False when time is up."""
        if len(self.blocks) > known or self.ended:
            return True
        mine = threading.Lock()
        mine.acquire()
        self._waiting.append(mine)
        if not (len(self.blocks) > known or self.ended):
            mine.acquire(timeout=max(0.0, seconds))
        return len(self.blocks) > known or self.ended

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for lock in waiting:
            lock.release()


class Recorded:
    """The leader's body: passes each block on as it comes, and records it."""

    __slots__ = ("_blocks", "_recording", "_since")

    def __init__(self, blocks: Iterator[bytes], recording: Recording) -> None:
        self._blocks, self._recording = blocks, recording
        self._since: float | None = None  # the latest block is with the server

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        recording = self._recording
        if self._since is not None:
            recording.held_up += monotonic() - self._since
        try:
            block = next(self._blocks)
        except StopIteration:
            recording.end(True)
            raise
        except BaseException:
            recording.end(False)
            raise
        recording.add(block)
        self._since = monotonic()
        return block

    def close(self) -> None:
        """The primitive closes the application's own body after this."""
        recording = self._recording
        if recording.ended:
            return
        until = monotonic() + READ_ON
        try:
            while recording.followers and not recording.ended and monotonic() < until:
                next(self)
        except StopIteration:
            pass
        finally:
            recording.end(False)


class Follower:
    """The body of one who reads along.

    :param seconds: how long to wait for a block, and for the leader's client in all.
    :param resume: where the leader fails or is slow: the rest of the body by a call of one's own, which must
        begin with the blocks that were sent.
    :param stalled: called where it is slow: nobody else is to follow it.
    """

    __slots__ = ("_at", "_recording", "_rest", "_resume", "_seconds", "_sent", "_stalled")

    def __init__(
        self,
        recording: Recording,
        seconds: float,
        resume: Callable[[list[bytes]], Iterator[bytes]],
        stalled: Callable[[], object],
    ) -> None:
        self._recording, self._seconds = recording, seconds
        self._resume, self._stalled = resume, stalled
        recording.followers.append(self)
        self._at = 0
        self._sent: list[bytes] = []
        self._rest: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._rest is None:
            recording = self._recording
            blocks = recording.blocks
            if self._at < len(blocks) or self._wait(recording):
                if self._at < len(blocks):
                    block = blocks[self._at]
                    self._at += 1
                    self._sent.append(block)
                    return block
                if recording.whole:
                    raise StopIteration
            else:
                self._stalled()
            self._rest = self._resume(self._sent)
        return next(self._rest)

    def _wait(self, recording: Recording) -> bool:
        """Wait for a block; what of that is the fault of the leader's client isn't waited another time."""
        before, since = recording.held_up, monotonic()
        arrived = recording.wait(self._at, self._seconds)
        self._seconds -= min(recording.held_up - before, monotonic() - since)
        return arrived

    def close(self) -> None:
        """Gone, or done."""
        self._recording.followers.remove(self)
        close = getattr(self._rest, "close", None)
        if close is not None:
            close()
