"""Entries as bytes: they come back as they were, and whatever else is in a store does no harm."""

from __future__ import annotations

import pickle
import struct
import tracemalloc
from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.cache.entry import Entry, Held, Uncacheable, Varying
from wsgiperf.cache.frames import decode, encode, glance
from wsgiperf.cache.nonces import Template
from wsgiperf.http.headers import check_field
from wsgiperf.http.ranges import Pieces

KEY = "http://site.example/page?a=1"
#: Where the fixed part has what: the format is the same for all that share a store.
SOFT, TIMES, LENGTHS, FIXED = 8, 16, 64, 90


def entry(
    key: str = KEY, pairs: Any = (("Content-Type", "text/plain"),), body: bytes = b"body", **more: Any
) -> Entry:
    times: dict[str, Any] = {"requested": 1000.0, "born": 999.5, "lifetime": 60.0}
    return Entry(key, more.pop("status", "200 OK"), pairs, body, **times | more)


def told(held: Held | None) -> object:
    """All that a reader can see of it."""
    if held is None or isinstance(held, Uncacheable):
        return held and ("uncacheable", held.key, held.kept_until)
    if isinstance(held, Varying):
        return ("varying", held.key, held.names, held.salt, held.kept_until)
    template = held.template and (held.template.pieces, held.template.width)
    pieces = held.pieces and (held.pieces.size, held.pieces.pieces)
    return (
        held.key, held.status, held.pairs, held.body, held.requested, held.born, held.lifetime,
        held.stale_while_revalidate, held.stale_if_error, held.must_revalidate, held.always_revalidate,
        held.anonymous, held.tags, held.fresh_until, dict(held.variants), template, pieces, held.etag,
    )  # fmt: skip


_latin = st.characters(min_codepoint=0x20, max_codepoint=0xFF, blacklist_characters="\x7f")
_values = st.text(_latin, max_size=20)
_names = st.text("abcXYZ019-_", min_size=1, max_size=12)
_keys = st.text(st.characters(max_codepoint=255), max_size=40)
_seconds = st.floats(min_value=0, max_value=2**40)
_bodies = st.binary(max_size=200)
_templates = st.builds(Template, st.lists(_bodies, min_size=2, max_size=5).map(tuple), st.integers(16, 63))


@st.composite
def _pieces(draw: st.DrawFn) -> Pieces:
    made = Pieces(draw(st.integers(1, 300)))
    for first, block in draw(
        st.lists(st.tuples(st.integers(0, 299), st.binary(min_size=1, max_size=30)), max_size=8)
    ):
        made = made.add(first, block)
    return made


@st.composite
def _entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from(["plain", "template", "pieces"]))
    body = draw(_bodies) if kind == "plain" else b""
    made = Entry(
        draw(_keys),
        draw(st.sampled_from(["200 OK", "404 Not Found", "301 ", "599 \xfc\xdf"])),
        draw(st.lists(st.tuples(_names, _values), max_size=6)),
        body,
        requested=draw(_seconds),
        born=draw(_seconds),
        lifetime=draw(_seconds),
        stale_while_revalidate=draw(_seconds),
        stale_if_error=draw(_seconds),
        must_revalidate=draw(st.booleans()),
        always_revalidate=draw(st.booleans()),
        anonymous=draw(st.booleans()),
        tags=tuple(draw(st.lists(st.text("abc-:", min_size=1, max_size=8), max_size=4))),
        stale_at=draw(st.just(0.0) | st.floats(min_value=1, max_value=2**40)),
        template=draw(_templates) if kind == "template" else None,
        pieces=draw(_pieces()) if kind == "pieces" else None,
    )
    for coding, data in draw(st.dictionaries(st.sampled_from(["br", "gzip", "zstd"]), _bodies)).items():
        made.variants.load(coding, data)
    return made


_varying = st.builds(
    Varying,
    _keys,
    st.lists(_names.map("HTTP_{}".format), min_size=1, max_size=5).map(tuple),
    st.text("0f", max_size=16),
    _seconds,
)
_held = _entries() | _varying | st.builds(Uncacheable, _keys, _seconds)


@given(_held)
def test_what_is_held_comes_back_as_it_was(held: Held) -> None:
    assert told(decode(encode(held), held.key)) == told(held)


@given(_entries())
def test_key_and_tags_stand_at_the_beginning(held: Entry) -> None:
    start = encode(held)[:4096]
    assert glance(start) == (held.key, held.tags)


