"""The contract suite is itself under test: it catches what is wrong, and only that."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

import wsgiperf.testing
from wsgiperf.testing import RULES, BrokenRuleError, Level, assert_transparent, check, rules_table
from wsgiperf.testing.applications import AWKWARD, LATE_AFTER_EMPTY_BLOCKS
from wsgiperf.testing.strategies import check_random_applications
from wsgiperf.testing.trial import REQUESTS

from .broken import BROKEN, Gzip, does_nothing

EVERY_LEVEL = tuple(Level)
NAMES = {rule.name for rule in RULES}


def broken_rules(wrap, levels=EVERY_LEVEL):
    try:
        check(wrap, levels)
    except ExceptionGroup as group:
        return {error.rule.name for error in group.exceptions}
    return set()


@pytest.mark.parametrize(("wrap", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_broken_middleware_is_caught(wrap, expected):
    """Each broken middleware fails the rules it was written to break."""
    assert expected <= broken_rules(wrap)


def test_every_rule_can_be_broken():
    """No rule passes everything: for each there is a middleware that only breaks it on purpose."""
    assert set().union(*(rules for _, rules in BROKEN.values())) == NAMES


@pytest.mark.parametrize(
    "wrap",
    [does_nothing, Gzip, ProxyFix, DispatcherMiddleware],
    ids=["nothing", "a compressor", "ProxyFix", "DispatcherMiddleware"],
)
def test_a_correct_middleware_passes(wrap):
    """Middleware that keeps PEP 3333 keeps every rule of that level."""
    assert broken_rules(wrap, [Level.PEP3333]) == set()
    check_random_applications(wrap, 100)


def test_doing_nothing_gives_none_of_the_extra_guarantees():
    """The rules of wsgiperf's level that identity breaks are the ones that add something."""
    assert broken_rules(does_nothing) == BROKEN["does_nothing"][1]


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_awkward_application_is_transparent_to_identity(request_):
    """The table is fair: what the applications do is what the strict server accepts."""
    for application in {**AWKWARD, **LATE_AFTER_EMPTY_BLOCKS}.values():
        for take in (None, 0, 1, 2):
            assert_transparent(does_nothing, application, request_, take)


@pytest.mark.parametrize(
    "name",
    [
        "buffers_everything",
        "loses_close",
        "closes_twice",
        "defers_the_head",
        "ignores_what_is_written",
        "wraps_errors",
        "answers_errors",
        "adds Keep-Alive",
        "GzipWithoutFlush",
        "GzipThatFinishesFailures",
        "GzipKeepingTheLength",
        "GzipWithoutVary",
    ],
)
def test_random_applications_catch_it_too(name):
    """The property finds by itself what the named rules know."""
    with pytest.raises(AssertionError):
        check_random_applications(BROKEN[name][0], 200)


def test_a_report_names_rule_statement_source_and_finding():
    """Whoever breaks a rule learns which, what it says, where it is written, and how it was broken."""
    wrap, _ = BROKEN["loses_close"]
    with pytest.raises(ExceptionGroup, match="close-exactly-once") as caught:
        check(wrap)
    report = next(error for error in caught.value.exceptions if error.rule.name == "close-exactly-once")
    assert isinstance(report, BrokenRuleError)
    assert report.rule.statement in str(report)
    assert report.rule.source in str(report)
    assert "close was called 0 times" in str(report)


def test_levels_are_chosen_by_name():
    """Levels can be given as words; an unknown word is an error."""
    check(does_nothing, levels=["pep3333"])
    with pytest.raises(ExceptionGroup, match="content-length-of-lists"):
        check(does_nothing, levels=["wsgiperf"])
    with pytest.raises(ValueError, match="pep"):
        check(does_nothing, levels=["pep"])


def test_the_table_has_a_line_for_every_rule():
    """The documentation's table is made of the rules."""
    lines = rules_table().splitlines()
    assert len(lines) == len(RULES) + 2
    for rule, line in zip(RULES, lines[2:], strict=True):
        assert line.startswith(f"| `{rule.name}` | {rule.statement} |")
        assert rule.source in line


def test_every_rule_is_stated():
    """A rule has a name of its own, one sentence, and a source."""
    assert len(NAMES) == len(RULES)
    for rule in RULES:
        assert rule.statement.endswith("."), rule
        assert rule.source, rule


def test_the_suite_stands_alone():
    """It imports nothing of wsgiperf but itself, and optional packages only where they are used."""
    package = Path(wsgiperf.testing.__file__).parent
    allowed = {"strategies.py": {"hypothesis"}, "plugin.py": {"pytest"}}
    for path in package.rglob("*.py"):
        for module in imported(path):
            top = module.partition(".")[0]
            if top == "wsgiperf":
                assert module.startswith("wsgiperf.testing"), f"{path.name} imports {module}"
            else:
                ours = allowed.get(path.name, set())
                assert top in sys.stdlib_module_names | ours, f"{path.name} imports {module}"


def imported(path):
    """What a module imports when it is imported: nothing within functions or for type checkers only."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def python(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_it_works_optimised():
    """`python -O` drops assert statements, and the checks do not depend on them."""
    program = "from wsgiperf.testing import check; check(lambda app: lambda e, s: map(bytes, app(e, s)))"
    ran = python("-O", "-c", program)
    assert ran.returncode == 1
    assert "close-exactly-once" in ran.stderr


MINE = """
from wsgiperf.testing import WSGIContract

class TestMine(WSGIContract):
    examples = 5

    def wrap(self, application):
        return application

class TestBroken(WSGIContract):
    levels = ("wsgiperf",)
    examples = 5

    def wrap(self, application):
        return lambda environ, start_response: map(bytes, application(environ, start_response))

def test_by_fixture(wsgi_contract):
    wsgi_contract(lambda application: application)
"""


def test_the_plugin(tmp_path):
    """A class gets one test a rule of its levels, marked; the fixture is `check`."""
    (tmp_path / "test_mine.py").write_text(MINE)
    plugin = ["-p", "wsgiperf.testing.plugin", "-p", "no:cacheprovider", "--strict-markers", "-q"]

    def run(*more):
        arguments = ["-m", "pytest", *plugin, str(tmp_path), *more]
        return python(*arguments, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1").stdout

    ours = sum(rule.level is Level.PEP3333 for rule in RULES)
    assert f"{ours + 2} passed" in run("-k", "TestMine or by_fixture")
    broken = run("-k", "TestBroken")
    assert "test_rule[file-wrapper-kept]" in broken
    assert "test_rule[start-response-once]" not in broken
    assert "1 passed" in run("-m", "not wsgi_contract")
