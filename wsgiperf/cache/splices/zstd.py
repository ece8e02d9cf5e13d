"""Zstandard (RFC 8878): a hole is a raw block of the one frame (section 3.1.1.2)."""

from __future__ import annotations

from collections.abc import Callable

from zstandard import COMPRESSOBJ_FLUSH_BLOCK, ZstdCompressor, ZstdDecompressor

from wsgiperf.cache.nonces import Template

__all__ = ["CONTEXT", "assemble", "decode", "encoder"]

CONTEXT = 0


class _Encoder:
    __slots__ = ("_compress", "_flush", "finish")
    finish: Callable[[], bytes]

    def __init__(self, level: int, length: int) -> None:
        # There is no checksum in the frame unless one is asked for, so nothing depends on the nonce.
        # The length goes into the frame's head, and spares small bodies the tables that large ones need.
        stream = ZstdCompressor(level).compressobj(length)
        self._compress = stream.compress
        self._flush = stream.flush
        self.finish = stream.flush

    def encode(self, block: bytes) -> bytes:
        return self._compress(block) + self._flush(COMPRESSOBJ_FLUSH_BLOCK) if block else b""


def encoder(level: int, length: int) -> _Encoder:
    return _Encoder(level, length)


def assemble(pieces: tuple[bytes, ...], template: Template) -> Template:
    return Template(pieces, template.width)


def decode(encoded: bytes) -> bytes:
    return ZstdDecompressor().decompress(encoded, allow_extra_data=False)
