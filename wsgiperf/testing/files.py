"""Files and file wrappers as servers have them ("Optional Platform-Specific File Handling" of PEP 3333).

gunicorn and waitress recognise the body by ``isinstance(body, FileWrapper)`` and then send the file without
iterating. uWSGI's ``wsgi.file_wrapper`` is a function that returns the file it was given, and the server
recognises that very object.
"""

from __future__ import annotations

import io


class CountedFile(io.BytesIO):
    """A file in memory that counts how often it was closed."""

    closings = 0

    def close(self) -> None:
        """Count, and close."""
        self.closings += 1
        super().close()


class FileWrapper:
    """gunicorn's kind: read by index, and with a `close` of its own only where the file has one."""

    def __init__(self, file: io.BytesIO, block_size: int = 8192) -> None:
        self.file = file
        self.block_size = block_size
        if hasattr(file, "close"):
            self.close = file.close

    def __getitem__(self, index: int) -> bytes:
        block = self.file.read(self.block_size)
        if not block:
            raise IndexError(index)
        return block


class ClosingFileWrapper:
    """waitress's kind: an iterator whose `close` belongs to the class."""

    def __init__(self, file: io.BytesIO, block_size: int = 8192) -> None:
        self.file = file
        self.block_size = block_size

    def __iter__(self) -> ClosingFileWrapper:
        return self

    def __next__(self) -> bytes:
        block = self.file.read(self.block_size)
        if not block:
            raise StopIteration
        return block

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class SealedFileWrapper(ClosingFileWrapper):
    """As one written in C: its attributes cannot be replaced."""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "close":
            raise AttributeError("close is read-only")
        super().__setattr__(name, value)


def bare_file(file: io.BytesIO, block_size: int = 8192) -> io.BytesIO:
    """uWSGI's kind: what comes back is the file."""
    return file
