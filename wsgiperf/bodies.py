"""The iterables that stand for a body: one on its way through the parts, two on their way to the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from wsgiperf.exchange import Exchange, current

__all__ = ["OutgoingList", "OutgoingStream", "Stream"]


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


class OutgoingList:
    """A list or tuple on its way out: as countable as it was, and with a `close`."""

    __slots__ = ("_blocks", "_exchange", "close")

    def __init__(self, exchange: Exchange, blocks: Sequence[bytes], close: Callable[[], None]) -> None:
        self._exchange, self._blocks, self.close = exchange, blocks, close

    def __len__(self) -> int:
        return len(self._blocks)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._blocks
        self._exchange.complete = True


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
