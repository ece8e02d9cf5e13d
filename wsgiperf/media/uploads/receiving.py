"""From a stream into a file beside the store, never more than is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from wsgiperf.media.errors import DamagedMediaError, MediaError, TooLargeMediaError

__all__ = ["HEAD", "blocks", "from_beginning"]

#: Bytes that tell what a file is.
HEAD = 4096
_STEP = 1 << 16


@contextmanager
def from_beginning(stream: BinaryIO) -> Iterator[BinaryIO]:
    """The stream at its beginning; afterwards it stands where it stood. One that cannot seek stays."""
    try:
        position = stream.tell()
        stream.seek(0)
    except (OSError, AttributeError, ValueError):
        yield stream  # what came over a socket, as `wsgi.input`
        return
    try:
        yield stream
    finally:
        with suppress(OSError, ValueError):
            stream.seek(position)


def blocks(stream: BinaryIO, allowed: Callable[[bytes], int], max_bytes: int) -> Iterator[bytes]:
    """All of the stream, in bounded steps; one byte beyond the limit is asked for, and no more.

    :param allowed: is given the first `HEAD` bytes, or all if there are fewer, and says how many bytes such
        a file may have; or refuses it, before the rest is read.
    :param max_bytes: of any file.
    :raises MediaError: `empty`, `too_many_bytes`, `unreadable`, and what `allowed` raises.
    """
    start = b""
    while len(start) < min(HEAD, max_bytes + 1):
        block = _read(stream, min(HEAD, max_bytes + 1) - len(start))
        if not block:
            break
        start += block
    if not start:
        raise DamagedMediaError("empty")
    most = min(max_bytes, allowed(start))
    got, block = len(start), start
    while block:
        if got > most:
            raise TooLargeMediaError("too_many_bytes", f"more than the {most:,} allowed")
        yield block
        block = _read(stream, min(_STEP, most + 1 - got))
        got += len(block)


def _read(stream: BinaryIO, most: int) -> bytes:
    try:
        block: object = stream.read(most)
    except OSError as error:
        raise MediaError("unreadable", error.strerror or "") from error
    if not isinstance(block, bytes | bytearray | memoryview):
        raise MediaError("unreadable", "the stream gives no bytes")
    return bytes(block)
