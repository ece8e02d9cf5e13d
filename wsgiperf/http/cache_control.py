"""Cache-Control, RFC 9111 section 5.2, and the fields that speak to one kind of cache only, RFC 9213.

Both come out as one mapping: the directive's name in lower case, and its argument as text or None.

Where a field breaks the grammar, what it may forbid counts and what it may allow doesn't: an argument that
can't be one is the empty string, which is neither a number of seconds nor a list of names, and directives
between which a comma was forgotten are each heard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .memo import memoised
from .structured_fields import Token, parse_dictionary

__all__ = ["LONGEST", "delta_seconds", "field_names", "parse_directives", "parse_targeted", "unshared"]

#: RFC 9111 section 1.2.2: what a larger number of seconds counts as.
LONGEST = 2**31

Directives = Mapping[str, "str | None"]

_NONE: Directives = {}
_NO_NAMES: frozenset[str] = frozenset()

# The directives whose argument is a number of seconds, and those that may name fields.
_SECONDS = frozenset(("max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"))
_NAMING = frozenset(("no-cache", "private"))
_FORBIDDING = _NAMING | {"no-store"}
# More names than this aren't listed but taken as all of them.
_LONGEST_LIST = 1024

# One member of the list, up to its comma: name, equals sign, spaces and what is quoted behind it, and the
# rest. An opening quote that is never closed is a character like any other, or it would swallow what forbids
# storing. Possessive, so each character is passed once; a closing quote is looked for in vain at most once in
# a field, because any further opening quote would have been a closing one.
_MEMBER = r'([^,=]*+)(=)?+(?:([ \t]*+)"((?:[^"\\]|\\.)*+)")?+([^,]*+)(?:,|\Z)'
_members = re.compile(_MEMBER, re.DOTALL).finditer
_escaped = re.compile(r"\\(.)", re.DOTALL)
_is_name = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch


def parse_directives(value: str | None) -> Directives:
    """The directives of a Cache-Control field.

    Of several with one name the first counts, which is one of the two ways section 4.2.1 leaves. With
    no-cache and private none may lose its force: lists of names are joined, and one without a list wins.

    :param value: the field; several joined by ``", "``; None for none.
    :returns: argument by lower-case name, without its quotes; None for no argument, ``""`` for a broken one,
        as with a space beside the equals sign. Shared between callers: not to be changed.

    Source: RFC 9111 section 5.2; RFC 9110 sections 5.6.1 and 5.6.4.
    """
    return _remembered_directives(value)


def parse_targeted(value: str | None) -> Directives | None:
    """The directives of a targeted field, such as CDN-Cache-Control: a dictionary, read strictly.

    :param value: the field; several joined by ``", "``; None for none.
    :returns: as from `parse_directives`; None where the field counts for nothing: it is empty, breaks the
        grammar, or has something else than an integer where seconds belong (and does not forbid storing).

    Source: RFC 9213 sections 2.1 and 2.2.
    """
    return _remembered_targeted(value)


def unshared(value: str | None) -> str:
    """Cache-Control for the browser alone: `private`, and nothing that speaks to shared caches."""
    kept = []
    for name, argument in parse_directives(value).items():
        if name not in ("public", "private", "s-maxage", "proxy-revalidate"):
            kept.append(name if argument is None else f"{name}={_written(argument)}")
    return ", ".join(("private", *kept))


def _written(argument: str) -> str:
    if argument.isalnum() and argument.isascii():
        return argument
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def field_names(argument: str | None) -> frozenset[str]:
    """The fields that ``no-cache="a, b"`` or ``private="a"`` names, in lower case.

    :returns: nothing where the directive is about the whole response: it has no argument, or one that holds
        something else than names.

    Source: RFC 9111 sections 5.2.2.4 and 5.2.2.7.
    """
    names = {name for member in (argument or "").lower().split(",") if (name := member.strip(" \t"))}
    return frozenset(names) if all(map(_is_name, names)) else _NO_NAMES


def delta_seconds(argument: str | None) -> int | None:
    """A number of seconds: digits only; at most `LONGEST`, whatever was sent.

    :returns: None for anything else: a sign, a fraction, nothing at all. Section 4.2.1 encourages caches to
        take a response with such a lifetime as stale: there callers use 0.

    Source: RFC 9111 section 1.2.2.
    """
    if not argument or not (argument.isascii() and argument.isdecimal()):
        return None
    # The length is looked at first: Python refuses to convert thousands of digits.
    digits = argument.lstrip("0")
    return min(int(digits or "0"), LONGEST) if len(digits) <= 10 else LONGEST


def _read(value: str | None) -> Directives:
    if not value:
        return _NONE
    directives: dict[str, str | None] = {}
    for before, equals, spaces, quoted, after in map(_GROUPS, _members(value)):
        # Words without a comma between them are directives of their own, but for the last.
        *others, name = before.replace(";", " ").lower().split() or [""]
        argument = None
        if equals:
            argument, more = _argument(quoted, after)
            others += more
            if spaces or before[-1:] in " \t;":
                argument = ""
        for other in others:
            _add(directives, other, None)
        if name:
            _add(directives, name, argument)
    return directives


def _argument(quoted: str | None, after: str) -> tuple[str, list[str]]:
    """The argument, ``""`` for a broken one, and what stands behind it for want of a comma."""
    if quoted is not None:
        broken = after.strip(" \t")
        return ("" if broken else _escaped.sub(r"\1", quoted)), _words(broken)
    words = after.replace(";", " ").split()
    if len(words) == 1 and after.rstrip(" \t") == words[0]:
        return words[0], []
    return "", _words(" ".join(words[1:]))


def _words(text: str) -> list[str]:
    return [name for word in text.replace(";", " ").lower().split() if (name := word.partition("=")[0])]


def _add(directives: dict[str, str | None], name: str, argument: str | None) -> None:
    if name not in directives:
        directives[name] = argument
    elif name in _NAMING:
        names = directives[name]
        unbounded = not names or not argument or len(names) > _LONGEST_LIST
        directives[name] = None if unbounded else f"{names}, {argument}"


def _read_targeted(value: str | None) -> Directives | None:
    members = parse_dictionary(value) if value else None
    if not members:
        return None
    directives: dict[str, str | None] = {}
    sound = True
    for name, (argument, _) in members.items():
        kind = type(argument)
        if name in _SECONDS:
            directives[name] = str(argument) if kind is int else ""
            sound &= kind is int and argument >= 0  # type: ignore[operator]
        elif argument is not False:
            directives[name] = str(argument) if kind is str or kind is Token else None
    # Section 2.1: values of another type should not be consumed. The field falls, unless it forbids anything.
    return directives if sound or not _FORBIDDING.isdisjoint(directives) else None


_GROUPS = re.Match.groups
_remembered_directives = memoised(_read)
_remembered_targeted = memoised(_read_targeted)
