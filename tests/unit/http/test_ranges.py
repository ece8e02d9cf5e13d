"""Ranges of bytes: RFC 9110 section 14 and 15.3.7, RFC 9111 sections 3.3 and 3.4."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.http import ranges as module
from wsgiperf.http.ranges import (
    MOST_PIECES,
    MOST_RANGES,
    Pieces,
    combinable,
    parse_content_range,
    parse_range,
    partial,
)

HUGE = "9" * 5000

# of 10 bytes
RANGES = [
    pytest.param("bytes=0-4", [(0, 4)], id="14.1.2 first bytes"),
    pytest.param("bytes=4-9", [(4, 9)], id="14.1.2 up to the last"),
    pytest.param("bytes=3-3", [(3, 3)], id="14.1.2 one byte"),
    pytest.param("bytes=0-0,-1", [(0, 0), (9, 9)], id="14.1.2 first and last"),
    pytest.param("bytes=4-", [(4, 9)], id="14.1.2 open"),
    pytest.param("bytes=0-", [(0, 9)], id="14.1.2 open, all"),
    pytest.param("bytes=-3", [(7, 9)], id="14.1.2 suffix"),
    pytest.param("bytes=-10", [(0, 9)], id="14.1.2 suffix, all"),
    pytest.param("bytes=-99", [(0, 9)], id="14.1.2 suffix, longer than all"),
    pytest.param("bytes=5-99", [(5, 9)], id="14.1.2 last beyond the end"),
    pytest.param(f"bytes=5-{HUGE}", [(5, 9)], id="14.1.2 last far beyond the end"),
    pytest.param(f"bytes=-{HUGE}", [(0, 9)], id="14.1.2 suffix of a length beyond reason"),
    pytest.param("bytes=007-0008", [(7, 8)], id="14.1.2 leading zeros"),
    pytest.param("BYTES=0-1", [(0, 1)], id="14.1 units have no case"),
    pytest.param(" bytes=0-1\t", [(0, 1)], id="5.5 spaces around"),
    pytest.param("bytes=0-1, 4-5\t,8-9", [(0, 1), (4, 5), (8, 9)], id="14.1.1 several"),
    pytest.param("bytes=,0-1,,", [(0, 1)], id="5.6.1.2 empty members"),
    pytest.param("bytes=8-9,0-1", [(8, 9), (0, 1)], id="15.3.7.2 the client's order"),
    pytest.param("bytes=0-1,20-30", [(0, 1)], id="15.3.7.2 one can be satisfied"),
    pytest.param("bytes=0-5,3-7", [(0, 7)], id="15.3.7.2 overlap"),
    pytest.param("bytes=0-1,2-3", [(0, 3)], id="15.3.7.2 touch"),
    pytest.param("bytes=0-1,3-4", [(0, 1), (3, 4)], id="15.3.7.2 a gap of one"),
    pytest.param("bytes=2-3,8-9,0-1", [(0, 3), (8, 9)], id="15.3.7.2 in the place of the first"),
    pytest.param("bytes=0-1,6-7,3-4,1-6", [(0, 7)], id="15.3.7.2 one that joins all"),
    pytest.param("bytes=8-9,0-1,3-4,1-3", [(8, 9), (0, 4)], id="15.3.7.2 one that joins two"),
    pytest.param("bytes=" + "0-," * MOST_RANGES, [(0, 9)], id="14.2 as many as may be"),
    pytest.param("bytes=10-", [], id="15.5.17 from beyond the end"),
    pytest.param("bytes=10-20,30-40", [], id="15.5.17 all beyond the end"),
    pytest.param(f"bytes={HUGE}-", [], id="15.5.17 far beyond the end"),
    pytest.param("bytes=-0", [], id="14.1.2 suffix of no length"),
    pytest.param("bytes=" + "0-," * (MOST_RANGES + 1), None, id="14.2 too many"),
    pytest.param("bytes=0-1" + "," * 1000, None, id="5.6.1.2 empty members without end"),
    pytest.param("bytes=5-4", None, id="14.1.1 last before first"),
    pytest.param("bytes=0-1,5-4", None, id="14.1.1 one is invalid"),
    pytest.param("bytes=50-40", None, id="14.1.1 last before first, beyond the end"),
    pytest.param("lines=0-1", None, id="14.2 another unit"),
    pytest.param("bytes", None, id="14.2 the unit only"),
    pytest.param("bytes=", None, id="14.2 nothing asked"),
    pytest.param("bytes=,", None, id="14.2 nothing but a comma"),
    pytest.param("bytes=-", None, id="14.2 nothing but a dash"),
    pytest.param("bytes=5", None, id="14.2 no dash"),
    pytest.param("bytes=--5", None, id="14.2 two dashes"),
    pytest.param("bytes=0-1-2", None, id="14.2 three numbers"),
    pytest.param("bytes=0 - 1", None, id="14.2 spaces within"),
    pytest.param("bytes =0-1", None, id="14.2 a space before ="),
    pytest.param("bytes=+1-2", None, id="14.2 a sign"),
    pytest.param("bytes=0x1-2", None, id="14.2 hexadecimal"),
    pytest.param("bytes=1_0-20", None, id="14.2 underscore"),
    pytest.param("bytes=\xb2-3", None, id="14.2 superscript"),
    pytest.param("bytes=\u0663-4", None, id="14.2 digits of another script"),
    pytest.param("bytes=0-1;2-3", None, id="14.2 semicolon"),
    pytest.param("bytes=0-1=", None, id="14.2 junk behind"),
    pytest.param("", None, id="14.2 empty"),
]


@pytest.mark.parametrize(("value", "expected"), RANGES)
def test_a_range_field(value, expected):
    """Of ten bytes."""
    assert parse_range(value, 10) == expected


@pytest.mark.parametrize("value", ["bytes=0-", "bytes=-1", "bytes=-0", "bytes=5-9"])
def test_no_range_of_an_empty_body(value):
    """RFC 9110 section 14.2 lets it be ignored; Content-Range has no form for it."""
    assert parse_range(value, 0) is None


numbers = st.integers(0, 25)
specs = (
    st.tuples(numbers, numbers).map(lambda pair: f"{min(pair)}-{max(pair)}")
    | numbers.map("{}-".format)
    | numbers.map("-{}".format)
)


def asked(spec: str, size: int) -> set[int]:
    """The offsets a single range asks for, byte by byte."""
    first, _, last = spec.partition("-")
    if not first:
        return set(range(size)[-int(last) :]) if int(last) else set()
    return {offset for offset in range(int(first), int(last or size) + 1) if offset < size}


@given(size=st.integers(1, 20), members=st.lists(specs, min_size=1, max_size=MOST_RANGES))
def test_ranges_cover_what_was_asked_for_once(size, members):
    """As a set of offsets: no byte missing, none twice, and each range in the place of its first member."""
    ranges = parse_range(f"bytes={', '.join(members)}", size)
    sets = [set(range(first, last + 1)) for first, last in ranges]
    wanted = [asked(member, size) for member in members]
    assert set().union(*sets) == set().union(*wanted)
    for one in sets:
        for other in sets:
            assert one is other or not {n + d for n in one for d in (-1, 0, 1)} & other
    places = [min(i for i, offsets in enumerate(wanted) if offsets & one) for one in sets]
    assert places == sorted(places)


@given(st.text() | st.text("bytes=0123456789-, *\t").map("bytes={}".format), st.integers(0, 30))
def test_any_text_is_a_range_or_none(value, size):
    """Nothing raises, and what comes out lies within the body."""
    for first, last in parse_range(value, size) or []:
        assert 0 <= first <= last < size
    found = parse_content_range(value)
    assert found is None or 0 <= found[0] <= found[1]


def test_a_long_field_takes_linear_time():
    """Nothing in a field of a server's greatest size is slow."""
    for part in ("0-1,", ",", "9", "-", " ", "bytes=", ", "):
        parse_range(f"bytes={part * 100_000}", 10)
        parse_content_range(f"bytes {part * 100_000}")


