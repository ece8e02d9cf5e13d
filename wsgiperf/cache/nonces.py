"""A body with the nonce of its response cut out, so that each later response can have its own.

A nonce is good for one response (CSP level 3, section 7.1), so a stored page can't keep the one it was made
with. What is stored are the pieces between; what is sent is the pieces joined by a new nonce of the same
length, which leaves every other byte, and the Content-Length, as they were.
"""

from __future__ import annotations

from collections.abc import Iterable
from sys import getsizeof
from typing import TYPE_CHECKING

from wsgiperf.http.cache_control import unshared

if TYPE_CHECKING:
    from wsgiperf.http.headers import Headers

__all__ = [
    "LONGEST",
    "MOST_HOLES",
    "SHORTEST",
    "Template",
    "cut",
    "holes_in_headers",
    "make_private",
    "weak",
    "weakened",
]

MOST_HOLES = 256
"""A page with more is no page: it costs more to fill than it is worth."""

SHORTEST = 16
"""Bytes. Shorter ones may stand in a text by chance, and cutting there would change it."""

LONGEST = 63
"""Bytes. Beyond, encoders compress even what looks random, and a page could not be stored encoded."""

# Of what CSP allows (level 3, section 2.3.1: base64, also for URLs) the part that HTML, JavaScript and JSON
# never write in another way: "+", "/" and "=" become "\u002b", "\/" and "&#x3D;" in one template or another.
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Template:
    """A body with holes, all for the same nonce. Any number of threads may fill it.

    :param pieces: what stands before, between and after the holes; one more than there are holes.
    :param width: the length of a nonce in bytes.
    """

    __slots__ = ("length", "pieces", "size", "width")

    def __init__(self, pieces: tuple[bytes, ...], width: int) -> None:
        self.pieces = pieces
        self.width = width
        #: The length of a filled body in bytes, for its Content-Length.
        self.length = sum(map(len, pieces)) + (len(pieces) - 1) * width
        #: The memory it takes in bytes, all told.
        self.size = getsizeof(self) + getsizeof(pieces) + 2 * getsizeof(self.length)
        self.size += sum(map(getsizeof, pieces))

    def fill(self, nonce: bytes) -> bytes:
        """The body with that nonce.

        :raises ValueError: when it has another length than the one that was cut out.
        """
        if len(nonce) != self.width:
            raise ValueError(f"a nonce of {self.width} bytes is needed, not of {len(nonce)}")
        return nonce.join(self.pieces)


def cut(body: bytes, nonce: bytes) -> Template | None:
    """The body without the nonce, or None where putting one in again could give another body.

    That is where the nonce isn't in the body, in more than `MOST_HOLES` places, or in places that overlap;
    where it has other characters than ``A-Z a-z 0-9 - _``, which may stand escaped elsewhere in the body; or
    where it is shorter than `SHORTEST` or longer than `LONGEST`. What the application computed from the
    nonce, such as a hash, can't be seen and stays what it was.
    """
    width = len(nonce)
    if not SHORTEST <= width <= LONGEST or nonce.translate(None, _ALPHABET):
        return None
    pieces: list[bytes] = []
    after = 0
    at = body.find(nonce)
    while at >= 0:
        if at < after or len(pieces) == MOST_HOLES:
            return None
        pieces.append(body[after:at])
        after = at + width
        # From the next byte, not from the end of this one: else two that overlap would pass for one.
        at = body.find(nonce, at + 1)
    if not pieces:
        return None
    pieces.append(body[after:])
    return Template(tuple(pieces), width)


def holes_in_headers(headers: Iterable[tuple[str, str]], nonce: bytes) -> bool:
    """Whether the nonce stands in a field: such a response can't be stored, for fields are not cut.

    In whatever case: of a field that is compared without regard to case someone may have changed it.
    """
    sought = nonce.decode("latin-1").lower()
    return any(sought in value.lower() for _, value in headers)


def make_private(headers: Headers) -> None:
    """A page with a nonce is for the browser it was made for; a shared cache would give it to others.

    Of the fields that speak to such caches (RFC 9213) each network has its own: none goes out.
    """
    headers["Cache-Control"] = unshared(headers.fields.get("cache-control"))
    for name in [*headers.fields]:
        if name == "surrogate-control" or (name.endswith("-cache-control") and name != "cache-control"):
            del headers[name]
    if "expires" in headers.fields and "max-age" not in headers.fields["cache-control"]:
        del headers["Expires"]


def weak(etag: str) -> str:
    """The entity tag as one that promises no equal bytes: RFC 9110 section 8.8.1."""
    return etag if etag[:2] == "W/" else f"W/{etag}"


def weakened(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The fields without what two answers that differ in their nonces can't share: a strong tag, digests."""
    made = []
    for name, value in pairs:
        lower = name.lower()
        if lower == "etag":
            value = weak(value)
        if lower not in ("accept-ranges", "content-md5", "digest", "content-digest", "repr-digest"):
            made.append((name, value))
    return made
