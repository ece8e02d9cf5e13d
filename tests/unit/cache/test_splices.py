"""Encoded bodies with holes: filled with a nonce, they decode to the body filled with it."""

from __future__ import annotations

import argparse
import importlib
import random
import re
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from wsgiperf.cache import splices
from wsgiperf.cache.nonces import Template
from wsgiperf.cache.splices import gzip, splice
from wsgiperf.cache.splices.checksum import Checksum
from wsgiperf.cache.splices.protocol import SplicedTemplate

WIDTH = 32
NONCES = [b"0" * WIDTH, b"z" * WIDTH, b"-" * WIDTH, b"0123456789abcdefGHIJKLMNOPQRST-_"]
LEVELS = {"gzip": [1, 6, 9], "br": [0, 1, 4, 5, 11], "zstd": [1, 3, 5, 19]}
CODED = [
    pytest.param(name, level, id=f"{name}-{level}") for name, levels in LEVELS.items() for level in levels
]
USUAL = [pytest.param(*coded, id=coded[0]) for coded in (("gzip", 6), ("br", 5), ("zstd", 3))]
ENCODE: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": lambda body, level: zlib.compress(body, level, 31),
    "br": lambda body, level: bytes(brotli.compress(body, quality=level)),
    "zstd": lambda body, level: zstandard.ZstdCompressor(level).compress(body),
}


def page(size: int, seed: int = 1) -> bytes:
    """Text as in a page: tags repeat, words come and go, some are not ASCII."""
    chance = random.Random(seed)
    words = [chance.randbytes(chance.randint(1, 5)).hex() for _ in range(500)] + ["caf\xe9", "\u4f60\u597d"]
    made = "<!doctype html><title>Page</title>"
    while len(made) < size:
        text = " ".join(chance.choices(words, k=12))
        made += f'<div class="card"><a href="/{chance.choice(words)}">{text}</a></div>\n'
    return made[:size].encode()


def split(body: bytes, holes: int) -> tuple[bytes, ...]:
    """The body in pieces of about the same length, with the beginning of a script in each but the first."""
    length = len(body) // (holes + 1) + 1
    pieces = [body[at : at + length] for at in range(0, len(body), length)]
    return (pieces[0], *(b'">let x = 1</script>' + piece for piece in pieces[1:]))


def decoded(coding: str, encoded: bytes) -> bytes:
    """As a client does who takes nothing after the end of the body, and no body without one."""
    if coding == "br":
        stream = brotli.Decompressor()
        body = bytes(stream.process(encoded))
        assert stream.is_finished()
        return body
    stream = zlib.decompressobj(31) if coding == "gzip" else zstandard.ZstdDecompressor().decompressobj()
    body = bytes(stream.decompress(encoded))
    assert stream.eof
    assert stream.unused_data == b""
    return body


def spliced(template: Template, coding: str, level: int) -> SplicedTemplate:
    made = splice(template, coding, level)
    assert made is not None
    return made


def expect_filled(template: Template, made: SplicedTemplate, coding: str) -> None:
    for nonce in NONCES:
        nonce = (nonce * 2)[: template.width]
        encoded = made.fill(nonce)
        assert decoded(coding, encoded) == template.fill(nonce)
        assert len(encoded) == made.length
        assert encoded.count(nonce) == len(template.pieces) - 1


PIECES = {
    "one": (page(800), page(700, 2)),
    "three": split(page(15_000), 3),
    "twenty": split(page(15_000), 20),
    "start": (b"", page(2000)),
    "end": (page(2000), b""),
    "start and end": (b"", page(3000), b""),
    "nothing else": (b"", b""),
    "adjacent": (page(900), b"", b"", page(900, 3)),
    "many adjacent": (b"",) * 60,
    "one byte between": (page(900), b"x", b">", page(900, 3)),
    "two bytes between": (page(900), b'">', b'">', page(900, 3)),
    "three bytes between": (b"abc", b'">x', b'">x', b"abc"),
    "tiny pieces": tuple(page(900)[at : at + at % 7] for at in range(80)),
    "beyond every window": split(page(300_000), 3),
    "no ASCII": split("\u4f60\u597d\u4e16\u754c".encode() * 700, 3),
}


