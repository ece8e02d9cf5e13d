"""A client that decodes what arrives, as it arrives (RFC 9110, section 8.4.1)."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

_MODULES = {"gzip": "zlib", "br": "brotli", "zstd": "zstandard"}

DECODABLE = tuple(coding for coding, module in _MODULES.items() if find_spec(module))
"""What can be decoded here: gzip always, br and zstd where their packages are installed."""


class Decoder:
    """Decodes one content coding, chunk by chunk."""

    def __init__(self, coding: str) -> None:
        if coding not in DECODABLE:
            raise AssertionError(f"the body is encoded as {coding!r}, which cannot be decoded here")
        self._decode = _Brotli() if coding == "br" else _Framed(_FRAMES[coding])

    def feed(self, chunk: bytes) -> bytes:
        """All that can be read with this chunk."""
        return self._decode.feed(chunk)

    @property
    def finished(self) -> bool:
        """Whether the stream ended where its format says it ends; False is a truncated response."""
        return self._decode.finished


class _Brotli:
    def __init__(self) -> None:
        self._decompressor = import_module("brotli").Decompressor()

    def feed(self, chunk: bytes) -> bytes:
        return bytes(self._decompressor.process(chunk))

    @property
    def finished(self) -> bool:
        return bool(self._decompressor.is_finished())


class _Framed:
    """gzip has members and zstd has frames: one may follow another, and padding is made of them."""

    def __init__(self, new: Callable[[], Any]) -> None:
        self._new = new
        self._frame: Any = None
        self.finished = False

    def feed(self, chunk: bytes) -> bytes:
        plain = b""
        while chunk:
            self._frame = self._frame or self._new()
            plain += self._frame.decompress(chunk)
            self.finished = self._frame.eof
            chunk = b""
            if self.finished:
                chunk, self._frame = self._frame.unused_data, None
        return plain


_FRAMES: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "zstd": lambda: import_module("zstandard").ZstdDecompressor().decompressobj(),
}
