"""What a query leaves behind: a few numbers in the exchange that runs now.

A request may send 100,000 queries, so nothing here grows with their number.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

from wsgiperf.exchange import Exchange, current
from wsgiperf.monitor.queries.statements import normalised

__all__ = ["OVERFLOW", "QUERIES", "REPEATED", "SLOW_SECONDS", "AliasTotals", "Queries", "Slow", "alias_of"]
__all__ += ["configure", "count", "queries_of"]

#: The key of a `Queries` in `Exchange.notes`.
QUERIES = object()

#: A query that takes longer is slow.
SLOW_SECONDS = 0.1
#: So often in one request, one statement is likely sent once per row of another (N+1).
REPEATED = 10

MOST_ALIASES = 16
MOST_SLOW = 10
MOST_STATEMENTS = 100
LONGEST_ALIAS = 63
#: The alias of what found no room.
OVERFLOW = "overflow"

#: Alias, seconds, whether it failed, the normalised statement.
Outside = Callable[[str, float, bool, str], None]

logger = logging.getLogger(__name__)


class Slow(NamedTuple):
    """A query that took longer than the limit."""

    seconds: float
    alias: str
    statement: str  #: normalised


class AliasTotals:
    """What one database was asked."""

    __slots__ = ("count", "failures", "seconds", "slow")

    def __init__(self) -> None:
        self.count = self.slow = self.failures = 0
        self.seconds = 0.0


class Queries:
    """The queries of one request so far.

    Threads that share an exchange add without a lock: a query sent from a finalizer would wait for itself.
    """

    __slots__ = ("aliases", "slow", "statements")

    def __init__(self) -> None:
        self.aliases: dict[str, AliasTotals] = {}  #: at most `MOST_ALIASES`, and `OVERFLOW`
        self.slow: list[Slow] = []  #: the `MOST_SLOW` slowest, in any order
        self.statements: dict[str, int] = {}  #: normalised -> how often; the first `MOST_STATEMENTS`

    def add(self, alias: str, statement: str, seconds: float, failed: bool, slow_seconds: float) -> None:
        """Count one query.

        :param statement: normalised.
        :param slow_seconds: above these it is slow.
        """
        totals = self.aliases.get(alias)
        if totals is None:
            totals = self._totals(alias)
        totals.count += 1
        totals.seconds += seconds
        if failed:
            totals.failures += 1
        if seconds > slow_seconds:
            totals.slow += 1
            self._add_slow(Slow(seconds, alias, statement))
        statements = self.statements
        if statement in statements:
            statements[statement] += 1
        elif len(statements) < MOST_STATEMENTS:
            statements[statement] = 1

    @property
    def count(self) -> int:
        """How many."""
        return sum(totals.count for totals in self.aliases.values())

    @property
    def seconds(self) -> float:
        """What they took together, in seconds."""
        return sum(totals.seconds for totals in self.aliases.values())

    @property
    def failures(self) -> int:
        """How many raised."""
        return sum(totals.failures for totals in self.aliases.values())

    @property
    def most_repeated(self) -> tuple[str, int]:
        """The normalised statement that was sent most often, and how often; ``("", 0)`` before the first."""
        return max(self.statements.items(), key=lambda item: item[1], default=("", 0))

    def _totals(self, alias: str) -> AliasTotals:
        if len(self.aliases) >= MOST_ALIASES:
            alias = OVERFLOW
        return self.aliases.setdefault(alias, AliasTotals())

    def _add_slow(self, query: Slow) -> None:
        if len(self.slow) < MOST_SLOW:
            self.slow.append(query)
            return
        quickest = min(range(MOST_SLOW), key=lambda place: self.slow[place].seconds)
        if query.seconds > self.slow[quickest].seconds:
            self.slow[quickest] = query


class _Configured(NamedTuple):
    slow_seconds: float
    outside: Outside | None


_configured = _Configured(SLOW_SECONDS, None)


def configure(*, slow_seconds: float = SLOW_SECONDS, outside: Outside | None = None) -> None:
    """Set, for the whole process, what counts as slow, and who hears of queries outside of requests.

    :param slow_seconds: a query that takes longer is slow.
    :param outside: called with alias, seconds, whether it failed, and the normalised statement, in the
        thread that sent the query; what it raises is logged. None: nobody.
    """
    global _configured
    _configured = _Configured(slow_seconds, outside)


def count(alias: str, statement: object, seconds: float, failed: bool = False, mysql: bool = False) -> None:
    """A query is over: add it to the request that sent it. Never raises.

    :param alias: the database, as `alias_of` spells it.
    :param statement: as sent; only its normalised form is kept.
    :param seconds: what it took.
    :param failed: it raised.
    :param mysql: the dialect, for `normalised`.

    A thread that an application starts is outside of the request, unless it runs in the request's context.
    """
    try:
        exchange = current.get()
        # A finished exchange still closes its bodies, which may send queries; behind that environ is empty.
        while exchange is not None and not exchange.environ:
            exchange = exchange.outer
        slow_seconds, outside = _configured
        if exchange is not None:
            queries = exchange.notes.get(QUERIES)
            if queries is None:
                queries = _opened(exchange)
            queries.add(alias, normalised(statement, mysql=mysql), seconds, failed, slow_seconds)
        elif outside is not None:
            outside(alias, seconds, failed, normalised(statement, mysql=mysql))
    except Exception:
        logger.exception("a query was not counted")


def queries_of(exchange: Exchange) -> Queries | None:
    """The queries of an exchange so far; None where there were none."""
    queries: Queries | None = exchange.notes.get(QUERIES)
    return queries


def alias_of(name: object) -> str:
    """A database's name as an alias: printable, at most `LONGEST_ALIAS` characters; ``default`` for none."""
    text = "" if name is None else str(name)
    return "".join(filter(str.isprintable, text[: 2 * LONGEST_ALIAS]))[:LONGEST_ALIAS] or "default"


def _opened(exchange: Exchange) -> Queries:
    """One for all stacks around the code: whichever has the monitor finds it in its own exchange."""
    chain = [exchange]
    while chain[-1].outer is not None:
        chain.append(chain[-1].outer)
    existing = (one.notes[QUERIES] for one in chain if QUERIES in one.notes)
    queries: Queries = next(existing, None) or Queries()
    for one in chain:
        one.notes[QUERIES] = queries
    return queries