@pytest.mark.parametrize(("coding", "level"), CODED)
@pytest.mark.parametrize("pieces", PIECES.values(), ids=PIECES)
def test_a_filled_body_decodes_to_the_body_with_that_nonce(
    pieces: tuple[bytes, ...], coding: str, level: int
) -> None:
    template = Template(pieces, WIDTH)
    expect_filled(template, spliced(template, coding, level), coding)


@pytest.mark.parametrize(("coding", "level"), USUAL)
@pytest.mark.parametrize("width", [16, 22, 43, 63])
def test_nonces_of_other_lengths(coding: str, level: int, width: int) -> None:
    template = Template(split(page(5000), 2), width)
    expect_filled(template, spliced(template, coding, level), coding)


@pytest.mark.parametrize("seed", range(40))
def test_brotli_reads_no_text_by_the_last_bytes_of_a_nonce(seed: int) -> None:
    """It chooses codes by the kind of the two bytes before: text that goes on with letters after a hole."""
    source = Path(argparse.__file__).read_bytes()
    words = [word.start() for word in re.finditer(rb"\w{3}", source[:-2000])]
    starts = random.Random(seed).sample(words, 4)
    template = Template(tuple(source[at : at + 500] for at in starts), WIDTH)
    made = spliced(template, "br", 11)
    for last in (b"aa", b"aZ", b"Za", b"ZZ", b"5a", b"a5", b"5Z", b"Z5", b"-a", b"a-", b"_Z", b"Z_"):
        nonce = NONCES[3][:-2] + last
        assert decoded("br", made.fill(nonce)) == template.fill(nonce)


TEXT = page(5000)
PIECE = st.builds(
    lambda start, length: TEXT[start : start + length],
    st.integers(0, 4000),
    st.one_of(st.integers(0, 4), st.integers(0, 700)),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(PIECE, st.text(max_size=30).map(str.encode)), min_size=2, max_size=8),
    st.sampled_from([32, 43]),
    st.sampled_from([("gzip", 1), ("gzip", 6), ("br", 5), ("br", 10), ("zstd", 3), ("zstd", 12)]),
)
def test_any_text_with_holes_anywhere(pieces: list[bytes], width: int, coded: tuple[str, int]) -> None:
    template = Template(tuple(pieces), width)
    expect_filled(template, spliced(template, *coded), coded[0])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=2, max_size=6), st.integers(16, 63))
def test_whatever_the_bytes_what_is_made_is_right(pieces: list[bytes], width: int) -> None:
    template = Template(tuple(pieces), width)
    for coding in LEVELS:
        made = splice(template, coding, 3)
        if made is not None:
            for nonce in NONCES:
                assert decoded(coding, made.fill((nonce * 2)[:width])) == template.fill((nonce * 2)[:width])


@given(st.lists(st.binary(max_size=12), min_size=2, max_size=6), st.binary(min_size=16, max_size=16))
def test_the_checksum_is_that_of_the_filled_body(pieces: list[bytes], nonce: bytes) -> None:
    template = Template(tuple(pieces), 16)
    assert Checksum(template).of(nonce) == zlib.crc32(template.fill(nonce))


@pytest.mark.parametrize("after", range(6))
def test_the_checksum_with_a_hole_close_to_the_end(after: int) -> None:
    template = Template((page(20_000), b"", b"x" * after), WIDTH)
    checksum = Checksum(template)
    assert [checksum.of(nonce) for nonce in NONCES] == [zlib.crc32(template.fill(n)) for n in NONCES]


@pytest.mark.parametrize(("coding", "level"), USUAL)
def test_a_hole_costs_its_nonce_and_a_block_or_two(coding: str, level: int) -> None:
    """Text after a hole still refers to the text before it."""
    template = Template(split(page(15_000), 20), WIDTH)
    whole = ENCODE[coding](template.fill(NONCES[0]), level)
    assert spliced(template, coding, level).length < len(whole) + 20 * (WIDTH + 110)


@pytest.mark.parametrize(("coding", "level"), USUAL)
def test_filling_calls_no_codec(monkeypatch: pytest.MonkeyPatch, coding: str, level: int) -> None:
    template = Template(split(page(5000), 3), WIDTH)
    made = spliced(template, coding, level)
    checked: list[int] = []
    crc32 = zlib.crc32
    for module, names in {zlib: ("compress", "compressobj"), brotli: ("compress", "Compressor")}.items():
        for name in names:
            monkeypatch.setattr(module, name, None)
    monkeypatch.setattr("wsgiperf.cache.splices.zstd.ZstdCompressor", None)
    monkeypatch.setattr(
        "wsgiperf.cache.splices.checksum.crc32", lambda data: checked.append(len(data)) or crc32(data)
    )
    assert decoded(coding, made.fill(NONCES[1])) == template.fill(NONCES[1])
    assert checked == ([WIDTH] if coding == "gzip" else [])


