"""The table of broken middlewares: name, how to wrap, which rules must catch it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Wrap = Callable[[Any], Any]

BROKEN: dict[str, tuple[Wrap, set[str]]] = {}


def breaks(*rules: str) -> Callable[[Wrap], Wrap]:
    """Enter a middleware into the table."""

    def enter(wrap: Wrap) -> Wrap:
        BROKEN[wrap.__name__] = wrap, set(rules)
        return wrap

    return enter


class Proxy:
    """A body that passes on what it does not change, correctly: the breaking is left to the subclasses."""

    def __init__(self, body):
        self.body = body

    def __iter__(self):
        return iter(self.body)

    def close(self):
        if hasattr(self.body, "close"):
            self.body.close()
