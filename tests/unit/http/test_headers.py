"""Response header fields: in order, whatever the case, and never such that they break the head."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.errors import HeaderError, WSGIPerfError
from wsgiperf.http import headers as module
from wsgiperf.http.headers import Fields, Headers, check_field

FIELDS = [("Content-Type", "text/html"), ("Set-Cookie", "a=1"), ("X-A", "1"), ("set-cookie", "b=2")]


def test_the_list_it_is_made_of_is_copied():
    """Nothing done here changes what the application gave."""
    given_fields = list(FIELDS)
    headers = Headers(given_fields)
    headers.add("X-B", "2")
    del headers["X-A"]
    headers["Content-Type"] = "text/plain"
    assert given_fields == FIELDS


SPELLINGS = ["X-Name", "x-name", "X-NAME", "x-nAmE"]


@pytest.mark.parametrize("stored", SPELLINGS)
@pytest.mark.parametrize("asked", SPELLINGS)
def test_the_case_of_a_name_does_not_matter(stored, asked):
    """In any of the operations."""
    headers = Headers([(stored, "1")])
    assert headers.get(asked) == headers[asked] == "1"
    assert asked in headers
    assert headers.getlist(asked) == ["1"]
    headers.add(asked, "2")
    assert headers.get(stored) == "1, 2"
    headers[asked] = "3"
    assert headers.pairs == [(asked, "3")]
    del headers[stored]
    assert asked not in headers


def test_fields_of_one_name_are_joined():
    """As RFC 9110 section 5.3 has it; one by one they are there too, for Set-Cookie."""
    headers = Headers(FIELDS)
    assert headers.get("Set-Cookie") == "a=1, b=2"
    assert headers.getlist("Set-Cookie") == ["a=1", "b=2"]


def test_an_absent_field():
    """A default, None, nothing, or KeyError, each where Python's own dict has it."""
    headers = Headers(FIELDS)
    assert headers.get("X-B") is None
    assert headers.get("X-B", "?") == "?"
    assert headers.getlist("X-B") == []
    del headers["X-B"]
    assert headers.pairs == FIELDS
    with pytest.raises(KeyError):
        headers["X-B"]


def test_setting_replaces_all_of_that_name():
    """At the end of the list; the others stay where they are."""
    headers = Headers(FIELDS)
    headers["SET-COOKIE"] = "c=3"
    assert headers.pairs == [FIELDS[0], FIELDS[2], ("SET-COOKIE", "c=3")]


def test_it_iterates_over_the_pairs():
    """And has a length."""
    headers = Headers(FIELDS)
    assert list(headers) == FIELDS
    assert len(headers) == 4
    assert repr(headers) == f"Headers({FIELDS!r})"


GOOD = ["", " ", "a", "\t", "a\tb", "caf\xe9", "\xff", "\x80", '"quoted"', "a" * 100_000]


@pytest.mark.parametrize("value", GOOD, ids=lambda value: repr(value)[:20])
def test_values_that_can_be_sent(value):
    """Latin-1 without control characters, but for the tab."""
    headers = Headers()
    headers.add("X-A", value)
    headers["X-B"] = value
    Fields([("X-A", value)])
    assert headers.pairs == [("X-A", value), ("X-B", value)]


BAD = ["\r\n", "a\rb", "a\nb", "a\0b", "\x1b", "\x7f", "\x0b", "\N{EURO SIGN}", "\udcff", "\U0001f600"]


@pytest.mark.parametrize("value", BAD, ids=repr)
def test_values_that_would_break_the_head_are_refused(value):
    """Where they are made, with the name in the message, and nothing is changed."""
    headers = Headers(FIELDS)
    with pytest.raises(HeaderError, match="X-New"):
        headers.add("X-New", value)
    with pytest.raises(HeaderError, match="X-A"):
        headers["X-A"] = value
    with pytest.raises(HeaderError):
        Fields([("X-New", value)])
    assert headers.pairs == FIELDS
    assert issubclass(HeaderError, (WSGIPerfError, ValueError))


