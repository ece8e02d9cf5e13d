"""Conditions and validators: RFC 9110 section 13, RFC 9111 sections 3.2 and 4.3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.http.conditional import (
    freshened,
    head_freshens,
    if_range_holds,
    is_strong_date,
    not_modified,
    not_modified_fields,
    selects,
)
from wsgiperf.http.headers import Headers

EARLY = "Sun, 06 Nov 1994 08:49:37 GMT"
EARLY_OLD_FORM = "Sunday, 06-Nov-94 08:49:37 GMT"
EARLY_C_FORM = "Sun Nov  6 08:49:37 1994"
SAME_MINUTE = "Sun, 06 Nov 1994 08:50:36 GMT"
MINUTE_LATER = "Sun, 06 Nov 1994 08:50:37 GMT"
LATE = "Mon, 07 Nov 1994 08:49:37 GMT"

# If-None-Match, If-Modified-Since, stored ETag, Last-Modified, Date, whether 304
CONDITIONS = [
    pytest.param(None, None, '"a"', EARLY, LATE, False, id="13.2.2 no condition"),
    pytest.param('"a"', None, '"a"', None, None, True, id="13.1.2 the same strong tag"),
    pytest.param('W/"a"', None, 'W/"a"', None, None, True, id="13.1.2 the same weak tag"),
    pytest.param('W/"a"', None, '"a"', None, None, True, id="13.1.2 weak comparison: client's is weak"),
    pytest.param('"a"', None, 'W/"a"', None, None, True, id="13.1.2 weak comparison: ours is weak"),
    pytest.param('"b"', None, '"a"', None, None, False, id="13.1.2 another tag"),
    pytest.param('"a", "b", "c"', None, '"a"', None, None, True, id="13.1.2 first of a list"),
    pytest.param('"a", "b", "c"', None, '"b"', None, None, True, id="13.1.2 middle of a list"),
    pytest.param('"a","b","c"', None, '"c"', None, None, True, id="13.1.2 last of a list"),
    pytest.param('"x, "a", y"', None, '"a"', None, None, True, id="13.1.2 a tag among quotes gone astray"),
    pytest.param('"a,b"', None, '"a"', None, None, False, id="8.8.3 a comma within a tag"),
    pytest.param("*", None, '"a"', None, None, True, id="13.1.2 any, with a tag"),
    pytest.param(" * ", None, None, None, None, True, id="13.1.2 any, without a tag"),
    pytest.param('"*"', None, '"a"', None, None, False, id="8.8.3 a star in quotes is a tag"),
    pytest.param('"a"', None, None, EARLY, LATE, False, id="13.1.2 no tag stored"),
    pytest.param('"abc\xfc"', None, '"abc\xfc"', None, None, True, id="8.8.3 obs-text"),
    pytest.param("abc", None, "abc", None, None, True, id="8.8.3 no quotes on either side"),
    pytest.param("abc", None, '"abc"', None, None, False, id="8.8.3 no quotes in the request"),
    pytest.param('"abc"', None, "abc", None, None, False, id="8.8.3 no quotes in the response"),
    pytest.param("", None, "", None, None, False, id="8.8.3 nothing is no tag"),
    pytest.param("", LATE, '"a"', EARLY, LATE, False, id="13.1.3 an empty If-None-Match is one"),
    pytest.param('"a"', EARLY, '"a"', LATE, LATE, True, id="13.2.2 a tag that matches, a date that doesn't"),
    pytest.param('"b"', LATE, '"a"', EARLY, LATE, False, id="13.1.3 a date that matches, a tag that doesn't"),
    pytest.param("junk", LATE, '"a"', EARLY, LATE, False, id="13.1.3 malformed tags still hide the date"),
    pytest.param(None, EARLY, None, EARLY, None, True, id="13.1.3 the same date"),
    pytest.param(None, LATE, '"a"', EARLY, None, True, id="13.1.3 a later date"),
    pytest.param(None, EARLY, None, LATE, LATE, False, id="13.1.3 an earlier date"),
    pytest.param(None, EARLY_OLD_FORM, None, EARLY, None, True, id="5.6.7 RFC 850 form"),
    pytest.param(None, EARLY_C_FORM, None, EARLY, None, True, id="5.6.7 asctime form"),
    pytest.param(None, "yesterday", None, "yesterday", None, False, id="13.1.3 no date on either side"),
    pytest.param(None, "0", None, EARLY, None, False, id="13.1.3 no date in the request"),
    pytest.param(None, f"{LATE}, {LATE}", None, EARLY, None, False, id="13.1.3 a list of dates"),
    pytest.param(None, LATE, None, "yesterday", EARLY, False, id="13.1.3 no date in Last-Modified"),
    pytest.param(None, LATE, None, None, EARLY, True, id="9111 4.3.2 Date stands in"),
    pytest.param(None, EARLY, None, None, LATE, False, id="9111 4.3.2 Date stands in, and is later"),
    pytest.param(None, LATE, None, None, None, False, id="9111 4.3.2 no date at all"),
]


@pytest.mark.parametrize(("none_match", "since", "etag", "modified", "date", "expected"), CONDITIONS)
def test_a_condition(none_match, since, etag, modified, date, expected):
    """Whether the client may go on with what it has."""
    assert not_modified(none_match, since, etag, modified, date) is expected


# If-Range, stored ETag, Last-Modified, Date, whether Range counts
IF_RANGES = [
    pytest.param(None, None, None, None, True, id="14.2 no If-Range"),
    pytest.param('"a"', '"a"', None, None, True, id="13.1.5 the same strong tag"),
    pytest.param(' "a" ', '"a"', None, None, True, id="13.1.5 spaces around"),
    pytest.param('"b"', '"a"', None, None, False, id="13.1.5 another tag"),
    pytest.param('W/"a"', 'W/"a"', None, None, False, id="13.1.5 weak tags never match"),
    pytest.param('W/"a"', '"a"', None, None, False, id="13.1.5 client's is weak"),
    pytest.param('"a"', 'W/"a"', None, None, False, id="13.1.5 ours is weak"),
    pytest.param('"a"', None, EARLY, LATE, False, id="13.1.5 no tag stored"),
    pytest.param('"a", "b"', '"a"', None, None, False, id="13.1.5 one tag, no list"),
    pytest.param("a", "a", None, None, False, id="8.8.3 no quotes"),
    pytest.param("*", '"a"', EARLY, LATE, False, id="13.1.5 a star is no tag"),
    pytest.param("", "", "", "", False, id="13.1.5 empty"),
    pytest.param(EARLY, '"a"', EARLY, LATE, True, id="13.1.5 the same date, strong"),
    pytest.param(EARLY_OLD_FORM, None, EARLY, LATE, True, id="5.6.7 the same date in another form"),
    pytest.param(EARLY, None, EARLY, MINUTE_LATER, True, id="8.8.2.2 a minute apart"),
    pytest.param(EARLY, None, EARLY, SAME_MINUTE, False, id="8.8.2.2 less than a minute apart"),
    pytest.param(EARLY, None, EARLY, None, False, id="8.8.2.2 no Date"),
    pytest.param(EARLY, None, EARLY, "now", False, id="8.8.2.2 Date is none"),
    pytest.param(LATE, None, EARLY, LATE, False, id="13.1.5 later isn't the same"),
    pytest.param(EARLY, '"a"', None, LATE, False, id="13.1.5 no Last-Modified"),
    pytest.param("yesterday", None, "yesterday", LATE, False, id="13.1.5 no date on either side"),
]


@pytest.mark.parametrize(("if_range", "etag", "modified", "date", "expected"), IF_RANGES)
def test_if_range(if_range, etag, modified, date, expected):
    """A part is sent only to one who has the rest of the very same bytes."""
    assert if_range_holds(if_range, etag, modified, date) is expected


@pytest.mark.parametrize(
    ("modified", "date", "strong"),
    [
        pytest.param(EARLY, MINUTE_LATER, True, id="8.8.2.2 far enough"),
        pytest.param(EARLY, SAME_MINUTE, False, id="8.8.2.2 too near"),
        pytest.param(LATE, EARLY, False, id="8.8.2.2 from the future"),
        pytest.param(None, LATE, False, id="8.8.2.2 no Last-Modified"),
        pytest.param("x", LATE, False, id="8.8.2.2 no date"),
    ],
)
def test_a_strong_date(modified, date, strong):
    """The representation can't have changed twice in the second it names."""
    assert is_strong_date(modified, date) is strong


