"""The shared file before anybody counts in it: its layout, how it is made and checked, and its mapping.

A page of 64-bit words in the machine's byte order, the board, and the slabs, each at a page's start::

    magic | layout | slabs | bytes of a slab | when made | respawns | 10 to spare | how often each was adopted

A file never changes its size once it is laid out: a mapped page that was cut off kills the process that looks
at it. So a file that is no good is replaced by another. And its room is taken at the start, for a page that
finds no room on a full disk, or in memory, does the same.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple
from weakref import finalize

from wsgiperf.monitor.shared import locks
from wsgiperf.monitor.shared.board import BOARD_BYTES
from wsgiperf.monitor.shared.place import SegmentError, UnusablePlaceError, identity

if TYPE_CHECKING:
    from wsgiperf.monitor.shared.place import Identity, Place

__all__ = [
    "CREATED", "FORMAT", "LEADER", "LOCKED", "PAGE", "PATIENCE", "POLL", "RESPAWNS", "SLABS", "TURN", "USES",
    "Content", "File", "Shape",
]  # fmt: skip

#: Version of what this file describes; what is in the slabs has its own.
FORMAT = 1
#: Seconds that a process waits for its turn. It takes milliseconds; only a stopped process takes longer.
PATIENCE = 2.0
POLL = 0.001

PAGE = 4096
MOST_SLABS = 256

#: Numbers of words. From `USES` on there is one for each slab.
_MAGIC_WORD, _LAYOUT, _SLABS, _SLAB_BYTES, CREATED, RESPAWNS, USES = 0, 1, 2, 3, 4, 5, 16
_HEADER = struct.Struct("=6Q")
_MAGIC = int.from_bytes(b"wsgipm\x00" + bytes([FORMAT]), "big")
#: In its place until the file is whole.
_MAKING = int.from_bytes(b"wsgipm\xff\xff", "big")

#: Bytes that locks are on, whatever they hold: the turn to lay out, join or remove the file; who leads; from
#: `SLABS` on one for each slab; and how many there may be in all.
TURN, LEADER, SLABS, LOCKED = 0, 1, 16, 1024

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM}
_NOT_SUPPORTED = {errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS}


class Shape(NamedTuple):
    """How a file is laid out."""

    slabs: int
    slab_bytes: int
    #: Version of what is in a slab.
    layout: int

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self.offset(self.slabs)

    def offset(self, slab: int) -> int:
        """Where a slab begins."""
        return PAGE + BOARD_BYTES + slab * -(-self.slab_bytes // PAGE) * PAGE

    def check(self) -> None:
        if not 0 < self.slabs <= MOST_SLABS:
            raise ValueError(f"slabs: expected 1 to {MOST_SLABS}, got {self.slabs}")
        if self.slab_bytes <= 0 or self.slab_bytes % 8:
            raise ValueError(f"slab_bytes: expected a positive multiple of 8, got {self.slab_bytes}")


class Content(Enum):
    """What a file turned out to be."""

    EMPTY = "nothing, or not yet whole"
    SOUND = "as wanted"
    OTHER = "laid out for another version or other sizes, or cut off"
    FOREIGN = "not one of these files"


class File:
    """One open file. There must be no other of the same inode in this process.

    :param place: where it was opened.
    :param descriptor: closed with this object, which drops all locks of the process in the file.
    """

    __slots__ = ("__weakref__", "close", "descriptor", "identity", "memory", "place")

    def __init__(self, place: Place, descriptor: int) -> None:
        self.place, self.descriptor = place, descriptor
        self.identity: Identity = identity(os.fstat(descriptor))
        #: All of the file, once it is mapped.
        self.memory: memoryview | None = None
        self.close = finalize(self, _close, descriptor, self.identity)
        self.close.atexit = False

    def is_open(self) -> bool:
        """Whether the descriptor is still this file's: daemons close all they know nothing of."""
        return _links(self.descriptor, self.identity) is not None

    def is_removed(self) -> bool:
        """Whether nobody can open it any more."""
        return _links(self.descriptor, self.identity) == 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """While the block runs, no other process lays out, joins or removes this file.

        :raises SegmentError: where another process has kept its turn for `PATIENCE`.
        """
        deadline = time.monotonic() + PATIENCE
        while not locks.take(self.descriptor, TURN):
            if time.monotonic() > deadline:
                raise SegmentError(f"{self.place.path}: another process kept it locked for {PATIENCE:.0f} s")
            time.sleep(POLL)  # waiting in fcntl would stop all greenlets of the process
        try:
            yield
        finally:
            locks.give_up(self.descriptor, TURN)

    def content(self, shape: Shape) -> Content:
        """What is in it. Ask, and act on it, in one turn."""
        size = os.fstat(self.descriptor).st_size
        header = os.pread(self.descriptor, _HEADER.size, 0)
        if not header:
            return Content.EMPTY
        magic, layout, slabs, slab_bytes, *_ = _HEADER.unpack(header.ljust(_HEADER.size, b"\0"))
        if magic == _MAKING:
            return Content.EMPTY
        if magic >> 16 != _MAGIC >> 16:
            return Content.FOREIGN
        sound = magic == _MAGIC and size >= shape.size and Shape(slabs, slab_bytes, layout) == shape
        return Content.SOUND if sound else Content.OTHER

    def make(self, shape: Shape) -> None:
        """Lay out an empty file.

        :raises UnusablePlaceError: where there is no room; nobody can use the file then, so remove it.
        """
        try:
            os.pwrite(self.descriptor, _MAKING.to_bytes(8, sys.byteorder), 0)
            try:
                _allocate(self.descriptor, shape.size)
            except OSError as error:
                if error.errno not in _NOT_SUPPORTED:
                    raise
                _write_zeros(self.descriptor, shape.size)
            header = _HEADER.pack(_MAGIC, shape.layout, shape.slabs, shape.slab_bytes, time.time_ns(), 0)
            os.pwrite(self.descriptor, header, 0)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            raise self._no_room(shape) from error

    def map(self, shape: Shape) -> memoryview:
        """The sound file in memory.

        :raises UnusablePlaceError: where a part, as of a copy, has no room yet and there is none.
        """
        if self.memory is None:
            found = os.fstat(self.descriptor)
            if found.st_blocks * 512 < shape.size:
                try:
                    _allocate(self.descriptor, shape.size)
                except OSError as error:
                    if error.errno in _NO_ROOM:
                        raise self._no_room(shape) from error
            # It keeps a copy of the descriptor, which counts as one more: it must last as long.
            self.memory = memoryview(mmap.mmap(self.descriptor, shape.size))
        return self.memory

    def _no_room(self, shape: Shape) -> UnusablePlaceError:
        return UnusablePlaceError(f"{self.place.path}: no room for {shape.size:,} bytes")


def _links(descriptor: int, of: Identity) -> int | None:
    """How many names the file has; None where the descriptor is not this file's any more."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_nlink if identity(found) == of else None


def _close(descriptor: int, of: Identity) -> None:
    if _links(descriptor, of) is not None:
        os.close(descriptor)


def _allocate(descriptor: int, size: int) -> None:
    """Have room for all of a file, which reads as zeros where nothing was written.

    :raises OSError: where there is none, or the system can't.
    """
    if not hasattr(os, "posix_fallocate"):  # macOS
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    os.posix_fallocate(descriptor, 0, size)


def _write_zeros(descriptor: int, size: int) -> None:
    """The same by writing, all but the first page's beginning."""
    zeros = bytes(64 * 1024)
    at = 8
    while at < size:
        at += os.pwrite(descriptor, zeros[: size - at], at)
