"""Where a value may come from, and which one holds."""

from __future__ import annotations

import warnings
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsgiperf.configuration import ALIASES, Settings, flat, nested, resolve
from wsgiperf.errors import SettingsError, WSGIPerfError
from wsgiperf.settings import SECTIONS, CompressionSettings, MediaSettings, SecuritySettings


def from_flask(**values):
    return flat(values, "Flask config")


def from_django(**values):
    return nested(values, "Django settings", 'WSGIPERF["{}"]', 'WSGIPERF["{}"]["{}"]')


# Strongest first: the place, how it gives compression.minimum_size, what `origin` says of it.
PLACES = {
    "keywords": (lambda size: {"keywords": {"compression": {"minimum_size": size}}}, "keyword"),
    "settings": (lambda size: {"settings": {"compression": {"minimum_size": size}}}, "settings"),
    "framework": (
        lambda size: {"framework": from_flask(WSGIPERF_COMPRESSION_MINIMUM_SIZE=size)},
        "Flask config",
    ),
    "environment": (
        lambda size: {"environ": {"WSGIPERF_COMPRESSION_MINIMUM_SIZE": str(size)}},
        "environment",
    ),
    "alias": (lambda size: {"environ": {"GZIP_MIN_SIZE": str(size)}}, "environment (alias)"),
}


@pytest.mark.parametrize("first", range(len(PLACES)), ids=list(PLACES))
def test_the_strongest_place_wins(first):
    """Keywords > settings > framework > environment > aliases; the weaker ones are all there as well."""
    given_there: dict = {}
    for size, (give, _) in reversed([*enumerate(PLACES.values())][first:]):
        for place, values in give(size).items():
            given_there[place] = {**given_there.get(place, {}), **values}
    settled = resolve(**given_there)
    assert settled["compression"].minimum_size == first
    assert settled.origin("compression", "minimum_size") == [*PLACES.values()][first][1]


def test_defaults_are_the_weakest():
    """Nothing given, nothing changed."""
    settled = resolve()
    assert settled["compression"] == CompressionSettings()
    assert settled["security"] == SecuritySettings()
    assert settled.origin("compression", "minimum_size") == "default"


def test_places_are_mixed_option_by_option():
    """A strong place that says nothing of an option leaves it to the weaker ones."""
    settled = resolve(
        {"compression": {"brotli_level": 4}},
        {"compression": {"zstd_level": 7}},
        from_django(compression={"gzip_level": 2}),
        {"WSGIPERF_COMPRESSION_MINIMUM_SIZE": "5"},
    )
    assert settled["compression"] == CompressionSettings(
        brotli_level=4, zstd_level=7, gzip_level=2, minimum_size=5
    )


# What a section may be, and what comes of it: whether the part is on, and an option with its value.
FORMS = {
    "a dictionary": ("compression", {"minimum_size": 5}, True, ("minimum_size", 5)),
    "an empty dictionary": ("compression", {}, True, ("minimum_size", 800)),
    "True": ("compression", True, True, ("minimum_size", 800)),
    "False": ("compression", False, False, None),
    "None": ("compression", None, True, ("minimum_size", 800)),
    "an object": ("compression", CompressionSettings(minimum_size=5), True, ("minimum_size", 5)),
    "enabled": ("compression", {"enabled": False, "minimum_size": 5}, False, None),
    "a word": ("compression", "off", False, None),
    "a preset": ("security", "strict", True, ("preset", "strict")),
    "a word before a preset": ("security", "off", False, None),
    "security as True": ("security", True, True, ("preset", "balanced")),
}


@pytest.mark.parametrize(("section", "value", "on", "option"), FORMS.values(), ids=FORMS)
def test_the_forms_of_a_section(section, value, on, option):
    """From every place that has values of Python's own."""
    upper = f"WSGIPERF_{section.upper()}"
    for settled in (
        Settings(**{section: value}),
        resolve({section: value}),
        resolve(None, {section: value}),
        resolve(None, None, from_flask(**{upper: value})),
        resolve(None, None, from_django(**{section: value})),
        resolve(Settings(**{section: value})),
    ):
        assert (settled[section] is not None) is on
        assert option is None or getattr(settled[section], option[0]) == option[1]


