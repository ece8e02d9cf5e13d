"""The vocabulary of the tables: exchanges, what the application says, what is expected."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = [
    "Answer",
    "Case",
    "Exchange",
    "Expected",
    "Table",
    "either",
    "get",
    "head",
    "hit",
    "miss",
    "origin",
    "post",
    "request",
    "says",
    "stale",
    "validated",
]

Lines = tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What the application says when it is asked."""

    fields: Lines = ()
    status: int = 200
    body: str | None = None  # None: words of its own
    manner: str = "list"


@dataclass(frozen=True)
class Expected:
    """Where the response comes from, and what it looks like."""

    source: str
    of: int = 1  # the exchange whose body is served, where it comes from the store
    status: int | tuple[int, ...] | None = None
    body: str | None = None
    contains: Lines = ()  # in the body
    has: Lines = ()  # "Name: value", exactly, or only "Name"
    lacks: Lines = ()  # "Name", or "Name: value" where other values are right
    seen: Lines = ()
    unseen: Lines = ()
    method: str | None = None  # as the application saw it
    age: tuple[int, int] | None = None
    cache_status: Lines = ()  # "hit", "fwd=stale", "ttl=10..20", "!hit"
    complete: bool = True
    calls: tuple[int, ...] | None = None  # where the source does not say how many
    also_calls: int = 0  # in the background
    eventually: bool = False


@dataclass(frozen=True)
class Exchange:
    """One request, and what becomes of it."""

    method: str = "GET"
    answer: Answer = Answer()
    expect: Expected = Expected("miss")
    sends: Lines = ()
    path: str = ""
    target: str | None = None  # the whole request target
    host: str | None = None
    body: str | None = None
    wait: int = 0  # seconds before it
    together: int = 1  # how many clients at once


@dataclass(frozen=True)
class Case:
    """A name that begins with the RFC and its section, and exchanges with one application."""

    name: str
    exchanges: tuple[Exchange, ...]
    options: str = "default"
    prefix: str = ""  # a path between the option set and the name, for rules that go by path


class Table:
    """Collects cases, each under its own name."""

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def __call__(self, name: str, *exchanges: Exchange, options: str = "default", prefix: str = "") -> None:
        self.cases.append(Case(name, exchanges, options, prefix))

    def reused(self, name: str, *fields: str, wait: int = 0, options: str = "default", **answer) -> None:
        """A response with these fields answers the same request again."""
        self(name, get(says(*fields, **answer)), get(expect=hit(), wait=wait), options=options)

    def not_reused(self, name: str, *fields: str, wait: int = 0, options: str = "default", **answer) -> None:
        """A response with these fields answers nobody else."""
        self(name, get(says(*fields, **answer)), get(expect=origin(), wait=wait), options=options)


def says(*fields: str, **answer) -> Answer:
    return Answer(fields, **answer)


FRESH = says("Cache-Control: max-age=100")


def request(method: str, answer: Answer = Answer(), **exchange) -> Exchange:
    return Exchange(method, answer, **exchange)


def get(answer: Answer = Answer(), **exchange) -> Exchange:
    return Exchange("GET", answer, **exchange)


def head(answer: Answer = Answer(), **exchange) -> Exchange:
    return Exchange("HEAD", answer, **exchange)


def post(answer: Answer = Answer(), **exchange) -> Exchange:
    return Exchange("POST", answer, **{"body": "posted", **exchange})


def hit(of: int = 1, **expected) -> Expected:
    return Expected("hit", of, **_lines(expected))


def miss(**expected) -> Expected:
    return Expected("miss", **_lines(expected))


def origin(**expected) -> Expected:
    return Expected("origin", **_lines(expected))


def stale(of: int = 1, **expected) -> Expected:
    return Expected("stale", of, **_lines(expected))


def either(**expected) -> Expected:
    return Expected("either", **_lines(expected))


def validated(*seen: str, of: int = 1, **expected) -> Expected:
    return replace(Expected("validated", of, **_lines(expected)), seen=seen)


def _lines(expected: dict) -> dict:
    """One line may be given without a tuple around it."""
    several = ("has", "lacks", "seen", "unseen", "cache_status", "contains")
    return {
        name: (value,) if name in several and isinstance(value, str) else value
        for name, value in expected.items()
    }
