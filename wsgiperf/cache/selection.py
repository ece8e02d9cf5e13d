"""Which entry a request is about, and whether that may answer it: RFC 9111 sections 4 and 4.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsgiperf.cache import clock
from wsgiperf.cache.entry import Entry, Varying
from wsgiperf.cache.key import secondary
from wsgiperf.http.reuse import decide

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from wsgiperf.cache.entry import Held
    from wsgiperf.cache.lookup import Lookup
    from wsgiperf.cache.storage import Storage
    from wsgiperf.http.reuse import Reuse

__all__ = ["reusable", "select"]


def select(storage: Storage, environ: WSGIEnvironment, lookup: Lookup, held: Held | None) -> None:
    """Find the entry: what is held under the primary key, or where a note there leads."""
    lookup.held = held
    names = lookup.names
    if type(held) is Varying:
        lookup.key = f"{lookup.primary}\n{held.salt}\n{secondary(environ, held.names)}"
        held = storage.get(lookup.key, clock.now())
        lookup.forward = "vary-miss"
    elif names:
        # Nothing is stored yet: only those who would share the entry may wait for each other.
        lookup.key = f"{lookup.primary}\n\n{secondary(environ, names)}"
        held = None
    lookup.entry = held if type(held) is Entry else None


def reusable(entry: Entry, lookup: Lookup, now: float) -> Reuse:
    """What the entry is good for, at this moment and for this request."""
    return decide(
        now - entry.born,
        entry.fresh_until - entry.born,
        lookup.directives,
        must_revalidate=entry.must_revalidate,
        always_revalidate=entry.always_revalidate,
        stale_while_revalidate=entry.stale_while_revalidate,
    )
