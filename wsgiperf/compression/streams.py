"""Encoded bodies on their way out. Closing the body inside is left to the primitive."""

from __future__ import annotations

from collections.abc import Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgiperf.compression.codecs.protocol import Encoder

__all__ = ["Encoded", "Replaced"]


class Encoded:
    """A stream, encoded block by block.

    An error from inside goes on without the end of the coding: a truncated stream is the only way to tell
    the client that something is missing.
    """

    __slots__ = ("_blocks", "_encoder", "_ended")

    def __init__(self, blocks: Iterator[bytes], encoder: Encoder) -> None:
        self._blocks, self._encoder, self._ended = blocks, encoder, False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._ended:
            raise StopIteration
        for block in self._blocks:
            return self._encoder.encode(block)
        self._ended = True
        return self._encoder.finish()


class Replaced:
    """A body whose first block was all of it, encoded; the iterator is run to its end all the same."""

    __slots__ = ("_blocks", "_encoded")

    def __init__(self, encoded: bytes, blocks: Iterator[bytes]) -> None:
        self._encoded: bytes | None = encoded
        self._blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if (encoded := self._encoded) is not None:
            self._encoded = None
            next(self._blocks, None)  # the block that `encoded` stands for, in hand already
            return encoded
        next(self._blocks)
        return b""  # beyond Content-Length: nothing of it may be sent