CONTENT_RANGES = [
    pytest.param("bytes 0-4/10", (0, 4, 10), id="first bytes"),
    pytest.param("bytes 9-9/10", (9, 9, 10), id="the last byte"),
    pytest.param("bytes 0-4/*", (0, 4, None), id="of unknown size"),
    pytest.param("BYTES 0-4/10", (0, 4, 10), id="units have no case"),
    pytest.param("bytes */10", None, id="not satisfied"),
    pytest.param("bytes 4-3/10", None, id="last before first"),
    pytest.param("bytes 0-10/10", None, id="last beyond the end"),
    pytest.param("bytes 0-4/0", None, id="of nothing"),
    pytest.param(f"bytes 0-{HUGE}/*", None, id="last beyond reason"),
    pytest.param(f"bytes 0-4/{HUGE}", None, id="size beyond reason"),
    pytest.param("bytes=0-4/10", None, id="form of Range"),
    pytest.param("lines 0-4/10", None, id="another unit"),
    pytest.param("bytes 0-4", None, id="no size"),
    pytest.param("bytes 0-4/", None, id="empty size"),
    pytest.param("bytes -4/10", None, id="no first"),
    pytest.param("bytes 0-/10", None, id="no last"),
    pytest.param("bytes 0-4/10, bytes 5-9/10", None, id="two"),
    pytest.param("bytes 0-4/\xb2", None, id="superscript"),
    pytest.param("", None, id="empty"),
]