# stored ETag, stored Last-Modified, ETag of the 304, its Last-Modified, whether it is about what is stored
SELECTIONS = [
    pytest.param('"a"', None, '"a"', None, True, id="strong: the same"),
    pytest.param('"a"', None, '"b"', None, False, id="strong: another"),
    pytest.param('W/"a"', None, '"a"', None, False, id="strong: ours is weak"),
    pytest.param(None, None, '"a"', None, False, id="strong: ours has none"),
    pytest.param(None, EARLY, '"a"', EARLY, False, id="strong: ours has a date only"),
    pytest.param('"a"', EARLY, '"a"', LATE, True, id="strong: dates don't matter then"),
    pytest.param('W/"a"', None, 'W/"a"', None, True, id="weak: the same"),
    pytest.param('"a"', None, 'W/"a"', None, True, id="weak: ours is strong"),
    pytest.param('"a"', None, 'W/"b"', None, False, id="weak: another"),
    pytest.param('"a"', EARLY, 'W/"b"', EARLY, False, id="weak: another, with our date"),
    pytest.param(None, EARLY, 'W/"a"', EARLY, True, id="weak: a new tag, our date"),
    pytest.param(None, None, 'W/"a"', None, False, id="weak: ours has none"),
    pytest.param(None, EARLY, None, EARLY, True, id="weak: the same date"),
    pytest.param('"a"', EARLY, None, EARLY, True, id="weak: the same date, the tag left out"),
    pytest.param(None, EARLY, None, EARLY_OLD_FORM, True, id="weak: the same date in another form"),
    pytest.param(None, EARLY, None, LATE, False, id="weak: another date"),
    pytest.param('"a"', None, None, EARLY, False, id="weak: a date, ours has a tag only"),
    pytest.param(None, "x", None, "x", False, id="weak: no dates"),
    pytest.param(None, None, None, None, True, id="none: neither has any"),
    pytest.param('"a"', None, None, None, False, id="none: ours has a tag"),
    pytest.param(None, EARLY, None, None, False, id="none: ours has a date"),
    pytest.param("a", None, "a", None, True, id="malformed: the same"),
    pytest.param("a", None, '"a"', None, False, id="malformed: ours"),
    pytest.param('"a"', None, "a", None, False, id="malformed: theirs"),
    pytest.param("a", EARLY, 'W/"a"', EARLY, False, id="malformed: ours, with our date"),
    pytest.param("", "", "", "", True, id="none: empty fields are none"),
]


