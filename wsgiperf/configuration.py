"""From what was given, and where, to the values that hold.

Precedence, strongest first: keywords > a settings object or dictionary > the framework's configuration >
`WSGIPERF_...` in the environment > aliases of existing deployments > defaults.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from wsgiperf.errors import SettingsError
from wsgiperf.options import ENABLED, Option, options_of
from wsgiperf.settings import SECTIONS, Section, nearest

__all__ = [
    "ALIASES",
    "PREFIX",
    "Given",
    "Layer",
    "Settings",
    "check_response_options",
    "flat",
    "nested",
    "resolve",
]

PREFIX = "WSGIPERF_"

#: Names that deployments use already, each with the option it stands for.
ALIASES = {
    "GZIP_ENABLED": ("compression", "enabled"),
    "GZIP_MIN_SIZE": ("compression", "minimum_size"),
    "GZIP_CONTENT_TYPES": ("compression", "content_types"),
    "SECURITY_HEADERS_ENABLED": ("security", "enabled"),
    "HSTS_ENABLED": ("security", "hsts"),
    "MONITORING_ENABLED": ("monitor", "enabled"),
    "ALERT_THRESHOLDS_ENABLED": ("monitor", "alerts"),
    "MEDIA_OPTIMIZATION_ENABLED": ("media", "enabled"),
    "AUTO_WEBP_CONVERSION": ("media", "auto_webp"),
}


class Given(NamedTuple):
    """One value, as it was given: the option's name spelled as there, and where that was."""

    value: object
    name: str
    origin: str


#: What one place gives, by (section, option); `enabled` is an option of every section.
Layer = Mapping[tuple[str, str], Given]


class Settings:
    """Settings for a whole stack.

    :param sections: by section name a dictionary, a section's settings object, a bool, or for `security` a
        preset's name.
    :raises SettingsError: for an unknown name or a bad value.

    `settings["compression"]` is that section's object, or None where the part is off.
    """

    def __init__(self, **sections: object) -> None:
        self._settle([nested(sections, "settings", "{}", "{}.{}")])

    @classmethod
    def of(cls, layers: list[Layer]) -> Settings:
        """Settings from several places, the strongest first."""
        settings = cls.__new__(cls)
        settings._settle(layers)
        return settings

    def _settle(self, layers: list[Layer]) -> None:
        self.given: dict[tuple[str, str], Given] = {}
        for layer in reversed(layers):
            self.given.update(layer)
        self._sections = {name: self._section(name, kind) for name, kind in SECTIONS.items()}

    def _section(self, name: str, kind: type[Section]) -> Section | None:
        given = {option: given for (section, option), given in self.given.items() if section == name}
        values = {option: _value(name, option, one) for option, one in given.items()}
        enabled = values.pop("enabled", kind.on_by_default)
        section = kind.of(values)
        return section if enabled else None

    def __getitem__(self, section: str) -> Section | None:
        return self._sections[section]

    def origin(self, section: str, option: str) -> str:
        """Where an option's value comes from, in words."""
        given = self.given.get((section, option))
        return "default" if given is None else given.origin


