"""Elements of EBML: an identifier and a length, both of variable size, and a body.

Source: RFC 8794 sections 4 (variable-size integers), 5 and 6.
"""

from __future__ import annotations

from struct import unpack
from typing import NamedTuple

from wsgiperf.media.video.refusals import damaged

__all__ = ["Element", "children", "first_of", "head_at", "number", "real"]

_MOST = 4096


# A record by the tuple's own constructor: half the time of the generated one.
_element = tuple.__new__


class Element(NamedTuple):
    """Where an element lies in the bytes it was found in."""

    identifier: int  #: with its marker, as the specifications write it
    at: int
    end: int


def head_at(data: bytes, at: int) -> tuple[int, int, int]:
    """Identifier, length and where the body begins; the length is -1 where it isn't known.

    :raises MediaError: damaged; no identifier or length begins so.
    :raises IndexError: the bytes end before.
    """
    first = data[at]
    if first >= 0x80:
        identifier = first
        at += 1
    else:
        width = 9 - first.bit_length()
        if width > 4:
            raise damaged("no element begins so")
        if len(data) < at + width:
            raise IndexError(at)
        identifier = int.from_bytes(data[at : at + width], "big")
        at += width
    first = data[at]
    width = 9 - first.bit_length()
    if width > 8:
        raise damaged("no length of an element begins so")
    if len(data) < at + width:
        raise IndexError(at)
    rest = (1 << 7 * width) - 1
    length = (first if width == 1 else int.from_bytes(data[at : at + width], "big")) & rest
    return identifier, -1 if length == rest else length, at + width


def children(data: bytes, at: int, end: int) -> list[Element]:
    """The elements between two positions.

    :raises MediaError: damaged.
    """
    found: list[Element] = []
    try:
        while at < end:
            # As most are, without a call: one or two bytes that name it, and less than 127 of content.
            identifier, length = data[at], data[at + 1]
            if identifier >= 0x80 and 0x80 <= length < 0xFF:
                length &= 0x7F
                body = at + 2
            elif 0x40 <= identifier < 0x80 and 0x80 <= data[at + 2] < 0xFF:
                identifier, length, body = identifier << 8 | length, data[at + 2] & 0x7F, at + 3
            else:
                identifier, length, body = head_at(data, at)
            at = body + length
            if length < 0 or at > end:
                raise damaged("an element doesn't fit into the one around it")
            found.append(_element(Element, (identifier, body, at)))
            if len(found) > _MOST:
                raise damaged("too many elements in one")
    except IndexError:
        raise damaged("an element doesn't fit into the one around it") from None
    return found


def first_of(elements: list[Element], identifier: int) -> Element | None:
    """The first of a kind."""
    for element in elements:
        if element.identifier == identifier:
            return element
    return None


def number(data: bytes, element: Element) -> int:
    """A number without sign: RFC 8794 section 7.2.

    :raises MediaError: damaged; it has more than 8 bytes.
    """
    if element.end - element.at > 8:
        raise damaged("a number of more than 8 bytes")
    return int.from_bytes(data[element.at : element.end], "big")


def real(data: bytes, element: Element) -> float:
    """A floating-point number of 0, 4 or 8 bytes: RFC 8794 section 7.3.

    :raises MediaError: damaged; it has another length.
    """
    body = data[element.at : element.end]
    if not body:
        return 0.0
    if len(body) not in (4, 8):
        raise damaged("a number of another length than 4 or 8 bytes")
    value: float = unpack(">f" if len(body) == 4 else ">d", body)[0]
    return value