@pytest.mark.parametrize(("value", "expected"), CONTENT_RANGES)
def test_a_content_range_field(value, expected):
    """RFC 9110 section 14.4."""
    assert parse_content_range(value) == expected


BODY = b"0123456789"
FULL = [
    ("Content-Type", "text/plain"), ("content-length", "10"), ("ETag", '"a"'), ("Cache-Control", "max-age=9"),
    ("Content-Digest", "x"), ("CONTENT-MD5", "x"), ("Last-Modified", "x"), ("Content-Encoding", "gzip"),
    ("Content-Language", "en"), ("Vary", "Accept"), ("A", "1"), ("A", "2"),
]  # fmt: skip


def test_one_range():
    """RFC 9110 section 15.3.7.1: the fields of the 200, but for those of the whole body."""
    status, fields, body = partial(FULL, BODY, [(2, 4)])
    assert status == "206 Partial Content"
    assert body == [b"234"]
    kept = [pair for pair in FULL if pair[0] not in ("content-length", "Content-Digest", "CONTENT-MD5")]
    assert fields == [*kept, ("Content-Range", "bytes 2-4/10"), ("Content-Length", "3")]


def test_the_whole_as_a_range():
    """Is still a part."""
    status, fields, body = partial([], BODY, [(0, 9)])
    assert (status, body) == ("206 Partial Content", [BODY])
    assert fields == [("Content-Range", "bytes 0-9/10"), ("Content-Length", "10")]


def parsed(fields, body):
    """A multipart body as the standard library reads it: (Content-Type, Content-Range, bytes)."""
    head = "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")
    message = BytesParser(policy=HTTP).parsebytes(head + b"\r\n" + b"".join(body))
    assert message.get_content_type() == "multipart/byteranges"
    assert not message.defects
    return [
        (dict(part.items()).get("Content-Type"), part["Content-Range"], part.get_payload(decode=True))
        for part in message.iter_parts()
    ]


def test_several_ranges():
    """RFC 9110 section 15.3.7.2: as parts with fields of their own, in the order asked for."""
    status, fields, body = partial(FULL, BODY, [(8, 9), (0, 1), (4, 4)])
    assert status == "206 Partial Content"
    assert parsed(fields, body) == [
        ("text/plain", "bytes 8-9/10", b"89"),
        ("text/plain", "bytes 0-1/10", b"01"),
        ("text/plain", "bytes 4-4/10", b"4"),
    ]
    names = [name.lower() for name, _ in fields]
    assert "content-range" not in names
    assert names.count("content-type") == names.count("content-length") == 1
    assert dict(fields)["Content-Length"] == str(len(b"".join(body)))
    assert {("ETag", '"a"'), ("Cache-Control", "max-age=9"), ("A", "1"), ("A", "2")} <= set(fields)


