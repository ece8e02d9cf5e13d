"""Vary, the request fields an answer depends on: RFC 9110 section 12.5.5."""

from __future__ import annotations

from collections.abc import Callable

from .memo import memoised

__all__ = ["merge_vary", "varies_by"]


def merge_vary(current: str | None, field: str) -> str:
    """`current` with the name `field` in it: once, after the application's own names as it spelt them."""
    if not current:
        return field
    names = [name.strip(" \t").lower() for name in current.split(",")]
    # "*" says that anything may matter: there is nothing to add.
    if "*" in names or field.lower() in names:
        return current
    own = current.strip(" \t,")
    return f"{own}, {field}" if own else field


def varies_by(field: str) -> Callable[[str | None], str]:
    """`merge_vary` for one field, remembering its answers."""
    return memoised(lambda current: merge_vary(current, field))
