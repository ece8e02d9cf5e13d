"""What the public suite found, for people to read."""

from __future__ import annotations

import textwrap

from .deviations import explanation

Results = dict[str, bool | list[str]]


def failed(tests: list[dict], results: Results) -> list[dict]:
    return [test for test in tests if results.get(test["id"]) is not True]


def unexplained(tests: list[dict], results: Results, known: dict[str, str]) -> list[dict]:
    """Required tests that fail, for no reason that the table or another failure gives."""
    return [
        test
        for test in failed(tests, results)
        if test["kind"] == "required" and _reason(test, results, known) is None
    ]


def render(tests: list[dict], results: Results, known: dict[str, str]) -> str:
    lines = []
    for kind, called in (("required", "required"), ("optimal", "optional")):
        chosen = [test for test in tests if test["kind"] == kind]
        missed = failed(chosen, results)
        lines.append(f"{called:>9}: {len(chosen) - len(missed)} of {len(chosen)} pass")
        reachable = [test for test in missed if _missing(test, results) is None]
        if len(reachable) != len(missed):
            lines.append(f"{'':>11}{len(missed) - len(reachable)} of the others rest on tests that don't")
    checks = [test for test in tests if test["kind"] == "check"]
    lines.append(
        f"   checks: {len(checks) - len(failed(checks, results))} of {len(checks)} say yes (neither is wrong)"
    )
    for kind, title in (
        ("required", "Required, and otherwise here"),
        ("optimal", "Optional, and not done here"),
    ):
        chosen = [test for test in tests if test["kind"] == kind]
        lines += ["", title, *_table(failed(chosen, results), results, known)]
    return "\n".join(lines)


def _table(tests: list[dict], results: Results, known: dict[str, str]) -> list[str]:
    lines = []
    for test in tests:
        result = results.get(test["id"])
        said = ": ".join(result) if isinstance(result, list) else "did not run"
        reason = _reason(test, results, known) or "No reason is known."
        lines.append(f"  {test['id']}")
        for text in (said, reason):
            lines += textwrap.wrap(text, 100, initial_indent="      ", subsequent_indent="      ")
    return lines or ["  none"]


def _reason(test: dict, results: Results, known: dict[str, str]) -> str | None:
    missing = _missing(test, results)
    rests = f"It rests on {missing}, which does not pass: it shows nothing." if missing else None
    return explanation(test["id"], known) or rests


def _missing(test: dict, results: Results) -> str | None:
    """A test that this one needs to have passed before it means anything."""
    return next((name for name in test["needs"] if results.get(name) is not True), None)
