"""What the cache holds: a response, a note that a URL's responses vary, a note that they are not stored.

All three are live objects here; `frames.py` makes bytes of them for stores that processes share.
"""

from __future__ import annotations

from collections.abc import Iterable
from sys import getsizeof
from typing import TYPE_CHECKING

from wsgiperf.cache.variants import Splices, Variants
from wsgiperf.http.headers import Headers

if TYPE_CHECKING:
    from wsgiperf.cache.nonces import Template
    from wsgiperf.http.ranges import Pieces

__all__ = ["Entry", "Held", "Uncacheable", "Varying"]

Pairs = Iterable[tuple[str, str]]

#: Seconds that a stale entry with a validator is kept for, to be validated rather than fetched again.
GRACE = 3600.0
# Bytes of a string beside its characters, of which each takes one: all of it is latin-1, as PEP 3333 has it.
# To ask each for its size takes longer than all else that is weighed.
_STRING = getsizeof("\xe9") - 1
# Of an entry beside its strings' and its body's own: slots, list, index and the numbers, by tracemalloc.
_OVERHEAD = 2100 + _STRING + getsizeof(b"")
# Of a field likewise: the pair, and two strings.
_PAIR = 56 + 2 * getsizeof("")


class Entry:
    """A stored response. Never changed but for `fresh_until` (a soft purge) and its encoded variants.

    Times are wall-clock seconds. `born` is when the response would have had age 0 (RFC 9111 section 4.2.3),
    `fresh_until` where its freshness ends; `anonymous` entries answer only requests that carry neither
    cookies (but ignored ones) nor credentials.
    """

    __slots__ = (
        "always_revalidate", "anonymous", "body", "born", "etag", "fields", "fresh_until", "kept_until",
        "key", "last_modified", "lifetime", "must_revalidate", "not_modified_pairs", "pairs", "pieces",
        "ready", "ready_304", "requested", "route", "splices", "stale_if_error", "stale_while_revalidate",
        "status", "tags", "template", "variants",
    )  # fmt: skip

    def __init__(
        self,
        key: str,
        status: str,
        pairs: Pairs,
        body: bytes,
        *,
        requested: float,
        born: float,
        lifetime: float,
        stale_while_revalidate: float = 0.0,
        stale_if_error: float = 0.0,
        must_revalidate: bool = False,
        always_revalidate: bool = False,
        anonymous: bool = False,
        tags: tuple[str, ...] = (),
        stale_at: float = 0.0,
        template: Template | None = None,
        pieces: Pieces | None = None,
    ) -> None:
        self.key, self.status, self.body = key, status, body
        # Those who have an index of the fields give it away with them.
        headers = pairs if type(pairs) is Headers else Headers(pairs)
        self.pairs, self.fields = headers.pairs, headers.fields  #: as `Headers` has them
        self.requested, self.born, self.lifetime = requested, born, lifetime
        self.stale_while_revalidate, self.stale_if_error = stale_while_revalidate, stale_if_error
        self.must_revalidate, self.always_revalidate = must_revalidate, always_revalidate
        self.anonymous, self.tags = anonymous, tags
        self.route: str | None = None  #: the application's template for its path, where a framework told
        self.template = template  #: in the place of `body` where a nonce is cut out of it
        self.pieces = pieces  #: in the place of `body` where only parts of it are known
        self.etag = headers.fields.get("etag")
        self.last_modified = headers.fields.get("last-modified")
        fresh_until = 0.0 if always_revalidate else born + lifetime
        self.fresh_until = min(fresh_until, stale_at) if stale_at else fresh_until
        grace = GRACE if self.etag or self.last_modified else 0.0
        if stale_while_revalidate or stale_if_error:
            grace = max(grace, stale_while_revalidate, stale_if_error)
        self.kept_until = born + lifetime + grace  #: from when on it is of no use to anybody
        self.variants = Variants(key)  #: coding -> the encoded body
        self.splices = None if template is None else Splices(template, self.variants)
        self.not_modified_pairs: list[tuple[str, str]] | None = None  #: of a 304, once one was sent
        #: The fields of a hit, as they are for one second: the age that they tell, and both their forms.
        self.ready: tuple[int, list[tuple[str, str]], dict[str, str]] | None = None
        #: The same of a 304.
        self.ready_304: tuple[int, list[tuple[str, str]], dict[str, str]] | None = None

    @property
    def size(self) -> int:
        """What the entry costs in bytes. Counted when it is asked for: when the memory store takes it in, and
        when it has grown."""
        held = _OVERHEAD + len(self.body) + len(self.key) + _PAIR * len(self.pairs) + self.variants.size
        held += sum(map(len, self.fields)) + sum(map(len, self.fields.values()))
        if self.tags:
            held += sum(map(getsizeof, self.tags))
        if self.template is not None:
            held += self.template.size
        if self.splices is not None:
            held += self.splices.size
        if self.pieces is not None:
            held += self.pieces.held
        return held

    def move_to(self, key: str) -> None:
        """Give it its key, which is known last."""
        self.key = self.variants.key = key

    def stale_from(self, moment: float) -> None:
        """Purged softly: no longer fresh, for stale-while-revalidate to replace."""
        self.fresh_until = min(self.fresh_until, moment)


class Varying:
    """A URL whose responses depend on request fields; they stand under secondary keys.

    The salt is part of these keys: forgetting this note forgets all variants at once, wherever they are.
    """

    __slots__ = ("kept_until", "key", "names", "salt", "size")

    def __init__(self, key: str, names: tuple[str, ...], salt: str, kept_until: float) -> None:
        self.key, self.names, self.salt = key, names, salt  #: `names` are environ keys
        self.kept_until = kept_until
        self.size = 600 + _STRING + len(key) + sum(map(getsizeof, names))


class Uncacheable:
    """A URL whose last response was not stored: requests for it are not made to wait for each other."""

    __slots__ = ("kept_until", "key", "size")

    def __init__(self, key: str, kept_until: float) -> None:
        self.key, self.kept_until = key, kept_until
        self.size = 300 + _STRING + len(key)


Held = Entry | Varying | Uncacheable
