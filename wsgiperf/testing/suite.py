"""Running the contract: `check` for any place, `WSGIContract` for pytest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from wsgiref.types import WSGIApplication

from wsgiperf.testing.contract import RULES
from wsgiperf.testing.rules import BrokenRuleError, Level, Rule, Wrap, markdown_table

if TYPE_CHECKING:
    import pytest


def rules_of(levels: Iterable[Level | str]) -> list[Rule]:
    """The rules of the given levels, in their order."""
    wanted = {Level(level) for level in levels}
    return [rule for rule in RULES if rule.level in wanted]


def rules_table() -> str:
    """The contract as a Markdown table."""
    return markdown_table(RULES)


def check(wrap: Wrap, levels: Iterable[Level | str] = (Level.PEP3333,)) -> None:
    """Raise an `ExceptionGroup` with a `BrokenRuleError` for each rule a middleware breaks.

    ``wrap`` is anything that takes a WSGI application and returns one. By default it is held to what PEP 3333
    and HTTP ask of every middleware; ``levels=("pep3333", "wsgiperf")`` adds what wsgiperf promises beyond.
    """
    __tracebackhide__ = True
    broken = []
    for rule in rules_of(levels):
        try:
            rule.check(wrap)
        except BrokenRuleError as error:
            broken.append(error)
    if broken:
        names = ", ".join(error.rule.name for error in broken)
        raise ExceptionGroup(f"the middleware breaks {names}", broken)


class WSGIContract:
    """A pytest suite with one test for every rule and one with random applications.

    Derive from it and say how to wrap::

        class TestMyMiddleware(WSGIContract):
            def wrap(self, application):
                return MyMiddleware(application)
    """

    levels: tuple[Level | str, ...] = (Level.PEP3333,)
    examples = 100
    """How many random applications are tried."""

    def wrap(self, application: WSGIApplication) -> WSGIApplication:
        """Put the middleware under test around an application."""
        raise NotImplementedError

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """pytest's hook: one test for every rule of this class's levels."""
        if "rule" in metafunc.fixturenames:
            metafunc.parametrize("rule", rules_of(self.levels), ids=str)

    def test_rule(self, rule: Rule) -> None:
        """The middleware keeps the rule."""
        rule.check(self.wrap)

    def test_random_applications(self) -> None:
        """The middleware is transparent for any application; skipped where hypothesis is missing."""
        import pytest

        pytest.importorskip("hypothesis")
        from wsgiperf.testing.strategies import check_random_applications

        beyond = Level.WSGIPERF in {Level(level) for level in self.levels}
        check_random_applications(self.wrap, self.examples, within_pep3333=not beyond)
