"""gzip (RFC 1952): a hole is a stored block (RFC 1951, section 3.2.4); the trailer changes with the nonce."""

from __future__ import annotations

import zlib
from sys import getsizeof

from wsgiperf.cache.nonces import Template

from .checksum import Checksum

__all__ = ["CONTEXT", "GzipTemplate", "assemble", "decode", "encoder"]

# 32 KiB of window in a gzip frame.
_GZIP = 16 + zlib.MAX_WBITS

# CRC-32 and length, four bytes each.
_TRAILER = 8

CONTEXT = 0


class GzipTemplate:
    """All but the trailer is a template like others; the trailer has the body's CRC."""

    __slots__ = ("_checksum", "_frame", "_isize", "length", "size")

    def __init__(self, frame: Template, checksum: Checksum, body_length: int) -> None:
        self._frame = frame
        self._checksum = checksum
        self._isize = (body_length & 0xFFFFFFFF) << 32
        self.length = frame.length + _TRAILER
        self.size = getsizeof(self) + getsizeof(self._isize) + 2 * getsizeof(self.length)
        self.size += frame.size + checksum.size

    def fill(self, nonce: bytes) -> bytes:
        trailer = self._isize | self._checksum.of(nonce)
        return self._frame.fill(nonce) + trailer.to_bytes(_TRAILER, "little")


class _Encoder:
    __slots__ = ("_compress", "_flush")

    def __init__(self, level: int) -> None:
        stream = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
        self._compress = stream.compress
        self._flush = stream.flush

    def encode(self, block: bytes) -> bytes:
        return self._compress(block) + self._flush(zlib.Z_SYNC_FLUSH) if block else b""

    def finish(self) -> bytes:
        return self._flush()


def encoder(level: int, length: int) -> _Encoder:
    return _Encoder(level)


def assemble(pieces: tuple[bytes, ...], template: Template) -> GzipTemplate:
    frame = Template((*pieces[:-1], pieces[-1][:-_TRAILER]), template.width)
    return GzipTemplate(frame, Checksum(template), template.length)


def decode(encoded: bytes) -> bytes:
    stream = zlib.decompressobj(_GZIP)
    body = stream.decompress(encoded)
    if not stream.eof or stream.unused_data:
        raise ValueError("not one whole member")
    return body
