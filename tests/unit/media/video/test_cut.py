"""Files that are cut, empty, renamed or no video."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.unit.media.video.conftest import Make
from wsgiperf.media.errors import MediaError
from wsgiperf.media.video import validate_video

#: Files that tell their length in one way or another: wherever they are cut, it is seen.
TOLD = [
    "h264.mp4", "faststart.mp4", "h264.mov", "hybrid.mp4", "indexed.mp4", "vp8.webm", "vp9.webm", "h264.mkv",
    "cues.webm", "mjpegpcm.mov", "vp9.mp4",
]  # fmt: skip
#: Files that don't: between two of their pieces nobody can tell.
UNTOLD = ["fragments.mp4", "dash.mp4", "frames.mp4", "live.webm", "live.mkv", "pipe.webm"]
#: What stands at the end of a file that no player needs.
_NEEDLESS = (b"mfra", b"free", b"udta")


def reason(source: Any, **limits: Any) -> str:
    with pytest.raises(MediaError) as raised:
        validate_video(source, **limits)
    return raised.value.reason


def outcome(data: bytes) -> float | str:
    """The duration, or the reason of the refusal."""
    try:
        return validate_video(data).duration
    except MediaError as error:
        return error.reason


def cuts(data: bytes, count: int) -> list[int]:
    """Places everywhere, more of them at both ends."""
    chance = random.Random(len(data))
    ends = [
        1,
        3,
        4,
        7,
        8,
        11,
        12,
        20,
        40,
        100,
        400,
        1000,
        *[len(data) - one for one in (1, 2, 3, 8, 50, 400)],
    ]
    return ends + [chance.randrange(1, len(data)) for _ in range(count)]


@pytest.mark.parametrize("name", TOLD)
def test_a_cut_file_is_refused_wherever_it_is_cut(video: Make, name: str) -> None:
    data = video(name).read_bytes()
    for place in cuts(data, 300):
        # So short that nobody knows what it was to be.
        expected = {"truncated"} if place >= 12 else {"truncated", "not_a_video", "damaged"}
        assert reason(data[:place]) in expected, place


@pytest.mark.parametrize("name", UNTOLD)
def test_what_is_taken_of_a_cut_file_is_what_is_left(video: Make, name: str) -> None:
    data = video(name).read_bytes()
    whole = validate_video(data).duration
    places = cuts(data, 300)
    told = {place: outcome(data[:place]) for place in places}
    assert {one for place, one in told.items() if isinstance(one, str) and place >= 12} <= {
        "truncated",
        "zero_length",
    }
    taken = [one for one in told.values() if not isinstance(one, str)]
    assert max(taken, default=0) <= whole
    assert len(taken) < 0.1 * len(places)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\0", "not_a_video"),
        (b"GIF89a" + bytes(500), "not_a_video"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(500), "not_a_video"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(500), "not_a_video"),
        (b"RIFF\x24\0\0\0WEBPVP8 " + bytes(500), "not_a_video"),
        (b"RIFF\x24\0\0\0AVI LIST" + bytes(500), "not_a_video"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(500), "not_a_video"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500), "not_a_video"),
        (b"this is a text about free mdat and moov boxes " * 50, "not_a_video"),
        (b"<html><video src=x></video></html>", "not_a_video"),
        (b"\0" * 5000, "not_a_video"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "truncated"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42\0\0\0\x10mdat" + bytes(8), "truncated"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42\0\0\0\0mdat" + bytes(800), "truncated"),
    ],
)
def test_files_of_other_kinds(data: bytes, why: str) -> None:
    assert reason(data) == why


@pytest.mark.parametrize("name", ["audio.m4a", "audio.webm"])
def test_sound_alone_is_no_video(video: Make, tmp_path: Path, name: str) -> None:
    renamed = tmp_path / "video.mp4"
    renamed.write_bytes(video(name).read_bytes())
    assert reason(renamed) == "no_video"
