"""The checker's client decodes what arrives, as it arrives, and knows an end from a break."""

from __future__ import annotations

import gzip

import brotli
import pytest
import zstandard

from wsgiperf.testing.applications import TEXT
from wsgiperf.testing.decoding import DECODABLE, Decoder

ENCODED = {
    "gzip": gzip.compress(TEXT),
    "br": brotli.compress(TEXT),
    "zstd": zstandard.compress(TEXT),
}

PADDING = b"\x50\x2a\x4d\x18\x05\x00\x00\x00xxxxx"  # a skippable frame: RFC 8878, section 3.1.2


@pytest.mark.parametrize("coding", DECODABLE)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_stream_is_decoded_in_any_pieces(coding, size):
    """Pieces of any size give the content, and the last of them the end."""
    decoder = Decoder(coding)
    encoded = ENCODED[coding]
    pieces = [encoded[start : start + size] for start in range(0, len(encoded), size)]
    assert b"".join(map(decoder.feed, pieces)) == TEXT
    assert decoder.finished


@pytest.mark.parametrize("coding", DECODABLE)
def test_a_broken_off_stream_is_not_finished(coding):
    """The end is missing, and nothing else is wrong."""
    decoder = Decoder(coding)
    assert TEXT.startswith(decoder.feed(ENCODED[coding][:-1]))
    assert not decoder.finished


@pytest.mark.parametrize(
    ("coding", "stream"),
    [
        ("gzip", ENCODED["gzip"] * 2),
        ("zstd", ENCODED["zstd"] * 2),
        ("zstd", PADDING + ENCODED["zstd"] + PADDING + ENCODED["zstd"]),
    ],
    ids=["two gzip members", "two zstd frames", "padded zstd"],
)
def test_members_and_frames_follow_each_other(coding, stream):
    """One coding may hold several members or frames, and padding between them."""
    decoder = Decoder(coding)
    assert decoder.feed(stream) == TEXT * 2
    assert decoder.finished


def test_an_unknown_coding_is_an_error():
    """What cannot be decoded cannot be judged."""
    with pytest.raises(AssertionError, match="rot13"):
        Decoder("rot13")
