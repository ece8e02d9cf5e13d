"""Where the bytes of a file come from: a path, bytes, or a file object."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO, TypeAlias

from wsgiperf.media.errors import DamagedMediaError, MediaError, TooLargeMediaError

__all__ = ["Source", "read"]

Source: TypeAlias = "bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO"

_BLOCK = 1 << 20


def read(source: Source, max_bytes: int) -> bytes:
    """All bytes of a file.

    A file object is read from its beginning, is left where it stood and is never closed; one that cannot
    seek is read from where it stands. A path that is no regular file is refused: opening a pipe would wait.

    :raises MediaError: `empty`, `too_many_bytes` or `unreadable`.
    """
    try:
        data = _read(source, max_bytes)
    except (OSError, ValueError) as error:
        if isinstance(error, MediaError):
            raise
        detail = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise MediaError("unreadable", detail) from error
    if not data:
        raise DamagedMediaError("empty")
    return data


def _read(source: Source, max_bytes: int) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        size = source.nbytes if isinstance(source, memoryview) else len(source)
        _check(size, max_bytes)
        return bytes(source)
    if isinstance(source, str | os.PathLike):
        return _from_path(source, max_bytes)
    if not hasattr(source, "read"):
        raise TypeError(f"expected a path, bytes or a file object, got {type(source).__name__}")
    return _from_file(source, max_bytes)


def _check(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise TooLargeMediaError("too_many_bytes", f"more than the {max_bytes:,} allowed")


def _from_path(path: str | os.PathLike[str], max_bytes: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise MediaError("unreadable", "no regular file")
        _check(status.st_size, max_bytes)
        return _all(file, max_bytes)


def _from_file(file: BinaryIO, max_bytes: int) -> bytes:
    try:
        position = file.tell()
        file.seek(0)
    except (OSError, AttributeError):
        return _all(file, max_bytes)  # a socket or a pipe
    try:
        return _all(file, max_bytes)
    finally:
        file.seek(position)


def _all(file: BinaryIO, max_bytes: int) -> bytes:
    """Up to one byte more than is allowed; a raw file gives less than it is asked for."""
    blocks: list[bytes] = []
    size = 0
    while block := file.read(min(_BLOCK, max_bytes + 1 - size)):
        if not isinstance(block, bytes):
            raise MediaError("unreadable", "the file object gives text, not bytes")
        blocks.append(block)
        size += len(block)
        _check(size, max_bytes)
    return b"".join(blocks)
