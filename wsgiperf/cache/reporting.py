"""What the cache says of itself in Cache-Status: RFC 9211."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsgiperf.http.cache_status import member, template

if TYPE_CHECKING:
    from wsgiperf.cache.lookup import Lookup
    from wsgiperf.exchange import Response

__all__ = ["Reporter"]

# What `Admission.admit` returns where all is as it should be.
_UNREMARKABLE = frozenset(("ok", "stream", "revalidated"))


class Reporter:
    """Makes the member of one cache, of which most are ready.

    :param name: the cache's; empty has it say nothing.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._made: dict[tuple[object, ...], str] = {}
        #: With a place for the seconds that are left: ``hit % seconds``.
        self.hit = template(name, hit=True) if name else ""
        self.missed, self.bypass, self.method = (
            member(name, fwd=why) if name else "" for why in ("uri-miss", "bypass", "method")
        )

    def served(self, seconds: float) -> str | None:
        """Of an answer from the store, fresh for so long; below 0 it is stale."""
        return member(self._name, hit=True, ttl=seconds) if self._name else None

    def refused(self, detail: str) -> str | None:
        """Of a request that is neither answered from the store nor forwarded."""
        return member(self._name, detail=detail) if self._name else None

    def forwarded(
        self,
        lookup: Lookup,
        *,
        stored: bool = False,
        collapsed: bool = False,
        detail: str | None = None,
        told: int | None = None,
    ) -> str | None:
        """Of a request that went on to the application.

        :param collapsed: it was another's call that answered it.
        :param detail: what became of the response, in a word.
        :param told: the status of the application's response, where another was sent.
        """
        if not self._name:
            return None
        if detail in _UNREMARKABLE:
            detail = None
        wanted = (lookup.forward, told, stored, collapsed, detail)
        made = self._made.get(wanted)
        if made is None:
            # A few dozen words at most: none of them is the client's.
            made = self._made[wanted] = member(
                self._name,
                fwd=lookup.forward,
                fwd_status=told,
                stored=stored,
                collapsed=collapsed,
                detail=detail,
            )
        return made

    def say(self, response: Response, status: str | None) -> None:
        """Put it into a response, behind what caches further in have said (RFC 9211 section 2)."""
        if not status:
            return
        headers = response.headers
        own = headers.fields.get("cache-status")
        if own is None:
            # Appended to the list and its index directly: that saves a call.
            headers.pairs.append(("Cache-Status", status))
            headers.fields["cache-status"] = status
        else:
            headers["Cache-Status"] = f"{own}, {status}"