@pytest.mark.parametrize(
    "held", [Varying(KEY, ("HTTP_A",), "0f", 5.0), Uncacheable(KEY, 5.0)], ids=["varying", "uncacheable"]
)
def test_notes_have_no_tags(held: Held) -> None:
    assert glance(encode(held)) == (KEY, ())


@given(_held, _keys)
def test_a_frame_is_only_for_its_own_key(held: Held, key: str) -> None:
    assert (decode(encode(held), key) is None) == (key != held.key)


def _sound(found: Held | None, key: str) -> None:
    """It can be sent, and it is what was asked for."""
    if found is None:
        return
    assert found.key == key
    if not isinstance(found, Entry):
        assert found.kept_until == found.kept_until, "a time that is none"
        return
    assert found.status[:3].isascii()
    assert 200 <= int(found.status[:3]) < 600
    check_field("Status", found.status)
    for name, value in found.pairs:
        check_field(name, value)
        assert name.lower() not in ("transfer-encoding", "connection")
    for moment in (found.fresh_until, found.kept_until, found.born, found.requested):
        int(moment)
    body = found.template.fill(b"x" * found.template.width) if found.template else found.body
    if "content-length" in found.fields:
        assert found.pieces is None
        assert found.fields["content-length"] == str(len(body))


FRAMES: list[tuple[str, Callable[[], Held]]] = [
    (
        "plain",
        lambda: entry(pairs=[("ETag", '"a"'), ("Content-Length", "4")], tags=("t", "u"), anonymous=True),
    ),
    (
        "template",
        lambda: entry(
            body=b"", template=Template((b"<script nonce=", b">", b""), 16), pairs=[("Content-Length", "47")]
        ),
    ),
    ("pieces", lambda: entry(body=b"", pieces=Pieces(50).add(0, b"abc").add(20, b"defg"))),
    ("varying", lambda: Varying(KEY, ("HTTP_A", "cookie:s"), "0123456789abcdef", 1000.0)),
    ("uncacheable", lambda: Uncacheable(KEY, 1000.0)),
]
each_frame = pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in FRAMES])


def with_variants(held: Held) -> bytes:
    if isinstance(held, Entry) and held.template is None and held.pieces is None:
        held.variants.load("br", b"brotli")
        held.variants.load("gzip", b"")
    return encode(held)


@each_frame
def test_every_truncation_is_a_miss(make: Callable[[], Held]) -> None:
    whole = with_variants(make())
    assert decode(whole, KEY) is not None
    for length in range(len(whole)):
        assert decode(whole[:length], KEY) is None, length
    assert decode(whole + b"\0", KEY) is None


@each_frame
def test_every_flip_of_a_byte_is_a_miss_or_can_be_sent(make: Callable[[], Held]) -> None:
    whole = with_variants(make())
    for at in range(len(whole)):
        for value in {whole[at] ^ bit for bit in (1, 2, 4, 8, 16, 32, 64, 128, 255)} | {
            0,
            9,
            10,
            13,
            0x7F,
            0xFF,
        }:
            damaged = bytearray(whole)
            damaged[at] = value
            _sound(decode(bytes(damaged), KEY), KEY)
            glance(bytes(damaged))


@given(st.data())
def test_noise_is_a_miss(data: st.DataObject) -> None:
    held = data.draw(_held)
    whole = bytearray(encode(held))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    _sound(decode(bytes(whole), held.key), held.key)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(None, id="nothing"),
        pytest.param("text", id="text"),
        pytest.param(b"", id="empty"),
        pytest.param(b"wpc\x02", id="magic-alone"),
        pytest.param(b"\0" * 500, id="nulls"),
        pytest.param(b"wpc\x01" + encode(entry())[4:], id="another-version"),
        pytest.param(bytearray(encode(entry())), id="not-bytes"),
        pytest.param(pickle.dumps(entry), id="pickle"),
        pytest.param(b"cos\nsystem\n(S'touch pwned'\ntR.", id="hostile-pickle"),
        pytest.param(entry(), id="a-live-entry"),
    ],
)
def test_what_is_no_frame_is_a_miss(data: object) -> None:
    assert decode(data, KEY) is None


