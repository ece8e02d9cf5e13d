"""Whatever a decoder raises about a file becomes one of our errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from wsgiperf.media.errors import DamagedMediaError, MediaError, TooLargeMediaError, UnsupportedMediaError

__all__ = ["decoding"]

_CUT = ("truncated", "not enough", "end of file", "unexpected eof", "premature", "broken data stream")
_STRANGE = ("unsupported", "unknown", "cannot handle", "not supported", "unrecognized")


@contextmanager
def decoding() -> Iterator[None]:
    """For a block that gives a file's bytes to Pillow: plugins raise whatever their parsing runs into.

    :raises MediaError: for every exception of the block.
    """
    try:
        yield
    except MediaError:
        raise
    except MemoryError as error:
        raise TooLargeMediaError("too_many_pixels", "out of memory") from error
    except EOFError as error:
        raise DamagedMediaError("truncated") from error
    except Exception as error:
        said = str(error).lower()
        if "decompression bomb" in said:
            raise TooLargeMediaError("too_many_pixels") from error
        if any(word in said for word in _CUT):
            raise DamagedMediaError("truncated") from error
        if isinstance(error, NotImplementedError) or any(word in said for word in _STRANGE):
            raise UnsupportedMediaError("unsupported") from error
        raise DamagedMediaError("damaged") from error
