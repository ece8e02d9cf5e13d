"""What a purge means, how people write it, and the bytes it travels in."""

from __future__ import annotations

import struct
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.cache import purges
from wsgiperf.cache.purges import Purge, PurgeError, canonical_url, split_tags
from wsgiperf.errors import WSGIPerfError

LONG = "/" + "x" * 2047


@pytest.mark.parametrize(
    ("given_url", "canonical"),
    [
        pytest.param("http://example.com/a?b=c", "http://example.com/a?b=c", id="as-it-is"),
        pytest.param("HTTPS://Example.COM/A?B=C", "https://example.com/A?B=C", id="case"),
        pytest.param("http://example.com:80/", "http://example.com/", id="default-port"),
        pytest.param("https://example.com:443/", "https://example.com/", id="default-port-https"),
        pytest.param("https://example.com:80/", "https://example.com:80/", id="other-port"),
        pytest.param("http://example.com:/", "http://example.com/", id="empty-port"),
        pytest.param("http://example.com", "http://example.com/", id="empty-path"),
        pytest.param("http://example.com?a", "http://example.com/?a", id="empty-path-query"),
        pytest.param("http://example.com?a=/b", "http://example.com/?a=/b", id="slash-in-query"),
        pytest.param("http://example.com/?", "http://example.com/", id="empty-query"),
        pytest.param("http://example.com/a#b?c", "http://example.com/a", id="fragment"),
        pytest.param("http://[2001:DB8::1]:8000/", "http://[2001:db8::1]:8000/", id="ipv6"),
        pytest.param("/a?b", "/a?b", id="path"),
        pytest.param("//a", "//a", id="path-of-two-slashes"),
        pytest.param("/a b/é", "/a%20b/%C3%A9", id="percent-encoded"),
        pytest.param("/a%20b%zz", "/a%20b%zz", id="percent-kept"),
        pytest.param("/a/../b", "/a/../b", id="dots-kept"),
        pytest.param("/*/a", "/*/a", id="star-within"),
        pytest.param(LONG, LONG, id="longest"),
    ],
)
def test_urls_become_canonical(given_url: str, canonical: str) -> None:
    """RFC 3986 section 6.2; doing it twice changes nothing more."""
    assert canonical_url(given_url) == canonical
    assert canonical_url(canonical) == canonical


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        pytest.param("page", "/", "one of url, prefix, tag, all", id="kind"),
        pytest.param("url", "", "1 to 2,048 characters", id="empty-url"),
        pytest.param("prefix", "", "1 to 2,048 characters", id="empty-prefix"),
        pytest.param("url", LONG + "x", "1 to 2,048 characters", id="long"),
        pytest.param("url", "/" + "é" * 400, "when percent-encoded", id="long-encoded"),
        pytest.param("url", "/a\nb", "no control characters", id="newline"),
        pytest.param("url", "/a\x00", "no control characters", id="null"),
        pytest.param("url", "/a\x7f", "no control characters", id="delete"),
        pytest.param("url", "/\udce9", "no control characters", id="surrogate"),
        pytest.param("url", "a/b", "a path that begins with /", id="relative"),
        pytest.param("url", "#a", "a path that begins with /", id="fragment-only"),
        pytest.param("url", "ftp://example.com/", "http:// or https://", id="scheme"),
        pytest.param("url", "http:///a", "a host name", id="no-host"),
        pytest.param("url", "http://user@example.com/", "without a user name", id="user"),
        pytest.param("url", "http://exämple.com/", "xn--", id="host-not-ascii"),
        pytest.param("url", "http://exa mple.com/", "a host name", id="host-with-space"),
        pytest.param("url", "http://a\\b/", "a host name", id="backslash"),
        pytest.param("url", "/posts/*", "no wildcard", id="star"),
        pytest.param("prefix", "/posts/*", "no wildcard", id="star-prefix"),
        pytest.param("tag", "", "1 to 256 printable", id="empty-tag"),
        pytest.param("tag", "a b", "without spaces", id="tag-with-space"),
        pytest.param("tag", "a\tb", "printable", id="tag-with-tab"),
        pytest.param("tag", "é", "ASCII", id="tag-not-ascii"),
        pytest.param("tag", "x" * 257, "1 to 256", id="long-tag"),
        pytest.param("all", "/", "no value", id="all-with-value"),
    ],
)
def test_what_cannot_be_meant_is_refused(kind: str, value: str, expected: str) -> None:
    """The error says what would have been right, at a bearable length."""
    with pytest.raises(PurgeError) as refused:
        Purge.parse(kind, value)
    assert expected in str(refused.value)
    assert len(str(refused.value)) < 300
    assert isinstance(refused.value, WSGIPerfError)
    assert isinstance(refused.value, ValueError)


