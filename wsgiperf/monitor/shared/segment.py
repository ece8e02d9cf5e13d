"""The file of slabs: shared memory in which each worker counts by itself, and which all of them can read.

A process owns one slab by a lock on one byte, which the kernel drops when it dies, however it dies. Who comes
next adopts the slab and goes on counting from what it finds, so sums over all slabs stay exact, and there is
nothing to fold, to clean or to hook into. Only gauges, which say how things are now, begin at zero again.

The locks are on bytes of the first page and say nothing about their content: 0 is the turn to lay out, join
or remove the file, 1 is for who leads, and from 16 on there is one for each slab.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from wsgiperf.monitor.shared import locks
from wsgiperf.monitor.shared.board import BOARD_BYTES, Board
from wsgiperf.monitor.shared.file import (
    CREATED,
    FORMAT,
    LEADER,
    LOCKED,
    PAGE,
    PATIENCE,
    POLL,
    RESPAWNS,
    SLABS,
    USES,
    Content,
    File,
    Shape,
)  # fmt: skip
from wsgiperf.monitor.shared.leftovers import remove_leftovers
from wsgiperf.monitor.shared.master import master_of_this_process
from wsgiperf.monitor.shared.place import SegmentError, UnusablePlaceError, default_places, identity, place_of

if TYPE_CHECKING:
    from wsgiperf.monitor.shared.place import Identity, Place

__all__ = ["Segment", "SegmentError", "attach"]

#: Seconds between signs of life to those who clean up old files.
_TOUCH = 600.0


class Segment:
    """What one process has of the shared file. `attach` makes it.

    It is of no use in a child of a fork: compare `pid`, and attach anew.
    """

    __slots__ = (
        "_file", "_header", "_leads", "_slabs", "_touched", "adopted", "board", "created", "number", "path",
        "pid", "reason", "shape", "slabs", "words",
    )  # fmt: skip

    def __init__(self, file: File, shape: Shape, number: int, adopted: bool, reason: str) -> None:
        memory = file.map(shape)
        self._file, self.shape = file, shape
        self._leads, self._touched = False, 0.0
        self._header = memory[:PAGE].cast("Q")
        #: Where the file is.
        self.path = file.place.path
        #: The process this is for; 0 once it gave its slab up.
        self.pid = os.getpid()
        #: How many slabs there are, which of them is this process's, and whether it was another's before.
        self.slabs, self.number, self.adopted = shape.slabs, number, adopted
        #: Why this process shares the file with no other that it doesn't fork itself; "" where it does.
        self.reason = reason
        starts = [shape.offset(slab) for slab in range(shape.slabs)]
        self._slabs = [memory[start : start + shape.slab_bytes].cast("Q") for start in starts]
        #: This process's slab, as 64-bit words.
        self.words = self._slabs[number]
        #: What the process that leads tells all others.
        self.board = Board(memory[PAGE : PAGE + BOARD_BYTES])
        #: When the file was made: seconds of the epoch.
        self.created: float = self._header[CREATED] / 1e9

    @property
    def respawns(self) -> int:
        """How often a slab was adopted that had been another process's."""
        return self._header[RESPAWNS]

    def slab(self, number: int) -> memoryview:
        """Any slab, as 64-bit words; only its holder may write."""
        return self._slabs[number]

    def holders(self) -> list[int]:
        """Which process holds each slab: its ID, 0 for none, -1 for one of another PID namespace.

        One system call for each slab (a microsecond); not for the way of a request.
        """
        descriptor = self._file.descriptor
        found = [locks.holder(descriptor, SLABS + slab) for slab in range(self.slabs)]
        if os.getpid() == self.pid:
            found[self.number] = self.pid  # nobody sees its own lock
        return found

    def try_lead(self) -> bool:
        """Whether this process leads, now: it does from the first time it asks while nobody else does.

        Until it dies or calls `stop_leading`. Costs a system call.
        """
        if os.getpid() != self.pid:
            return False
        self._leads = locks.take(self._file.descriptor, LEADER)
        if self._leads and time.monotonic() - self._touched > _TOUCH:
            self._touched = time.monotonic()
            os.utime(self._file.descriptor)  # writing to memory doesn't
        return self._leads

    def stop_leading(self) -> None:
        """Let another process lead."""
        if self._leads and os.getpid() == self.pid:
            self._leads = False
            locks.give_up(self._file.descriptor, LEADER)

    def leader(self) -> int:
        """The process that leads: its ID, 0 for none, -1 for one of another PID namespace."""
        if self._leads and os.getpid() == self.pid:
            return self.pid
        return locks.holder(self._file.descriptor, LEADER)

    def is_current(self) -> bool:
        """Whether this is still the file that others find, by a descriptor that nobody closed.

        If not, attach anew. Ask now and then: it costs two system calls.
        """
        try:
            return identity(os.lstat(self.path)) == self._file.identity and self._file.is_open()
        except OSError:
            return False

    def detach(self) -> None:
        """Give up slab and lead, as a process does that ends. The memory can be read on."""
        if self.pid and os.getpid() == self.pid:
            self.stop_leading()
            self.pid = 0
            locks.give_up(self._file.descriptor, SLABS + self.number)


