"""What stands for the shared file where there is none: this process leads, and keeps the board itself."""

from __future__ import annotations

from os import getpid

__all__ = ["Alone", "LocalBoard"]


class LocalBoard:
    """A board in this process's memory. A child of a fork finds it empty: it counts for itself."""

    def __init__(self) -> None:
        self._pid, self._document = getpid(), b""

    def write(self, document: bytes) -> None:
        """Put up a document."""
        self._document, self._pid = document, getpid()

    def read(self) -> bytes:
        """The one that is up; b"" where there is none."""
        return self._document if self._pid == getpid() else b""


class Alone:
    """As much of a segment as the sampler uses."""

    def __init__(self) -> None:
        self.board = LocalBoard()

    def try_lead(self) -> bool:
        """Nobody else could."""
        return True