def resolve(
    settings: Settings | Mapping[str, object] | None = None,
    keywords: Mapping[str, object] | None = None,
    framework: Layer | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Bring all places together.

    :param settings: what the application's author wrote as an object or a dictionary.
    :param keywords: what the author wrote beside it; it wins.
    :param framework: the framework's configuration, read by `flat` or `nested`.
    :param environ: the process's environment; None where it has no say.
    :raises SettingsError: for an unknown name or a bad value.
    """
    layers: list[Layer] = [nested(keywords or {}, "keyword", "{}", "{}.{}")]
    if isinstance(settings, Settings):
        layers.append(settings.given)
    elif isinstance(settings, Mapping):
        layers.append(nested(settings, "settings", "{}", "{}.{}"))
    elif settings is not None:
        raise SettingsError("settings", "a Settings object or a dictionary of sections", value=settings)
    if framework is not None:
        layers.append(framework)
    if environ is not None:
        layers += [flat(environ, "environment"), _aliases(environ)]
    return Settings.of(layers)


def nested(values: Mapping[str, object], origin: str, section_name: str, option_name: str) -> Layer:
    """Read a dictionary of sections. One that is off by default is on where it is given options.

    :param section_name: how a section is spelled there, as a format of its name.
    :param option_name: the same for an option, of the section's name and its own.
    :raises SettingsError: for an unknown section, or a section given as something that it can't be.
    """
    layer = {}
    for section, value in values.items():
        if section not in SECTIONS:
            raise SettingsError(
                section_name.format(section),
                f"a section: {', '.join(SECTIONS)}",
                suggestion=_spelled(section_name, nearest(section, SECTIONS)),
            )
        name = section_name.format(section)
        for option, option_value in _contents(section, value, name):
            # A bool or a preset's name is spelled as the section itself.
            one = name if isinstance(value, (bool, str)) else option_name.format(section, option)
            layer[section, option] = Given(option_value, one, origin)
    return layer


def flat(values: Mapping[str, object], origin: str) -> Layer:
    """Read `WSGIPERF_COMPRESSION_MINIMUM_SIZE` and its like; `WSGIPERF_COMPRESSION` is the section itself.

    :raises SettingsError: for a name with our prefix that is not ours.
    """
    layer = {}
    for name, value in values.items():
        if not name.startswith(PREFIX):
            continue
        section, option = _parted(name)
        if option is not None:
            layer[section, option] = Given(value, name, origin)
            continue
        for inner, inner_value in _contents(section, value, name):
            layer.setdefault((section, inner), Given(inner_value, name, origin))
    return layer


def check_response_options(sections: Mapping[str, object]) -> None:
    """Check what an application says of a single response: the values of ``environ["wsgiperf.options"]``.

    :param sections: by section name False, which keeps that part away; for `security` also
        ``{"frame": "any"}`` (or "self", "deny").
    :raises SettingsError: for an unknown name or a bad value.
    """
    Settings(**sections)
    for name, value in sections.items():
        framing = name == "security" and isinstance(value, Mapping) and set(value) == {"frame"}
        if value is not False and not framing:
            raise SettingsError(name, "False, or for security a dictionary with frame", value=value)


def _parted(name: str) -> tuple[str, str | None]:
    """The section and the option of a flat name; None for the option where the section itself is meant."""
    words = name.removeprefix(PREFIX).lower()
    if words in SECTIONS:
        return words, None
    right = [*SECTIONS]
    for section, kind in SECTIONS.items():
        if words.startswith(section + "_"):
            option = words.removeprefix(section + "_")
            if option == "enabled" or option in options_of(kind):
                return section, option
        right += [f"{section}_{option}" for option in options_of(kind)]
    # The prefix that all of them share makes none of them nearer.
    suggestion = _spelled(PREFIX + "{}", nearest(words, right))
    raise SettingsError(name, "the name of a setting", suggestion=suggestion and suggestion.upper())


def _contents(section: str, value: object, name: str) -> Iterator[tuple[str, object]]:
    """The options that a whole section's value stands for."""
    if isinstance(value, Mapping):
        if value and not SECTIONS[section].on_by_default:
            yield "enabled", True
        yield from value.items()
    elif isinstance(value, Section) and value.section == section:
        yield "enabled", True
        yield from value.as_dict().items()
    elif isinstance(value, bool):
        yield "enabled", value
    elif isinstance(value, str):
        yield from _in_a_word(section, value, name)
    elif value is not None:
        raise SettingsError(name, "a dictionary, a settings object, or true or false", value=value)


def _in_a_word(section: str, value: str, name: str) -> Iterator[tuple[str, object]]:
    try:
        yield "enabled", ENABLED.read(value)
    except ValueError:
        if section != "security":
            raise SettingsError(name, ENABLED.expected, value=value) from None
        yield "enabled", True
        yield "preset", value


def _value(section: str, option: str, given: Given) -> Any:
    declared = _option(section, option, given.name)
    try:
        return declared.read(given.value)
    except ValueError as error:
        raise declared.refusal(given.name, given.value) from (None if declared.secret else error)


def _option(section: str, option: str, name: str) -> Option:
    if option == "enabled":
        return ENABLED
    known = options_of(SECTIONS[section])
    if option not in known:
        near = nearest(option, known)
        before, _, after = name.rpartition(str(option))
        suggestion = near and before + near + after
        raise SettingsError(name, f"an option of {section}: {', '.join(known)}", suggestion=suggestion)
    return known[option]


def _aliases(environ: Mapping[str, str]) -> Layer:
    """Others use these names too, so a value that makes no sense to us is reported and left alone."""
    layer = {}
    for alias, (section, option) in ALIASES.items():
        if alias not in environ:
            continue
        given = Given(environ[alias], alias, "environment (alias)")
        try:
            _value(section, option, given)
        except SettingsError as error:
            warnings.warn(f"ignored: {error}", stacklevel=2)
        else:
            layer[section, option] = given
    return layer


def _spelled(form: str, name: str | None) -> str | None:
    return None if name is None else form.format(name)
