"""A rule of the contract: its name, its sentence, where it is written, and the code that checks it.

A rule is written once, as a function. Its name is the rule's name, its docstring the statement that the
failure report and the documentation print, and its body the check::

    @rule("PEP 3333, The start_response() Callable")
    def start_response_once(wrap: Wrap) -> None:
        \"\"\"The server's start_response is called once for an application that calls it once.\"\"\"
        ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from inspect import getdoc
from wsgiref.types import WSGIApplication

Wrap = Callable[[WSGIApplication], WSGIApplication]
"""What is under test: anything that makes one WSGI application of another."""


class Level(Enum):
    """Who asks for a rule."""

    PEP3333 = "pep3333"
    """PEP 3333 or HTTP itself. Returning the application unwrapped keeps every one of these."""

    WSGIPERF = "wsgiperf"
    """wsgiperf's own promise beyond the standards, each for the sake of a server or a client."""


EVERY_LEVEL = tuple(Level)


class BrokenRuleError(AssertionError):
    """A middleware does not keep ``rule``; the cause is what the check found."""

    def __init__(self, rule: Rule, cause: BaseException) -> None:
        super().__init__(f"{rule.name}: {rule.statement} [{rule.source}]\n{_reason(cause)}")
        self.rule = rule


@dataclass(frozen=True)
class Rule:
    """One sentence of the contract, and the check that holds a middleware to it."""

    name: str
    statement: str
    source: str
    level: Level
    test: Callable[[Wrap], None]

    def check(self, wrap: Wrap) -> None:
        """Raise `BrokenRuleError` where a middleware does not keep this rule."""
        __tracebackhide__ = True
        try:
            self.test(wrap)
        except Exception as cause:
            raise BrokenRuleError(self, cause) from cause

    def __str__(self) -> str:
        return self.name


def rule(source: str, level: Level = Level.PEP3333) -> Callable[[Callable[[Wrap], None]], Rule]:
    """Make a rule of a function that raises where the middleware it is given breaks it."""

    def make(test: Callable[[Wrap], None]) -> Rule:
        name = test.__name__.replace("_", "-")
        statement = " ".join((getdoc(test) or "").split())
        return Rule(name, statement, source, level, test)

    return make


def expect(condition: object, message: str) -> None:
    """Assert, also under ``python -O``: a checker that optimises away checks nothing."""
    __tracebackhide__ = True
    if not condition:
        raise AssertionError(message)


def markdown_table(rules: Iterable[Rule]) -> str:
    """The rules as a Markdown table, for the documentation."""
    lines = ["| Rule | Statement | Asked by |", "|---|---|---|"]
    lines += [
        f"| `{rule.name}` | {rule.statement} | {_asked_by(rule)} |".replace("\n", " ") for rule in rules
    ]
    return "\n".join(lines) + "\n"


def _asked_by(rule: Rule) -> str:
    return rule.source if rule.level is Level.PEP3333 else f"wsgiperf: {rule.source}"


def _reason(cause: BaseException) -> str:
    text = str(cause)
    return text if isinstance(cause, AssertionError) and text else f"{type(cause).__name__}: {text}"