FLAT = {
    "WSGIPERF_COMPRESSION=off": ("compression", None),
    "WSGIPERF_COMPRESSION=1": ("compression", {}),
    "WSGIPERF_COMPRESSION_ENABLED=no": ("compression", None),
    "WSGIPERF_SECURITY=strict": ("security", {"preset": "strict"}),
    "WSGIPERF_SECURITY=true": ("security", {"preset": "balanced"}),
    "WSGIPERF_SECURITY_PRESET=api": ("security", {"preset": "api"}),
    "WSGIPERF_SECURITY_HSTS=no": ("security", {"hsts": False}),
    'WSGIPERF_SECURITY_HEADERS={"X-A": "1"}': ("security", {"headers": {"X-A": "1"}}),
    "WSGIPERF_COMPRESSION_CODINGS=gzip,br": ("compression", {"codings": ("gzip", "br")}),
    "WSGIPERF_REQUEST_ID_HEADER=X-Trace": ("request_id", {"header": "X-Trace"}),
    "WSGIPERF_REQUEST_ID=off": ("request_id", None),
    "WSGIPERF_TIMING_SLOW_SECONDS=0.5": ("timing", {"slow_seconds": 0.5}),
    "WSGIPERF_CACHE=off": ("cache", None),
    "WSGIPERF_CACHE=on": ("cache", {"store": "memory"}),
    "WSGIPERF_MONITOR_ENABLED=false": ("monitor", None),
    "OTHERS_COMPRESSION=off": ("compression", {}),
    "wsgiperf_compression=off": ("compression", {}),
}


@pytest.mark.parametrize(("assignment", "expected"), FLAT.items(), ids=FLAT)
def test_flat_names(assignment, expected):
    """From the environment and a flat configuration alike; other names are not ours."""
    name, _, value = assignment.partition("=")
    section, values = expected
    for settled in (
        resolve(environ={name: value}),
        resolve(framework=flat({name: value}, "Flask config")),
    ):
        assert (settled[section] is None) is (values is None)
        for option, kept in (values or {}).items():
            assert getattr(settled[section], option) == kept


@pytest.mark.parametrize("order", [1, -1], ids=["as written", "reversed"])
def test_a_flat_option_is_stronger_than_its_section_in_whichever_order(order):
    """`WSGIPERF_SECURITY` gives what no longer name does."""
    pairs = [
        ("WSGIPERF_SECURITY", "strict"),
        ("WSGIPERF_SECURITY_PRESET", "api"),
        ("WSGIPERF_SECURITY_FRAME", "self"),
    ]
    security = resolve(environ=dict(pairs[::order]))["security"]
    assert (security.preset, security.frame) == ("api", "self")


def test_a_section_switched_on_again_keeps_what_was_said_of_it():
    """True says only that it is on."""
    settled = resolve({"compression": {"minimum_size": 5, "enabled": False}}, {"compression": True})
    assert settled["compression"].minimum_size == 5


def test_without_environ_the_environment_has_no_say(monkeypatch):
    """Single classes and tests do not depend on it."""
    monkeypatch.setenv("WSGIPERF_COMPRESSION", "off")
    monkeypatch.setenv("GZIP_ENABLED", "off")
    assert resolve()["compression"] is not None
    assert Settings()["compression"] is not None


# Where, name as it is spelled there, suggestion.
WRONG_NAMES = {
    "keyword section": (lambda: resolve(None, {"compresion": {}}), "compresion", "compression"),
    "keyword option": (
        lambda: resolve(None, {"compression": {"minimum": 5}}),
        "compression.minimum",
        "compression.minimum_size",
    ),
    "option like the section's name": (
        lambda: resolve(None, {"timing": {"timing": 5}}),
        "timing.timing",
        "timing.server_timing",
    ),
    "settings section": (lambda: Settings(secure={}), "secure", "security"),
    "settings option": (lambda: Settings(security={"hst": 1}), "security.hst", "security.hsts"),
    "Django's option": (
        lambda: resolve(framework=from_django(security={"frames": "self"})),
        'WSGIPERF["security"]["frames"]',
        'WSGIPERF["security"]["frame"]',
    ),
    "Django's section": (
        lambda: resolve(framework=from_django(securty={})),
        'WSGIPERF["securty"]',
        'WSGIPERF["security"]',
    ),
    "Flask's option": (
        lambda: resolve(framework=from_flask(WSGIPERF_TIMING_SLOW_SECOND=1)),
        "WSGIPERF_TIMING_SLOW_SECOND",
        "WSGIPERF_TIMING_SLOW_SECONDS",
    ),
    "environment option": (
        lambda: resolve(environ={"WSGIPERF_COMPRESSION_MINIMUM": "5"}),
        "WSGIPERF_COMPRESSION_MINIMUM",
        "WSGIPERF_COMPRESSION_MINIMUM_SIZE",
    ),
    "environment section": (
        lambda: resolve(environ={"WSGIPERF_COMPRESION": "off"}),
        "WSGIPERF_COMPRESION",
        "WSGIPERF_COMPRESSION",
    ),
    "the prefix alone": (lambda: resolve(environ={"WSGIPERF_": "1"}), "WSGIPERF_", None),
    "nothing near": (lambda: resolve(None, {"compression": {"xyzzy": 5}}), "compression.xyzzy", None),
    "not a word": (lambda: resolve({5: {}}), "5", None),
    "an option that is no word": (lambda: resolve({"timing": {5: 1}}), "timing.5", None),
}