@each_frame
@pytest.mark.parametrize("value", [2**32 - 1, 2**31, 2**20], ids=str)
def test_hostile_lengths_take_no_memory(make: Callable[[], Held], value: int) -> None:
    whole = encode(make())
    tracemalloc.start()
    try:
        for at in range(LENGTHS, LENGTHS + 16, 4):
            damaged = whole[:at] + struct.pack("<I", value) + whole[at + 4 :]
            assert decode(damaged, KEY) is None
            glance(damaged)
        for huge in (value, 2**63, 2**64 - 1):
            assert (
                decode(whole[: LENGTHS + 16] + struct.pack("<Q", huge) + whole[LENGTHS + 24 :], KEY) is None
            )
            end = whole[: FIXED - 2] + struct.pack("<H", 1) + whole[FIXED:]
            assert decode(end + struct.pack("<8sQ", b"br", huge), KEY) is None
        assert decode(whole[: FIXED - 2] + b"\xff\xff" + whole[FIXED:], KEY) is None
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def _forged(
    head: bytes = b"200 OK\n",
    extra: bytes = b"",
    body: bytes = b"",
    flags: int = 0,
    names: bytes = b"",
    kind: int = 1,
    times: tuple[float, ...] = (1.0, 1.0, 60.0, 0.0, 0.0, 0.0),
    stale_at: float = 0.0,
) -> bytes:
    name = KEY.encode()
    fixed = struct.pack("<4sBB2xd", b"wpc\x02", kind, flags, stale_at) + struct.pack("<6d", *times)
    lengths = struct.pack("<IIIIQH", len(name), len(names), len(head), len(extra), len(body), 0)
    return fixed + lengths + name + names + head + extra + body


@pytest.mark.parametrize(
    ("route", "kept"),
    [("/a/<id>", "/a/<id>"), (None, None), ("/été/日本", "/été/日本"), ("/a\nb", None), ("/" * 401, None)],
    ids=["plain", "none", "beyond latin-1", "two lines", "long"],
)  # fmt: skip
def test_the_route_comes_along(route: str | None, kept: str | None) -> None:
    made = entry()
    made.route = route
    found = decode(encode(made), KEY)
    assert isinstance(found, Entry)
    assert found.route == kept


def test_the_forger_of_these_tests_knows_the_format() -> None:
    assert isinstance(decode(_forged(), KEY), Entry)
    assert isinstance(decode(_forged(kind=2, names=b"salt\nHTTP_A"), KEY), Varying)
    extra = struct.pack("<3Q", 16, 0, 4)
    assert isinstance(decode(_forged(flags=8, extra=extra, body=b"body"), KEY), Entry)
    assert isinstance(decode(_forged(flags=16, extra=struct.pack("<3Q", 9, 0, 4), body=b"body"), KEY), Entry)


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(_forged(b"200 OK\n\nSet-Cookie"), id="a-name-without-a-value"),
        pytest.param(_forged(b"200 OK\n\nA\nb\r"), id="carriage-return"),
        pytest.param(_forged(b"200 OK\n\nA\nb\0"), id="null"),
        pytest.param(_forged(b"200 OK\n\nA\n\x7f"), id="delete"),
        pytest.param(_forged(b"200 OK\n\nA:\nb"), id="colon-in-a-name"),
        pytest.param(_forged(b"200 OK\n\n\nb"), id="empty-name"),
        pytest.param(_forged(b"200\xb2 OK\n\nA\nb"), id="no-space"),
        pytest.param(_forged("²00 OK\n".encode("latin-1")), id="superscript"),
        pytest.param(_forged(b"100 Continue\n"), id="interim"),
        pytest.param(_forged(b"999 Beyond\n"), id="beyond"),
        pytest.param(_forged(b""), id="no-status"),
        pytest.param(_forged(b"200 OK"), id="no-route"),
        pytest.param(_forged(b"200 OK\n/\x80"), id="a-route-that-is-no-text"),
        pytest.param(_forged(b"200 OK\n/" + b"a" * 400), id="a-long-route"),
        pytest.param(_forged(b"200 O\tK\n"), id="tab-in-the-status"),
        pytest.param(_forged(b"200 OK\n\nTransfer-Encoding\nchunked"), id="transfer-encoding"),
        pytest.param(_forged(b"200 OK\n\nconnection\nclose"), id="connection"),
        pytest.param(_forged(b"200 OK\n\nContent-Length\n5", body=b"body"), id="longer-than-the-body"),
        pytest.param(_forged(b"200 OK\n\nContent-Length\n3", body=b"body"), id="shorter-than-the-body"),
        pytest.param(_forged(b"200 OK\n\nContent-Length\n4\ncontent-length\n4", body=b"body"), id="two"),
        pytest.param(_forged(flags=24, extra=struct.pack("<3Q", 16, 0, 4), body=b"body"), id="both"),
        pytest.param(_forged(flags=8), id="no-pieces-of-a-template"),
        pytest.param(_forged(flags=8, extra=struct.pack("<2Q", 16, 4), body=b"body"), id="no-hole"),
        pytest.param(_forged(flags=8, extra=b"1234567"), id="half-a-number"),
        pytest.param(_forged(flags=8, extra=struct.pack("<3Q", 2**62, 0, 4), body=b"body"), id="wide"),
        pytest.param(_forged(flags=8, extra=struct.pack("<3Q", 0, 0, 4), body=b"body"), id="narrow"),
        pytest.param(_forged(flags=8, extra=struct.pack("<3Q", 16, 2**63, 4), body=b"body"), id="huge-piece"),
        pytest.param(_forged(flags=16, extra=struct.pack("<3Q", 9, 0, 2**64 - 1), body=b"body"), id="huge"),
        pytest.param(_forged(flags=16, extra=struct.pack("<2Q", 9, 0)), id="half-a-span"),
        pytest.param(_forged(times=(1.0, nan, 60.0, 0.0, 0.0, 0.0)), id="born-never"),
        pytest.param(_forged(times=(1.0, 1.0, nan, 0.0, 0.0, 0.0)), id="lifetime-is-no-number"),
        pytest.param(_forged(times=(1.0, 1.0, inf, 0.0, 0.0, 0.0)), id="for-ever"),
        pytest.param(_forged(times=(1.0, -inf, 60.0, 0.0, 0.0, 0.0)), id="since-ever"),
        pytest.param(_forged(times=(1.0, 1.0, 1e300, 0.0, 0.0, 0.0)), id="nearly-for-ever"),
        pytest.param(_forged(stale_at=nan), id="stale-at-no-time"),
        pytest.param(_forged(kind=2, names=b"salt"), id="varies-by-nothing"),
        pytest.param(_forged(kind=2, names=b"salt\nwsgi.input"), id="varies-by-what-is-no-field"),
        pytest.param(_forged(kind=2, names=b"salt\n"), id="varies-by-an-empty-name"),
        pytest.param(_forged(kind=2, names=b"salt" + b"\nHTTP_A" * 100_000), id="varies-by-too-much"),
        pytest.param(_forged(kind=3, times=(nan, 1.0, 60.0, 0.0, 0.0, 0.0)), id="uncacheable-till-never"),
        pytest.param(_forged(kind=0), id="no-kind"),
        pytest.param(_forged(kind=4), id="an-unknown-kind"),
    ],
)  # fmt: skip
def test_a_forged_frame_is_a_miss(frame: bytes) -> None:
    assert decode(frame, KEY) is None


