"""Any other cachelib backend as a store of bytes.

cachelib's backends pickle what they store, and unpickle whatever they find: who can write to the backend can
run code in the process. A serializer that knows bytes only takes the place of theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from hashlib import sha256
from math import ceil
from typing import TYPE_CHECKING, Any

from cachelib import BaseCache

from wsgiperf.errors import WSGIPerfError

from .locks import LocalLeases

if TYPE_CHECKING:
    from datetime import timedelta

    from .protocol import Lease

__all__ = ["Adapter", "UnsupportedByStoreError"]

#: The first byte of what the serializer writes says what follows: a value, or a number that a backend keeps
#: for itself (cachelib's file backend counts its files that way).
_BYTES, _NUMBER = b"b", b"n"
_LONGEST_NUMBER = 20
#: For these it is the client library that unpickles, where no serializer helps.
_UNPICKLING = {"MemcachedCache"}
_REDIS = {"BaseRedisCache", "RedisCache", "ValkeyCache"}


class UnsupportedByStoreError(WSGIPerfError, RuntimeError):
    """The backend has no way to do what it was asked for, or none that is safe."""


class _BytesOnly:
    """A serializer with the methods that cachelib's backends use; whatever it doesn't know is None."""

    def dumps(self, value: object) -> bytes:
        if isinstance(value, bytes):
            return _BYTES + value
        if type(value) is int:
            return _NUMBER + str(value).encode("ascii")
        raise TypeError(f"only bytes can be stored, not {type(value).__name__}")

    def loads(self, data: object) -> bytes | int | None:
        if not isinstance(data, bytes):
            return None
        kind, content = data[:1], data[1:]
        if kind == _BYTES:
            return content
        if kind == _NUMBER and content.isdigit() and len(content) <= _LONGEST_NUMBER:
            return int(content)
        return None

    def dump(self, value: object, file: Any) -> None:
        file.write(self.dumps(value))

    def load(self, file: Any) -> bytes | int | None:
        return self.loads(file.read())


class Adapter(BaseCache):
    """A store of bytes on top of another backend. Keys are hashed, so that any backend takes them.

    The backend object itself stays as it is: the adapter uses a copy that shares its connection and its
    contents, with a serializer of its own. Give it a backend that nothing else stores to, or one with a
    `key_prefix`: backends that evict do so without regard to whose values they are.

    It can't lend leases to several processes: those it lends keep apart the threads of this process. Nor can
    it look through the values: `purge` is refused, `clear` works where it removes this cache's values alone.

    :param backend: a `cachelib.BaseCache`, or an object with ``get(key)``, ``set(key, value, timeout)`` and
        ``delete(key)`` that takes and returns bytes. If such an object unpickles, so does this adapter.
    :param prefix: what keys begin with: up to 180 printable ASCII characters without a space.
    :param trusted: take a backend whose client library unpickles what it reads (memcached): right only where
        nobody else can write to the server.
    :raises UnsupportedByStoreError: when it would unpickle and isn't trusted.
    """

    def __init__(self, backend: Any, *, prefix: str = "wsgiperf:", trusted: bool = False) -> None:
        super().__init__(getattr(backend, "default_timeout", 300))
        kinds = {kind.__name__ for kind in type(backend).__mro__}
        if kinds & _UNPICKLING and not trusted:
            raise UnsupportedByStoreError(
                f"{type(backend).__name__}: its client library unpickles what it reads, so whoever can write"
                " to the server can run code here; pass trusted=True where nobody else can"
            )
        if hasattr(backend, "serializer"):
            backend = copy(backend)
            backend.serializer = _BytesOnly()
        self.backend = backend
        self._kinds = kinds
        self._prefix = prefix
        self._leases = LocalLeases()

    def get(self, key: str) -> bytes | None:
        """The value, or None; anything but bytes is None. May raise what the backend raises, as all here."""
        value = self.backend.get(self._key(key))
        return value if isinstance(value, bytes) else None

    def has(self, key: str) -> bool:
        """Whether there is a value; reads it."""
        return self.get(key) is not None

    def set(self, key: str, value: bytes, timeout: float | timedelta | None = None) -> bool:
        """Keep a value under `key`.

        :param timeout: seconds, rounded up; None is the backend's default, 0 for ever, below 0 is over
            already. At most ten years.
        :returns: False where the backend says so, or where it is over.
        :raises TypeError: when the value isn't `bytes`.
        """
        seconds = self._checked(value, timeout)
        if seconds is not None and seconds < 0:
            self.delete(key)
            return False
        return self.backend.set(self._key(key), value, seconds) is not False

    def add(self, key: str, value: bytes, timeout: float | timedelta | None = None) -> bool:
        """`set` where there is no value yet, else False; no more atomic than the backend's own."""
        seconds = self._checked(value, timeout)
        if seconds is not None and seconds < 0:
            return False
        if self.has(key):
            return False
        if not hasattr(self.backend, "add"):
            return self.set(key, value, timeout)
        name = self._key(key)
        if self.backend.add(name, value, seconds):
            return True
        # What is over is in the way of cachelib's file backend, and so is what isn't ours.
        if self.has(key):
            return False
        self.backend.delete(name)
        return bool(self.backend.add(name, value, seconds))

    def delete(self, key: str) -> bool:
        """Forget a key; whether the backend says that it was there."""
        return bool(self.backend.delete(self._key(key)))

    def clear(self) -> bool:
        """Have the backend forget everything it calls its own.

        :raises UnsupportedByStoreError: when that would be what others keep in the same server as well.
        """
        if not hasattr(self.backend, "clear"):
            raise UnsupportedByStoreError(f"{type(self.backend).__name__} can't be cleared")
        if self._kinds & _UNPICKLING:
            raise UnsupportedByStoreError("clearing memcached empties the whole server")
        if self._kinds & _REDIS:
            _require_prefix(self.backend.key_prefix)
        return bool(self.backend.clear())

    def lease(self, key: str, seconds: float = 0.0) -> Lease | None:
        """Without waiting: the lease on `key`, or None where another thread of this process holds it."""
        return self._leases.lease(key)

    def purge(self, matches: Callable[[bytes], bool], soft_at: float) -> int:
        """Not possible: cachelib's backends don't list their keys.

        :raises UnsupportedByStoreError: always.
        """
        raise UnsupportedByStoreError(
            f"{type(self.backend).__name__} doesn't list its values, so they can't be purged by prefix or"
            " tag: purge by URL, or clear it"
        )

    def _key(self, key: str) -> str:
        return self._prefix + sha256(key.encode("utf-8", "surrogatepass")).hexdigest()

    def _checked(self, value: object, timeout: float | timedelta | None) -> int | None:
        if not isinstance(value, bytes):
            raise TypeError(f"an Adapter holds bytes, not {type(value).__name__}")
        if timeout is None:
            return None
        seconds = timeout if isinstance(timeout, (int, float)) else timeout.total_seconds()
        if not seconds >= 0:
            return -1
        return ceil(min(seconds, _LONGEST))


#: cachelib's file backend adds the time of day to it and writes 32 bits.
_LONGEST = 10 * 365 * 86_400


def _require_prefix(prefix: Any) -> None:
    """Without one cachelib sends FLUSHDB; one with wildcards would match the keys of others."""
    text = prefix() if callable(prefix) else prefix
    if not text or any(character in text for character in "*?[\\"):
        raise UnsupportedByStoreError(
            "clearing a Redis backend without a plain key_prefix removes what others keep in the database"
        )