@pytest.mark.parametrize("pairs", [[], [("Content-Type", "")], [("Content-Type", "a\r\nSet-Cookie: b")]])
def test_several_ranges_of_no_type(pairs):
    """No type, none in the parts; and one that breaks a head breaks no part's either."""
    _, fields, body = partial(pairs, BODY, [(0, 0), (9, 9)])
    assert parsed(fields, body) == [(None, "bytes 0-0/10", b"0"), (None, "bytes 9-9/10", b"9")]


def test_the_boundary_is_in_no_part(monkeypatch):
    """Nor the same in the next answer."""
    made = iter([b"abc", b"xyz"])
    monkeypatch.setattr(module, "urandom", lambda _: next(made))
    body = b"0123 " + b"abc".hex().encode() + b" 6789"
    _, fields, blocks = partial([], body, [(0, 13), (15, 15)])
    assert dict(fields)["Content-Type"] == f"multipart/byteranges; boundary={b'xyz'.hex()}"
    assert blocks[1] == body[:14]
    monkeypatch.undo()
    assert len({partial([], BODY, [(0, 0), (9, 9)])[1][0] for _ in range(20)}) == 20


def test_a_part_for_one_who_has_the_rest():
    """RFC 9110 section 15.3.7: after If-Range, the fields of the representation are known."""
    _, fields, _ = partial(FULL, BODY, [(0, 1)], if_range=True)
    assert [name for name, _ in fields] == [
        "ETag", "Cache-Control", "Vary", "A", "A", "Content-Range", "Content-Length"
    ]  # fmt: skip
    _, fields, body = partial(FULL, BODY, [(0, 1), (9, 9)], if_range=True)
    assert [part[0] for part in parsed(fields, body)] == ["text/plain"] * 2


def test_no_range_that_can_be_satisfied():
    """RFC 9110 section 15.5.17; nothing that would let a cache keep the error."""
    fields = [("Content-Range", "bytes */10"), ("Content-Length", "0")]
    assert partial(FULL, BODY, []) == ("416 Range Not Satisfiable", fields, [])


def test_ranges_of_pieces():
    """What isn't there is no range to ask for."""
    pieces = Pieces(10).add(4, b"45678")
    assert partial([], pieces, [(6, 8)]) == (
        "206 Partial Content",
        [("Content-Range", "bytes 6-8/10"), ("Content-Length", "3")],
        [b"678"],
    )
    with pytest.raises(ValueError, match="8-9"):
        partial([], pieces, [(8, 9)])


EARLY, LATE = "Sun, 06 Nov 1994 08:49:37 GMT", "Mon, 07 Nov 1994 08:49:37 GMT"
DATED = {"last-modified": EARLY, "date": LATE}
COMBINATIONS = [
    pytest.param({"etag": '"a"'}, {"etag": '"a"'}, True, id="the same strong tag"),
    pytest.param({"etag": '"a"'}, {"etag": '"b"'}, False, id="other tags"),
    pytest.param({"etag": 'W/"a"'}, {"etag": 'W/"a"'}, False, id="a weak tag"),
    pytest.param({"etag": '"a"'}, {"etag": 'W/"a"'}, False, id="one is weak"),
    pytest.param({"etag": "a"}, {"etag": "a"}, False, id="no tags"),
    pytest.param({"etag": '"a"'}, {}, False, id="one has a tag"),
    pytest.param({}, {"etag": '"a"'}, False, id="the other has a tag"),
    pytest.param({"etag": '"a"', **DATED}, DATED, False, id="one has a tag, dates are the same"),
    pytest.param({"etag": '"a"', **DATED}, {"etag": '"b"', **DATED}, False, id="other tags, the same dates"),
    pytest.param(DATED, DATED, True, id="the same strong date"),
    pytest.param(DATED, {"last-modified": LATE, "date": LATE}, False, id="other dates"),
    pytest.param(DATED, {"last-modified": EARLY, "date": EARLY}, False, id="8.8.2.2 the other's is weak"),
    pytest.param({"last-modified": EARLY}, DATED, False, id="8.8.2.2 one's is weak"),
    pytest.param({}, {}, False, id="no validator"),
]


