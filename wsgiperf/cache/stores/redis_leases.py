"""Leases held in Redis, and the programs that compare before they change."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha1
from typing import Any

from wsgiperf.cache.stores.breaker import StoreUnavailable
from wsgiperf.cache.stores.redis_connections import Connections, ResponseError, packed

__all__ = ["RedisLease", "Script"]


class Script:
    """A program for the server, sent in full only where it doesn't know it."""

    __slots__ = ("digest", "source")

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.digest = sha1(source, usedforsecurity=False).hexdigest().encode()

    def run(self, connections: Connections, name: bytes, *arguments: bytes) -> Any:
        try:
            return connections.ask(packed(b"EVALSHA", self.digest, b"1", name, *arguments))
        except ResponseError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise
            return connections.ask(packed(b"EVAL", self.source, b"1", name, *arguments))


RENEW = Script(b"""
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0""")
RELEASE = Script(b"""
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0""")


class RedisLease:
    """A lease held in Redis. Who holds it is told by a random token, compared on the server."""

    __slots__ = ("_connections", "_milliseconds", "_name", "_token")

    def __init__(self, connections: Connections, name: bytes, token: bytes, milliseconds: bytes) -> None:
        self._connections, self._name, self._token = connections, name, token
        self._milliseconds = milliseconds

    def renew(self) -> bool:
        """Hold it for as long again; False where it is lost.

        :raises StoreUnavailable: when that is not known.
        """
        return bool(RENEW.run(self._connections, self._name, self._token, self._milliseconds))

    def release(self) -> None:
        """Let others have it, or, where Redis can't be told, let it lapse. Never another's."""
        with suppress(StoreUnavailable, ResponseError):
            RELEASE.run(self._connections, self._name, self._token)