@pytest.mark.parametrize(
    "name", ["", " ", "X A", "X:A", "X-A\r\n", "X\0", "caf\xe9", "\N{KELVIN SIGN}", "(x)"]
)
def test_names_that_are_no_tokens_are_refused(name):
    """Whatever has been asked before."""
    headers = Headers([("X-A", "1")])
    headers.get(name)
    assert name not in headers
    for _ in range(2):
        with pytest.raises(HeaderError, match="not a header field name"):
            headers.add(name, "1")
        with pytest.raises(HeaderError):
            headers[name] = "1"
    assert headers.pairs == [("X-A", "1")]


def test_an_error_does_not_repeat_a_megabyte():
    """Messages are for people."""
    with pytest.raises(HeaderError) as caught:
        check_field("X-A", "\n" * 2**20)
    assert len(str(caught.value)) < 500
    with pytest.raises(HeaderError) as caught:
        check_field(" " * 2**20, "")
    assert len(str(caught.value)) < 500


def test_constant_fields_are_added_at_once():
    """If none of them is there, under any spelling."""
    fields = Fields([("X-A", "1"), ("X-B", "2")])
    headers = Headers([("Own", "0")])
    assert headers.lacks(fields)
    headers.add_all(fields)
    assert headers.pairs == [("Own", "0"), ("X-A", "1"), ("X-B", "2")]
    assert headers.get("x-b") == "2"
    assert not headers.lacks(fields)
    assert not Headers([("x-b", "")]).lacks(fields)


def test_the_applications_odd_fields_pass():
    """Whether they can be sent is between it and the server."""
    odd = [("X A", "\n"), ("", "\udcff"), ("x-\xe9", "\N{SNOWMAN}"), ("X A", "2")]
    headers = Headers(odd)
    headers.add("X-B", "3")
    assert headers.pairs == [*odd, ("X-B", "3")]
    assert headers.get("x a") == "\n, 2"


names = st.sampled_from(["A", "a", "B", "b", "X-Long-Name", "x-long-name"])
values = st.sampled_from(["", "1", "2"])
steps = st.lists(
    st.tuples(st.just("add"), names, values)
    | st.tuples(st.just("set"), names, values)
    | st.tuples(st.just("del"), names, values)
)


@given(fields=st.lists(st.tuples(names, values)), steps=steps)
def test_it_is_a_list_of_pairs_whatever_is_done_to_it(fields, steps):
    """The index by name never differs from the pairs."""
    headers, model = Headers(fields), list(fields)
    for step, name, value in steps:
        if step != "add":
            model = [pair for pair in model if pair[0].lower() != name.lower()]
        if step != "del":
            model.append((name, value))
        match step:
            case "add":
                headers.add(name, value)
            case "set":
                headers[name] = value
            case "del":
                del headers[name]
        assert headers.pairs == model
        assert headers.fields == Headers(model).fields
        for asked in ("a", "B", "X-Long-Name"):
            found = [value for key, value in model if key.lower() == asked.lower()]
            assert headers.get(asked) == (", ".join(found) if found else None)
            assert headers.getlist(asked) == found


@given(st.text())
def test_any_value_is_taken_or_refused(value):
    """And what is taken can be sent: it has a latin-1 form of one line."""
    try:
        check_field("X-A", value)
    except HeaderError:
        return
    assert not set(value.encode("latin-1")) & ({*range(0x20), 0x7F} - {0x09})


def test_names_are_remembered_within_bounds():
    """An application that makes names of what clients send can't fill the memory."""
    before = dict(module._lower)
    try:
        for number in range(5000):
            Headers([(f"X-Made-{number}", "1")]).get(f"X-Asked-{number}")
            check_field(f"X-Checked-{number}", "1")
        assert len(module._lower) <= module._MOST_SPELLINGS
        headers = Headers([("X-Beyond-The-Bound", "1")])
        headers.add("x-beyond-the-bound", "2")
        assert headers["X-BEYOND-the-bound"] == "1, 2"
    finally:
        module._lower.clear()
        module._lower.update(before)