@pytest.mark.parametrize(("make", "name", "suggestion"), WRONG_NAMES.values(), ids=WRONG_NAMES)
def test_an_unknown_name_of_ours_is_one_typed_error(make, name, suggestion):
    """Its full name as it is spelled there, and the nearest right one spelled the same way."""
    with pytest.raises(SettingsError) as caught:
        make()
    assert (caught.value.name, caught.value.suggestion) == (name, suggestion)
    assert name in str(caught.value)
    assert suggestion is None or f"did you mean {suggestion}?" in str(caught.value)
    assert isinstance(caught.value, (WSGIPerfError, ValueError))


CODECS = CompressionSettings(minimum_size=5)
WRONG_VALUES = {
    "keyword": (lambda: resolve(None, {"compression": {"minimum_size": -1}}), "compression.minimum_size", -1),
    "settings": (lambda: resolve({"timing": {"slow_seconds": "soon"}}), "timing.slow_seconds", "soon"),
    "preset": (lambda: resolve({"security": "stric"}), "security", "stric"),
    "section, a number": (lambda: resolve({"security": 5}), "security", 5),
    "section, a word": (lambda: resolve({"timing": "fast"}), "timing", "fast"),
    "section, another's object": (
        lambda: resolve({"security": CODECS}),
        "security",
        CODECS,
    ),
    "settings, a word": (lambda: resolve("strict"), "settings", "strict"),
    "settings, a section": (lambda: resolve(CODECS), "settings", CODECS),
    "enabled": (lambda: resolve({"timing": {"enabled": 2}}), "timing.enabled", 2),
    "environment": (
        lambda: resolve(environ={"WSGIPERF_COMPRESSION_BROTLI_LEVEL": "12"}),
        "WSGIPERF_COMPRESSION_BROTLI_LEVEL",
        "12",
    ),
    "environment section": (
        lambda: resolve(environ={"WSGIPERF_TIMING": "fast"}),
        "WSGIPERF_TIMING",
        "fast",
    ),
    "Flask": (
        lambda: resolve(framework=from_flask(WSGIPERF_SECURITY_FRAME="nobody")),
        "WSGIPERF_SECURITY_FRAME",
        "nobody",
    ),
    "Django": (
        lambda: resolve(framework=from_django(security={"frame": "nobody"})),
        'WSGIPERF["security"]["frame"]',
        "nobody",
    ),
}


@pytest.mark.parametrize(("make", "name", "value"), WRONG_VALUES.values(), ids=WRONG_VALUES)
def test_a_bad_value_is_one_typed_error(make, name, value):
    """Full name, value, and what was expected."""
    with pytest.raises(SettingsError) as caught:
        make()
    assert (caught.value.name, caught.value.value) == (name, value)
    assert caught.value.expected in str(caught.value)
    assert repr(value) in str(caught.value)


WAYS_ON = {
    "a bool": lambda: resolve(None, {"media": True}),
    "options": lambda: resolve(None, {"media": {"quality": 80}}),
    "a settings object": lambda: resolve(None, {"media": MediaSettings()}),
    "Django": lambda: resolve(framework=from_django(media={"quality": 80})),
    "Flask": lambda: resolve(framework=from_flask(WSGIPERF_MEDIA=True)),
    "environment": lambda: resolve(environ={"WSGIPERF_MEDIA": "on"}),
    "an alias": lambda: resolve(environ={"MEDIA_OPTIMIZATION_ENABLED": "true"}),
}
WAYS_OFF = {
    "nothing": resolve,
    "no options": lambda: resolve(None, {"media": {}}),
    "off among options": lambda: resolve(None, {"media": {"quality": 80, "enabled": False}}),
    "an option in the environment": lambda: resolve(environ={"WSGIPERF_MEDIA_QUALITY": "80"}),
    "an option by an alias": lambda: resolve(environ={"AUTO_WEBP_CONVERSION": "on"}),
    "a keyword against the environment": lambda: resolve(
        None, {"media": False}, None, {"WSGIPERF_MEDIA": "on"}
    ),
}


