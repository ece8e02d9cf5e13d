"""Content codings behind one protocol (`protocol.Codec`), each in the one file that imports its package."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .protocol import Codec

__all__ = ["load"]


def load(name: str, level: int) -> Codec | None:
    """The codec for a content coding, or None where its package isn't installed.

    :raises ValueError: for a coding that nobody here knows.
    """
    try:
        match name:
            case "br":
                from .brotli import Brotli

                return Brotli(level)
            case "gzip":
                from .gzip import Gzip

                return Gzip(level)
            case "zstd":
                from .zstd import Zstd

                return Zstd(level)
    except ImportError:
        return None
    raise ValueError(f"no codec is called {name!r}: expected br, gzip or zstd")
