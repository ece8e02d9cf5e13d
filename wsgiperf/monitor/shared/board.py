"""The board: one document that a single writer puts up and all workers read, whole or not at all.

Two halves take turns. A document is written into the half that nobody is told to read, and raising one number
publishes it; so a writer that dies amid its work leaves the last document standing. A reader copies and looks
whether the number is the same still; a checksum guards against processors that reorder stores.

Layout: a page with the number and, for each half, length and checksum; then the halves.
"""

from __future__ import annotations

from zlib import crc32

from wsgiperf.errors import WSGIPerfError

__all__ = ["BOARD_BYTES", "MOST_BYTES", "Board", "BoardError"]

#: Bytes of the longest document.
MOST_BYTES = 512 * 1024
_HEAD = 4096
#: Bytes the board takes in all.
BOARD_BYTES = _HEAD + 2 * MOST_BYTES

_NUMBER, _LENGTH, _CHECKSUM = 0, 1, 3  # of words; the last two stand for two each
_TRIES = 8


class BoardError(WSGIPerfError, ValueError):
    """The document is too long for the board."""


class Board:
    """One board in shared memory.

    :param memory: `BOARD_BYTES` of it, zeros at first.
    """

    __slots__ = ("_halves", "_words")

    def __init__(self, memory: memoryview) -> None:
        self._words = memory[:_HEAD].cast("Q")
        self._halves = [
            memory[_HEAD : _HEAD + MOST_BYTES],
            memory[_HEAD + MOST_BYTES : _HEAD + 2 * MOST_BYTES],
        ]

    @property
    def number(self) -> int:
        """How many documents were published: another than before means that there is something to read."""
        return self._words[_NUMBER]

    def write(self, document: bytes) -> None:
        """Publish a document; the only process that writes is the one that leads, by one thread at a time.

        :param document: at most `MOST_BYTES`.
        :raises BoardError: for a longer one; the last stays up.
        """
        length = len(document)
        if length > MOST_BYTES:
            raise BoardError(f"document: expected at most {MOST_BYTES:,} bytes, got {length:,}")
        words = self._words
        number = words[_NUMBER] + 1
        half = number & 1
        self._halves[half][:length] = document
        words[_LENGTH + half] = length
        words[_CHECKSUM + half] = crc32(document)
        words[_NUMBER] = number

    def read(self) -> bytes:
        """The document that is up; b"" where there is none, or none whole after several tries."""
        words = self._words
        for _ in range(_TRIES):
            number = words[_NUMBER]
            if not number:
                break
            half = number & 1
            length = words[_LENGTH + half]
            if length > MOST_BYTES:
                continue
            document = bytes(self._halves[half][:length])
            if crc32(document) == words[_CHECKSUM + half] and words[_NUMBER] == number:
                return document
        return b""
