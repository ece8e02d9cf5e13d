"""A rule of the cache as it is configured: checked here, applied by the cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from wsgiperf.http.headers import check_field
from wsgiperf.http.media_type import media_types

__all__ = ["COOKIE", "Rule", "rules_of"]

#: Before the name of a single cookie that is part of a key, where else an environ key stands.
COOKIE = "cookie:"


@dataclass(frozen=True, slots=True)
class Rule:
    """How responses live that say nothing themselves, and what is in their key.

    :param ttl: seconds that they are fresh; None leaves that to the application and the other rules.
    :param path: a pattern for the path below the mount, a star standing for any characters: ``/posts/*``. It
        begins with a slash, or with what may stand for one.
    :param route: a route's template as the framework names it: ``/posts/<int:id>``.
    :param content_type: such as ``text/html`` or ``image/*``.
    :param shared: they are the same for everybody, whatever cookies or credentials a request carries.
    :param key_headers: request headers that are part of the key.
    :param key_cookies: cookies that are part of the key.
    :param files: store also what the server would send straight from a file.
    :param tags: for purges.
    """

    ttl: float | None = None
    path: str = "*"
    route: str = ""
    content_type: str = ""
    shared: bool = False
    key_headers: tuple[str, ...] = ()
    key_cookies: tuple[str, ...] = ()
    files: bool = False
    tags: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What it puts into the key: environ keys, and cookies."""
        return (
            *map(_environ_name, self.key_headers),
            *(COOKIE + name for name in self.key_cookies),
        )


def _environ_name(field: str) -> str:
    name = field.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


def rules_of(value: object) -> tuple[Rule, ...]:
    """Rules from a list of dictionaries, or from such a list as JSON.

    :raises ValueError: for anything else.
    """
    if isinstance(value, str):
        import json

        value = json.loads(value) if value.strip() else ()
    if not isinstance(value, (list, tuple)):
        raise ValueError(value)
    return tuple(each if isinstance(each, Rule) else _rule(each) for each in value)


def _rule(given: object) -> Rule:
    if not isinstance(given, Mapping):
        raise ValueError(given)
    known = {field.name: field.default for field in fields(Rule) if field.default is not MISSING}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"a rule has no {name!r}; it has {', '.join(known)}")
        values[name] = _checked(name, value, known[name])
    if values.get("content_type"):
        media_types((values["content_type"],))
    for name in (*values.get("key_headers", ()), *values.get("key_cookies", ())):
        check_field(name, "")  # RFC 6265 section 4.1.1: a cookie's name is a token, too
    return Rule(**values)


def _checked(name: str, value: Any, default: Any) -> Any:
    if name == "ttl":
        if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0):
            return value
    elif isinstance(default, bool):
        if isinstance(value, bool):
            return value
    elif isinstance(default, tuple):
        names = (value,) if isinstance(value, str) else value
        if isinstance(names, (list, tuple)) and all(isinstance(each, str) and each for each in names):
            return tuple(names)
    elif isinstance(value, str) and value and (name != "path" or value[0] in "/*?["):
        return value
    raise ValueError(f"not a value for a rule's {name}: {value!r:.200}")
