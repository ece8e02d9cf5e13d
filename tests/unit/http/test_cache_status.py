"""Cache-Status: RFC 9211."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.http.cache_status import LONGEST_STRING, appended, member, template
from wsgiperf.http.structured_fields import Token, parse_dictionary

MEMBERS = [
    pytest.param({}, "wsgiperf", id="2 the name alone"),
    pytest.param({"hit": True}, "wsgiperf; hit", id="2.1 hit"),
    pytest.param({"hit": True, "ttl": 57}, "wsgiperf; hit; ttl=57", id="2.4 ttl"),
    pytest.param({"hit": True, "ttl": 57.9}, "wsgiperf; hit; ttl=57", id="2.4 whole seconds"),
    pytest.param({"hit": True, "ttl": -412}, "wsgiperf; hit; ttl=-412", id="2.4 stale"),
    pytest.param({"ttl": 1e300}, "wsgiperf; ttl=999999999999999", id="2.4 beyond the integers"),
    pytest.param({"ttl": float("-inf")}, "wsgiperf; ttl=-999999999999999", id="2.4 without end"),
    pytest.param({"fwd": "uri-miss"}, "wsgiperf; fwd=uri-miss", id="2.2 fwd"),
    pytest.param({"fwd": "uri-miss", "stored": True}, "wsgiperf; fwd=uri-miss; stored", id="2.5 stored"),
    pytest.param(
        {"fwd": "stale", "fwd_status": 304, "collapsed": True},
        "wsgiperf; fwd=stale; fwd-status=304; collapsed",
        id="2.3 and 2.6 fwd-status, collapsed",
    ),
    pytest.param({"key": "a"}, 'wsgiperf; key="a"', id="2.7 key is a string"),
    pytest.param({"key": 'a"\\'}, 'wsgiperf; key="a\\"\\\\"', id="2.7 key with quotes"),
    pytest.param({"key": "\xe9\r\n"}, 'wsgiperf; key="%E9%0D%0A"', id="2.7 key beyond ASCII"),
    pytest.param({"key": "\u20ac\x7f"}, 'wsgiperf; key="%E2%82%AC%7F"', id="2.7 key beyond latin-1"),
    pytest.param({"detail": "bypassed"}, "wsgiperf; detail=bypassed", id="2.8 detail as a token"),
    pytest.param({"detail": "too big"}, 'wsgiperf; detail="too big"', id="2.8 detail as a string"),
    pytest.param({"detail": "1st"}, 'wsgiperf; detail="1st"', id="2.8 a token begins with a letter"),
    pytest.param({"detail": ""}, 'wsgiperf; detail=""', id="2.8 empty detail"),
]


@pytest.mark.parametrize(("parameters", "expected"), MEMBERS)
def test_a_member(parameters, expected):
    """In the order of the standard."""
    assert member("wsgiperf", **parameters) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ExampleCache", "ExampleCache"),
        ("cache-3.example.com:80/x", "cache-3.example.com:80/x"),
        ("Example CDN", '"Example CDN"'),
        ("10.0.0.1", '"10.0.0.1"'),
        ('a"b', '"a\\"b"'),
    ],
)
def test_a_name(name, expected):
    """RFC 9211 section 2: a token or a string."""
    assert member(name) == expected
    assert template(name) % 5 == f"{expected}; ttl=5"


@pytest.mark.parametrize("name", ["", "caf\xe9", "a\nb"])
def test_a_name_that_cannot_be_sent(name):
    """Is refused where it is configured."""
    with pytest.raises(ValueError, match="name"):
        member(name)
    with pytest.raises(ValueError, match="name"):
        template(name)


@pytest.mark.parametrize("make", [member, template])
def test_parameters_that_cannot_be_sent(make):
    """RFC 9211 sections 2.1 and 2.2."""
    with pytest.raises(ValueError, match="token"):
        make("a", fwd="a b")
    with pytest.raises(ValueError, match="both"):
        make("a", hit=True, fwd="stale")


def test_a_template_costs_one_format():
    """And is what `member` says."""
    hit = template("wsgiperf", hit=True)
    assert hit % 57.9 == member("wsgiperf", hit=True, ttl=57.9) == "wsgiperf; hit; ttl=57"
    odd = {"fwd": "a%d", "stored": True, "collapsed": True, "detail": "100%s"}
    assert template("%s", **odd) % 9 == member("%s", **odd, ttl=9)


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        pytest.param(None, "b; hit", id="none"),
        pytest.param("", "b; hit", id="empty"),
        pytest.param(" , ", "b; hit", id="nothing in it"),
        pytest.param("a; fwd=miss", "a; fwd=miss, b; hit", id="one"),
        pytest.param("a, b ,", "a, b, b; hit", id="an empty member behind"),
    ],
)
def test_caches_further_out_come_last(existing, expected):
    """RFC 9211 section 2."""
    assert appended(existing, "b; hit") == expected


texts = st.text() | st.text(st.characters(max_codepoint=255)) | st.text(' "\\%;,=a')
options = st.fixed_dictionaries(
    {},
    optional={
        "hit": st.booleans(),
        "ttl": st.integers() | st.floats(allow_nan=False),
        "fwd_status": st.integers(100, 999),
        "stored": st.booleans(),
        "collapsed": st.booleans(),
        "key": texts,
        "detail": texts,
    },
)


@given(name=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1), given_options=options)
def test_any_member_is_a_structured_field(name, given_options):
    """Whatever clients put into a key."""
    text = member(name, **given_options)
    assert text.isascii()
    read = parse_dictionary(f"x={text}")
    assert read is not None
    assert read.keys() == {"x"}
    value, parameters = read["x"]
    assert value == name[:LONGEST_STRING]
    assert type(value) in (str, Token)
    wanted = {name.replace("_", "-") for name, value in given_options.items() if value is not False}
    assert parameters.keys() == wanted
    key = given_options.get("key", "")
    if key.isascii() and key.isprintable() and len(key) <= LONGEST_STRING:
        assert parameters.get("key", "") == key


def test_a_key_is_cut():
    """Nobody reads more, and heads have a limit."""
    assert len(member("a", key="x" * 10_000)) < LONGEST_STRING + 20
    assert len(member("a", detail="x" * 10_000)) < LONGEST_STRING + 20
    assert len(member("a", detail="\u20ac" * 10_000)) < 9 * LONGEST_STRING + 20
