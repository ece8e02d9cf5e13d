"""What stays of a statement's tokens.

Dialects differ in what ends a string and in what double quotes mean. Where two readings are possible, the one
that shows less is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["shown"]

# Possessive throughout: no input is read twice. A string without an end is one up to the end.
_TOKEN = re.compile(
    r"""
    (?P<space> \s++ )
  | (?P<line> --[^\r\n]*+ )
  | (?P<comment> /\* )
  | (?P<oracle> [nN]?[qQ]'(?=\W) )
  | (?P<escaped> [eE]'[^'\\]*+ (?: (?:''|\\.) [^'\\]*+ )*+ '?+ )
  | (?P<string> (?:[uU]&|[a-zA-Z])?+'[^']*+ (?: '' [^']*+ )*+ '?+ )
  | (?P<double> (?:[uU]&)?+"[^"]*+ (?: "" [^"]*+ )*+ "?+ )
  | (?P<backtick> `[^`]*+`?+ )
  | (?P<dollar> \$(?:[^\W\d]\w*+)?+\$ )
  | (?P<parameter> %s | %\(\w*+\)s | \$\d++ | (?<!:):(?=\w)(?<![\w\]]:)\w++ | @\w++ | \?\d*+ )
  | (?P<number> (?:\d|\.\d) (?: [eE][+-]\d | [\w.] )*+ )
  | (?P<word> [^\W\d][\w$]*+ )
  | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_MARK = re.compile(r"/\*|\*/")
_NAME = re.compile(r"[\w$]{1,63}")
_DIGITS = re.compile(r"\d+")
_CLOSING = {"[": "]", "(": ")", "{": "}", "<": ">"}

#: Behind these a value is as likely as a column's name.
_COMPARING = frozenset("=<>!~|+*/%-")
_COMPARING_WORDS = frozenset(["LIKE", "ILIKE", "RLIKE", "REGEXP", "GLOB", "THEN", "ELSE", "BETWEEN"])

# A sign that belongs to a number, not between two.
_SIGN = re.compile(r"([=<>(,]\s*|\b(?:AND|BETWEEN|THEN|ELSE|LIMIT|OFFSET)\s)[-+]\s?\?", re.IGNORECASE)
_SIMPLE = r"""(?:\?|NULL|DEFAULT|TRUE|FALSE|"[^"]*+"|::\s?\w++|\s)"""
# Cut at the end of what was read, a list has no closing parenthesis.
_LIST = re.compile(rf"\b(IN|VALUES)\s?\({_SIMPLE}*+(?:,{_SIMPLE}*+)*+(?:\)|\Z)", re.IGNORECASE)
_ROWS = re.compile(
    r"\bVALUES \(\?\)(?:\s?,\s?\((?:\?|NULL|DEFAULT|TRUE|FALSE|,|\s)*+(?:\)|\Z))++", re.IGNORECASE
)


def shown(sql: str, mysql: bool) -> str:
    """The statement with ``?`` for literals, parameters and lists of them, without comments.

    :param mysql: double quotes mean strings, and ``#`` begins a comment.
    """
    tokens = _tokens(sql, mysql)
    text = _SIGN.sub(r"\1?", " ".join("".join(tokens).split()))
    text = _LIST.sub(r"\1 (?)", text)
    return _ROWS.sub("VALUES (?)", text).strip(" ;")


def _tokens(sql: str, mysql: bool) -> list[str]:
    """What stays of each token, in order."""
    found: list[str] = []
    position, end = 0, len(sql)
    while position < end:
        match = _TOKEN.match(sql, position)
        assert match is not None  # any character is a token
        kind, text, position = match.lastgroup or "", match.group(), match.end()
        if mysql:
            kind = _MYSQL.get(text if kind == "other" else kind, kind)
        if kind == "word":
            found.append(text)
        elif kind in _REPLACED:
            found.append(_REPLACED[kind])
            # A quote behind a backslash ends the string or does not, by dialect and by setting.
            if kind == "string" and ("\\'" in text or '\\"' in text):
                break
            if kind in _ENDS:
                position = _ENDS[kind](sql, position, text)
        elif kind == "double":
            found.append(_double(text, found, sql[position : position + 1]))
        elif kind == "backtick":
            found.append(_named(text, "`"))
        else:
            found.append(text if text.isprintable() else " ")
    return found


def _after(sql: str, closing: str, position: int) -> int:
    """Where it goes on behind what ends a token; the end where nothing does."""
    found = sql.find(closing, position)
    return len(sql) if found < 0 else found + len(closing)


def _after_oracle(sql: str, position: int, _text: str) -> int:
    opening = sql[position : position + 1]
    return _after(sql, _CLOSING.get(opening, opening) + "'", position + 1)


def _after_comment(sql: str, position: int, _text: str) -> int:
    """PostgreSQL's comments nest. Elsewhere they end at the first mark, as those do that are left open."""
    depth, first = 1, len(sql)
    for mark in _COMMENT_MARK.finditer(sql, position):
        if mark.group() == "/*":
            depth += 1
            continue
        depth -= 1
        first = min(first, mark.end())
        if not depth:
            return mark.end()
    return first


#: What stands for a token.
_REPLACED = {"space": " ", "line": " ", "comment": " ", "hash": " ", "string": "?", "escaped": "?"}
_REPLACED |= {"oracle": "?", "dollar": "?", "parameter": "?", "number": "?"}
#: Where tokens end of which the expression finds the beginning: SQL, position, the beginning -> position.
_ENDS: dict[str, Callable[[str, int, str], int]] = {
    "comment": _after_comment,
    "oracle": _after_oracle,
    "dollar": lambda sql, position, text: _after(sql, text, position),
    "hash": lambda sql, position, _text: _after(sql, "\n", position),
}
#: What MySQL reads in its own way.
_MYSQL = {"double": "string", "#": "hash"}


def _double(text: str, before: list[str], following: str) -> str:
    """A name, or what MySQL's and SQLite's leniency would take for a string."""
    if following != "." and _compared(before):
        return "?"
    return _named(text, '"')


def _named(text: str, quote: str) -> str:
    name = text[1:-1]
    if text[0] != quote or len(text) < 2 or text[-1] != quote or _NAME.fullmatch(name) is None:
        return f"{quote}?{quote}"
    return quote + _DIGITS.sub("?", name) + quote


def _compared(before: list[str]) -> bool:
    """Whether the token stands behind a comparison or the like."""
    for token in reversed(before):
        if token != " ":
            return token in _COMPARING or token.upper() in _COMPARING_WORDS
    return False
