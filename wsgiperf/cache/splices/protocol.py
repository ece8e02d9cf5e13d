"""What a coding is asked for to be spliced. For type checkers and readers; nothing imports it at run time."""

from __future__ import annotations

from typing import Protocol

from wsgiperf.cache.nonces import Template


class SplicedTemplate(Protocol):
    """An encoded body with holes. Any number of threads may fill it."""

    @property
    def length(self) -> int:
        """The length of a filled body in bytes, for its Content-Length."""

    @property
    def size(self) -> int:
        """The memory it takes in bytes, all told."""

    def fill(self, nonce: bytes) -> bytes:
        """The encoded body with that nonce.

        :raises ValueError: when it has another length than the one that was cut out.
        """


class Encoder(Protocol):
    """One body, encoded block by block."""

    def encode(self, block: bytes) -> bytes:
        """The block, encoded and ended such that what follows begins with a byte of its own; b"" for b""."""

    def finish(self) -> bytes:
        """The end of the body."""


class Coding(Protocol):
    """One content coding; each is a module."""

    @property
    def CONTEXT(self) -> int:  # noqa: N802 - a constant of the module
        """By how many bytes before it the meaning of encoded text may change."""

    def encoder(self, level: int, length: int) -> Encoder:
        """For a body of that length in bytes."""

    def assemble(self, pieces: tuple[bytes, ...], template: Template) -> SplicedTemplate:
        """A template of what encoders gave for all that is around the holes of another."""

    def decode(self, encoded: bytes) -> bytes:
        """The body.

        :raises Exception: one of the package's own, or ValueError, when it isn't whole or more follows.
        """
