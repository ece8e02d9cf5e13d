"""Brotli (RFC 7932): a hole is an uncompressed meta-block (section 9.2, ISUNCOMPRESSED)."""

from __future__ import annotations

from collections.abc import Callable

import brotli  # type: ignore[import-untyped]

from wsgiperf.cache.nonces import Template

__all__ = ["CONTEXT", "assemble", "decode", "encoder"]

# 1/4 MiB: what is spliced are pages, and few of them are larger.
_WINDOW = 18

# The code for a byte may be chosen by the two bytes before it: section 7.1.
CONTEXT = 2


class _Encoder:
    __slots__ = ("_flush", "_process", "finish")
    finish: Callable[[], bytes]

    def __init__(self, quality: int) -> None:
        stream = brotli.Compressor(brotli.MODE_GENERIC, quality, _WINDOW)
        self._process = stream.process
        self._flush = stream.flush
        self.finish = stream.finish

    def encode(self, block: bytes) -> bytes:
        return self._process(block) + self._flush() if block else b""


def encoder(level: int, length: int) -> _Encoder:
    return _Encoder(level)


def assemble(pieces: tuple[bytes, ...], template: Template) -> Template:
    return Template(pieces, template.width)


def decode(encoded: bytes) -> bytes:
    decoded: bytes = brotli.decompress(encoded)
    return decoded
