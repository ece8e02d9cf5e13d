"""Directives: RFC 9111 section 5.2 for Cache-Control, RFC 9213 for targeted fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.http.cache_control import (
    LONGEST,
    delta_seconds,
    field_names,
    parse_directives,
    parse_targeted,
)

DIRECTIVES = [
    pytest.param(None, {}, id="5.2-no-field"),
    pytest.param("", {}, id="5.2-empty"),
    pytest.param("no-store", {"no-store": None}, id="5.2-one"),
    pytest.param("public,max-age=5", {"public": None, "max-age": "5"}, id="5.2-two"),
    pytest.param("MaX-aGe=5, No-StOrE", {"max-age": "5", "no-store": None}, id="5.2-case"),
    pytest.param(
        "\t ,, public , ,max-age=5 ,", {"public": None, "max-age": "5"}, id="9110-5.6.1-empty-members"
    ),
    pytest.param('max-age="5"', {"max-age": "5"}, id="5.2-quoted"),
    pytest.param("max-age='5'", {"max-age": "'5'"}, id="5.2-single-quotes"),
    pytest.param('x="a\\"b\\\\", y', {"x": 'a"b\\', "y": None}, id="9110-5.6.4-quoted-pair"),
    pytest.param(
        'x="max-age=9", max-age=1', {"x": "max-age=9", "max-age": "1"}, id="9110-5.6.4-quoted-before"
    ),
    pytest.param(
        'max-age=1, x="max-age=9"', {"max-age": "1", "x": "max-age=9"}, id="9110-5.6.4-quoted-after"
    ),
    pytest.param('x="a, no-store"', {"x": "a, no-store"}, id="9110-5.6.4-comma-in-quotes"),
    pytest.param('no-cache="a, b"', {"no-cache": "a, b"}, id="5.2.2.4-list"),
    pytest.param("max-age =5", {"max-age": ""}, id="5.2-space-before-equals"),
    pytest.param("max-age= 5", {"max-age": ""}, id="5.2-space-after-equals"),
    pytest.param('no-cache = "a, b", x', {"no-cache": "", "x": None}, id="5.2-spaces-around-equals"),
    pytest.param('no-cache= "a, b", x', {"no-cache": "", "x": None}, id="5.2-space-before-quotes"),
    pytest.param("max-age=", {"max-age": ""}, id="5.2-no-argument"),
    pytest.param('max-age=""', {"max-age": ""}, id="5.2-empty-argument"),
    pytest.param('max-age="5"0', {"max-age": "", "0": None}, id="5.2-text-after-quotes"),
    pytest.param("=5, x", {"x": None}, id="5.2-no-name"),
    pytest.param("max-age=5, max-age=9", {"max-age": "5"}, id="4.2.1-first-counts"),
    pytest.param("max-age=9, max-age=5", {"max-age": "9"}, id="4.2.1-first-counts-though-longer"),
    pytest.param('private="a", private', {"private": None}, id="5.2.2.7-unqualified-later"),
    pytest.param('private, private="a"', {"private": None}, id="5.2.2.7-unqualified-first"),
    pytest.param('no-cache="a", no-cache="b"', {"no-cache": "a, b"}, id="5.2.2.4-lists-joined"),
    pytest.param('no-cache="", no-cache="b"', {"no-cache": None}, id="5.2.2.4-broken-list-is-no-list"),
    pytest.param("no-store max-age=5", {"no-store": None, "max-age": "5"}, id="5.2-comma-forgotten"),
    pytest.param("max-age=5 no-store", {"max-age": "", "no-store": None}, id="5.2-comma-forgotten-after"),
    pytest.param("max-age=5; private", {"max-age": "", "private": None}, id="5.2-semicolon"),
    pytest.param("private; max-age=5", {"private": None, "max-age": "5"}, id="5.2-semicolon-before"),
    pytest.param('no-cache="a" private', {"no-cache": "", "private": None}, id="5.2-comma-forgotten-quoted"),
    pytest.param('x="a, no-store', {"x": '"a', "no-store": None}, id="9110-5.6.4-quote-never-closed"),
    pytest.param("community=UCI", {"community": "UCI"}, id="5.2.3-extension-keeps-its-case"),
]


@pytest.mark.parametrize(("value", "directives"), DIRECTIVES)
def test_directives(value: str | None, directives: dict[str, str | None]) -> None:
    """What may forbid counts, what may allow has to be right."""
    assert parse_directives(value) == directives


SECONDS = [
    pytest.param("0", 0, id="1.2.2-zero"),
    pytest.param("3600", 3600, id="1.2.2-digits"),
    pytest.param("003600", 3600, id="1.2.2-leading-zeros"),
    pytest.param("2147483647", 2147483647, id="1.2.2-31-bits"),
    pytest.param("2147483649", LONGEST, id="1.2.2-more"),
    pytest.param("99999999999", LONGEST, id="1.2.2-much-more"),
    pytest.param("9" * 10_000, LONGEST, id="1.2.2-beyond-what-python-converts"),
    pytest.param("0" * 10_000 + "7", 7, id="1.2.2-many-zeros"),
    pytest.param(None, None, id="4.2.1-no-argument"),
    pytest.param("", None, id="4.2.1-empty"),
    pytest.param("-1", None, id="4.2.1-negative"),
    pytest.param("+1", None, id="4.2.1-sign"),
    pytest.param("3600.0", None, id="4.2.1-decimal"),
    pytest.param("a3600", None, id="4.2.1-letter-before"),
    pytest.param("3600a", None, id="4.2.1-letter-after"),
    pytest.param(" 5", None, id="4.2.1-space"),
    pytest.param("1_0", None, id="4.2.1-underscore"),
    pytest.param("\u0665", None, id="4.2.1-other-digit"),
    pytest.param("\xb2", None, id="4.2.1-superscript"),
]


@pytest.mark.parametrize(("argument", "seconds"), SECONDS)
def test_seconds(argument: str | None, seconds: int | None) -> None:
    """Digits, bounded; None for all else."""
    assert delta_seconds(argument) == seconds


NAMES = [
    pytest.param(None, set(), id="5.2.2.4-unqualified"),
    pytest.param("", set(), id="5.2.2.4-empty"),
    pytest.param("Set-Cookie", {"set-cookie"}, id="5.2.2.4-one"),
    pytest.param("a, B,,\tc ", {"a", "b", "c"}, id="5.2.2.4-several"),
    pytest.param("a b", set(), id="5.2.2.4-not-a-name"),
    pytest.param("a, b\u00e9", set(), id="5.2.2.4-one-is-not-a-name"),
    pytest.param("a\n", set(), id="5.2.2.4-line-break"),
]


@pytest.mark.parametrize(("argument", "names"), NAMES)
def test_names_of_fields(argument: str | None, names: set[str]) -> None:
    """Lower case; none where the directive has to be taken as unqualified."""
    assert field_names(argument) == names


TARGETED = [
    pytest.param(None, None, id="2.2-no-field"),
    pytest.param("", None, id="2.2-empty"),
    pytest.param("  ", None, id="2.2-blank"),
    pytest.param("max-age=60, foo", {"max-age": "60", "foo": None}, id="2.1-integer-and-flag"),
    pytest.param("no-store", {"no-store": None}, id="2.1-flag"),
    pytest.param("no-store=?0, max-age=5", {"max-age": "5"}, id="2.1-false-is-absent"),
    pytest.param("no-store=?0", {}, id="2.2-not-empty-though-it-says-nothing"),
    pytest.param("max-age=60;a=b", {"max-age": "60"}, id="2.1-parameters-ignored"),
    pytest.param('private="a, b"', {"private": "a, b"}, id="2.1-string"),
    pytest.param("private=a", {"private": "a"}, id="2.1-token"),
    pytest.param("no-cache=(a b)", {"no-cache": None}, id="2.1-inner-list-is-no-list-of-names"),
    pytest.param("max-age=1, max-age=5", {"max-age": "5"}, id="9651-4.2.2-last-counts"),
    pytest.param("max-age=10000, &&&&&", None, id="2.2-invalid"),
    pytest.param("max-age =5", None, id="2.2-space-before-equals"),
    pytest.param("max-age= 5", None, id="2.2-space-after-equals"),
    pytest.param("MaX-aGe=5", None, id="2.2-upper-case"),
    pytest.param('max-age="10000"', None, id="2.1-string-for-seconds"),
    pytest.param("max-age=5.0", None, id="2.1-decimal-for-seconds"),
    pytest.param("max-age=-5", None, id="2.1-negative"),
    pytest.param("s-maxage", None, id="2.1-flag-for-seconds"),
    pytest.param("max-age=@5", None, id="2.1-date-for-seconds"),
    pytest.param('no-store, max-age="5"', {"no-store": None, "max-age": ""}, id="2.1-forbids-all-the-same"),
]


@pytest.mark.parametrize(("value", "directives"), TARGETED)
def test_targeted_directives(value: str | None, directives: dict[str, str | None] | None) -> None:
    """A dictionary, or nothing."""
    assert parse_targeted(value) == directives


parts = st.sampled_from(["no-store", "max-age", "private", "=", '"', "\\", ",", " ", ";", "5", "a", "\xe9"])


@given(st.text() | st.lists(parts).map("".join))
def test_any_text_is_answered(value: str) -> None:
    """No field raises, and a last member that forbids storing is heard unless it stands in quotes."""
    for directives in (parse_directives(value), parse_targeted(value) or {}):
        for argument in directives.values():
            delta_seconds(argument)
            field_names(argument)
    if '"' not in value:
        assert "no-store" in parse_directives(f"{value},no-store")


@pytest.mark.parametrize("part", ['x="', "private=a,", '"\\', 'x="\\",', "a ", ";", ", ", "=", 'x= "a'])
def test_a_long_field_takes_linear_time(part: str) -> None:
    """Nothing in a field of the server's greatest size makes reading slow."""
    parse_directives(part * 30_000)
    parse_targeted(part * 30_000)
