"""What the cache asks of a store that several processes share. For type checkers and readers only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Lease(Protocol):
    """The right to do one piece of work that nobody else does meanwhile."""

    def renew(self) -> bool:
        """Hold it for as long again; False where it is lost."""

    def release(self) -> None:
        """Let others have it. Doing so twice does no harm, nor after another took it over."""


class SharedStore(Protocol):
    """A `cachelib.BaseCache` with two abilities more: to lend leases, and to purge by what values say.

    Its methods may raise: whoever calls them for a request counts that as a miss.
    """

    def get(self, key: str) -> bytes | None:
        """The value, or None."""

    def set(self, key: str, value: bytes, timeout: float | None = None) -> bool:
        """Keep a value for `timeout` seconds; whether that was possible."""

    def delete(self, key: str) -> bool:
        """Forget one key; whether it was there."""

    def lease(self, key: str, seconds: float) -> Lease | None:
        """Without waiting: the lease, or None where another thread, process or machine holds it."""

    def purge(self, matches: Callable[[bytes], bool], soft_at: float) -> int:
        """Remove every value whose first 8 KiB match; how many there were.

        :param soft_at: above zero, such a value stays and its bytes 8 to 16 become this number, a
            little-endian double: the moment (seconds since the epoch) from which on it counts as stale.
        :raises Exception: when values may have been missed.
        """
