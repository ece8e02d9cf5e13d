"""One contract, kept by every codec."""

from __future__ import annotations

import gzip
import importlib
import random
import sys
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import brotli  # type: ignore[import-untyped]
import psutil
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.compression import codecs
from wsgiperf.compression.codecs import load
from wsgiperf.compression.codecs.protocol import Codec


class Client:
    """What a browser holds: a decoder that takes bytes as they come."""

    def __init__(self, coding: str) -> None:
        self._decode: Callable[[bytes], bytes]
        self._is_complete: Callable[[], bool]
        if coding == "br":
            brotli_decoder = brotli.Decompressor()
            self._decode = brotli_decoder.process
            self._is_complete = brotli_decoder.is_finished
        elif coding == "gzip":
            gzip_decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
            self._decode = gzip_decoder.decompress
            self._is_complete = lambda: gzip_decoder.eof
        else:
            zstd_decoder = zstandard.ZstdDecompressor().decompressobj()
            self._decode = zstd_decoder.decompress
            self._is_complete = lambda: zstd_decoder.eof

    def read(self, received: bytes) -> bytes:
        return self._decode(received) if received else b""

    @property
    def complete(self) -> bool:
        return self._is_complete()


def decoded(coding: str, received: bytes) -> bytes:
    client = Client(coding)
    body = client.read(received)
    assert client.complete
    return body


