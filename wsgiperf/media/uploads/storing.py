"""The store: files under the digest of their content, each of an upload there or none of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from secrets import token_hex
from time import time
from types import TracebackType
from typing import Self

from wsgiperf.media.errors import MediaError

__all__ = ["Staging"]

_PREFIX, _SUFFIX = ".upload-", ".part"
_ABANDONED = 3600  # seconds without a byte written: its process has ended
_DIGITS = 40  # 160 bits of SHA-256: nobody finds two files of one name
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class Staging:
    """A context in which the files of one upload are made, unseen; `commit` gives them their names.

    Whatever isn't committed when the context is left is removed.

    :param directory: of the store; made if it isn't there.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._directory = os.fspath(directory)
        self._parts: dict[str, str] = {}  # path of each part -> its name in the store, empty if it has none
        self._sizes: dict[str, int] = {}

    def __enter__(self) -> Self:
        try:
            os.makedirs(self._directory, exist_ok=True)
            _sweep(self._directory)
        except OSError as error:
            raise _unwritable(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for path in self._parts:
            with suppress(OSError):
                os.unlink(path)

    def receive(self, blocks: Iterable[bytes]) -> tuple[str, int, str]:
        """Blocks into a file that has no name yet.

        :returns: where it is, its size in bytes, and its digest.
        :raises MediaError: `unwritable`, and what the blocks raise.
        """
        path = os.path.join(self._directory, f"{_PREFIX}{token_hex(16)}{_SUFFIX}")
        hashed, size = sha256(), 0
        try:
            # 0o666: the process's own mask decides, as with any file it writes.
            descriptor = os.open(path, _FLAGS, 0o666)
            self._parts[path] = ""
            with open(descriptor, "wb") as file:
                for block in blocks:
                    hashed.update(block)
                    size += file.write(block)
                file.flush()
                os.fsync(descriptor)
        except OSError as error:
            raise _unwritable(error) from error
        return path, size, hashed.hexdigest()[:_DIGITS]

    def add(self, data: bytes, extension: str) -> str:
        """A file of these bytes; its name in the store."""
        return self.name(*self.receive([data]), extension)

    def name(self, path: str, size: int, digest: str, extension: str) -> str:
        """Choose a received file for the store; its name there."""
        name = f"{digest[:2]}/{digest}.{extension}"
        self._parts[path] = name
        self._sizes[name] = size
        return name

    def commit(self) -> None:
        """Give every chosen file its name. One that is there already stays as it is.

        :raises MediaError: `unwritable`; then none that this has named is left.
        """
        made: list[str] = []
        try:
            for path, name in list(self._parts.items()):
                target = os.path.join(self._directory, *name.split("/"))
                if not name or self._is_there(target, name):
                    continue
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.replace(path, target)
                del self._parts[path]
                made.append(target)
        except OSError as error:
            for target in made:
                with suppress(OSError):
                    os.unlink(target)
            raise _unwritable(error) from error

    def _is_there(self, target: str, name: str) -> bool:
        with suppress(FileNotFoundError):
            return os.stat(target).st_size == self._sizes[name]
        return False


def _unwritable(error: OSError) -> MediaError:
    # Not the error's own words, which have the path in them.
    return MediaError("unwritable", error.strerror or "")


def _sweep(directory: str) -> None:
    """Remove what a process that was killed has left."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX):
                with suppress(OSError):
                    if time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED:
                        os.unlink(entry.path)