@pytest.mark.parametrize(("coding", "level"), USUAL)
def test_a_nonce_of_another_length_is_refused(coding: str, level: int) -> None:
    made = spliced(Template((b"<p>", b"</p>"), WIDTH), coding, level)
    for nonce in (b"", b"x" * (WIDTH - 1), b"x" * (WIDTH + 1)):
        with pytest.raises(ValueError, match="32 bytes is needed"):
            made.fill(nonce)


@pytest.mark.parametrize(("coding", "level"), USUAL)
def test_the_size_is_the_memory_it_takes(coding: str, level: int) -> None:
    template = Template(split(page(6000), 3), WIDTH)
    spliced(template, coding, level)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        made = [spliced(template, coding, level) for _ in range(30)]
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 0.95 < taken / sum(one.size for one in made) < 1.05


@pytest.mark.parametrize("coding", LEVELS)
def test_without_a_byte_for_placeholders_nothing_is_made(coding: str) -> None:
    assert splice(Template((bytes(range(256)), b""), WIDTH), coding, 3) is None


@pytest.mark.parametrize("coding", LEVELS)
def test_what_an_encoder_could_compress_is_no_hole(coding: str) -> None:
    """One value is left for placeholders, and all encoders have a short form for a row of one value."""
    assert splice(Template((bytes(range(255)), b""), WIDTH), coding, 3) is None


@pytest.mark.parametrize("coding", ["identity", "deflate", "dcz", "", "GZIP"])
def test_other_codings_are_not_made(coding: str) -> None:
    assert splice(Template((b"<p>", b"</p>"), WIDTH), coding, 3) is None


@pytest.mark.parametrize(("coding", "package"), [("br", "brotli"), ("zstd", "zstandard")])
def test_a_coding_whose_package_is_missing_is_not_made(
    monkeypatch: pytest.MonkeyPatch, coding: str, package: str
) -> None:
    name = {"br": "brotli"}.get(coding, coding)
    module = f"{splices.__name__}.{name}"
    importlib.import_module(module)
    monkeypatch.delattr(splices, name)
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, module)
    assert splice(Template((b"<p>", b"</p>"), WIDTH), coding, 3) is None
    assert splice(Template((b"<p>", b"</p>"), WIDTH), "gzip", 3) is not None


def _raise(encoded: bytes) -> bytes:
    raise zlib.error("damaged")


@pytest.mark.parametrize(
    "decode",
    [
        pytest.param(_raise, id="does-not-decode"),
        pytest.param(lambda encoded: gzip_decode(encoded)[:-1], id="shorter"),
        pytest.param(lambda encoded: gzip_decode(encoded).swapcase(), id="other"),
    ],
)
def test_what_does_not_decode_to_the_body_is_not_used(
    monkeypatch: pytest.MonkeyPatch, decode: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(gzip, "decode", decode)
    assert splice(Template((b"<p>", b"</p>"), WIDTH), "gzip", 6) is None


gzip_decode = gzip.decode


def test_later_text_that_is_a_copy_of_a_hole_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a decoder that copies from the hole, as a back-reference would."""
    template = Template((b"<p>", b"</p>" + b"x" * 8), WIDTH)

    def decode(encoded: bytes) -> bytes:
        body = gzip_decode(encoded)
        return body[:-8] + body[3:11]

    monkeypatch.setattr(gzip, "decode", decode)
    assert splice(template, "gzip", 6) is None


@pytest.mark.parametrize("coding", LEVELS)
def test_what_is_cut_short_or_goes_on_is_no_body(coding: str) -> None:
    module = importlib.import_module(f"{splices.__name__}.{ {'br': 'brotli'}.get(coding, coding) }")
    encoded = spliced(Template((b"<p>", b"</p>"), WIDTH), coding, 3).fill(NONCES[0])
    assert module.decode(encoded) == b"<p>" + NONCES[0] + b"</p>"
    for damaged in (encoded[:-1], encoded + b"\0", encoded + encoded, b""):
        with pytest.raises(Exception, match=r".+"):
            module.decode(damaged)
