"""Where a result goes: to a path, whole or not at all, or into a file object."""

from __future__ import annotations

import os
from contextlib import suppress
from secrets import token_hex
from typing import BinaryIO, TypeAlias

from wsgiperf.media.errors import MediaError

__all__ = ["Sink", "write"]

Sink: TypeAlias = "str | os.PathLike[str] | BinaryIO | None"


def write(data: bytes, sink: Sink) -> None:
    """Puts all bytes there. A path has either its old content or all of the new one, at any moment.

    :param sink: a path, a file object open for writing bytes (it is not closed), or None for nowhere.
    :raises MediaError: `unwritable`.
    """
    if sink is None:
        return
    try:
        if isinstance(sink, str | os.PathLike):
            _to_path(data, os.fspath(sink))
        else:
            _to_file(data, sink)
    except (OSError, ValueError) as error:
        if isinstance(error, MediaError):
            raise
        detail = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise MediaError("unwritable", detail) from error


def _to_path(data: bytes, path: str) -> None:
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name[:80]}.{token_hex(8)}.part")
    # 0o666: the process's own mask decides, as with any file it writes.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        with suppress(FileNotFoundError):
            os.chmod(temporary, os.stat(path).st_mode & 0o777)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _to_file(data: bytes, file: BinaryIO) -> None:
    rest = memoryview(data)
    while rest:
        # A raw file takes a part; those of other libraries often take all and don't tell.
        written: int | None = file.write(rest)
        if written is None:
            return
        if written <= 0:
            raise MediaError("unwritable", "the file object takes no more")
        rest = rest[written:]
