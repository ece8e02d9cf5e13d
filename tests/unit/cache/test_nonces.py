"""A nonce cut out of a body and another put in: every other byte stays."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.cache.nonces import LONGEST, MOST_HOLES, SHORTEST, Template, cut, holes_in_headers
from wsgiperf.security.nonce import Nonce

OLD = b"0123456789abcdef0123456789abcde_"
NEW = b"ZYXWVUTSRQPONMLK-JIHGFEDCBA98765"
PERIODIC = b"abab" * 8


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b"<script nonce=", b">run()</script>"], id="one"),
        pytest.param([b"<style nonce=", b">*{}</style><script nonce=", b">run()</script>"], id="two"),
        pytest.param([b"", b" at the start"], id="start"),
        pytest.param([b"at the end ", b""], id="end"),
        pytest.param([b"", b""], id="nothing-else"),
        pytest.param([b"side ", b"", b"", b" by side"], id="adjacent"),
        pytest.param([b"\x00\xff", b"\n", b"0123456789abcdef"], id="binary"),
        pytest.param([b"x"] * (MOST_HOLES + 1), id="as-many-as-may-be"),
    ],
)
def test_another_nonce_takes_the_place_of_the_first(pieces: list[bytes]) -> None:
    template = cut(OLD.join(pieces), OLD)
    assert template is not None
    assert template.fill(OLD) == OLD.join(pieces)
    assert template.fill(NEW) == NEW.join(pieces)
    assert template.length == len(template.fill(NEW))
    assert OLD not in b"|".join(template.pieces)


def test_the_library_s_own_nonces_can_be_cut_out() -> None:
    nonce = str(Nonce()).encode()
    template = cut(b"<script nonce=" + nonce + b">", nonce)
    assert template is not None
    assert template.fill(NEW) == b"<script nonce=" + NEW + b">"


@pytest.mark.parametrize(
    ("body", "nonce"),
    [
        pytest.param(b"", OLD, id="empty-body"),
        pytest.param(b"<p>" + OLD[:-1], OLD, id="absent"),
        pytest.param(b"<p>" + OLD.upper(), OLD, id="in-another-case"),
        pytest.param(b"<p>" + PERIODIC + PERIODIC[-2:], PERIODIC, id="overlapping"),
        pytest.param(PERIODIC * 2, PERIODIC, id="overlapping-two-side-by-side"),
        pytest.param(OLD + PERIODIC + PERIODIC[-8:], PERIODIC, id="overlapping-further-on"),
        pytest.param(OLD * (MOST_HOLES + 1), OLD, id="too-many"),
        pytest.param(b"<p></p>", b"", id="no-nonce"),
        pytest.param(b"<p>" + OLD, OLD[: SHORTEST - 1], id="too-short"),
        pytest.param(b"<p>" + b"x" * (LONGEST + 1), b"x" * (LONGEST + 1), id="too-long"),
        *(
            pytest.param(b"<p>" + OLD + bad, OLD + bad, id=repr(bad)[2:-1])
            for bad in (b"+", b"/", b"=", b" ", b"'", b"<", b"&", b"\n", b"\x00", b"\xe9")
        ),
    ],
)
def test_where_the_body_could_change_nothing_is_cut(body: bytes, nonce: bytes) -> None:
    assert cut(body, nonce) is None


@pytest.mark.parametrize("width", [SHORTEST, LONGEST])
def test_the_shortest_and_the_longest_nonce(width: int) -> None:
    template = cut(b"<p>" + OLD[-1:] * 3 + OLD[:1] + b"y" * (width - 1), OLD[:1] + b"y" * (width - 1))
    assert template is not None
    assert template.width == width


@pytest.mark.parametrize("nonce", [b"", NEW[:-1], NEW + b"x"], ids=["none", "shorter", "longer"])
def test_a_nonce_of_another_length_is_refused(nonce: bytes) -> None:
    with pytest.raises(ValueError, match=f"32 bytes is needed, not of {len(nonce)}"):
        Template((b"a", b"b"), 32).fill(nonce)


# Two letters and repetition, so that nonces begin as they end, and texts have parts of the nonce.
LETTERS = st.binary(min_size=1, max_size=20).map(lambda data: bytes(97 + byte % 2 for byte in data))
PATTERNS = st.builds(lambda part, length: (part * length)[:length], LETTERS, st.integers(SHORTEST, 32))


@given(st.lists(st.just(b"") | LETTERS, min_size=1, max_size=6), PATTERNS)
def test_what_is_cut_is_all_there_is_and_goes_back_to_where_it_was(pieces: list[bytes], nonce: bytes) -> None:
    body = nonce.join(pieces)
    places = [at for at in range(len(body)) if body.startswith(nonce, at)]
    apart = all(after - before >= len(nonce) for before, after in pairwise(places))
    template = cut(body, nonce)
    assert (template is not None) == bool(places and apart)
    if template is not None:
        other = bytes(reversed(NEW * 2))[: len(nonce)]
        expected = bytearray(body)
        for place in places:
            expected[place : place + len(nonce)] = other
        assert template.fill(other) == expected
        assert template.fill(nonce) == body


@pytest.mark.parametrize("holes", [1, 3, 200])
def test_the_size_is_the_memory_it_takes(holes: int) -> None:
    body = OLD.join([b"<p>some text</p>" * 50] * (holes + 1))
    cut(body, OLD)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        templates = [template for _ in range(100) if (template := cut(body, OLD))]
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 0.95 < taken / sum(template.size for template in templates) < 1.05


@pytest.mark.parametrize(
    ("headers", "there"),
    [
        pytest.param([], False, id="none"),
        pytest.param([("Content-Type", "text/html"), ("X-Part", OLD[:-1].decode())], False, id="elsewhere"),
        pytest.param([("Content-Type", "text/html"), ("X-Nonce", OLD.decode())], True, id="whole-value"),
        pytest.param([("Link", f"</a.js>; rel=preload; nonce={OLD.decode()}")], True, id="parameter"),
        pytest.param([("X-Nonce", OLD.decode().upper())], True, id="in-another-case"),
        pytest.param([("X-Name", "caf\xe9 \u20ac")], False, id="strange-characters"),
    ],
)
def test_a_nonce_in_a_field_is_seen(headers: list[tuple[str, str]], there: bool) -> None:
    assert holes_in_headers(headers, OLD) is there
