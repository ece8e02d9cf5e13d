"""A store in Redis or Valkey, shared by any number of machines.

Values are the bytes themselves. Names begin with the store's prefix and one character for what they are, so
that no key, whoever made it up, reaches another's lease or the short name of a long key.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from hashlib import sha256
from itertools import islice
from struct import pack
from time import monotonic
from typing import TYPE_CHECKING, Any

from cachelib import BaseCache

from wsgiperf.cache.stores.breaker import StoreUnavailable
from wsgiperf.cache.stores.redis_connections import Connections, ResponseError, Wire, packed
from wsgiperf.cache.stores.redis_leases import RedisLease, Script
from wsgiperf.cache.stores.redis_messages import Subscription

if TYPE_CHECKING:
    import redis

__all__ = ["RedisLease", "RedisStore", "StoreUnavailable"]

#: Bytes of a key that are used as they are; of a longer one so many, and its digest.
LONGEST_KEY = 512
KEPT_OF_KEY = 256
LONGEST_PREFIX = 128
#: Seconds; what Redis adds to the time of day has to fit into 63 bits of milliseconds.
LONGEST_TIMEOUT = 10 * 365 * 86_400
#: What of a value a purge reads.
HEAD = 8192
#: Names looked at, by the server, in one step of a purge; and values read in one round trip.
STEP = b"1000"
BATCH = 100


#: Only what was matched is marked, not what was stored in its place meanwhile.
MARK = Script(b"""
if redis.call('GETRANGE', KEYS[1], 0, ARGV[3]) ~= ARGV[1] then return 0 end
redis.call('SETRANGE', KEYS[1], 8, ARGV[2])
return 1""")


class RedisStore(BaseCache):
    """Bytes in Redis, under a prefix.

    :param server: a URL (``redis://``, ``rediss://``, ``unix://``) or a client of redis-py, of which only
        the address and credentials are used. An address by number saves from a slow name service.
    :param prefix: begins the names of all keys; another application on that server needs another one.
    :param default_timeout: seconds that values are kept; 0 for without limit.
    :param seconds: limit of each wait for the server. A hung one delays a call by this much, a trickling one
        by five times; then calls fail at once for half a second, and for up to 10 s when it stays so.
    :param patience: seconds that `purge` and `clear` may take.
    :raises TypeError, ValueError: for a server or a prefix that doesn't fit.

    Methods raise `StoreUnavailable` where the server can't be reached in time, and `ResponseError` where it
    answers with an error, such as when a key holds no string. For threads, gevent and forks.
    """

    def __init__(
        self,
        server: str | redis.Redis,
        *,
        prefix: str = "wsgiperf:",
        default_timeout: int = 300,
        seconds: float = 0.05,
        patience: float = 60.0,
    ) -> None:
        super().__init__(default_timeout)
        begin = prefix.encode()
        if not 0 < len(begin) <= LONGEST_PREFIX:
            raise ValueError(f"prefix: expected 1 to {LONGEST_PREFIX} bytes, got {prefix!r}")
        self._connections = Connections(server, seconds=seconds)
        self._patience = patience
        self._value, self._hashed, self._lease = begin + b"=", begin + b"#", begin + b"!"
        self._channel = begin + b"messages"
        self._ours = _literally(begin) + b"[=#]*"

    def get(self, key: str) -> bytes | None:
        """The value, or None."""
        name = self._name(key)
        value: bytes | None = self._connections.ask(b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (len(name), name))
        return value

    def get_many(self, *keys: str) -> list[Any]:
        """The values, in one round trip; None for a key that is not there or holds no string."""
        return list(self._connections.ask(packed(b"MGET", *map(self._name, keys)))) if keys else []

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return bool(self._connections.ask(packed(b"EXISTS", self._name(key))))

    def set(self, key: str, value: bytes, timeout: float | timedelta | None = None) -> bool:
        """Keep a value; whether that was possible.

        :param timeout: seconds; 0 for without limit, None for the store's default. Below 0 nothing is kept,
            nor is the older value.
        :raises TypeError: for anything but bytes.
        """
        options = self._lasting(timeout)
        if options is None:
            _checked(value)
            self.delete(key)
            return False
        return self._connections.ask(packed(b"SET", self._name(key), _checked(value), *options)) is not None

    def add(self, key: str, value: bytes, timeout: float | timedelta | None = None) -> bool:
        """Keep a value where there is none; whether there was none."""
        options = self._lasting(timeout)
        command = packed(b"SET", self._name(key), _checked(value), b"NX", *(options or ()))
        return options is not None and self._connections.ask(command) is not None

    def set_many(self, mapping: dict[str, bytes], timeout: float | timedelta | None = None) -> list[Any]:
        """Keep several values, in one round trip; the keys of those that are kept."""
        options = self._lasting(timeout)
        commands = [packed(b"SET", self._name(k), _checked(v), *(options or ())) for k, v in mapping.items()]
        if options is None:
            self.delete_many(*mapping)
        if options is None or not commands:
            return []
        replies = self._connections.ask_all(commands)
        return [key for key, reply in zip(mapping, replies, strict=True) if type(reply) is not ResponseError]

    def delete(self, key: str) -> bool:
        """Forget a key; whether it was there."""
        return bool(self._connections.ask(packed(b"UNLINK", self._name(key))))

    def delete_many(self, *keys: str) -> list[Any]:
        """Forget several; all of them are gone then."""
        if keys:
            self._connections.ask(packed(b"UNLINK", *map(self._name, keys)))
        return list(keys)

    def inc(self, key: str, delta: int = 1) -> int:
        """Add to a number, atomically; a new one is kept for the default timeout. `get` finds its digits."""
        name = self._name(key)
        begin = packed(b"SET", name, b"0", b"NX", *(self._lasting(None) or ()))
        _, number = self._connections.ask_all([begin, packed(b"INCRBY", name, b"%d" % delta)])
        if isinstance(number, ResponseError):
            raise number
        return int(number)

    def dec(self, key: str, delta: int = 1) -> int:
        """Subtract from a number, likewise."""
        return self.inc(key, -delta)

    def lease(self, key: str, seconds: float) -> RedisLease | None:
        """The right to do something alone, for some seconds, without waiting; None where another has it."""
        name, token = self._name(key, self._lease), os.urandom(16)
        term = b"%d" % max(1, int(seconds * 1000))
        reply = self._connections.ask(packed(b"SET", name, token, b"NX", b"PX", term))
        return None if reply is None else RedisLease(self._connections, name, token, term)

    def purge(self, matches: Callable[[bytes], bool], soft_at: float) -> int:
        """Remove every value whose first 8 KiB match; how many there were.

        :param soft_at: above zero, the values stay and their bytes 8 to 16 become this number, a
            little-endian double.
        :raises StoreUnavailable, ResponseError: when values may have been missed.
        """
        stamp = pack("<d", soft_at) if soft_at > 0 else b""
        count, marked = 0, set[bytes]()
        with self._connections.patient(self._patience) as wire:
            if stamp:
                _without_errors([wire.ask(packed(b"SCRIPT", b"LOAD", MARK.source))])
            for names in self._names(wire):
                heads = wire.ask_all([packed(b"GETRANGE", name, b"0", b"%d" % (HEAD - 1)) for name in names])
                found = zip(names, _without_errors(heads), strict=True)
                hits = [(n, head) for n, head in found if head and n not in marked and matches(head)]
                if hits:
                    removals = [_removal(name, head, stamp) for name, head in hits]
                    count += sum(_without_errors(wire.ask_all(removals), 0))
                    marked.update(name for name, _ in hits if stamp)  # may come again
        return count

    def clear(self) -> bool:
        """Remove all values under the prefix. Leases stay: whoever holds one releases it."""
        with self._connections.patient(self._patience) as wire:
            for names in self._names(wire):
                _without_errors([wire.ask(packed(b"UNLINK", *names))])
        return True

    def publish(self, data: bytes, *, patient: bool = False) -> int:
        """Send a message to all subscriptions under this prefix, this process's own included.

        :param patient: takes time to try, where no request waits for it.
        :returns: how many there are now. One that is being renewed gets nothing and knows.
        :raises StoreUnavailable: when nobody may have got it.
        """
        command = packed(b"PUBLISH", self._channel, data)
        if not patient:
            return int(self._connections.ask(command))
        with self._connections.patient(self._patience) as wire:
            return int(_without_errors([wire.ask(command)])[0])

    def subscription(self, callback: Callable[[bytes], object]) -> Subscription:
        """The messages of all who publish under this prefix; `start` it in each process."""
        return Subscription(self._connections, self._channel, callback)

    def close(self) -> None:
        """Close the connections that are idle."""
        self._connections.close()

    def _name(self, key: str, begin: bytes = b"") -> bytes:
        # Any str has a name: one that no encoding takes is a client's as well.
        name = key.encode("utf-8", "surrogatepass")
        if len(name) <= LONGEST_KEY:
            return (begin or self._value) + name
        return (begin or self._hashed) + name[:KEPT_OF_KEY] + sha256(name).hexdigest().encode()

    def _lasting(self, timeout: float | timedelta | None) -> tuple[bytes, ...] | None:
        """The options of SET; None for what is over already."""
        if timeout is None:
            timeout = self.default_timeout
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        if seconds == 0:
            return ()
        if not seconds > 0:  # nor is a NaN
            return None
        return b"PX", b"%d" % max(1, int(min(seconds, LONGEST_TIMEOUT) * 1000))

    def _names(self, wire: Wire) -> Iterator[list[bytes]]:
        """All names of values, some at a time. Some may come twice, or be gone."""
        cursor, deadline = b"0", monotonic() + self._patience
        while True:
            scan = wire.ask(packed(b"SCAN", cursor, b"MATCH", self._ours, b"COUNT", STEP))
            cursor, names = _without_errors([scan])[0]
            rest = iter(names)
            while batch := list(islice(rest, BATCH)):
                if monotonic() > deadline:
                    raise StoreUnavailable(f"Redis: not done within {self._patience} s")
                yield batch
            if cursor == b"0":
                return


def _checked(value: bytes) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"values are bytes, got {type(value).__name__}")
    return value


def _removal(name: bytes, head: bytes, stamp: bytes) -> bytes:
    if stamp and len(head) >= 16:
        return packed(b"EVALSHA", MARK.digest, b"1", name, head, stamp, b"%d" % (HEAD - 1))
    return packed(b"UNLINK", name)


def _without_errors(replies: Iterable[Any], instead: Any = None) -> list[Any]:
    """Raise the first error, but for what holds no string: that is not ours, and `get` never returns it."""
    sound = []
    for reply in replies:
        if isinstance(reply, ResponseError):
            if not str(reply).startswith("WRONGTYPE"):
                raise reply
            reply = instead
        sound.append(reply)
    return sound


def _literally(prefix: bytes) -> bytes:
    """The prefix in a pattern, where some characters mean others."""
    return b"".join(b"\\" + bytes([c]) if c in b"*?[]\\^" else bytes([c]) for c in prefix)
