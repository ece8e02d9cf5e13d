"""What an option is: a name, a default, limits, a unit and a sentence of help, written in one place.

`settings` declares the options as dataclass fields; keywords, dictionaries, environment variables, the
listing on the command line and the table in the documentation are all derived from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from wsgiperf.errors import SettingsError

__all__ = [
    "ENABLED",
    "Option",
    "choice",
    "custom",
    "flag",
    "integer",
    "mapping",
    "names",
    "number",
    "options_of",
    "text",
]

_TRUE = frozenset(("1", "true", "yes", "on"))
_FALSE = frozenset(("0", "false", "no", "off"))


@dataclass(frozen=True)
class Option:
    """How one option's values are checked.

    `check` takes a value and returns it as it is kept, `parse` does so for text from the environment; both
    raise ValueError for anything that `expected` does not describe.
    """

    check: Callable[[object], Any]
    parse: Callable[[str], Any]
    expected: str
    help: str
    unit: str = ""
    secret: bool = False

    def read(self, value: object) -> Any:
        """`value` as it is kept; text is parsed.

        :raises ValueError: for anything that `expected` does not describe.
        """
        try:
            return self.parse(value) if isinstance(value, str) else self.check(value)
        except TypeError as error:
            raise ValueError(value) from error

    def refusal(self, name: str, value: object) -> SettingsError:
        """The error for a value that `expected` does not describe, under its full name; quotes no secret."""
        return SettingsError(name, self.expected, value=value, secret=self.secret)


def options_of(section: type) -> dict[str, Option]:
    """The options of a section, by name, in the order they are declared."""
    return {declared.name: declared.metadata["option"] for declared in fields(section)}


def flag(default: bool, help: str) -> Any:  # noqa: A002 - the word the field uses
    """True or False; as text also yes/no, on/off, 1/0."""
    return _declare(default, Option(_flag, _parse_flag, "true or false", help))


def _parse_flag(value: str) -> bool:
    word = value.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(value)
    return word in _TRUE


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


#: The one option that every section has: False leaves the part out of the stack.
ENABLED = Option(_flag, _parse_flag, "true or false", "Whether the part is in the stack.")


def integer(default: int, help: str, *, unit: str = "", least: int, most: int) -> Any:  # noqa: A002
    """A whole number from `least` to `most`."""

    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(value)
        return value

    expected = f"a whole number from {least} to {most}"
    return _declare(default, Option(check, lambda text: check(int(text)), expected, help, unit))


def number(default: float, help: str, *, unit: str = "", least: float, most: float) -> Any:  # noqa: A002
    """A number from `least` to `most`."""

    def check(value: object) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(value)
        return float(value)

    expected = f"a number from {least:.12g} to {most:.12g}"  # never 3.1536e+07
    return _declare(default, Option(check, lambda text: check(float(text)), expected, help, unit))


def choice(default: str, help: str, *, among: Sequence[str]) -> Any:  # noqa: A002
    """One of a few words."""

    def check(value: object) -> str:
        if not isinstance(value, str) or value not in among:
            raise ValueError(value)
        return value

    expected = "one of " + ", ".join(repr(word) for word in among)
    return _declare(default, Option(check, check, expected, help))


def text(
    default: str,
    help: str,  # noqa: A002
    *,
    expected: str,
    accepts: Callable[[str], bool],
    secret: bool = False,
) -> Any:
    """A string for which `accepts` is true."""

    def check(value: object) -> str:
        if not isinstance(value, str) or not accepts(value):
            raise ValueError(value)
        return value

    return _declare(default, Option(check, check, expected, help, secret=secret))


def names(
    default: tuple[str, ...],
    help: str,  # noqa: A002
    *,
    expected: str = "a list of words",
    accepts: Callable[[str], bool] = bool,
) -> Any:
    """A list of strings, for each of which `accepts` is true; as text separated by commas."""

    def check(value: object) -> tuple[str, ...]:
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            raise ValueError(value)
        words = tuple(value)
        if not all(isinstance(word, str) and accepts(word) for word in words):
            raise ValueError(value)
        return words

    def parse(value: str) -> tuple[str, ...]:
        return check([word.strip() for word in value.split(",") if word.strip()])

    return _declare(default, Option(check, parse, expected, help))


def mapping(
    help: str,  # noqa: A002
    *,
    expected: str,
    member: Callable[[str, object], tuple[str, Any]],
) -> Any:
    """A dictionary, empty by default, whose items `member` checks and normalises; as text a JSON object."""

    def check(value: object) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValueError(value)
        return dict(member(key, item) for key, item in value.items())

    def parse(value: str) -> dict[str, Any]:
        import json

        return check(json.loads(value))

    expected += "; as text, a JSON object"
    return field(default_factory=dict, metadata={"option": Option(check, parse, expected, help)})


def custom(
    default: object,
    help: str,  # noqa: A002
    *,
    expected: str,
    accepts: Callable[[object], bool] = lambda value: True,
    read: Callable[[object], Any] = lambda value: value,
    secret: bool = False,
) -> Any:
    """Anything for which `accepts` is true and that `read`, which raises ValueError, makes something of."""

    def check(value: object) -> Any:
        if not accepts(value):
            raise ValueError(value)
        return read(value)

    return _declare(default, Option(check, check, expected, help, secret=secret))


def _declare(default: Any, option: Option) -> Any:
    return field(default=default, metadata={"option": option})