@pytest.mark.parametrize("at", [-1.0, nan, inf])
def test_a_time_is_a_time(at: float) -> None:
    """It goes into frames and comparisons, where no-number would be false to all."""
    with pytest.raises(PurgeError, match="seconds since the epoch"):
        Purge.parse("all", at=at)


def test_a_purge_is_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it says of when."""
    monkeypatch.setattr("wsgiperf.cache.clock.now", lambda: 1234.5)
    assert Purge.parse("all") == ("all", "", False, 1234.5)
    assert Purge.of_key("http://a/").at == 1234.5
    assert Purge.parse("tag", "a", soft=True, at=0) == ("tag", "a", True, 0.0)


MATCHES = [
    pytest.param("url", "http://a/b", "http://a/b", True, id="url"),
    pytest.param("url", "http://a/b", "http://a/bc", False, id="url-longer"),
    pytest.param("url", "http://a/b", "https://a/b", False, id="url-scheme"),
    pytest.param("url", "http://a/b", "http://c/b", False, id="url-host"),
    pytest.param("url", "http://a/b", "http://a/b?c", False, id="url-without-query"),
    pytest.param("url", "http://a/b?c", "http://a/b", False, id="url-with-query"),
    pytest.param("url", "http://a/b?c", "http://a/b?c", True, id="url-same-query"),
    pytest.param("url", "http://a/b?c", "http://a/b?c&d", False, id="url-other-query"),
    pytest.param("url", "/b", "http://a/b", True, id="path"),
    pytest.param("url", "/b", "https://c:8000/b", True, id="path-any-origin"),
    pytest.param("url", "/b", "http://a/b?c", False, id="path-without-query"),
    pytest.param("url", "/b", "http://a/c/b", False, id="path-is-whole"),
    pytest.param("url", "/", "http://a/", True, id="path-root"),
    pytest.param("url", "/é", "http://a/%C3%A9", True, id="encoded"),
    pytest.param("url", "/é", "http://a/\xc3\xa9", True, id="encoded-bytes-in-key"),
    pytest.param("url", "/%7ea", "http://a/~a", True, id="encoded-needlessly"),
    pytest.param("url", "/~a", "http://a/%7Ea", True, id="encoded-needlessly-in-key"),
    pytest.param("url", "/a b", "http://a/a b", True, id="space-in-key"),
    pytest.param("url", "/a%2A", "http://a/a*", True, id="a-real-star"),
    pytest.param("url", "/100%25", "http://a/100%25", True, id="percent-sign"),
    pytest.param("prefix", "/b", "http://a/bc/d?e", True, id="prefix"),
    pytest.param("prefix", "/b", "http://a/c/b", False, id="prefix-begins"),
    pytest.param("prefix", "/b?", "http://a/b?c", True, id="prefix-any-query"),
    pytest.param("prefix", "/b?", "http://a/b", False, id="prefix-needs-query"),
    pytest.param("prefix", "http://a", "http://a/b", True, id="prefix-host"),
    pytest.param("prefix", "http://a", "http://a.evil/b", False, id="prefix-host-ends"),
    pytest.param("prefix", "/é", "http://a/%c3%a9/b", True, id="prefix-encoded"),
]


@pytest.mark.parametrize(("kind", "value", "url", "meant"), MATCHES)
def test_which_urls_are_meant(kind: str, value: str, url: str, meant: bool) -> None:
    """A URL with its very query, or whatever begins so; however it is encoded; tags make no difference."""
    purge = Purge.parse(kind, value)
    assert purge.matches(url, ("b", value)) is meant


def test_tags_and_all() -> None:
    """A tag counts as it is; all is all."""
    tag = Purge.parse("tag", "post-1")
    assert tag.matches("http://a/", ("x", "post-1"))
    assert not tag.matches("http://a/post-1", ("Post-1", "post-12"))
    assert not tag.matches("http://a/")
    assert Purge.parse("all").matches("http://a/")


@given(
    st.text(st.characters(max_codepoint=255), max_size=40),
    st.text(st.characters(max_codepoint=255, exclude_characters="/"), max_size=10),
)
def test_of_a_key_is_that_key(target: str, host: str) -> None:
    """Whatever a client put into its URL: the purge of it travels, and means it with its variants alone."""
    key = f"http://{host}/{target}"
    purge = Purge.of_key(key, soft=True, at=1.0)
    assert (purge.kind, purge.key) == ("key", key)
    assert Purge.decode(purge.encode()) == purge
    assert purge.matches(key)
    assert purge.matches(key + "\nHTTP_ACCEPT=+a")
    assert not purge.matches(key + "x")
    assert not purge.matches(key[:-1])


def test_a_key_is_not_compared_as_a_url() -> None:
    """Spellings that a person need not tell apart are two keys."""
    assert not Purge.of_key("http://a/%7Eb").matches("http://a/~b")


@pytest.mark.parametrize("shift", range(4))
def test_of_a_key_too_long_when_encoded_is_a_prefix(shift: int) -> None:
    """Rather too much than too little."""
    key = "http://a/" + "x" * shift + "é" * 1000
    purge = Purge.of_key(key)
    assert purge.kind == "prefix"
    assert purge.matches(key)
    assert Purge.decode(purge.encode()) == purge
    assert Purge.of_key("http://a/b\n" + "é" * 1000)[:2] == ("prefix", "http://a/b")


@given(
    st.sampled_from(["url", "prefix"]),
    st.one_of(
        st.text(max_size=30).map("/".__add__),
        st.builds("http://{}{}".format, st.from_regex(r"[a-z.]{1,5}(:\d{0,4})?", fullmatch=True), st.text()),
    ),
    st.booleans(),
    st.floats(0, 2**40),
)
def test_what_is_understood_travels(kind: str, text: str, soft: bool, at: float) -> None:
    """Canonical forms are stable, and come out of their bytes as they went in."""
    try:
        purge = Purge.parse(kind, text, soft=soft, at=at)
    except PurgeError:
        return
    assert Purge.parse(kind, purge.value, soft=soft, at=at) == purge
    assert Purge.decode(purge.encode()) == purge
    assert len(purge.value) <= purges.LONGEST_VALUE
    assert purge.value.isascii()


@given(st.binary(max_size=200))
def test_hostile_bytes_are_no_purge(data: bytes) -> None:
    """Not even behind the right beginning."""
    for hostile in (data, b"wpur\x01" + data):
        purge = Purge.decode(hostile)
        assert purge is None or Purge.decode(purge.encode()) == purge


FRAME = struct.Struct("<4sBBBxId")


def frame(
    *, magic: bytes = b"wpur", version: int = 1, kind: int = 2, soft: int = 0, length: int | None = None,
    at: float = 1.0, value: bytes = b"tag",
) -> bytes:  # fmt: skip
    return FRAME.pack(magic, version, kind, soft, len(value) if length is None else length, at) + value


def test_the_frame_stays_as_it_is() -> None:
    """Machines with other versions read it."""
    assert Purge.decode(frame()) == ("tag", "tag", False, 1.0)
    assert Purge.parse("tag", "tag", at=1.0).encode() == frame()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(frame()[:19], id="head-cut"),
        pytest.param(frame()[:-1], id="cut"),
        pytest.param(frame() + b"x", id="longer"),
        pytest.param(frame(magic=b"WPUR"), id="magic"),
        pytest.param(frame(version=2), id="version"),
        pytest.param(frame(kind=5), id="kind"),
        pytest.param(frame(soft=2), id="soft"),
        pytest.param(frame(length=2**32 - 1), id="length"),
        pytest.param(frame(at=nan), id="not-a-number"),
        pytest.param(frame(at=-1.0), id="before-time"),
        pytest.param(frame(at=inf), id="after-time"),
        pytest.param(frame(value=b""), id="empty-tag"),
        pytest.param(frame(value=b"a b"), id="space"),
        pytest.param(frame(value=b"\xe9"), id="not-ascii"),
        pytest.param(frame(value=b"x" * 257), id="long-tag"),
        pytest.param(frame(kind=0, value=b"/a\n"), id="control-character"),
        pytest.param(frame(kind=0, value=b"/" * 2049), id="long-url"),
        pytest.param(frame(kind=1, value=b""), id="empty-prefix"),
        pytest.param(frame(kind=3, value=b"x"), id="all-with-value"),
    ],
)
def test_what_is_no_frame(data: bytes) -> None:
    """Anything but what `encode` makes."""
    assert Purge.decode(data) is None


@given(st.lists(st.sampled_from("abc"), max_size=5), st.integers(0, 2**40).map(lambda n: n * 8), st.data())
def test_records_are_valid_where_they_were_written(
    tags: list[str], position: int, data: st.DataObject
) -> None:
    """And with no byte changed, nor cut."""
    written = [Purge.parse("tag", tag * 3, at=1.0) for tag in tags]
    journal = b""
    for purge in written:
        journal += purges.record_of(purge, position + len(journal))
        assert len(journal) % 8 == 0
    assert purges.read_records(journal, position) == written
    if journal:
        assert purges.read_records(journal, position + 8) is None
        place = data.draw(st.integers(0, 16 + 20 + 3 - 1))  # in the first record, before its padding
        changed = bytearray(journal)
        changed[place] ^= data.draw(st.integers(1, 255))
        assert purges.read_records(bytes(changed), position) is None
        last = len(journal) - 40
        assert purges.read_records(journal[: last + max(1, place)], position) is None


@given(st.binary(max_size=100), st.integers(0, 100))
def test_hostile_records_are_none(data: bytes, position: int) -> None:
    """No bytes make it raise."""
    assert purges.read_records(data, position) == ([] if data == b"" else None)


@pytest.mark.parametrize(
    ("field_value", "separator", "tags"),
    [
        pytest.param("a b c", " ", ("a", "b", "c"), id="surrogate-key"),
        pytest.param("a, b,c", ",", ("a", "b", "c"), id="cache-tag"),
        pytest.param("  a \t b\t", " ", ("a", "b"), id="spacing"),
        pytest.param(",,\t a ,, ", ",", ("a",), id="empty-members"),
        pytest.param("", " ", (), id="empty"),
        pytest.param("b a b", " ", ("b", "a"), id="twice"),
        pytest.param("a,b c", " ", ("a,b", "c"), id="comma-in-surrogate-key"),
        pytest.param("a b,c", ",", ("c",), id="space-in-cache-tag"),
        pytest.param("é a \x00b", " ", ("a",), id="not-ascii"),
        pytest.param("x" * 257 + " " + "y" * 256, " ", ("y" * 256,), id="long"),
        pytest.param(" ".join(map(str, range(100))), " ", tuple(map(str, range(64))), id="many"),
    ],
)
def test_tags_of_a_field(field_value: str, separator: str, tags: tuple[str, ...]) -> None:
    """What isn't a tag is passed over."""
    assert split_tags(field_value, separator) == tags
    assert split_tags(field_value, separator) == tags


@given(st.text(), st.sampled_from(" ,"))
def test_tags_of_any_field_can_be_purged(field_value: str, separator: str) -> None:
    """Each is one that a purge may name."""
    for tag in split_tags(field_value, separator):
        assert Purge.parse("tag", tag).matches("http://a/", split_tags(field_value, separator))