#: What this process has; in a child of a fork, what its parent had. Files stay open, see `locks`.
_files: dict[Identity, File] = {}
_attached: dict[Identity, Segment] = {}
_asked: dict[tuple[str, Shape], Segment] = {}
#: By process: a child of a fork must not wait for a thread that it doesn't have.
_turns: dict[int, threading.Lock] = {}


def attach(state: str, *, slabs: int, slab_bytes: int, layout: int, gauges: tuple[int, int]) -> Segment:
    """This process's slab in the file of its server. Call it anew in a child of a fork.

    Any thread may call it; a process has one slab in a file, whoever asks. It takes some milliseconds where
    the file has to be made. Where there is no slab now, there may be one later: ask again.

    :param state: path of the file; "" is a file of the processes that have one master, see `master`.
    :param slabs: how many processes may count at a time, 1 to 256.
    :param slab_bytes: size of a slab, a multiple of 8.
    :param layout: version of what is in a slab.
    :param gauges: the words of a slab, first and end, that are zero when a process begins.
    :raises SegmentError: where there is no slab for this process: why, as a sentence.
    :raises ValueError: for sizes that can't be.
    """
    shape = Shape(slabs, slab_bytes, layout)
    shape.check()
    if not 0 <= gauges[0] <= gauges[1] <= slab_bytes // 8:
        raise ValueError(f"gauges: expected words of the slab, got {gauges}")
    if not locks.AVAILABLE:
        raise SegmentError("this system has no POSIX locks, which processes need to share figures")
    pid = os.getpid()
    with _turns.setdefault(pid, threading.Lock()):
        segment = _asked.get((state, shape))
        if segment is None or segment.pid != pid or not segment.is_current():
            try:
                segment = _attach(state, shape, gauges)
            except SegmentError:
                raise
            except (OSError, ValueError) as error:
                raise SegmentError(f"{state or 'the shared file'}: {error}") from error
            _asked[state, shape] = segment
        return segment


def _attach(state: str, shape: Shape, gauges: tuple[int, int]) -> Segment:
    if state:
        return _attach_at(place_of(state), shape, gauges, "")
    master = master_of_this_process()
    layout = f"{FORMAT}.{shape.layout}-{shape.slabs}x{shape.slab_bytes}"
    failed: UnusablePlaceError | None = None
    for place in default_places(layout, master):
        try:
            return _attach_at(place, shape, gauges, master.reason)
        except UnusablePlaceError as error:
            failed = failed or error
    raise failed or SegmentError("there is no directory for temporary files")


