"""Brotli (RFC 7932), by the package of that name."""

from __future__ import annotations

from collections.abc import Callable

import brotli  # type: ignore[import-untyped]

__all__ = ["Brotli"]

_compress: Callable[[bytes, int, int, int], bytes] = brotli.compress
_GENERIC: int = brotli.MODE_GENERIC  # MODE_TEXT gives the very same bytes below quality 10.

# The package's default, whatever the size. 16 is 5% faster for bodies that fit, but allocates in pieces too
# small for glibc to keep when freed: in a process that does little else 1 KB then takes 115 us, not 18.
_WINDOW = 22

# A stream may stay open for hours, so its window is what it costs: 2 MB here, 5 MB with the largest one.
_STREAM_WINDOW = 18


class Brotli:
    """The smallest results. Quality 5 takes as long as gzip 6, 11 takes 80 times as long."""

    __slots__ = ("_quality",)
    name = "br"

    def __init__(self, level: int) -> None:
        self._quality = level

    def encode(self, body: bytes) -> bytes:
        return _compress(body, _GENERIC, self._quality, _WINDOW)

    def encoder(self) -> BrotliEncoder:
        return BrotliEncoder(self._quality)


class BrotliEncoder:
    """Every block is flushed: left to itself Brotli keeps up to 8 MiB back, and holds 46 MB to do so."""

    __slots__ = ("_flush", "_process", "finish")
    finish: Callable[[], bytes]

    def __init__(self, quality: int) -> None:
        stream = brotli.Compressor(_GENERIC, quality, _STREAM_WINDOW)
        self._process = stream.process
        self._flush = stream.flush
        self.finish = stream.finish

    def encode(self, block: bytes) -> bytes:
        return self._process(block) + self._flush() if block else b""
