"""SQL statements without what was asked for: fit to be shown, and to tell that one was sent many times."""

from __future__ import annotations

__all__ = ["LONGEST", "MOST_READ", "normalised"]

#: Characters of a normalised statement.
LONGEST = 300
#: Characters of a statement that are read. What follows differs in lists of values, if at all.
MOST_READ = 5_000
MOST_REMEMBERED = 512

# By the hash alone: the statement, with whatever is spelled out in it, is not kept.
_remembered: dict[tuple[int, bool], str] = {}


def normalised(statement: object, *, mysql: bool = False) -> str:
    """The statement with ``?`` for every literal and parameter, lists of values as one, and no comments.

    :param statement: SQL; of what isn't text only the type is told.
    :param mysql: double quotes mean strings, and ``#`` begins a comment. Elsewhere double-quoted names stay,
        with ``?`` for their digits (savepoints are numbered).
    :returns: at most `LONGEST` characters, printable ones.

    Two statements longer than `MOST_READ` characters that begin alike are one.
    """
    if not isinstance(statement, str):
        return f"({type(statement).__name__})"[:LONGEST]
    read = statement[:MOST_READ]
    key = (hash(read), mysql)
    known = _remembered.get(key)
    if known is None:
        from wsgiperf.monitor.queries.tokens import shown  # its expressions take milliseconds to compile

        known = shown(read, mysql)
        if len(known) > LONGEST:
            known = known[: LONGEST - 1] + "…"
        if len(_remembered) >= MOST_REMEMBERED:
            _remembered.clear()  # who fills it with junk can't keep the real ones out
        _remembered[key] = known
    return known
