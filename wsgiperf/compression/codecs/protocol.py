"""What a codec is. For type checkers and readers; nothing imports it at run time."""

from __future__ import annotations

from typing import Protocol


class Codec(Protocol):
    """One content coding at one level. Any number of threads and streams may share it."""

    @property
    def name(self) -> str:
        """As in Content-Encoding."""

    def encode(self, body: bytes) -> bytes:
        """The whole body, encoded."""

    def encoder(self) -> Encoder:
        """A new stream."""


class Encoder(Protocol):
    """One body, encoded block by block."""

    def encode(self, block: bytes) -> bytes:
        """The block, encoded such that a client that has read so far can decode all of it; b"" for b""."""

    def finish(self) -> bytes:
        """The end of the stream. Without it the client sees that the body was cut short."""
