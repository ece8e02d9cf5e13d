"""The iterables that stand for a stream: on its way through the parts, and on its way to the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wsgiperf.exchange import Exchange, current

__all__ = ["OutgoingStream", "Stream"]


class Stream:
    """An application's iterator whose first non-empty block was asked for already."""

    __slots__ = ("_next", "first")

    def __init__(self, blocks: Iterator[bytes], first: bytes | None) -> None:
        self.first = first  #: None where there was none, or it is already taken
        self._next = blocks.__next__

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if (first := self.first) is None:
            return self._next()
        self.first = None
        return first


class OutgoingStream(Stream):
    """Any other body on its way out. `close` is a method: a generator never started skips its `finally`."""

    __slots__ = ("_exchange", "close")

    def __init__(self, exchange: Exchange, stream: Stream, close: Callable[[], None]) -> None:
        self.first, self._next = stream.first, stream._next  # in its place, not around it
        self._exchange, self.close = exchange, close

    def __next__(self) -> bytes:
        if (first := self.first) is not None:
            self.first = None
            return first
        exchange = self._exchange
        token = current.set(exchange)
        if exchange._bindings:
            exchange._rebind()
        try:
            return self._next()
        except StopIteration:
            exchange.complete = True
            raise
        except BaseException as error:
            exchange.fail(error)  # and on to the server: a truncated stream is the client's only signal
            raise
        finally:
            current.reset(token)
            if exchange._tokens:
                exchange._unbind()
