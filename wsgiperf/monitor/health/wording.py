"""What is told of an error: one short line without control characters and without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["LONGEST", "bounded", "described"]

LONGEST = 200
#: Looked at before redaction, so that its cost is bounded as well.
_READ = 2000

# Greedy, to the last @ of the word: a password in an error text need not be percent-encoded.
_USERINFO = re.compile(r"(?<=://)[^\s\"'<>]*@")
_NAMED = re.compile(
    r"((?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|signature|credentials?|authorization)\w*"
    r"[\"']?\s*[=:]\s*)(?:(?:bearer|basic)\s+)?(?:\"[^\"]*\"?|'[^']*'?|[^\s&;,)]+)",
    re.IGNORECASE,
)


def bounded(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` in one line of at most 200 characters.

    :param secrets: left out wherever they stand; besides them the user part of URLs, and the values of what
        is named like a password or a token.
    """
    text = text[:_READ]
    for secret in secrets:
        text = text.replace(secret, "***")
    text = _NAMED.sub(r"\1***", _USERINFO.sub("***@", text))
    text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def described(error: BaseException, secrets: Iterable[str] = ()) -> str:
    """An exception's type and its own words, as `bounded` does it."""
    kind = type(error).__name__
    try:
        words = str(error)
    except Exception:  # an exception of the user's may be anything
        words = ""
    return bounded(f"{kind}: {words}" if words else kind, secrets)