def text(size: int, seed: int = 1) -> bytes:
    """Words as in a page: some repeat, all are known only at run time."""
    chance = random.Random(seed)
    words = [chance.randbytes(chance.randint(1, 5)).hex().encode() for _ in range(2000)]
    return b" ".join(chance.choices(words, k=size // 3))[:size]


CASES = {"br": ("br", 5), "gzip": ("gzip", 6), "zstd": ("zstd", 3)}


@pytest.fixture(params=[*CASES, "gzip by the standard library"], scope="module")
def codec(request: pytest.FixtureRequest) -> Iterator[Codec]:
    if request.param in CASES:
        yield found(*CASES[request.param])
    else:
        with pytest.MonkeyPatch.context() as patch:
            codec = without(patch, "zlib_ng", "gzip")
            assert codec is not None
            yield codec


def found(name: str, level: int) -> Codec:
    codec = load(name, level)
    assert codec is not None
    return codec


def without(patch: pytest.MonkeyPatch, package: str, name: str) -> Codec | None:
    """Load a codec as if that package weren't installed."""
    module = f"{codecs.__name__}.{name}"
    importlib.import_module(module)
    patch.setattr(codecs, name, None)
    patch.setitem(sys.modules, package, None)
    patch.delitem(sys.modules, module)
    return load({"brotli": "br"}.get(name, name), 3)


BODIES = {
    "empty": b"",
    "one byte": b"x",
    "a page": text(15_000),
    "random": random.Random(1).randbytes(5000),
    "zeros": bytes(1_000_000),
    "longer than any window": text(60_000) * 100,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_whole_body_comes_out_as_it_went_in(codec: Codec, body: bytes) -> None:
    """Decoding what was encoded gives the body."""
    assert decoded(codec.name, codec.encode(body)) == body


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_stream_comes_out_as_it_went_in(codec: Codec, body: bytes) -> None:
    """Decoding the encoded blocks, joined, gives the body."""
    encoder = codec.encoder()
    blocks = [encoder.encode(body[at : at + 50_000]) for at in range(0, len(body), 50_000)]
    assert decoded(codec.name, b"".join([*blocks, encoder.finish()])) == body


@given(blocks=st.lists(st.binary(max_size=200)))
def test_each_block_can_be_read_before_the_next_is_made(codec: Codec, blocks: list[bytes]) -> None:
    """A client that has got some blocks can decode all of them; empty ones send nothing."""
    encoder, client = codec.encoder(), Client(codec.name)
    for block in blocks:
        encoded = encoder.encode(block)
        assert bool(encoded) == bool(block)
        assert client.read(encoded) == block
        assert not client.complete
    assert client.read(encoder.finish()) == b""
    assert client.complete


def test_a_long_block_can_be_read_at_once(codec: Codec) -> None:
    """No tail of a block waits in the encoder, however long the block."""
    encoder, client = codec.encoder(), Client(codec.name)
    block = text(3_000_000)
    assert client.read(encoder.encode(block)) == block


@pytest.mark.parametrize("size", [1, 1000, 100_000])
def test_a_body_cut_short_is_no_complete_body(codec: Codec, size: int) -> None:
    """A client can tell that the end is missing, from a stream left unfinished as from a lost last byte."""
    body = text(size)
    for cut in (codec.encoder().encode(body), codec.encode(body)[:-1]):
        client = Client(codec.name)
        client.read(cut)
        assert not client.complete


def test_an_encoded_page_is_smaller(codec: Codec) -> None:
    """Whole and streamed, a page loses at least half of its bytes."""
    body = text(15_000) * 2
    assert len(codec.encode(body)) < len(body) / 2
    assert len(codec.encoder().encode(body)) < len(body) / 2


def test_equal_bodies_give_equal_bytes(codec: Codec) -> None:
    """No clock and no chance: whoever compares or hashes encoded bodies may."""
    assert codec.encode(text(2000)) == codec.encode(text(2000))


def test_interleaved_streams_do_not_mix(codec: Codec) -> None:
    """Streams of one codec, and whole bodies between their blocks, keep to themselves."""
    bodies = [[text(700, seed=stream * 10 + block) for block in range(5)] for stream in range(3)]
    encoders = [codec.encoder() for _ in bodies]
    received = [b""] * len(bodies)
    for turn in zip(*bodies, strict=True):
        for stream, block in enumerate(turn):
            received[stream] += encoders[stream].encode(block)
            assert decoded(codec.name, codec.encode(block)) == block
    for blocks, encoder, got in zip(bodies, encoders, received, strict=True):
        assert decoded(codec.name, got + encoder.finish()) == b"".join(blocks)


def test_threads_share_a_codec(codec: Codec) -> None:
    """Many threads may encode at once, whole bodies and streams of their own."""

    def encode(seed: int) -> bool:
        body = text(30_000, seed)
        encoder = codec.encoder()
        streamed = encoder.encode(body) + encoder.finish()
        whole = codec.encode(body)
        return decoded(codec.name, whole) == decoded(codec.name, streamed) == body

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(encode, range(64)))


def test_a_stream_takes_bounded_memory(codec: Codec) -> None:
    """However much goes through, an encoder holds a few megabytes; Brotli left to itself takes 46."""
    process = psutil.Process()
    encoder = codec.encoder()
    block = bytearray(text(64_000))
    before = process.memory_info().rss
    most = 0
    for turn in range(400):
        block[turn::401] = bytes(len(block[turn::401]))  # no block like the one before
        encoder.encode(bytes(block))
        most = max(most, process.memory_info().rss - before)
    assert most < 12_000_000


@pytest.mark.parametrize(("name", "package"), [("brotli", "brotli"), ("zstd", "zstandard")])
def test_a_codec_whose_package_is_missing_is_none(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    """The others go on without it."""
    assert without(monkeypatch, package, name) is None


def test_an_unknown_codec_is_an_error() -> None:
    """A misspelt name isn't taken for a missing package."""
    with pytest.raises(ValueError, match="expected br, gzip or zstd"):
        load("deflate", 6)


@pytest.mark.parametrize(("name", "level"), CASES.values(), ids=CASES)
def test_a_codec_bears_the_name_of_its_coding(name: str, level: int) -> None:
    """The name is what Content-Encoding says."""
    assert found(name, level).name == name


@pytest.mark.parametrize(("name", "levels"), [("br", (0, 11)), ("gzip", (1, 9)), ("zstd", (1, 19))])
def test_the_level_is_used(name: str, levels: tuple[int, int]) -> None:
    """More effort, fewer bytes, in both forms."""
    body = text(20_000) * 3
    low, high = (found(name, level) for level in levels)
    assert len(high.encode(body)) < len(low.encode(body))
    assert len(high.encoder().encode(body)) < len(low.encoder().encode(body))


def test_gzip_is_read_by_the_usual_tools() -> None:
    """The bytes are a gzip file without a time."""
    encoded = found("gzip", 6).encode(b"hello")
    assert gzip.decompress(encoded) == b"hello"
    assert encoded[4:8] == bytes(4)