def test_a_frame_of_more_pieces_than_are_kept_is_a_miss() -> None:
    spans = [number for at in range(100_000) for number in (at, 1)]
    extra = struct.pack(f"<{1 + len(spans)}Q", 100_000, *spans)
    assert decode(_forged(flags=16, extra=extra, body=b"x" * 100_000), KEY) is None


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(lambda: entry(pairs=[("X-A", "1\nSet-Cookie\nadmin=1")]), id="value"),
        pytest.param(lambda: entry(pairs=[("X-A\nx\nX-B", "1")]), id="name"),
        pytest.param(lambda: entry(status="200 OK\nSet-Cookie\nadmin=1"), id="status"),
        pytest.param(lambda: entry(tags=("a\nb",)), id="tag"),
        pytest.param(lambda: Varying(KEY, ("HTTP_A\nHTTP_B",), "salt", 1.0), id="vary"),
        pytest.param(lambda: entry(pairs=[("X-A", "\u20ac")]), id="not-latin-1"),
        pytest.param(lambda: entry(key="\u20ac"), id="key-not-latin-1"),
    ],
)
def test_what_would_come_back_as_something_else_is_refused(held: Callable[[], Held]) -> None:
    """A server refuses a field of two lines; out of a frame it would come as two fields."""
    with pytest.raises(ValueError, match=r"line feed|latin-1"):
        encode(held())


def test_a_soft_purge_is_patched_in_place() -> None:
    whole = encode(entry())
    patched = decode(whole[:SOFT] + struct.pack("<d", 1010.0) + whole[SOFT + 8 :], KEY)
    assert isinstance(patched, Entry)
    assert (patched.fresh_until, patched.born + patched.lifetime) == (1010.0, 1059.5)
    again = decode(encode(patched), KEY)
    assert isinstance(again, Entry)
    assert again.fresh_until == 1010.0


def test_a_stored_body_is_not_copied_more_than_needed() -> None:
    data = encode(entry(body=b"x" * 1_000_000))
    tracemalloc.start()
    try:
        decode(data, KEY)
        assert tracemalloc.get_traced_memory()[1] < 1_100_000
    finally:
        tracemalloc.stop()
