"""Under which name a request is counted: never one that a client can choose freely."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from wsgiperf.http.memo import memoised

__all__ = [
    "METHODS",
    "OTHER_METHOD",
    "OVERFLOW",
    "UNMATCHED",
    "folded",
    "matcher",
    "method_name",
    "status_code",
]

#: RFC 9110 section 9 and RFC 5789. The semantic conventions call all others so.
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"))
OTHER_METHOD = "_OTHER"
#: Of requests that led to no route.
UNMATCHED = "unmatched"
#: Of routes that found no room.
OVERFLOW = "overflow"

_PLACEHOLDER = re.compile(r"(\{[^{}/]*\}|<[^<>]*>|\*)")


def method_name(method: str) -> str:
    """The method, or ``_OTHER``."""
    return method if method in METHODS else OTHER_METHOD


def status_code(status: str | None) -> int:
    """The code of a status line. Where no head was sent the server answers for the application: 500."""
    if status is None:
        return 500
    code = status[:3]
    return int(code) if code.isascii() and code.isdigit() and "100" <= code <= "599" else 500


def folded(code: int) -> str:
    """The series of what finds no room in the table: an error stays an error there."""
    return f"{OTHER_METHOD} {code // 100 * 100} {OVERFLOW}"


def matcher(patterns: Sequence[str]) -> Callable[[str], str] | None:
    """A function from a path to the first pattern that it matches, or ``unmatched``; None without patterns.

    :param patterns: such as ``/posts/{id}``, where a placeholder stands for one segment of the path, and
        ``/static/*``, where a star stands for all that follows or lies between.
    """
    if not patterns:
        return None
    rules = [(pattern, re.compile(_expression(pattern))) for pattern in patterns]

    def match(path: str) -> str:
        return next((pattern for pattern, rule in rules if rule.fullmatch(path)), UNMATCHED)

    return memoised(match)


def _expression(pattern: str) -> str:
    pieces = _PLACEHOLDER.split(pattern)
    return "".join(
        re.escape(piece) if number % 2 == 0 else ".*" if piece == "*" else "[^/]+"
        for number, piece in enumerate(pieces)
    )
