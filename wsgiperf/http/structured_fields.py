"""Structured fields, as strict as they have to be: RFC 9651.

Only dictionaries are read, because fields like ``CDN-Cache-Control`` (RFC 9213) are dictionaries. One error
anywhere and the whole field counts for nothing (section 4.2): no half of it may take effect.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Date", "DisplayString", "InnerList", "Item", "Token", "parse_dictionary"]


class Token(str):
    """A bare word; a quoted string is a plain `str`: RFC 9651 section 3.3.4."""

    __slots__ = ()


class DisplayString(str):
    """A string of any characters, for people to read: RFC 9651 section 3.3.8."""

    __slots__ = ()


class Date(int):
    """Seconds since 1970; an integer is a plain `int`: RFC 9651 section 3.3.7."""

    __slots__ = ()


#: A bare value. Told apart by `type(value) is ...`, for a `bool` and a `Date` are an `int` too.
Bare = bool | int | float | str | bytes


class Item(NamedTuple):
    """One value with its parameters: RFC 9651 section 3.3."""

    value: Bare
    parameters: dict[str, Bare]


class InnerList(NamedTuple):
    """Several items in parentheses, with the parameters of the whole: RFC 9651 section 3.1.1."""

    value: list[Item]
    parameters: dict[str, Bare]


class _InvalidError(Exception):
    """Somewhere the grammar is broken; never leaves this module."""


# Every repetition is possessive or of one class: each pattern passes over its text once.
_key = re.compile(r"[a-z*][a-z0-9_\-.*]*").match
_number = re.compile(r"-?([0-9]++)(?:\.([0-9]*+))?").match
_string = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*+)"').match
_token = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*").match
_bytes = re.compile(r":([A-Za-z0-9+/=]*+):").match
_display = re.compile(r'%"((?:[ !#$&-~]|%[0-9a-f]{2})*+)"').match
_spaces = re.compile(r" *").match
_comma = re.compile(r"[ \t]*+,[ \t]*+").match
_escaped = re.compile(r"\\(.)")
_encoded = re.compile(r"%([0-9a-f]{2})")


def parse_dictionary(text: str) -> dict[str, Item | InnerList] | None:
    """The members of a dictionary, by key; of two with one key the later counts.

    :param text: the field's value; the lines of several fields joined by ``", "``.
    :returns: an empty dict for an empty field; None where anything in it breaks the grammar.

    Source: RFC 9651 section 4.2.2.
    """
    if not text.isascii():
        return None
    try:
        return _Parser(text.strip(" ")).dictionary()
    except _InvalidError:
        return None


class _Parser:
    """Reads from a position onwards: each method takes one construct and stands behind it."""

    __slots__ = ("_position", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def dictionary(self) -> dict[str, Item | InnerList]:
        members: dict[str, Item | InnerList] = {}
        while self._position < len(self._text):
            if members:
                self._match(_comma)  # a comma at the end leaves no key to be read
            key = self._match(_key)[0]
            if self._take("="):
                members[key] = self._inner_list() if self._take("(") else self._item()
            else:
                members[key] = Item(True, self._parameters())
        return members

    def _inner_list(self) -> InnerList:
        """Section 4.2.1.2, from behind the parenthesis."""
        items: list[Item] = []
        while True:
            self._match(_spaces)
            if self._take(")"):
                return InnerList(items, self._parameters())
            items.append(self._item())
            if self._next() not in (" ", ")"):
                raise _InvalidError

    def _item(self) -> Item:
        return Item(self._bare(), self._parameters())

    def _parameters(self) -> dict[str, Bare]:
        """Section 4.2.3.2."""
        parameters: dict[str, Bare] = {}
        while self._take(";"):
            self._match(_spaces)
            key = self._match(_key)[0]
            parameters[key] = self._bare() if self._take("=") else True
        return parameters

    def _bare(self) -> Bare:
        """Section 4.2.3.1: the first character says which type follows."""
        first = self._next()
        if first == '"':
            return _escaped.sub(r"\1", self._match(_string)[1])
        if first == ":":
            return _decoded(self._match(_bytes)[1])
        if first == "?":
            return self._boolean()
        if first == "@":
            return self._date()
        if first == "%":
            return _displayed(self._match(_display)[1])
        if first == "-" or first.isdecimal():
            return self._numeric()
        return Token(self._match(_token)[0])

    def _boolean(self) -> bool:
        self._position += 1
        if self._take("1"):
            return True
        if self._take("0"):
            return False
        raise _InvalidError

    def _date(self) -> Date:
        self._position += 1
        seconds = self._numeric()
        if type(seconds) is not int:
            raise _InvalidError
        return Date(seconds)

    def _numeric(self) -> int | float:
        """Section 4.2.4: 15 digits, or 12 with up to three decimals."""
        match = self._match(_number)
        whole, decimals = match.groups()
        if decimals is None:
            if len(whole) > 15:
                raise _InvalidError
            return int(match[0])
        if len(whole) > 12 or not 1 <= len(decimals) <= 3:
            raise _InvalidError
        return float(match[0])

    def _next(self) -> str:
        return self._text[self._position : self._position + 1]

    def _take(self, character: str) -> bool:
        taken = self._next() == character
        self._position += taken
        return taken

    def _match(self, pattern: Callable[[str, int], re.Match[str] | None]) -> re.Match[str]:
        match = pattern(self._text, self._position)
        if match is None:
            raise _InvalidError
        self._position = match.end()
        return match


def _decoded(text: str) -> bytes:
    """Section 4.2.7: padding may be missing; where it is there, it has to be right."""
    if "=" not in text:
        text += "=" * (-len(text) % 4)
    try:
        return a2b_base64(text, strict_mode=True)
    except Error:
        raise _InvalidError from None


def _displayed(text: str) -> DisplayString:
    """Section 4.2.10: what the escapes stand for is UTF-8."""
    encoded = _encoded.sub(lambda escape: chr(int(escape[1], 16)), text)
    try:
        return DisplayString(encoded.encode("latin-1").decode("utf-8"))
    except UnicodeDecodeError:
        raise _InvalidError from None
