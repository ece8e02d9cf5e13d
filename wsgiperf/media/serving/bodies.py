"""The source's bytes, read once they are needed and put back where they came from."""

from __future__ import annotations

from collections.abc import Iterator

from wsgiperf.bodies import Stream
from wsgiperf.exchange import Response
from wsgiperf.media.serving.selection import declared_length

__all__ = ["read_whole"]


def read_whole(response: Response, most: int) -> bytes | None:
    """The whole body; None where it is longer, cut, of no known length, or fails.

    Whatever comes of it, the response's body is what it was: the client gets each byte, and the exception.
    A stream without a length isn't begun: it may have no end.
    """
    body = response.body
    length = declared_length(response.headers.fields)
    if isinstance(body, (list, tuple)):
        if sum(map(len, body)) > most:
            return None
        data = b"".join(body)
    else:
        if type(body) is Stream and length is None:
            return None
        taken = _taken(response, most)
        if taken is None:
            return None
        data = taken
        response.body = [data]
    return data if length is None or len(data) == length else None


def _taken(response: Response, most: int) -> bytes | None:
    blocks, found, size = response.blocks(), [], 0
    try:
        for block in blocks:
            found.append(block)
            size += len(block)
            if size > most:
                response.body = Stream(_resumed(found, blocks), None)
                return None
    except Exception as error:
        response.body = Stream(_failing(found, error), None)
        return None
    return b"".join(found)


def _resumed(found: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from found
    yield from rest


def _failing(found: list[bytes], error: Exception) -> Iterator[bytes]:
    yield from found
    raise error