@pytest.mark.parametrize(("own_etag", "own_modified", "etag", "modified", "expected"), SELECTIONS)
def test_which_stored_response_a_304_is_about(own_etag, own_modified, etag, modified, expected):
    """RFC 9111 section 4.3.4: by strong validators, else by weak ones, else there are none at all."""
    assert selects(own_etag, own_modified, etag, modified) is expected


@pytest.mark.parametrize("own", [('"a"', None), (None, EARLY), ('"a"', EARLY), (None, None)])
def test_a_304_without_validators_can_mean_the_only_one_asked_about(own):
    """Where the caller knows that it named no other; a validator of its own still decides."""
    assert selects(*own, None, None, only_asked=True)
    assert not selects(*own, '"b"', None, only_asked=True)
    assert not selects(*own, None, LATE, only_asked=True)


STORED = {"etag": '"a"', "last-modified": EARLY, "content-length": "10", "content-type": "text/plain"}
HEADS = [
    pytest.param({}, "update", id="nothing to compare"),
    pytest.param({"cache-control": "max-age=9"}, "update", id="fields that are no validators"),
    pytest.param(STORED, "update", id="all the same"),
    pytest.param({"etag": '"b"'}, "invalidate", id="another tag"),
    pytest.param({"etag": 'W/"a"'}, "invalidate", id="a weaker tag"),
    pytest.param({"last-modified": LATE}, "invalidate", id="another date"),
    pytest.param({"last-modified": EARLY_OLD_FORM}, "update", id="the date in another form"),
    pytest.param({"content-length": "11"}, "invalidate", id="another length"),
    pytest.param({"content-length": " 10"}, "update", id="the same length"),
    pytest.param({"content-length": "10, 10"}, "invalidate", id="two lengths"),
    pytest.param({**STORED, "content-length": "0"}, "invalidate", id="same tag, another length"),
]


