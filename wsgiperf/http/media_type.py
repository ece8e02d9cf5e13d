"""Media types: RFC 9110 section 8.3.1, with the structured suffixes of RFC 6838 section 4.2.8."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .memo import memoised

__all__ = ["media_type", "media_types"]


def media_type(content_type: str) -> str:
    """The type of a Content-Type field, in lower case and without its parameters."""
    return content_type.partition(";")[0].strip(" \t").lower()


def media_types(patterns: Iterable[str]) -> Callable[[str], bool]:
    """A remembering predicate: whether a Content-Type field is of one of these types.

    :param patterns: ``text/css`` means itself; ``*`` stands for any text: ``text/*``, ``*+json``, ``*/*``.
    :raises ValueError: where a pattern couldn't match any type.
    """
    exact = set()
    open_ended = []
    for pattern in map(_checked, patterns):
        start, star, end = pattern.partition("*")
        if star:
            open_ended.append((start, end))
        else:
            exact.add(pattern)

    def matches(content_type: str) -> bool:
        essence = media_type(content_type)
        if essence in exact:
            return True
        for start, end in open_ended:
            if essence.startswith(start) and essence.endswith(end, len(start)):
                return essence != ""  # no type stated: matches nothing, not even */*
        return False

    return memoised(matches)


def _checked(pattern: str) -> str:
    checked = pattern.strip(" \t").lower()
    if checked == "*/*":
        return "*"
    if checked.count("*") <= 1 and ";" not in checked and ("/" in checked or checked[:2] == "*+"):
        return checked
    raise ValueError(f"{pattern!r} is no media type: expected one like text/html, text/* or *+json")
