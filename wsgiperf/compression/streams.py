"""Encoded bodies on their way out. Closing the body inside is left to the primitive."""

from __future__ import annotations

from collections.abc import Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgiperf.compression.codecs.protocol import Encoder

__all__ = ["Encoded", "Replaced"]


class Encoded:
    """A stream, encoded block by block.

    An error from inside goes on without the end of the coding, and a body shorter than its Content-Length
    gets none: a truncated stream is the only way to tell the client that something is missing. Of a longer
    one the rest is left out, as servers do.

    :param length: the Content-Length that the application gave, None for none.
    """

    __slots__ = ("_blocks", "_encoder", "_ended", "_left")

    def __init__(self, blocks: Iterator[bytes], encoder: Encoder, length: int | None) -> None:
        self._blocks, self._encoder, self._ended, self._left = blocks, encoder, False, length

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._ended:
            raise StopIteration
        self._ended = True  # unless a block comes
        for block in self._blocks:
            if self._left is not None:
                block = block[: self._left]
                self._left -= len(block)
            self._ended = False
            return self._encoder.encode(block)
        if self._left:
            raise StopIteration
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