@pytest.mark.parametrize(("new", "expected"), HEADS)
def test_what_a_head_says(new, expected):
    """RFC 9111 section 4.3.5: whatever of the three is there has to be the same."""
    assert head_freshens(STORED, new) == expected
    assert head_freshens(Headers(STORED.items()), Headers(new.items())) == expected


def test_what_a_head_says_of_a_response_without_validators():
    """What it has, the stored one would have to have; the body's size stands in for Content-Length."""
    assert head_freshens({}, {"etag": '"a"'}) == "invalidate"
    assert head_freshens({}, {"last-modified": EARLY}) == "invalidate"
    assert head_freshens({}, {"content-length": "10"}) == "invalidate"
    assert head_freshens({}, {"content-length": "10"}, size=10) == "update"
    assert head_freshens({"content-length": "10"}, {"content-length": "10"}, size=11) == "invalidate"
    assert head_freshens({}, {}) == "update"


@pytest.mark.parametrize(
    "status", ["204 No Content", "301 Moved Permanently", "304 Not Modified", "410 Gone", ""]
)
def test_a_head_with_another_status_says_nothing(status):
    """RFC 9111 section 4.3.5 is about 200."""
    assert head_freshens(STORED, {"etag": '"b"'}, status=status) == "nothing"


UPDATED = (
    "Test-Header", "X-Test-Header", "Content-Foo", "X-Content-Foo", "Cache-Control", "Content-Location",
    "Content-MD5", "Content-Security-Policy", "Content-Type", "Clear-Site-Data", "Expires", "Public-Key-Pins",
    "Set-Cookie2", "X-Frame-Options", "X-XSS-Protection", "Last-Modified", "Vary", "Date", "Age",
)  # fmt: skip
KEPT = ("Content-Encoding", "Content-Length", "Content-Range", "ETag", "Set-Cookie")
NEVER_STORED = (
    "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization",
    "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
)  # fmt: skip


@pytest.mark.parametrize("name", UPDATED)
def test_a_field_is_updated(name):
    """RFC 9111 section 3.2: all of that name, under any spelling."""
    stored = [("X", "1"), (name, "old"), (name.lower(), "older"), ("Y", "2")]
    assert freshened(stored, [(name.upper(), "new")]) == [("X", "1"), ("Y", "2"), (name.upper(), "new")]
    assert freshened([], [(name, "1"), (name, "2")]) == [(name, "1"), (name, "2")]


@pytest.mark.parametrize("name", KEPT)
def test_a_field_is_kept(name):
    """RFC 9111 section 3.2: it belongs to the bytes that are stored, or to one visitor."""
    assert freshened([(name, "old")], [(name.upper(), "new"), ("X", "1")]) == [(name, "old"), ("X", "1")]


@pytest.mark.parametrize("name", NEVER_STORED)
def test_a_field_of_the_connection_is_not_taken(name):
    """RFC 9111 section 3.1."""
    assert freshened([], [(name, "y"), ("X", "1")]) == [("X", "1")]


def test_fields_named_by_connection_are_not_taken():
    """RFC 9110 section 7.6.1; those stored under such a name stay as they are."""
    new = [("Connection", "close, A"), ("connection", "\tb ,"), ("a", "2"), ("B", "2"), ("C", "2")]
    assert freshened([("A", "1"), ("C", "1")], new) == [("A", "1"), ("C", "2")]


