"""Entity tags, RFC 9110 section 8.8.3, and the suffix for each content coding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.http.etag import (
    etags,
    is_weak,
    parse_etag,
    strip_codings,
    strong_match,
    weak_match,
    with_coding,
)

CODINGS = ("br", "zstd", "gzip")

SINGLE = {
    "strong": ('"abc"', '"abc"'),
    "weak": ('W/"abc"', 'W/"abc"'),
    "empty": ('""', '""'),
    "spaces around": (' "abc"\t', '"abc"'),
    "comma": ('"a,b"', '"a,b"'),
    "backslash": ('"a\\"', '"a\\"'),
    "space, against the grammar": ('"a b"', '"a b"'),
    "latin-1": ('"\xe9"', '"\xe9"'),
    "no quotes": ("abc", None),
    "half": ('"abc', None),
    "quote within": ('"a"b"', None),
    "lower-case w": ('w/"abc"', None),
    "weak without slash": ('W"abc"', None),
    "two": ('"a", "b"', None),
    "line break": ('"a\n"', None),
    "line break after": ('"a"\n', None),
    "beyond latin-1": ('"\u0161"', None),
    "nothing": ("", None),
    "star": ("*", None),
}


@pytest.mark.parametrize(("value", "tag"), SINGLE.values(), ids=SINGLE)
def test_a_single_tag(value: str, tag: str | None) -> None:
    """A tag in its sent form, or None."""
    assert parse_etag(value) == tag


LISTS = {
    "one": ('"a"', ['"a"']),
    "several": ('"a", W/"b","c"', ['"a"', 'W/"b"', '"c"']),
    "comma within": ('"a,b", "c"', ['"a,b"', '"c"']),
    "empty members": (', "a",, "b" ,', ['"a"', '"b"']),
    "any": (" * ", ["*"]),
    "bare word between": ('"a", b, "c"', ['"a"', '"c"']),
    "text after a tag": ('"a"b, "c"', ['"c"']),
    "text before a tag": ('a"b", "c"', ['"c"']),
    "unbalanced": ('"a, "b"', ['"b"']),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("field", "tags"), LISTS.values(), ids=LISTS)
def test_a_list_of_tags(field: str, tags: list[str]) -> None:
    """What isn't a tag is passed over."""
    assert etags(field) == tags


# RFC 9110 section 8.8.3.2, table 3
COMPARISONS = [
    ('W/"1"', 'W/"1"', False, True),
    ('W/"1"', 'W/"2"', False, False),
    ('W/"1"', '"1"', False, True),
    ('"1"', '"1"', True, True),
]


@pytest.mark.parametrize(("one", "other", "strong", "weak"), COMPARISONS)
def test_comparison(one: str, other: str, strong: bool, weak: bool) -> None:
    """The table of the standard, in both directions."""
    assert strong_match(one, other) is strong_match(other, one) is strong
    assert weak_match(one, other) is weak_match(other, one) is weak


def test_each_coding_has_its_own_tag() -> None:
    """Different bytes, different strong tags."""
    tags = {with_coding('"abc"', coding) for coding in CODINGS}
    assert tags == {'"abc-br-fa24"', '"abc-zstd-b4a1"', '"abc-gzip-b80d"'}
    assert not any(is_weak(tag) for tag in tags)


@pytest.mark.parametrize("tag", ['W/"abc"', "abc", '"a"b"', ""])
def test_a_tag_that_is_not_strong_stays(tag: str) -> None:
    """A weak tag may be shared; what isn't a tag is left alone."""
    assert with_coding(tag, "br") == tag


BR = with_coding('"abc"', "br")
GZIP = with_coding('"abc"', "gzip")
OTHER = with_coding('"x,y"', "br")
FIELDS = {
    "nothing": ("", "", {}),
    "any": ("*", "*", {}),
    "not ours": ('"abc", W/"def"', '"abc", W/"def"', {}),
    "ours": (BR, '"abc"', {'"abc"': BR}),
    "ours among others, spacing kept": (f' "1" ,{BR},,\t"2"', ' "1" ,"abc",,\t"2"', {'"abc"': BR}),
    "two of ours": (f"{BR}, {OTHER}", '"abc", "x,y"', {'"abc"': BR, '"x,y"': OTHER}),
    "weakened on the way": (f"W/{BR}", 'W/"abc"', {'"abc"': f"W/{BR}"}),
    "two codings, the favourite returns": (f"{GZIP}, {BR}", '"abc", "abc"', {'"abc"': BR}),
    "weak and strong, the strong returns": (f"W/{BR}, {BR}", 'W/"abc", "abc"', {'"abc"': BR}),
    "looks alike": ('"abc-br-0000"', '"abc-br-0000"', {}),
    "upper-case digits": (BR.upper(), BR.upper(), {}),
    "malformed beside ours": (f"abc, {BR}", 'abc, "abc"', {'"abc"': BR}),
    "ours malformed": (f"{BR}x", f"{BR}x", {}),
    "ours within another": (f'"{BR}', f'"{BR}', {}),
    "a coding not asked about": (with_coding('"abc"', "dcz"), with_coding('"abc"', "dcz"), {}),
}


@pytest.mark.parametrize(("field", "stripped", "sent"), FIELDS.values(), ids=FIELDS)
def test_our_suffix_is_taken_off(field: str, stripped: str, sent: dict[str, str]) -> None:
    """In place, only where it proves itself; all else stays byte by byte."""
    assert strip_codings(field, CODINGS) == (stripped, sent)


def test_both_forms_can_be_kept() -> None:
    """For an application whose own tags end so."""
    assert strip_codings(f'"1",{BR}', CODINGS, keep_both=True) == (f'"1",{BR}, "abc"', {'"abc"': BR})


def test_a_suffix_on_a_suffix_is_taken_off_once() -> None:
    """Behind another server of this library each takes off its own."""
    assert strip_codings(with_coding(BR, "gzip"), CODINGS)[0] == BR


tags = st.text(
    st.characters(
        min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f', exclude_categories=["Cc"]
    )
).map('"{}"'.format)


@given(tag=tags, coding=st.sampled_from(CODINGS))
def test_a_suffix_goes_off_as_it_went_on(tag: str, coding: str) -> None:
    """Any strong tag, any coding."""
    ours = with_coding(tag, coding)
    assert ours != tag
    assert parse_etag(ours) == ours
    assert strip_codings(ours, CODINGS) == (tag, {tag: ours})


@given(
    field=st.text()
    | st.lists(tags | st.sampled_from([BR, GZIP, OTHER, "W/", ",", " ", '"', "-br-"])).map("".join)
)
def test_any_text_is_answered(field: str) -> None:
    """No field raises, and one without our tags stays."""
    for tag in etags(field):
        assert tag in field
    stripped, sent = strip_codings(field, CODINGS)
    assert bool(sent) == (stripped != field)
    parse_etag(field)
    with_coding(field, "br")
    both, also_sent = strip_codings(field, CODINGS, keep_both=True)
    assert also_sent == sent
    assert set(etags(field)) <= set(etags(both))


def test_a_long_field_takes_linear_time() -> None:
    """Nothing in a field of the server's greatest size makes matching slow."""
    for part in ('"', ',"', ", ", f"{BR}x,", f"{BR},", " " * 100 + ",", 'W/"a" x'):
        strip_codings(f"-br-{part * 20_000}", CODINGS)
