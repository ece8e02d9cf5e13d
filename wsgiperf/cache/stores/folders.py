"""Files in 256 folders: written whole, counted, and let go when they take too much room.

A file is written beside its place and then renamed, so that a reader sees the old one or the new one, whole.
Nothing is synced to the disk.

How much is held stands in a table of 256 numbers in a file of its own, one for each folder. Writers add to
them without locking each other out; a folder's number is put right whenever the folder is read. That happens
when the sum exceeds the capacity: folders are read in turn until there are a few files to choose from, and
the oldest not read since they were written go first (`st_atime`, where the file system keeps it). The cost
depends on the size of one folder, never on the whole. Also, every `TIDY_EVERY` writes one folder is read,
which puts its number right and sweeps what crashed writers left.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from errno import EACCES, ENOTDIR
from itertools import count
from stat import S_ISDIR
from struct import Struct, error

__all__ = ["READ_AND_WRITE", "READ_ONLY", "Folders", "on_disk", "unlink"]

#: O_NONBLOCK, or opening a pipe would wait for its other end.
_HARMLESS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
READ_ONLY, READ_AND_WRITE = os.O_RDONLY | _HARMLESS, os.O_RDWR | _HARMLESS
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _HARMLESS

_FOLDERS = [f"{number:02x}" for number in range(256)]
#: Of a file: 64 hexadecimal digits less two for the folder; of an unfinished one, after a dot.
_NAME_LENGTH, _UNFINISHED_LENGTH = 62, 16
_NUMBERS, _NUMBER, _MOST = Struct("<256Q"), Struct("<Q"), 1 << 62
_BLOCK = 4096

#: Files to choose from, at least, when room is made; and how often one call tries.
SAMPLE, ROUNDS = 16, 16
TIDY_EVERY = 64
#: Seconds after which an unfinished file is a crashed writer's.
ABANDONED = 60.0


class Folders:
    """The files of a store, and how much room they take.

    :param directory: made when first written to.
    :param capacity: bytes on the disk.
    :param clock: the time in seconds since the epoch.
    """

    def __init__(self, directory: str, capacity: int, clock: Callable[[], float]) -> None:
        self.directory = directory
        self.root = f"{directory}/"
        self.capacity = capacity
        self._clock = clock
        # Processes begin in different places.
        self._hand, start = os.urandom(2)
        self._writes = count(start)

    def path(self, place: str) -> str:
        """Where a file lies: `place` is two hexadecimal digits for the folder, then its name."""
        return f"{self.root}{place[:2]}/{place[2:]}"

    def write(self, place: str, head: bytes, value: bytes) -> None:
        """Put a file in its place, count it, and make room where that was too much.

        :raises OSError: when that isn't possible; nothing unfinished stays behind.
        """
        older = self._size(place)
        self._put(place[:2], f"{place[:2]}/{place[2:]}", head, value)
        self._account(place, on_disk(len(head) + len(value)) - older)

    def remove(self, place: str) -> bool:
        """Remove a file; whether there was one.

        :raises OSError: when there is one that can't be removed.
        """
        size = self._size(place)
        if not unlink(self.path(place)):
            return False
        with suppress(OSError, error):
            table, folder = _Table(f"{self.root}table"), int(place[:2], 16)
            try:
                table.put(folder, table.numbers[folder] - size)
            finally:
                table.close()
        return True

    def _size(self, place: str) -> int:
        try:
            return on_disk(os.stat(self.path(place), follow_symlinks=False).st_size)
        except (FileNotFoundError, NotADirectoryError):
            return 0

    def _put(self, folder: str, path: str, head: bytes, value: bytes) -> None:
        unfinished = f"{self.root}{folder}/.{os.urandom(8).hex()}"
        try:
            descriptor = os.open(unfinished, _CREATE, 0o600)
        except FileNotFoundError:
            self.make_directory()
            with suppress(FileExistsError):
                os.mkdir(self.root + folder, 0o700)
            descriptor = os.open(unfinished, _CREATE, 0o600)
        try:
            try:
                written = os.writev(descriptor, (head, value))
                if written < len(head) + len(value):  # as good as full: the rest says so, or gets through
                    rest = memoryview(head + value)
                    while written < len(rest):
                        written += os.write(descriptor, rest[written:])
            finally:
                os.close(descriptor)
            os.replace(unfinished, self.root + path)
        except BaseException:
            with suppress(OSError):
                os.unlink(unfinished)
            raise

    def make_directory(self) -> None:
        """Make it where it isn't there, for this user alone.

        :raises OSError: as `check` does, or when it can't be made.
        """
        os.makedirs(self.directory, 0o700, exist_ok=True)
        self.check()

    def check(self) -> None:
        """Whether what lies there can be trusted.

        :raises PermissionError: when others may write to it, or (but to root) when it is another user's.
        :raises OSError: when it isn't there, or is no directory.
        """
        state = os.stat(self.directory)
        user = os.geteuid()
        if not S_ISDIR(state.st_mode):
            raise NotADirectoryError(ENOTDIR, "not a directory", self.directory)
        if state.st_mode & 0o002 or (user and state.st_uid not in (0, user)):
            raise PermissionError(EACCES, "others may write here, so it can't be trusted", self.directory)

    def _files(self, folder: int) -> list[os.DirEntry[str]]:
        """What the store has written there, and nothing that it hasn't, whatever else lies about."""
        try:
            with os.scandir(f"{self.root}{_FOLDERS[folder]}") as entries:
                return [entry for entry in entries if _is_ours(entry)]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def every_file(self, failures: list[OSError]) -> Iterator[os.DirEntry[str]]:
        """All files, unfinished ones too; what can't be read adds to `failures`."""
        for folder in range(len(_FOLDERS)):
            try:
                yield from self._files(folder)
            except OSError as error:
                failures.append(error)

    def _account(self, place: str, size: int) -> None:
        try:
            table = _Table(f"{self.root}table")
        except (OSError, error):
            table = self._count()
            size = 0
        try:
            folder = int(place[:2], 16)
            if size:
                table.put(folder, table.numbers[folder] + size)
            if next(self._writes) % TIDY_EVERY == 0:
                self._tidy(table, self._next_folder())
            for _ in range(ROUNDS):
                if table.total() <= self.capacity or not self._make_room(table, place):
                    break
        finally:
            table.close()

    def recount(self) -> None:
        """Put all numbers right, after many files were removed.

        :raises OSError: when the table or a folder can't be read or written.
        """
        if os.path.isdir(self.directory):
            self._count().close()

    def _make_room(self, table: _Table, spared: str) -> bool:
        """Remove some of the oldest of a few files; False where there are none."""
        sample: list[tuple[bool, int, str, int, int]] = []
        for _ in _FOLDERS:
            folder = self._next_folder()
            if table.numbers[folder]:
                sample += self._tidy(table, folder)
                if len(sample) >= SAMPLE:
                    break
        excess = table.total() - self.capacity
        if excess <= 0:
            return True
        goal = max(excess, sum(size for *_, size, _ in sample) // 8)
        spared = self.path(spared)
        sample.sort()
        for was_read, written, path, size, folder in sample:
            if path == spared:
                continue
            if goal > 0:
                unlink(path)
                goal -= size
                table.put(folder, table.numbers[folder] - size)
            elif was_read:
                # It has had its second chance; the next read marks it again.
                with suppress(OSError):
                    os.utime(path, ns=(written, written), follow_symlinks=False)
        return len(sample) > 1

    def _tidy(self, table: _Table, folder: int) -> list[tuple[bool, int, str, int, int]]:
        """Put the number of one folder right, and sweep it; its values, those to go first being least."""
        files, total, now = [], 0, self._clock()
        for entry in self._files(folder):
            try:
                state = entry.stat(follow_symlinks=False)
                if not entry.name.startswith("."):
                    was_read = state.st_atime_ns > state.st_mtime_ns
                    files.append((was_read, state.st_mtime_ns, entry.path, on_disk(state.st_size), folder))
                elif abs(now - state.st_mtime) > ABANDONED:
                    unlink(entry.path)
                    continue
            except FileNotFoundError:
                continue
            total += on_disk(state.st_size)
        table.put(folder, total)
        return files

    def _next_folder(self) -> int:
        self._hand = folder = (self._hand + 1) % len(_FOLDERS)
        return folder

    def _count(self) -> _Table:
        # Whatever is in the table's place is replaced: it may be no table.
        self._put(_FOLDERS[0], "table", _NUMBERS.pack(*[0] * len(_FOLDERS)), b"")
        table = _Table(f"{self.root}table")
        for folder in range(len(_FOLDERS)):
            self._tidy(table, folder)
        return table


class _Table:
    """How much each folder holds: as read, and as written since by this object."""

    def __init__(self, path: str) -> None:
        """:raises OSError, struct.error: when it can't be opened; when it isn't a table."""
        self._descriptor = os.open(path, READ_AND_WRITE)
        try:
            self.numbers = list(_NUMBERS.unpack(os.read(self._descriptor, _NUMBERS.size + 1)))
        except BaseException:
            self.close()
            raise

    def total(self) -> int:
        return sum(self.numbers)

    def put(self, folder: int, number: int) -> None:
        number = self.numbers[folder] = max(0, min(number, _MOST))
        os.pwrite(self._descriptor, _NUMBER.pack(number), _NUMBER.size * folder)

    def close(self) -> None:
        os.close(self._descriptor)


def _is_ours(entry: os.DirEntry[str]) -> bool:
    name = entry.name
    unfinished = name.startswith(".")
    digits = name[1:] if unfinished else name
    length = _UNFINISHED_LENGTH if unfinished else _NAME_LENGTH
    right = len(digits) == length and not digits.strip("0123456789abcdef")
    return right and entry.is_file(follow_symlinks=False)


def unlink(path: str) -> bool:
    """Remove a file; whether there was one."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
    return True


def on_disk(size: int) -> int:
    """The room that a file of so many bytes takes."""
    return -(-size // _BLOCK) * _BLOCK