@pytest.mark.parametrize("settle", WAYS_ON.values(), ids=WAYS_ON)
def test_a_part_that_is_off_by_default_is_turned_on_by_a_word_or_by_options(settle):
    """Whoever writes its section wants it."""
    assert settle()["media"] is not None


@pytest.mark.parametrize("settle", WAYS_OFF.values(), ids=WAYS_OFF)
def test_it_is_off_otherwise(settle):
    """One option in the environment is no such word."""
    assert settle()["media"] is None


ALIAS_VALUES = {
    "GZIP_ENABLED": ("off", lambda settled: settled["compression"] is None),
    "GZIP_MIN_SIZE": ("5", lambda settled: settled["compression"].minimum_size == 5),
    "GZIP_CONTENT_TYPES": (
        "text/html,text/css",
        lambda settled: settled["compression"].content_types == ("text/html", "text/css"),
    ),
    "SECURITY_HEADERS_ENABLED": ("False", lambda settled: settled["security"] is None),
    "HSTS_ENABLED": ("0", lambda settled: settled["security"].hsts is False),
    "MONITORING_ENABLED": ("no", lambda settled: settled["monitor"] is None),
    "ALERT_THRESHOLDS_ENABLED": ("no", lambda settled: settled["monitor"].alerts is False),
    "MEDIA_OPTIMIZATION_ENABLED": ("yes", lambda settled: settled["media"] is not None),
    "AUTO_WEBP_CONVERSION": ("no", lambda settled: settled.given["media", "auto_webp"].value == "no"),
}


def test_every_alias_is_tested():
    """The table below is complete."""
    assert set(ALIAS_VALUES) == set(ALIASES)


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_stands_for_its_option(alias):
    """As existing deployments spell it; nothing is said of it."""
    value, holds = ALIAS_VALUES[alias]
    assert holds(resolve(environ={alias: value}))


BAD_ALIASES = {
    "GZIP_ENABLED": "maybe",
    "GZIP_MIN_SIZE": "1k",
    "GZIP_CONTENT_TYPES": "text/html; charset=utf-8",
    "SECURITY_HEADERS_ENABLED": "",
    "HSTS_ENABLED": "max-age=5",
    "MONITORING_ENABLED": "all of it",
    "ALERT_THRESHOLDS_ENABLED": "80",
    "MEDIA_OPTIMIZATION_ENABLED": "85",
    "AUTO_WEBP_CONVERSION": "lossless",
}


@pytest.mark.parametrize(("alias", "value"), BAD_ALIASES.items(), ids=BAD_ALIASES)
def test_a_bad_alias_value_warns_and_is_ignored(alias, value):
    """Others use those names too: what they mean by it must not stop this application."""
    with pytest.warns(UserWarning, match=f"ignored: {alias}"):
        settled = resolve(environ={alias: value})
    for section in SECTIONS:
        assert settled[section] == resolve()[section]


def test_an_alias_gives_way_to_our_own_name():
    """Silently: both may be set while a deployment moves."""
    environ = {"GZIP_ENABLED": "off", "WSGIPERF_COMPRESSION": "on", "GZIP_MIN_SIZE": "5"}
    assert resolve(environ=environ)["compression"].minimum_size == 5


@settings(max_examples=200)
@given(name=st.text(), value=st.text())
def test_no_other_name_in_the_environment_matters(name, value):
    """Only ours can be wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if name not in ALIASES and not name.startswith("WSGIPERF_"):
            assert resolve(environ={name: value})["security"] == SecuritySettings()


@settings(max_examples=200)
@given(name=st.text(), value=st.text())
def test_any_name_with_our_prefix_is_right_or_a_typed_error(name, value):
    """Whatever stands behind it."""
    with suppress(SettingsError):
        resolve(environ={f"WSGIPERF_{name}": value})
