"""Messages of exceptions, fit for a page that more people read than the log.

Nobody can tell all secrets from text. What looks like one goes; where that is unclear, too much goes.
"""

from __future__ import annotations

import re
from functools import cache

__all__ = ["LONGEST", "redacted"]

#: Characters of a redacted message.
LONGEST = 200
#: Characters of a message that are read.
MOST_READ = 2_000

_GONE = "[redacted]"

_SECRET = (
    "pass(?:word|wd|phrase|code)?|pwd|secret|token|credential|signature|session(?:[_-]?id)?|cookie|csrf"
    "|(?:api|access|private|secret|account|shared|encryption)[_-]?key|apikey|authorization|auth|jwt|otp|pin|ssn"
)

# A word behind the name may belong to it; a word before it needs an underscore.
_PAIR = (
    rf"""((?<![^\W_])(?:{_SECRET})s?(?:[_-][\w-]{{0,40}}+)?["']?\s{{0,5}}(?:=>?|:)\s{{0,5}})"""
    r"""(?!\[redacted\])[bru]?(?:"[^"]*+"?|'[^']*+'?|\S++)"""
)

# In this order: what is gone already matches nothing further down.
_RULES = [
    # What SQLAlchemy and PostgreSQL add to their drivers' messages: statement, parameters, row.
    (r"\s*\[(?:SQL|parameters):.*", ""),
    (r"\s*\b(?:DETAIL|CONTEXT):.*", ""),
    (r"-----BEGIN [A-Z ]{1,40}-----.*", _GONE),
    (r"\b((?:set-)?cookie|(?:proxy-)?authorization)(\s*:\s*)[^\r\n]+", rf"\1\2{_GONE}"),
    # A URL's user and password, to the last @, for passwords hold anything; and its query.
    (r"\b([a-z][a-z0-9+.-]{0,20}://)[^\s@]*+@(?:[^\s@]*+@)*+", rf"\1{_GONE}@"),
    (r"\?[^\s?=]{1,100}+=\S*+", f"?{_GONE}"),
    (_PAIR, rf"\1{_GONE}"),  # name=value, "name": "value", name => value
    (r"\b(bearer|basic|digest|negotiate)\s+(?!auth|cred)[\w+/.~=-]{6,}+", rf"\1 {_GONE}"),
    (r"\beyJ[\w-]{5,}+(?:\.[\w-]*+)*+", _GONE),  # a JSON Web Token
    (r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++", _GONE),  # an address for e-mail
    (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", _GONE),  # an AWS key
    (r"(?<![\w.])\d(?:[ -]?\d){12,18}(?!\w)", _GONE),  # a card's number
]
_RUN = r"(?a:[\w+=-]{16,}+)"
_PIECE = r"[A-Z]++[a-z]*+|[a-z]++|\d++"
#: Letters or digits in a row, on average: random ones change sooner, names and words later.
_SHORTEST_PIECE = 3.5


def redacted(text: str) -> str:
    """A message in one line of at most `LONGEST` characters, without what looks like a credential.

    :param text: of any length; the beginning is read.
    """
    if len(text) > MOST_READ:
        # The last word may be the beginning of something that would have been seen whole.
        text = text[:MOST_READ].rpartition(" ")[0]
    for rule, instead in _compiled():
        text = rule.sub(instead, text)
    text = re.sub(_RUN, _unless_named, text)
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


@cache
def _compiled() -> list[tuple[re.Pattern[str], str]]:
    """Not at the import, which nobody's start shall wait for."""
    return [(re.compile(rule, re.IGNORECASE | re.DOTALL), instead) for rule, instead in _RULES]


def _unless_named(match: re.Match[str]) -> str:
    """Keys, hashes and UUIDs go; long names stay."""
    run = match.group()
    pieces = re.findall(_PIECE, run)
    return _GONE if sum(map(len, pieces)) < _SHORTEST_PIECE * len(pieces) else run
