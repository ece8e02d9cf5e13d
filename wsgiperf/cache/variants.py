"""The encoded forms of one stored body, which compression takes from here instead of calling a codec.

The mapping stands in `Response.variants`: `get(coding)` gives bytes or None, and compression puts in what it
had to encode. The two parts know nothing else of each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from wsgiperf.cache.splices import splice

if TYPE_CHECKING:
    from wsgiperf.cache.nonces import Template
    from wsgiperf.cache.splices.protocol import SplicedTemplate

__all__ = ["Filled", "Splices", "Variants"]

_PER_VARIANT = 250
#: Those of compression, where it isn't told otherwise.
LEVELS = {"br": 5, "gzip": 6, "zstd": 3}


class Variants(dict[str, bytes]):
    """The variants of one entry.

    :param key: the entry's.

    `grown` is called with the key when one has come, for the store to weigh the entry anew and to share it.
    """

    __slots__ = ("grown", "hits", "key", "size")

    def __init__(self, key: str) -> None:
        self.key, self.size, self.hits = key, 0, 0
        self.grown: Callable[[str], None] | None = None

    def __setitem__(self, coding: str, encoded: bytes) -> None:
        self.load(coding, encoded)
        if self.grown is not None:
            self.grown(self.key)

    def load(self, coding: str, encoded: bytes) -> None:
        """Put one in without telling: it comes from the store."""
        before = self.get(coding)
        self.size += len(encoded) - len(before) if before is not None else len(encoded) + _PER_VARIANT
        super().__setitem__(coding, encoded)


class Splices(dict[str, "SplicedTemplate | None"]):
    """The encoded forms of one body with a nonce cut out, each made when first asked for.

    :param variants: the entry's own, which know whom to tell that it has grown.
    """

    __slots__ = ("_template", "_variants", "size")

    def __init__(self, template: Template, variants: Variants) -> None:
        self._template, self._variants, self.size = template, variants, 0

    def __missing__(self, coding: str) -> SplicedTemplate | None:
        # Two threads may do this at once, for the same result.
        spliced = self[coding] = splice(self._template, coding, LEVELS.get(coding, 0))
        if spliced is not None:
            self.size += spliced.size
            if self._variants.grown is not None:
                self._variants.grown(self._variants.key)
        return spliced


class Filled:
    """`Response.variants` of one answer from a body with a nonce cut out."""

    __slots__ = ("_nonce", "_splices")

    def __init__(self, splices: Splices, nonce: bytes) -> None:
        self._splices, self._nonce = splices, nonce

    def get(self, coding: str) -> bytes | None:
        spliced = self._splices[coding]
        return None if spliced is None else spliced.fill(self._nonce)

    def __setitem__(self, coding: str, encoded: bytes) -> None:
        """What compression had to encode is good for this one answer only."""
