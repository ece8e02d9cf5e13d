"""Ranges of bytes: asked for, cut from a stored body, and put together again.

RFC 9110 section 14 and 15.3.7, RFC 9111 sections 3.3 and 3.4. Offsets are inclusive on both ends, as in the
fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import urandom

from .conditional import is_strong_date
from .etag import parse_etag, strong_match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .conditional import HasFields

__all__ = [
    "MOST_PIECES",
    "MOST_RANGES",
    "Pieces",
    "combinable",
    "parse_content_range",
    "parse_range",
    "partial",
]

Pair = tuple[str, str]
Range = tuple[int, int]

#: Section 14.2 lets a server ignore abusive sets. No player or reader of documents asks for so many.
MOST_RANGES = 16
MOST_PIECES = 16

# An offset of more digits lies beyond any body; int() takes time for thousands of them, then raises.
_MOST_DIGITS = 18
_BEYOND = 10**_MOST_DIGITS
# Members may be empty (section 5.6.1.2), but not without end.
_MOST_COMMAS = 4 * MOST_RANGES

# What is different for a part, or said anew.
_OF_THE_WHOLE = frozenset(("content-length", "content-range", "content-md5", "content-digest"))
# What the client has already where it sent If-Range.
_OF_THE_REPRESENTATION = frozenset(("content-type", "content-encoding", "content-language", "last-modified"))


def parse_range(value: str, size: int) -> list[Range] | None:
    """The ranges that a Range field asks of a representation of `size` bytes, in the order asked for.

    None: the field is to be ignored, because it is malformed, in another unit than bytes, has more than
    `MOST_RANGES` ranges (section 14.2), or there are no bytes at all (likewise). Empty: none can be
    satisfied, which calls for 416. Ranges that overlap or touch come out as one, in the place of the first
    (section 15.3.7.2): no set makes the answer much longer than the body.

    Source: RFC 9110 sections 14.1 and 14.2.
    """
    unit, _, members = value.strip(" \t").partition("=")
    if unit.lower() != "bytes" or not size or members.count(",") > _MOST_COMMAS:
        return None
    specs = [spec for spec in (member.strip(" \t") for member in members.split(",")) if spec]
    if not 0 < len(specs) <= MOST_RANGES:
        return None
    ranges: list[Range] = []
    for spec in specs:
        start, dash, end = spec.partition("-")
        first, last = _number(start), _number(end)
        if not dash or (start and first is None) or (end and last is None):
            return None
        if first is None:
            if last is None:
                return None
            first, last = max(size - last, 0), size - 1
        elif last is None:
            last = size - 1
        elif last < first:
            return None
        if first < size and first <= last:
            _coalesce(ranges, first, min(last, size - 1))
    return ranges


def _number(digits: str) -> int | None:
    # str.isdigit is true of superscripts as well.
    if not (digits.isascii() and digits.isdigit()):
        return None
    digits = digits.lstrip("0")
    return _BEYOND if len(digits) > _MOST_DIGITS else int(digits or "0")


def _coalesce(ranges: list[Range], first: int, last: int) -> None:
    """Add a range, at the place of the first that it touches."""
    place = len(ranges)
    for index in reversed(range(len(ranges))):
        other_first, other_last = ranges[index]
        if other_first <= last + 1 and first <= other_last + 1:
            first, last, place = min(first, other_first), max(last, other_last), index
            del ranges[index]
    ranges.insert(place, (first, last))


def parse_content_range(value: str) -> tuple[int, int, int | None] | None:
    """First and last offset and the whole size, None where the field has ``*`` for it, of a Content-Range.

    None for anything else: other units, ``bytes */10`` of a 416, and what contradicts itself.

    Source: RFC 9110 section 14.4.
    """
    unit, _, rest = value.strip(" \t").partition(" ")
    span, slash, total = rest.strip(" \t").partition("/")
    start, dash, end = span.partition("-")
    first, last, size = _number(start), _number(end), _number(total)
    if unit.lower() != "bytes" or not slash or not dash or first is None or last is None:
        return None
    if size == _BEYOND or (size is None and total != "*"):
        return None
    whole = _BEYOND if size is None else size
    return (first, last, size) if first <= last < whole else None


def partial(
    pairs: Iterable[Pair], source: bytes | Pieces, ranges: list[Range], *, if_range: bool = False
) -> tuple[str, list[Pair], list[bytes]]:
    """Status, fields and body of the answer to a range request.

    :param pairs: the fields of the 200.
    :param source: its body, or pieces that cover all of `ranges`.
    :param ranges: from `parse_range`; several make a multipart/byteranges, none a 416.
    :param if_range: the request had If-Range: leave out what the client has got with its first part.

    Source: RFC 9110 sections 15.3.7 and 15.5.17.
    """
    size = source.size if isinstance(source, Pieces) else len(source)
    if not ranges:
        # Nothing else of the 200: its Cache-Control would let the error be stored.
        error = [("Content-Range", f"bytes */{size}"), ("Content-Length", "0")]
        return "416 Range Not Satisfiable", error, []
    parts = [(first, last, _cut(source, first, last)) for first, last in ranges]
    dropped = _OF_THE_WHOLE | (_OF_THE_REPRESENTATION if if_range else frozenset())
    if len(parts) == 1:
        first, last, block = parts[0]
        body = [block]
        own = [("Content-Range", f"bytes {first}-{last}/{size}")]
    else:
        pairs = list(pairs)
        content_type = next((value for name, value in pairs if name.lower() == "content-type"), None)
        boundary = _boundary(block for _, _, block in parts)
        body = _multipart(parts, size, content_type, boundary)
        own = [("Content-Type", f"multipart/byteranges; boundary={boundary}")]
        dropped |= {"content-type"}
    fields = [pair for pair in pairs if pair[0].lower() not in dropped]
    return "206 Partial Content", [*fields, *own, ("Content-Length", str(sum(map(len, body))))], body


def _cut(source: bytes | Pieces, first: int, last: int) -> bytes:
    if not isinstance(source, Pieces):
        return source[first : last + 1]
    block = source.slice(first, last)
    if block is None:
        raise ValueError(f"bytes {first}-{last} are not there: ask covers() before")
    return block


def _boundary(blocks: Iterable[bytes]) -> str:
    """Not in any of the blocks: RFC 2046 section 5.1.1."""
    blocks = list(blocks)
    while True:
        boundary = urandom(12).hex()
        if not any(boundary.encode() in block for block in blocks):
            return boundary


def _multipart(
    parts: Iterable[tuple[int, int, bytes]], size: int, content_type: str | None, boundary: str
) -> list[bytes]:
    """RFC 9110 section 14.6."""
    kind = f"Content-Type: {content_type}\r\n" if content_type and content_type.isprintable() else ""
    body: list[bytes] = []
    before = ""
    for first, last, block in parts:
        head = f"{before}--{boundary}\r\n{kind}Content-Range: bytes {first}-{last}/{size}\r\n\r\n"
        body += (head.encode("latin-1", "replace"), block)
        before = "\r\n"
    body.append(f"\r\n--{boundary}--\r\n".encode())
    return body


def combinable(stored: HasFields, new: HasFields) -> bool:
    """Whether two partial responses, of one size, are parts of the same bytes: they share a strong validator.

    :param stored: fields by lower-case name, as are `new`.

    An entity tag decides where either has one; dates only where they are strong, see `is_strong_date`.

    Source: RFC 9111 section 3.4, RFC 9110 section 15.3.7.3.
    """
    one, other = stored.get("etag"), new.get("etag")
    if one or other:
        if not one or not other:
            return False
        tag = parse_etag(one)
        return tag is not None and strong_match(tag, other.strip(" \t"))
    modified = stored.get("last-modified")
    return (
        modified is not None
        and modified == new.get("last-modified")
        and is_strong_date(modified, stored.get("date"))
        and is_strong_date(modified, new.get("date"))
    )


class Pieces:
    """Those bytes of a representation that are there. Immutable.

    :param size: of the whole representation, in bytes.
    :param pieces: (first offset, bytes), as read from `pieces` before: in order, none empty, none touching.

    At most `MOST_PIECES`: beyond, the shortest of the old ones is forgotten.
    """

    __slots__ = ("pieces", "size")

    def __init__(self, size: int, pieces: Iterable[tuple[int, bytes]] = ()) -> None:
        self.size = size
        self.pieces = tuple(pieces)

    def add(self, first: int, data: bytes) -> Pieces:
        """These and the bytes from offset `first` on.

        Bytes that differ from those here prove that the representation is another one: the new ones
        replace all. What reaches beyond the size is not of it: nothing is added.
        """
        end = first + len(data)
        if not data or first < 0 or end > self.size:
            return self
        touching = [piece for piece in self.pieces if piece[0] <= end and first <= piece[0] + len(piece[1])]
        for start, block in touching:
            low, high = max(first, start), min(end, start + len(block))
            if block[low - start : high - start] != data[low - first : high - first]:
                return Pieces(self.size, [(first, data)])
        others = [piece for piece in self.pieces if piece not in touching]
        if touching:
            (start, left), (last_start, right) = touching[0], touching[-1]
            data = left[: max(first - start, 0)] + data + right[max(end - last_start, 0) :]
            first = min(first, start)
        elif len(others) >= MOST_PIECES:
            others.remove(min(others, key=lambda piece: len(piece[1])))
        return Pieces(self.size, sorted([*others, (first, data)]))

    @property
    def held(self) -> int:
        """How many bytes are there."""
        return sum(len(block) for _, block in self.pieces)

    @property
    def complete(self) -> bytes | None:
        """The whole representation, if it is there."""
        return self.slice(0, self.size - 1) if self.size else b""

    def covers(self, first: int, last: int) -> bool:
        """Whether all bytes from `first` to `last` are there."""
        return self._piece(first, last) is not None

    def slice(self, first: int, last: int) -> bytes | None:
        """The bytes from `first` to `last`, if all are there."""
        piece = self._piece(first, last)
        return None if piece is None else piece[1][first - piece[0] : last + 1 - piece[0]]

    def _piece(self, first: int, last: int) -> tuple[int, bytes] | None:
        if first <= last:
            for piece in self.pieces:
                if piece[0] <= first and last < piece[0] + len(piece[1]):
                    return piece
        return None

    def request(self) -> str | None:
        """The Range field that asks for all that is missing, where that is one stretch.

        Source: RFC 9111 section 3.3.
        """
        gaps: list[Range] = []
        at = 0
        for first, block in (*self.pieces, (self.size, b"")):
            if first > at:
                gaps.append((at, first - 1))
            at = first + len(block)
        if len(gaps) != 1:
            return None
        first, last = gaps[0]
        return f"bytes={first}-" if last == self.size - 1 else f"bytes={first}-{last}"

    def __repr__(self) -> str:
        held = ", ".join(f"{first}-{first + len(block) - 1}" for first, block in self.pieces)
        return f"Pieces({held or 'none'} of {self.size})"
