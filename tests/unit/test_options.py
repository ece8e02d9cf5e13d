"""How one option's values are checked, from Python and from text."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsgiperf.errors import SettingsError
from wsgiperf.options import Option, number, options_of
from wsgiperf.settings import SECTIONS, CompressionSettings, Section, SecuritySettings

OPTIONS = {
    f"{section}.{name}": option
    for section, kind in SECTIONS.items()
    if kind is not None
    for name, option in options_of(kind).items()
}

# name: option, value given, value kept
GOOD = {
    "a flag": ("security.hsts", False, False),
    "a flag as text": ("security.hsts", "no", False),
    "a flag as text, upper case and spaces": ("security.hsts", " ON ", True),
    "a flag as a digit": ("security.hsts", "1", True),
    "a whole number": ("compression.minimum_size", 0, 0),
    "a whole number as text": ("compression.minimum_size", "500", 500),
    "the largest": ("compression.gzip_level", 9, 9),
    "the smallest": ("compression.gzip_level", "1", 1),
    "a number": ("timing.slow_seconds", 0.25, 0.25),
    "a whole one for a number": ("timing.slow_seconds", 2, 2.0),
    "a number as text": ("timing.slow_seconds", "0.25", 0.25),
    "a word": ("security.preset", "strict", "strict"),
    "a list": ("compression.codings", ["gzip", "br"], ("gzip", "br")),
    "a tuple": ("compression.codings", ("gzip",), ("gzip",)),
    "a generator": ("compression.codings", (coding for coding in ["gzip"]), ("gzip",)),
    "an empty list": ("compression.codings", [], ()),
    "a list as text": ("compression.codings", "gzip, br ,", ("gzip", "br")),
    "media types": ("compression.content_types", "text/*,*+json, a/b", ("text/*", "*+json", "a/b")),
    "addresses": ("security.trusted_proxies", "10.0.0.0/8, ::1, unix", ("10.0.0.0/8", "::1", "unix")),
    "a header": ("request_id.header", "X-Correlation-ID", "X-Correlation-ID"),
    "headers": ("security.headers", {"X-A": "1", "X-B": None}, {"X-A": "1", "X-B": None}),
    "headers as text": ("security.headers", '{"X-A": "1", "X-B": null}', {"X-A": "1", "X-B": None}),
    "a policy by words": ("security.csp", {"img-src": "'self' data:"}, {"img-src": ("'self'", "data:")}),
    "a policy by lists": ("security.csp", {"Img-Src": ["'self'"]}, {"img-src": ("'self'",)}),
    "a policy without": ("security.csp", {"Default-Src": None}, {"default-src": None}),
    "a directive without sources": ("security.csp", {"sandbox": ""}, {"sandbox": ()}),
    "prefixes": ("security.static_prefixes", ["/assets/"], ("/assets/",)),
}


@pytest.mark.parametrize(("name", "value", "kept"), GOOD.values(), ids=GOOD)
def test_good_values(name, value, kept):
    """As they are kept."""
    assert OPTIONS[name].read(value) == kept


BAD = {
    "a flag": ("security.hsts", "perhaps", 1, 0, None, [], "", 1.0),
    "a whole number": (
        "compression.minimum_size",
        -1,
        "-1",
        "",
        "many",
        "1.5",
        1.5,
        True,
        None,
        2**31,
        "1e3",
    ),
    "a level": ("compression.gzip_level", 0, 10, "10", "six"),
    "a number": ("timing.slow_seconds", -0.1, "nan", float("nan"), "inf", float("inf"), True, None, ""),
    "a word": ("security.preset", "stric", "STRICT", "", None, 1, True),
    "a list": ("compression.codings", ["deflate"], "gzip deflate", None, 5, [5], [None], b"gzip", {"a": 1}),
    "media types": (
        "compression.content_types",
        ["html"],
        "text/html; charset=utf-8",
        ["text/*/*"],
        [""],
        ["*"],
        [b"text/html"],
    ),
    "addresses": (
        "security.trusted_proxies",
        "localhost",
        ["10.0.0.0/33"],
        ["10.0.0.1/8"],  # which of the two was meant?
        ["*"],
        [""],
        [10],
    ),
    "a header": (
        "request_id.header",
        "",
        "X Y",
        "X:Y",
        "X\r\nY",
        "\xe9",
        None,
        5,
        "Connection",
        "content-length",
    ),
    "headers": (
        "security.headers",
        ["X-A"],
        {"X-A": 1},
        {"X A": "1"},
        {"X-A": "1\r\nX-B: 2"},
        {"X-A": "\N{EURO SIGN}"},
        {"": "1"},
        {5: "1"},
        {"Transfer-Encoding": "chunked"},
        {"connection": "close"},
        "not json",
        "[]",
        "5",
        '{"X-A": 1}',
    ),
    "a policy": (
        "security.csp",
        {"img-src": "a; script-src *"},
        {"img-src": "a, b"},
        {"img-src": ["a b"]},
        {"img-src": [""]},
        {"img-src": [5]},
        {"img-src": 5},
        {"img src": "a"},
        {"": "a"},
        {5: "a"},
        {5: None},
        {"img-src": ["\0"]},
        {"img-src": "\xe9"},
        "default-src 'self'",
        None,
    ),
    "prefixes": ("security.static_prefixes", ["static/"], ["/static"], ["/"], [""], [None]),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, *values in BAD.values() for value in values],
    ids=lambda value: value if isinstance(value, str) and value in OPTIONS else repr(value)[:40],
)
def test_bad_values(name, value):
    """ValueError, whatever is wrong with them, and nothing else."""
    with pytest.raises(ValueError):  # noqa: PT011 - its message is for nobody: SettingsError is made of it
        OPTIONS[name].read(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, *values in BAD.values() for value in values if not isinstance(value, str)],
    ids=lambda value: value if isinstance(value, str) else repr(value)[:40],
)
def test_bad_values_in_a_section(name, value):
    """One typed error with the full name, the value and what was expected."""
    section, option = name.split(".")
    with pytest.raises(SettingsError) as caught:
        SECTIONS[section].of({option: value})
    assert caught.value.name == name
    assert caught.value.value == value or value != value
    assert caught.value.expected == OPTIONS[name].expected
    assert name in str(caught.value)
    assert OPTIONS[name].expected in str(caught.value)
    assert value is None or repr(value) in str(caught.value)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=400)
@given(option=st.sampled_from([*OPTIONS.values()]), value=anything)
def test_any_value_is_taken_or_refused(option: Option, value):
    """Nothing else can come of it; and what is taken is taken again as it is kept."""
    try:
        kept = option.read(value)
    except ValueError:
        return
    assert option.check(kept) == kept


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_explains_itself(name):
    """A sentence of help, what is expected, and a default that is a good value."""
    option = OPTIONS[name]
    section, _, field = name.partition(".")
    assert option.help.endswith(".")
    assert option.expected
    default = getattr(SECTIONS[section](), field)
    assert option.check(default) == default


def test_a_section_does_not_change():
    """Its values are read at the start, and hold."""
    section = CompressionSettings(minimum_size=5)
    with pytest.raises(AttributeError):
        section.minimum_size = 6
    given_headers = {"X-A": "1"}
    security = SecuritySettings(headers=given_headers)
    given_headers["X-A"] = "2"
    assert security.headers == {"X-A": "1"}


@pytest.mark.parametrize(("least", "most"), [(0, 31_536_000), (0.001, 60)], ids=["a year", "a fraction"])
def test_limits_are_written_out(least, most):
    """Nobody counts the digits of 3.1536e+07."""
    option = number(1.0, "A number.", least=least, most=most).metadata["option"]
    assert option.expected == f"a number from {least} to {most}"


@pytest.mark.parametrize("kind", [kind for kind in SECTIONS.values() if kind], ids=lambda kind: kind.section)
def test_a_section_is_made_of_its_own_dictionary(kind: type[Section]):
    """`as_dict` gives what `of` takes."""
    section = kind()
    assert kind.of(section.as_dict()) == section
    assert list(section.as_dict()) == [declared.name for declared in fields(kind)]


def test_an_unknown_option_of_a_section():
    """The nearest right one is suggested, if any is near."""
    with pytest.raises(SettingsError, match="did you mean") as caught:
        CompressionSettings.of({"minimun_size": 5})
    assert (caught.value.name, caught.value.suggestion) == (
        "compression.minimun_size",
        "compression.minimum_size",
    )
    with pytest.raises(SettingsError) as caught:
        CompressionSettings.of({"xyzzy": 5})
    assert caught.value.suggestion is None
