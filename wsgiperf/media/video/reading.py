"""Bytes at a position, from a path, from bytes or from a file object: only those that are asked for."""

from __future__ import annotations

import os
from stat import S_ISREG
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

from wsgiperf.media.errors import MediaError
from wsgiperf.media.video.refusals import truncated

__all__ = ["Reader", "Source", "opened"]

#: Where a video may come from.
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

# Without the second a named pipe in the place of a file would keep us waiting for its writer.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_pread: Any = getattr(os, "pread", None)


class Reader(Protocol):
    """A context that reads; leaving it leaves everything as it was."""

    size: int  #: bytes of the whole

    def read(self, at: int, length: int) -> bytes:
        """So many bytes from there on; fewer only where the file ends.

        :raises MediaError: unreadable.
        """

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put back a file object's position, or close the file that we opened."""


def opened(source: Source) -> Reader:
    """A reader of it; to be used in a ``with``.

    :raises MediaError: unreadable.
    :raises TypeError: it is nothing to read from.
    """
    if isinstance(source, bytes):
        return _Bytes(source)
    if isinstance(source, bytearray | memoryview):
        return _Bytes(bytes(source))
    try:
        if isinstance(source, str | os.PathLike):
            return _Path(source) if _pread is not None else _Stream(open(source, "rb"), ours=True)
        if not hasattr(source, "seek"):
            raise TypeError(f"neither path, bytes nor a seekable file object: {type(source).__name__}")
        return _Stream(source)
    except (OSError, ValueError) as error:
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> MediaError:
    # Not the error's own words, which have the path in them.
    return MediaError("unreadable", (isinstance(error, OSError) and error.strerror) or "")


class _Bytes:
    __slots__ = ("_data", "size")

    def __init__(self, data: bytes) -> None:
        self._data, self.size = data, len(data)

    def read(self, at: int, length: int) -> bytes:
        return self._data[at : at + length]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class _Path:
    __slots__ = ("_descriptor", "size")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._descriptor = os.open(path, _FLAGS)
        about = os.fstat(self._descriptor)
        if not S_ISREG(about.st_mode):
            os.close(self._descriptor)
            raise MediaError("unreadable", "not a regular file")
        self.size = about.st_size

    def read(self, at: int, length: int) -> bytes:
        try:
            data: bytes = _pread(self._descriptor, length, at)
        except OSError as error:
            raise _unreadable(error) from None
        if len(data) < length and at + len(data) < self.size:
            raise truncated("it became shorter while it was read")
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._descriptor)


class _Stream:
    __slots__ = ("_ours", "_position", "_stream", "size")

    def __init__(self, stream: BinaryIO, *, ours: bool = False) -> None:
        self._stream, self._ours = stream, ours
        self._position = stream.tell()
        stream.seek(0, 2)
        self.size = stream.tell()

    def read(self, at: int, length: int) -> bytes:
        try:
            self._stream.seek(at)
            data = self._stream.read(length)
            while len(data) < length and at + len(data) < self.size:  # a raw one may give less at a time
                more = self._stream.read(length - len(data))
                if not more:
                    raise truncated("it became shorter while it was read")
                data += more
        except OSError as error:
            raise _unreadable(error) from None
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._ours:
            self._stream.close()
        else:
            self._stream.seek(self._position)