@pytest.mark.parametrize(("stored", "new", "expected"), COMBINATIONS)
def test_parts_of_the_same_bytes(stored, new, expected):
    """RFC 9111 section 3.4."""
    assert combinable(stored, new) is expected


def test_pieces_are_put_together():
    """Whatever came first."""
    pieces = Pieces(10)
    assert pieces.complete is None
    assert pieces.request() == "bytes=0-"
    pieces = pieces.add(0, b"01").add(6, b"6789")
    assert not pieces.covers(0, 2)
    assert pieces.slice(7, 8) == b"78"
    assert pieces.request() == "bytes=2-5"
    assert repr(pieces) == "Pieces(0-1, 6-9 of 10)"
    whole = pieces.add(1, b"123456")
    assert whole.complete == BODY
    assert whole.request() is None
    assert whole.held == 10
    assert pieces.held == 6  # the old one is as it was


def test_what_is_missing_is_asked_for_in_one_range_or_not():
    """RFC 9111 section 3.3."""
    assert Pieces(10).add(0, b"01234").request() == "bytes=5-"
    assert Pieces(10).add(5, b"56789").request() == "bytes=0-4"
    assert Pieces(10).add(4, b"4").request() is None
    assert Pieces(0).request() is None
    assert Pieces(0).complete == b""


def test_bytes_that_contradict_the_old_ones_replace_them():
    """All of them: they are of another representation."""
    pieces = Pieces(10).add(0, b"0123").add(7, b"789")
    assert pieces.add(3, b"x4").pieces == ((3, b"x4"),)
    assert pieces.add(3, b"34").pieces == ((0, b"01234"), (7, b"789"))


@pytest.mark.parametrize(("first", "data"), [(8, b"89x"), (10, b"x"), (99, b"x"), (-1, b"x"), (3, b"")])
def test_what_is_not_of_it_is_not_added(first, data):
    """Too long a body, or an empty one."""
    pieces = Pieces(10).add(0, b"0")
    assert pieces.add(first, data).pieces == pieces.pieces


@pytest.mark.parametrize(("first", "last"), [(-1, 0), (0, 10), (5, 4), (10, 10)])
def test_ranges_that_are_none_are_not_covered(first, last):
    """Whoever asks."""
    assert not Pieces(10).add(0, BODY).covers(first, last)


def test_the_number_of_pieces_is_bounded():
    """The shortest goes, not the new one."""
    pieces = Pieces(1000)
    for place in range(MOST_PIECES):
        pieces = pieces.add(place * 10, b"x" if place == 3 else b"xx")
    assert len(pieces.pieces) == MOST_PIECES
    pieces = pieces.add(990, b"x")
    assert len(pieces.pieces) == MOST_PIECES
    assert not pieces.covers(30, 30)
    assert pieces.covers(990, 990)
    assert pieces.covers(20, 21)


@given(
    st.lists(st.tuples(st.integers(0, 39), st.integers(1, 12), st.sampled_from([0, 0, 0, 100])), max_size=30)
)
def test_pieces_are_a_set_of_offsets(steps):
    """A model that holds single bytes answers the same."""
    size = 40
    pieces, model = Pieces(size), {}
    for first, length, shift in steps:
        new = {offset: offset + shift for offset in range(first, min(first + length, size))}
        pieces = pieces.add(first, bytes(new.values()))
        same = all(model.get(offset, byte) == byte for offset, byte in new.items())
        model = {**model, **new} if same else new
        if len(pieces.pieces) >= MOST_PIECES:
            return
    starts = [offset for offset in model if offset - 1 not in model]
    assert [first for first, _ in pieces.pieces] == sorted(starts)
    assert pieces.held == len(model)
    for first in range(size):
        for last in range(first, size):
            there = all(offset in model for offset in range(first, last + 1))
            assert pieces.covers(first, last) is there
            wanted = bytes(model[offset] for offset in range(first, last + 1)) if there else None
            assert pieces.slice(first, last) == wanted
    assert (pieces.complete is not None) == (len(model) == size)
    assert Pieces(size, pieces.pieces).pieces == pieces.pieces