def test_fields_not_to_be_stored_are_not_taken():
    """Those that no-cache="..." names, for one."""
    assert freshened([], [("A", "1"), ("B", "2")], without={"a"}) == [("B", "2")]


def test_cookies_are_taken_on_demand():
    """Of one answer or of the other, not of both."""
    stored, new = (
        [("Set-Cookie", "a=1"), ("Set-Cookie", "b=1")],
        [("set-cookie", "a=2"), ("set-cookie", "c=2")],
    )
    assert freshened(stored, new, set_cookie=True) == new
    assert freshened(stored, [], set_cookie=True) == stored


def test_what_a_304_leaves_out_stays():
    """But for what tells when a response was made: that of the old one would make the new one old."""
    stored = [("Date", EARLY), ("Age", "9"), ("A", "1"), ("Content-Type", "text/plain")]
    assert freshened(stored, []) == [("A", "1"), ("Content-Type", "text/plain")]


def test_a_tag_is_added_where_there_was_none():
    """The weak form of a strong one doesn't take its place."""
    assert freshened([("A", "1")], [("ETag", 'W/"a"')]) == [("A", "1"), ("ETag", 'W/"a"')]
    assert freshened([("ETag", '"a"')], [("ETag", 'W/"a"')]) == [("ETag", '"a"')]


FULL = [
    ("Content-Type", "text/html"), ("content-length", "10"), ("Content-Encoding", "gzip"),
    ("CACHE-CONTROL", "a"), ("Cache-Control", "b"), ("Content-Location", "/x"), ("Date", EARLY),
    ("ETag", '"a"'), ("Expires", LATE), ("vary", "Accept"), ("Last-Modified", EARLY), ("Set-Cookie", "a=1"),
    ("Content-Security-Policy", "x"), ("CDN-Cache-Control", "max-age=1"), ("Content-Language", "en"),
    ("Access-Control-Allow-Origin", "*"),
]  # fmt: skip


def test_the_fields_of_a_304():
    """RFC 9110 section 15.4.5: as they are in the 200, without what describes the body."""
    kept = ["CACHE-CONTROL", "Cache-Control", "Content-Location", "Date", "ETag", "Expires", "vary"]
    kept.append("Access-Control-Allow-Origin")
    assert not_modified_fields(FULL) == [pair for pair in FULL if pair[0] in kept]


def test_the_fields_of_a_304_without_a_tag():
    """Then Last-Modified is what the client knows it by."""
    assert not_modified_fields([("Last-Modified", EARLY), ("A", "1")]) == [("Last-Modified", EARLY)]


def test_further_fields_of_a_304():
    """For the caches to come."""
    assert ("CDN-Cache-Control", "max-age=1") in not_modified_fields(FULL, ("cdn-cache-control",))


texts = st.none() | st.text() | st.sampled_from(['"a"', 'W/"a"', "*", EARLY, LATE, "a", '"a", "b"'])


@given(texts, texts, texts, texts, texts)
def test_any_text_is_answered(one, two, three, four, five):
    """Nothing that a client or an application sends raises."""
    assert not_modified(one, two, three, four, five) in (True, False)
    assert if_range_holds(one, two, three, four) in (True, False)
    assert selects(one, two, three, four) in (True, False)
    stored = {"etag": one, "last-modified": two, "content-length": three}
    assert head_freshens(stored, {"etag": four, "last-modified": five, "content-length": one})


names = st.sampled_from(["A", "a", "B", "Connection", "ETag", "Set-Cookie", "Content-Length"])
pairs = st.lists(st.tuples(names, st.sampled_from(["a", "b", "etag, c", '"1"', ""])))


@given(stored=pairs, new=pairs)
def test_updating_twice_changes_no_more(stored, new):
    """The same 304 again."""
    once = freshened(stored, new)
    assert sorted(freshened(once, new)) == sorted(once)
    assert set(once) <= {*stored, *new}