def _attach_at(place: Place, shape: Shape, gauges: tuple[int, int], reason: str) -> Segment:
    deadline = time.monotonic() + PATIENCE
    with place.opened() as folder:
        while True:
            file = _open(place, folder)
            try:
                with file.turn():
                    # What was opened may have been removed before it was our turn.
                    at_place = place.identity(folder) == file.identity
                    segment = _join(file, folder, shape, gauges, reason) if at_place else None
            finally:
                # At once, not with the last who knows it: by then the file may be open a second time.
                if _files.get(file.identity) is not file:
                    file.close()
            if segment is not None:
                break
            if time.monotonic() > deadline:
                raise SegmentError(f"{place.path}: replaced again and again")
            time.sleep(POLL)
        if place.own:
            with suppress(OSError):
                remove_leftovers(folder, _files)
    return segment


def _open(place: Place, folder: int) -> File:
    """The file, newly opened only where this process hasn't it open yet, by whatever name."""
    there = place.identity(folder)
    known = _files.get(there) if there else None
    if known is None:
        file = File(place, place.open(folder))
        known = _files.get(file.identity)
        if known is None:
            return file
        # Put there just now. Its locks depend on this descriptor, too, from now on.
        file.close.detach()
    if not known.is_open():
        raise SegmentError(f"{place.path}: somebody in this process closed its descriptor")
    return known


def _join(file: File, folder: int, shape: Shape, gauges: tuple[int, int], reason: str) -> Segment | None:
    """A slab in the file; None where the file was removed, so that another can be made."""
    known = _attached.get(file.identity)
    if known is not None and known.pid == os.getpid():
        if known.shape != shape:
            raise SegmentError(f"{file.place.path}: this process uses it with another layout")
        return known
    content = file.content(shape)
    if content is Content.EMPTY:
        _make(file, folder, shape)
    elif content is not Content.SOUND:
        _check_replaceable(file, content)
        file.place.remove(folder)
        return None
    number = _take_slab(file, shape)
    try:
        memory = file.map(shape)
        _files[file.identity] = file
        segment = Segment(file, shape, number, _adopt(memory, shape, number, gauges), reason)
    except BaseException:
        locks.give_up(file.descriptor, SLABS + number)
        raise
    with suppress(OSError):
        os.utime(file.descriptor)
    _attached[file.identity] = segment
    _forget_removed()
    return segment


def _make(file: File, folder: int, shape: Shape) -> None:
    try:
        file.make(shape)
    except BaseException:
        file.place.remove(folder)
        raise


def _check_replaceable(file: File, content: Content) -> None:
    """Raise where a file at a path of the user's choice isn't ours to remove, or in use.

    In our own directory a name leaves no doubt, and who has such a file sees that it isn't current any more.
    """
    if file.place.own:
        return
    if content is Content.FOREIGN:
        raise SegmentError(f"{file.place.path}: there is a file already, and not one of this library's")
    if locks.holder(file.descriptor, LEADER, LOCKED - LEADER):
        raise SegmentError(f"{file.place.path}: in use with another layout, or by another version")


def _take_slab(file: File, shape: Shape) -> int:
    for number in range(shape.slabs):
        if locks.take(file.descriptor, SLABS + number):
            return number
    raise SegmentError(f"{file.place.path}: all {shape.slabs} slabs are taken")


def _adopt(memory: memoryview, shape: Shape, number: int, gauges: tuple[int, int]) -> bool:
    """Begin with zero gauges; whether the slab was another process's before."""
    start, (first, end) = shape.offset(number), gauges
    memory[start + 8 * first : start + 8 * end] = bytes(8 * (end - first))
    header = memory[:PAGE].cast("Q")
    used = header[USES + number] > 0
    header[USES + number] += 1
    header[RESPAWNS] += used
    return used


def _forget_removed() -> None:
    """Let go of files that are gone, or their memory would never be given back."""
    gone = {which for which, file in _files.items() if file.is_removed()}
    for which in gone:
        del _files[which]
        _attached.pop(which, None)
    for asked in [asked for asked, segment in _asked.items() if segment._file.identity in gone]:
        del _asked[asked]
