"""Settings as text: each option's value and where it came from. For every host's command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from wsgiperf.alert_rules import AlertRule
from wsgiperf.caching_rules import Rule
from wsgiperf.configuration import Settings
from wsgiperf.options import options_of
from wsgiperf.settings import SECTIONS

__all__ = ["as_text", "listing", "rows"]


def rows(settings: Settings) -> list[tuple[str, str, str, str]]:
    """Option, value, unit and origin of every option that has a say: a section that is off has no others."""
    found = []
    for name, kind in SECTIONS.items():
        section = settings[name]
        holds: dict[str, object] = {"enabled": section is not None}
        units = {option: declared.unit for option, declared in options_of(kind).items()}
        if section is not None:
            holds |= section.as_dict()
        for option, value in holds.items():
            origin = _origin(settings, name, option)
            text = as_text(_without_secrets(name, option, value))
            found.append((f"{name}.{option}", text, units.get(option, ""), origin))
    return found


def listing(settings: Settings) -> str:
    """The rows in columns, the values last because some are long."""
    table = [("option", "from", "value")]
    table += [(name, origin, f"{value} {unit}") for name, value, unit, origin in rows(settings)]
    widths = [max(len(row[column]) for row in table) for column in (0, 1)]
    return "\n".join(f"{n:{widths[0]}}  {o:{widths[1]}}  {v}".rstrip() for n, o, v in table)


def as_text(value: object) -> str:
    """A value in the spelling that the environment takes; of an object, which it can't have, the class."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return json.dumps(value)
    if isinstance(value, (str, int, float)):
        return str(value)
    if not isinstance(value, tuple):
        # Its own text may hold addresses and passwords.
        return f"<{type(value).__module__}.{type(value).__qualname__}>"
    if any(isinstance(one, (Rule, AlertRule)) for one in value):
        return json.dumps([_differing(rule) for rule in value])
    return ",".join(one if isinstance(one, str) else as_text(one) for one in value)


def _differing(rule: Any) -> dict[str, Any]:
    """What a rule says that isn't its default."""
    said = {declared.name: (getattr(rule, declared.name), declared.default) for declared in fields(rule)}
    return {name: value for name, (value, default) in said.items() if value != default}


#: A webhook's address is all that is needed to use it.
_SECRETS = frozenset((("cache", "purge_token"), ("monitor", "token"), ("monitor", "alert_webhook")))


def _without_secrets(section: str, option: str, value: object) -> object:
    """Listings end up in logs and in questions to others."""
    if (section, option) in _SECRETS and value:
        return "(not shown)"
    if (section, option) == ("cache", "redis_url") and isinstance(value, str):
        user, at, host = value.rpartition("@")
        scheme, _, user = user.partition("://")
        name, colon, _ = user.partition(":")
        return f"{scheme}://{name}:(not shown)@{host}" if at and colon else value
    return value


def _origin(settings: Settings, section: str, option: str) -> str:
    """The kind of place, and the name used there where it is another than the option's own."""
    given = settings.given.get((section, option))
    if given is None:
        return "default"
    plain = (section, f"{section}.{option}")
    return given.origin if given.name in plain else f"{given.origin}: {given.name}"
