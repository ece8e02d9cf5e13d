"""Connections to Redis for the path of a request: quick where it works, quickly over where it doesn't.

redis-py makes the connections, so every way to reach a server that it knows works here: TLS, a socket file,
Sentinel, credentials. Commands don't pass through its client, which spends as long on one as the wire does;
they are written to the socket, and hiredis reads the replies.

A connection serves the next command only after the replies to the last one were read to their end. Whatever
interrupts that, an exception of any kind, ends the connection: there is no way for a reply to be taken for
the answer to another question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import getpid
from time import monotonic
from typing import Any

import hiredis
import redis
from redis.connection import AbstractConnection

from wsgiperf.cache.stores.breaker import Breaker, StoreUnavailable

__all__ = ["MORE", "Connections", "ResponseError", "Wire", "packed"]

ResponseError = redis.ResponseError

#: What a reader says while a reply is not complete.
MORE = object()
#: How many waits long a whole answer may take: a large value comes in pieces, but it has to come.
WAITS = 4
#: Bytes sent between two looks at the clock, and received at once.
SLICE = 262_144
BUFFER = 65_536
#: Seconds after which an idle connection is looked at before it is used: the server may have closed it.
IDLE = 1.0
#: Options of a user's client that are about retries, time limits and messages in between.
NOT_OURS = ("retry", "health_check_interval", "socket_timeout", "socket_connect_timeout", "protocol")
NOT_OURS_PREFIXES = ("retry_", "maint", "orig_", "oss_")

FAILURES = (OSError, redis.RedisError, hiredis.HiredisError)
TIMEOUTS = (TimeoutError, redis.TimeoutError)


def packed(*parts: bytes) -> bytes:
    """A command as the server reads it."""
    return b"*%d\r\n" % len(parts) + b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts])


class Wire:
    """One connection: commands in, replies out, in turn. Not for two threads at once.

    :param connection: of redis-py, connected.
    :param longest: seconds that a command may take in all.
    """

    __slots__ = ("_buffer", "_connection", "_longest", "_reader", "_sock", "used")

    def __init__(self, connection: Any, longest: float) -> None:
        self._connection, self._longest = connection, longest
        self._sock = connection._sock
        self._reader = hiredis.Reader(notEnoughData=MORE, replyError=ResponseError)
        self._buffer = bytearray(BUFFER)
        self.used = monotonic()

    def ask(self, command: bytes) -> Any:
        """The reply; an error the server answers with is returned, not raised."""
        self.used = now = monotonic()
        if len(command) <= SLICE:
            self._sock.sendall(command)
        else:
            self._send_slowly(command, now + self._longest)
        reader, receive, buffer = self._reader, self._sock.recv_into, self._buffer
        reply = MORE
        while True:
            size = receive(buffer)
            if not size:
                raise ConnectionResetError("the server closed the connection")
            reader.feed(buffer, 0, size)  # type: ignore[arg-type]
            reply = reader.gets()
            if reply is not MORE:
                break
            if monotonic() - now > self._longest:
                raise TimeoutError("the reply takes too long")
        if reader.has_data():
            raise ConnectionError("the server answered what nobody asked")
        return reply

    def ask_all(self, commands: list[bytes]) -> list[Any]:
        """The replies to several commands sent together."""
        self.used = now = monotonic()
        self._send_slowly(b"".join(commands), now + self._longest)
        replies = [self._next(now + self._longest) for _ in commands]
        if self._reader.has_data():
            raise ConnectionError("the server answered what nobody asked")
        return replies

    def send(self, command: bytes) -> None:
        """Send without waiting for a reply."""
        self._sock.sendall(command)

    def listen(self, seconds: float) -> Any:
        """Whatever the server says next, or `MORE` where that is nothing within `seconds`."""
        reply = self._reader.gets()
        if reply is MORE:
            self._sock.settimeout(max(seconds, 0.001))
            try:
                self._receive()
            except TimeoutError:
                return MORE
            reply = self._reader.gets()
        return reply

    def usable(self) -> bool:
        """Whether the server neither closed the connection nor said anything meanwhile."""
        try:
            return not self._connection.can_read(0)
        except FAILURES:
            return False

    def close(self) -> None:
        self._connection.disconnect()

    def _send_slowly(self, command: bytes, deadline: float) -> None:
        view = memoryview(command)
        for start in range(0, len(view), SLICE):
            self._sock.sendall(view[start : start + SLICE])
            if monotonic() > deadline:
                raise TimeoutError("the server takes too long to read")

    def _next(self, deadline: float) -> Any:
        while (reply := self._reader.gets()) is MORE:
            if monotonic() > deadline:
                raise TimeoutError("the reply takes too long")
            self._receive()
        return reply

    def _receive(self) -> None:
        size = self._sock.recv_into(self._buffer)
        if not size:
            raise ConnectionResetError("the server closed the connection")
        self._reader.feed(self._buffer, 0, size)  # type: ignore[arg-type]


class Connections:
    """The connections of this process to one server.

    :param server: a URL as redis-py takes it (``redis://``, ``rediss://``, ``unix://``), or one of its
        clients, whose own pool is left alone.
    :param seconds: limit of each wait: for the connection, for the first byte of a reply, between two pieces
        of it. A whole command takes at most five of them. Looking up a host name is not in it.
    :param kept: idle connections that stay open; those beyond are closed after use.
    :raises TypeError: where it is no client of redis-py for one server (of asyncio, of a cluster).
    :raises ValueError: for a client that decodes what it reads; values are bytes.
    """

    def __init__(
        self,
        server: str | redis.Redis,
        *,
        seconds: float = 0.05,
        kept: int = 32,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        # The pool is held on to, though nothing is taken from it: Sentinel's is asked who the master is.
        pool = redis.ConnectionPool.from_url(server) if isinstance(server, str) else _pool_of(server)
        self._pool, self._class = pool, pool.connection_class
        given: dict[str, Any] = pool.connection_kwargs
        if given.get("decode_responses"):
            raise ValueError(
                "this Redis client has decode_responses=True, but values are bytes: give one without"
            )
        self._options = {
            name: value
            for name, value in given.items()
            if name not in NOT_OURS and not name.startswith(NOT_OURS_PREFIXES)
        }
        self._seconds, self._kept, self._clock = seconds, kept, clock
        self._begin()

    def _begin(self) -> None:
        self._idle: list[Wire] = []
        self.breaker = Breaker(clock=self._clock)
        # Last: a thread that sees the new number must not see the connections of the parent process.
        self._pid = getpid()

    def ask(self, command: bytes) -> Any:
        """The reply to one command.

        :raises ResponseError: what the server answered is an error.
        :raises StoreUnavailable: it answers nothing, not in time, or was given up for the moment.
        """
        reply = self._with_wire(Wire.ask, command)
        if reply.__class__ is ResponseError:
            raise reply
        return reply

    def ask_all(self, commands: list[bytes]) -> list[Any]:
        """The replies to several commands in one round trip; errors among them are returned.

        :raises StoreUnavailable: as above; it is not known then which were executed.
        """
        replies: list[Any] = self._with_wire(Wire.ask_all, commands)
        return replies

    def _with_wire(self, ask: Callable[[Wire, Any], Any], command: object) -> Any:
        if self._pid != getpid():
            self._begin()
        breaker, idle = self.breaker, self._idle
        if breaker.troubled and not breaker.allows():
            raise StoreUnavailable("Redis failed a moment ago")
        wire = None
        try:
            wire = self._take(idle) or self.connect()
            reply = ask(wire, command)
        except BaseException as error:
            if wire is not None:
                wire.close()
            if isinstance(error, FAILURES):
                self._fail(error)
            raise
        if breaker.troubled:
            breaker.succeeded()
        if reply.__class__ is ResponseError and str(reply).startswith("READONLY"):
            wire.close()  # no longer the master: the next connection finds the one that is
            self.close()
        elif len(idle) < self._kept:
            idle.append(wire)
        else:
            wire.close()
        return reply

    def _take(self, idle: list[Wire]) -> Wire | None:
        while idle:
            try:
                wire = idle.pop()
            except IndexError:  # another thread was quicker
                break
            if monotonic() - wire.used < IDLE or wire.usable():
                return wire
            wire.close()
        return None

    def _fail(self, error: BaseException) -> None:
        self.breaker.failed(timeout=isinstance(error, TIMEOUTS))
        self.close()  # where one is lost, the others are
        raise StoreUnavailable(f"Redis: {error}") from error

    def connect(self, seconds: float | None = None, longest: float | None = None) -> Wire:
        """A new connection, the caller's to close.

        :param seconds: limit of each wait.
        :param longest: limit of a command in all; four waits by default.
        """
        if seconds is None:
            seconds = self._seconds
        limits = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
        # RESP2: a server says nothing unasked there but to those that subscribed.
        connection = self._class(**self._options, **limits, protocol=2)
        connection.connect()
        return Wire(connection, seconds * WAITS if longest is None else longest)

    @contextmanager
    def patient(self, seconds: float) -> Iterator[Wire]:
        """A connection for work that is not a request's: with time, and past the breaker.

        :raises StoreUnavailable: when it fails all the same.
        """
        wire = None
        try:
            wire = self.connect(min(seconds, 5.0), seconds)
            yield wire
        except FAILURES as error:
            if isinstance(error, ResponseError):
                raise
            raise StoreUnavailable(f"Redis: {error}") from error
        finally:
            if wire is not None:
                wire.close()

    def close(self) -> None:
        """Close what is idle; later commands connect anew."""
        idle = self._idle
        while idle:
            try:
                idle.pop().close()
            except IndexError:
                break


def _pool_of(client: object) -> redis.ConnectionPool:
    pool = getattr(client, "connection_pool", None)
    if not isinstance(pool, redis.ConnectionPool) or not issubclass(
        pool.connection_class, AbstractConnection
    ):
        raise TypeError(f"expected a URL or a redis.Redis for one server, got {client!r}")
    return pool
