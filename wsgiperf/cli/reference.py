"""The tables of all options, made from their declarations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any

from wsgiperf.cli.listing import as_text
from wsgiperf.configuration import PREFIX
from wsgiperf.options import ENABLED, Option
from wsgiperf.settings import SECTIONS, Section

__all__ = ["settings_table"]

HEAD = ("option", "in the environment", "takes", "default", "unit", "")


def settings_table() -> str:
    """For each section a heading and a table in Markdown."""
    return "\n\n".join(f"## {name}\n\n" + "\n".join(_lines(name, kind)) for name, kind in SECTIONS.items())


def _lines(section: str, kind: type[Section]) -> Iterator[str]:
    yield _line(HEAD)
    yield _line(["---"] * len(HEAD))
    yield _row(section, "enabled", kind.on_by_default, ENABLED)
    for declared in fields(kind):
        yield _row(section, declared.name, _default(declared), declared.metadata["option"])


def _row(section: str, name: str, default: object, option: Option) -> str:
    value = as_text(default).replace(",", ", ")
    variable = f"{PREFIX}{section}_{name}".upper()
    code = [f"`{word}`" if word else "" for word in (name, variable, value)]
    return _line((code[0], code[1], option.expected, code[2], option.unit, option.help))


def _default(declared: Field[Any]) -> object:
    return declared.default if declared.default_factory is MISSING else declared.default_factory()


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
