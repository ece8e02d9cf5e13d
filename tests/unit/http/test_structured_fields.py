"""Dictionaries of structured fields, RFC 9651."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.http.structured_fields import Date, DisplayString, InnerList, Item, Token, parse_dictionary

VALUES = [
    pytest.param("a", True, id="4.2.2-flag"),
    pytest.param("a=?1", True, id="4.2.8-true"),
    pytest.param("a=?0", False, id="4.2.8-false"),
    pytest.param("a=0", 0, id="4.2.4-zero"),
    pytest.param("a=-42", -42, id="4.2.4-negative"),
    pytest.param("a=007", 7, id="4.2.4-leading-zeros"),
    pytest.param("a=999999999999999", 999999999999999, id="4.2.4-15-digits"),
    pytest.param("a=1.5", 1.5, id="4.2.4-decimal"),
    pytest.param("a=-123456789012.125", -123456789012.125, id="4.2.4-longest-decimal"),
    pytest.param('a="x \\"y\\" \\\\"', 'x "y" \\', id="4.2.5-string"),
    pytest.param('a=""', "", id="4.2.5-empty-string"),
    pytest.param("a=tok/en:*", Token("tok/en:*"), id="4.2.6-token"),
    pytest.param("a=*x", Token("*x"), id="4.2.6-token-with-star"),
    pytest.param("a=:aGk=:", b"hi", id="4.2.7-bytes"),
    pytest.param("a=:aGk:", b"hi", id="4.2.7-padding-missing"),
    pytest.param("a=::", b"", id="4.2.7-no-bytes"),
    pytest.param("a=@1659578233", Date(1659578233), id="4.2.9-date"),
    pytest.param("a=@-1", Date(-1), id="4.2.9-date-before-1970"),
    pytest.param('a=%"f%c3%bc\'r"', DisplayString("f\u00fc'r"), id="4.2.10-display-string"),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_a_value_has_its_type(text: str, value: object) -> None:
    """Exactly that type, not one equal to it."""
    members = parse_dictionary(text)
    assert members is not None
    assert members["a"] == Item(value, {})  # type: ignore[arg-type]
    assert type(members["a"].value) is type(value)


DICTIONARIES = [
    pytest.param("", {}, id="4.2-empty"),
    pytest.param("   ", {}, id="4.2-blank"),
    pytest.param("  a=1  ", {"a": 1}, id="4.2-spaces-around"),
    pytest.param("a=1,b=2", {"a": 1, "b": 2}, id="4.2.2-no-space"),
    pytest.param("a=1 \t, \t b", {"a": 1, "b": True}, id="4.2.2-tabs-between"),
    pytest.param("a=1, a=2", {"a": 2}, id="4.2.2-last-counts"),
    pytest.param("*a_-.9*=1", {"*a_-.9*": 1}, id="4.2.3.3-key"),
]


@pytest.mark.parametrize(("text", "values"), DICTIONARIES)
def test_a_dictionary(text: str, values: dict[str, object]) -> None:
    """Members in order, the later of two with one key."""
    members = parse_dictionary(text)
    assert members is not None
    assert {key: member.value for key, member in members.items()} == values


def test_parameters_and_inner_lists() -> None:
    """Sections 4.2.1.2 and 4.2.3.2: parameters of items, of lists, and of items within."""
    assert parse_dictionary('a;x; y=2, b=( 1;p  "s" );q=t, c=()') == {
        "a": Item(True, {"x": True, "y": 2}),
        "b": InnerList([Item(1, {"p": True}), Item("s", {})], {"q": Token("t")}),
        "c": InnerList([], {}),
    }


INVALID = [
    pytest.param("a=1,", id="4.2.2-comma-at-the-end"),
    pytest.param(",a=1", id="4.2.2-comma-first"),
    pytest.param("a=1,,b", id="4.2.2-empty-member"),
    pytest.param("a=1 b=2", id="4.2.2-comma-missing"),
    pytest.param("\ta=1", id="4.2-tab-before"),
    pytest.param("a=1\t", id="4.2-tab-after"),
    pytest.param("A=1", id="4.2.3.3-upper-case"),
    pytest.param("1a=1", id="4.2.3.3-digit-first"),
    pytest.param("a =1", id="4.2.2-space-before-equals"),
    pytest.param("a= 1", id="4.2.2-space-after-equals"),
    pytest.param("a=", id="4.2.3.1-no-value"),
    pytest.param("a=&", id="4.2.3.1-unknown-type"),
    pytest.param("a=1234567890123456", id="4.2.4-16-digits"),
    pytest.param("a=1234567890123.1", id="4.2.4-13-digits-before-the-point"),
    pytest.param("a=1.", id="4.2.4-no-decimals"),
    pytest.param("a=1.1234", id="4.2.4-four-decimals"),
    pytest.param("a=-", id="4.2.4-sign-alone"),
    pytest.param("a=--1", id="4.2.4-two-signs"),
    pytest.param("a=1.2.3", id="4.2.4-two-points"),
    pytest.param('a="x', id="4.2.5-not-closed"),
    pytest.param('a="\\x"', id="4.2.5-escape"),
    pytest.param('a="\t"', id="4.2.5-control-character"),
    pytest.param('a="\xe9"', id="4.2-not-ascii"),
    pytest.param("a='5'", id="4.2.6-single-quote"),
    pytest.param("a=:aG=k:", id="4.2.7-padding-within"),
    pytest.param("a=:aGk=aGk=:", id="4.2.7-two-in-one"),
    pytest.param("a=:a:", id="4.2.7-one-character"),
    pytest.param("a=:aGk=", id="4.2.7-not-closed"),
    pytest.param("a=:a-_k:", id="4.2.7-url-alphabet"),
    pytest.param("a=?2", id="4.2.8-neither"),
    pytest.param("a=?", id="4.2.8-nothing"),
    pytest.param("a=@1.5", id="4.2.9-decimal"),
    pytest.param("a=@x", id="4.2.9-no-number"),
    pytest.param('a=%"%C3%BC"', id="4.2.10-upper-case-hex"),
    pytest.param('a=%"%ff"', id="4.2.10-not-utf-8"),
    pytest.param('a=%"%e"', id="4.2.10-half-an-escape"),
    pytest.param("a=%x", id="4.2.10-no-quote"),
    pytest.param("a=(1", id="4.2.1.2-not-closed"),
    pytest.param("a=(1,2)", id="4.2.1.2-comma"),
    pytest.param('a=("x""y")', id="4.2.1.2-no-space"),
    pytest.param("a=((1))", id="4.2.1.2-nested"),
    pytest.param("a=(1\t2)", id="4.2.1.2-tab"),
    pytest.param("a;", id="4.2.3.2-no-key"),
    pytest.param("a;B=1", id="4.2.3.2-key"),
    pytest.param("a ;b", id="4.2.3.2-space-before"),
    pytest.param("a;b=", id="4.2.3.2-no-value"),
    pytest.param("a;b=(1)", id="4.2.3.2-list"),
]


@pytest.mark.parametrize("text", INVALID)
def test_one_error_and_nothing_counts(text: str) -> None:
    """In the member that has it and in all others."""
    assert parse_dictionary(text) is None
    if "\t" not in text:  # between members a tab is allowed
        assert parse_dictionary(f"z=1, {text}") is None


@given(st.text() | st.lists(st.sampled_from('a=1,; "\\()?@%:.-\t&')).map("".join))
def test_any_text_is_answered(text: str) -> None:
    """No field raises."""
    assert parse_dictionary(text) is None or isinstance(parse_dictionary(text), dict)


@pytest.mark.parametrize("part", ["a,", 'a="', "a=(", "a;", "a=:", "1", "\\", 'a=%"%', " ", "a=1 "])
def test_a_long_field_takes_linear_time(part: str) -> None:
    """Nothing in a field of the server's greatest size makes reading slow."""
    parse_dictionary(part * 30_000)
    parse_dictionary(f'a="{part * 30_000}')
