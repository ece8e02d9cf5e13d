"""MP4 whose header, tables or boxes aren't what they should be."""

from __future__ import annotations

import struct
from time import thread_time
from typing import Any

import pytest

from tests.unit.media.video.conftest import Make
from tests.unit.media.video.patching import box, found, full, movie, patched, track, word
from wsgiperf.media.errors import MediaError
from wsgiperf.media.video import validate_video

#: 50 pictures of 20 bytes, 40 ms each, in five chunks.
WHOLE: dict[str, Any] = {
    "times": [(50, 40)],
    "sizes": [20] * 50,
    "offsets": [24, 224, 424, 624, 824],
    "chunks": [(1, 10)],
}


def reason(data: bytes, **limits: Any) -> str:
    with pytest.raises(MediaError) as raised:
        validate_video(data, **limits)
    return raised.value.reason


@pytest.mark.parametrize("name", ["h264.mp4", "faststart.mp4", "h264.mov"])
def test_a_header_patched_to_one_second_changes_nothing(video: Make, name: str) -> None:
    data = video(name).read_bytes()
    seconds = validate_video(data).duration
    lying = patched(data, b"mvhd", 16, word(1000))
    for which in range(2):
        lying = patched(lying, b"mdhd", 16, word(1000), which)
        lying = patched(lying, b"tkhd", 20, word(1000), which)
    found = validate_video(lying)
    assert found.duration == seconds > 5
    assert found.header_duration == 1.0
    assert reason(lying, max_seconds=5) == "too_long"


def test_a_fragmented_file_is_as_long_as_its_fragments(video: Make) -> None:
    data = video("fragments.mp4").read_bytes()
    lying = patched(data, b"mvhd", 16, word(1000))
    found = validate_video(lying)
    assert found.duration > 5
    assert found.header_duration == 1.0
    assert reason(lying, max_seconds=5) == "too_long"


@pytest.mark.parametrize(
    ("changed", "seconds", "frames"),
    [
        ({}, 2.0, 50),
        ({"long_offsets": True}, 2.0, 50),
        ({"times": [(25, 40), (25, 80)]}, 3.0, 50),
        ({"times": [(1, 40)]}, 2.0, 50),  # the last is for the rest
        ({"times": [(10, 40), (1, 80)]}, 3.6, 50),
        ({"times": [(20, 40), (4_000_000_000, 1000)]}, 30.8, 50),  # beyond the samples is nothing
        ({"times": [(60, 40), (7, 99)]}, 2.0, 50),
        ({"sizes": [], "constant": (20, 50)}, 2.0, 50),
        ({"chunks": [(1, 5), (2, 10), (5, 15)]}, 2.0, 50),
        ({"chunks": [(1, 10), (5, 99)]}, 2.0, 50),  # the last chunk is shorter
        ({"offsets": [824, 624, 424, 224, 24]}, 2.0, 50),
        ({"timescale": 1}, 2000.0, 50),
    ],
)  # fmt: skip
def test_tables_that_players_read_alike(changed: dict[str, Any], seconds: float, frames: int) -> None:
    found = validate_video(movie(track(**WHOLE | changed)))
    assert found.duration == pytest.approx(seconds)
    assert found.frames == frames


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"sizes": [0] * 50}, "zero_length"),
        ({"sizes": [], "times": []}, "zero_length"),
        ({"times": [(50, 0)]}, "zero_length"),
        ({"times": []}, "damaged"),
        ({"times": [(50, 0xFFFF_FFFF)]}, "damaged"),
        ({"sizes": [20] * 49 + [5000]}, "truncated"),
        ({"sizes": [5000] + [20] * 49}, "truncated"),
        ({"sizes": [], "constant": (20, 0xFFFF_FFFF)}, "truncated"),
        ({"constant": (0, 0xFFFF_FFFF)}, "damaged"),
        ({"offsets": [24, 224, 424, 624, 5000]}, "truncated"),
        ({"offsets": [24, 224, 5000, 624, 824]}, "truncated"),
        ({"offsets": [1 << 62] * 5, "long_offsets": True}, "truncated"),
        ({"offsets": []}, "damaged"),
        ({"chunks": []}, "damaged"),
        ({"chunks": [(1, 10), (1, 10)], "offsets": [24, 1000, 24]}, "damaged"),
        ({"timescale": 0}, "damaged"),
        ({"codec": b"encv"}, "unsupported"),
    ],
)
def test_tables_that_cannot_be_right(changed: dict[str, Any], why: str) -> None:
    assert reason(movie(track(**WHOLE | changed))) == why


def test_a_last_chunk_in_the_middle_of_the_table_is_checked() -> None:
    # The third chunk lies last in the file, and its ten samples would end behind it.
    data = movie(track(**WHOLE | {"offsets": [24, 224, 4000, 424, 624], "sizes": [20] * 50}))
    assert len(data) < 4000
    at = len(data) - 100
    assert reason(movie(track(**WHOLE | {"offsets": [24, 224, at, 424, 624]}))) == "truncated"
    assert validate_video(movie(track(**WHOLE | {"offsets": [24, 224, at - 100, 424, 624]}))).frames == 50


@pytest.mark.parametrize(
    ("matrix", "size", "rotation"),
    [
        ((1, 0, 0, 1), (640, 360), 0),
        ((0, 1, -1, 0), (360, 640), 90),
        ((-1, 0, 0, -1), (640, 360), 180),
        ((0, -1, 1, 0), (360, 640), 270),
    ],
)
def test_the_matrix_turns_the_picture(
    matrix: tuple[int, int, int, int], size: tuple[int, int], rotation: int
) -> None:
    a, b, c, d = [one << 16 for one in matrix]
    data = patched(movie(track(**WHOLE)), b"tkhd", 40, struct.pack(">6i", a, b, 0, c, d, 0))
    found = validate_video(data)
    assert ((found.width, found.height), found.rotation) == (size, rotation)


def test_the_longest_track_counts() -> None:
    sound = WHOLE | {"kind": b"soun", "codec": b"Opus", "number": 2, "times": [(50, 4000)]}
    data = movie(track(**WHOLE), track(**sound))
    found = validate_video(data)
    assert (found.duration, found.audio_codec) == (200.0, "opus")
    assert reason(data, max_seconds=100) == "too_long"


def test_codecs_that_are_taken() -> None:
    sound = track(**WHOLE | {"kind": b"soun", "codec": b"Opus", "number": 2})
    data = movie(track(**WHOLE), sound)
    for taken in (["h264"], ["avc1", "vp9"], "H.264"):
        assert validate_video(data, codecs=taken).video_codec == "h264"
    assert reason(data, codecs=["vp9", "av1"]) == "codec_refused"
    assert reason(data, codecs=["h264"], audio_codecs=["aac"]) == "codec_refused"
    assert validate_video(data, audio_codecs=["opus"], containers=["mp4"]).audio_codec == "opus"
    assert reason(data, containers=["webm", "mov"]) == "format_refused"


def test_each_codec_of_each_track_has_to_be_taken() -> None:
    other = track(**WHOLE | {"number": 2, "codec": b"hvc1"})
    assert reason(movie(track(**WHOLE), other), codecs=["h264"]) == "codec_refused"


def test_limits_of_size() -> None:
    data = movie(track(**WHOLE))
    assert validate_video(data, max_bytes=len(data), max_pixels=640 * 360, max_seconds=2).size == len(data)
    assert reason(data, max_bytes=len(data) - 1) == "too_many_bytes"
    assert reason(data, max_pixels=640 * 360 - 1) == "too_many_pixels"
    assert reason(data, max_seconds=1.99) == "too_long"


@pytest.mark.parametrize(
    "limits", [{"max_seconds": -1}, {"max_seconds": float("nan")}, {"containers": ["avi"]}]
)
def test_limits_that_make_no_sense(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"limit|containers") as raised:
        validate_video(b"", **limits)
    assert not isinstance(raised.value, MediaError)


def test_content_in_another_file_is_refused(video: Make) -> None:
    data = video("h264.mp4").read_bytes()
    at = next(found(data, b"dref"))[0]
    # Version, flags and count, then the entry: its length, kind, version and flags.
    flags = at + 8 + 8 + 8
    assert data[flags : flags + 4] == word(1)
    assert reason(data[:flags] + word(0) + data[flags + 4 :]) == "unsupported"


def test_boxes_that_are_there_twice() -> None:
    one = track(**WHOLE)
    assert reason(movie(one, one)) == "damaged"  # of one number
    data = movie(one)
    at, end = next(found(data, b"moov"))
    assert reason(data + data[at:end]) == "damaged"
    assert reason(movie(one, full(b"mvhd", bytes(96)))) == "damaged"


def test_what_follows_a_whole_file_does_no_harm() -> None:
    data = movie(track(**WHOLE))
    for behind in (bytes(5), bytes(500), b"\xff" * 40, box(b"free", bytes(9))):
        assert validate_video(data + behind).frames == 50


@pytest.mark.parametrize("length", [1, 7, 9, 0x7FFF_FFFF, 0xFFFF_FFFF])
@pytest.mark.parametrize("kind", [b"trak", b"mdia", b"stbl", b"stts", b"stsz", b"stsc", b"stco", b"stsd"])
def test_lengths_that_cannot_be_right(kind: bytes, length: int) -> None:
    data = patched(movie(track(**WHOLE)), kind, -8, word(length))
    with pytest.raises(MediaError):
        validate_video(data)


@pytest.mark.parametrize("length", [0, 1, 15, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_long_lengths_that_cannot_be_right(length: int) -> None:
    data = movie(track(**WHOLE))
    assert reason(box(b"ftyp", b"isom", bytes(4)) + struct.pack(">I4sQ", 1, b"mdat", length) + data) in (
        "truncated",
        "damaged",
    )


def test_boxes_without_end_cost_little() -> None:
    deep = b""
    for _ in range(20_000):
        deep = struct.pack(">I4s", 8 + len(deep), b"moov") + deep if len(deep) < 100_000 else deep
    start = box(b"ftyp", b"isom", bytes(4))
    assert reason(start + deep) == "damaged"
    assert reason(start + box(b"free") * 1_000_001) == "too_slow"
    assert reason(start + box(b"moov", box(b"free") * 2000)) == "damaged"


def test_fragments_without_end_cost_little() -> None:
    defaults = box(b"mvex", full(b"trex", word(1), word(1), word(40), word(0), word(0)))
    empty = track(times=[], sizes=[], offsets=[], chunks=[])
    start = movie(empty, defaults)
    run = box(b"trun", word(0), word(1))
    fragment = box(b"moof", box(b"traf", full(b"tfhd", word(1)), run * 1000))
    began = thread_time()  # which others on the machine don't add to
    assert reason(start + fragment * 1001) == "too_slow"
    assert reason(start + fragment * 1001, max_seconds=60) == "too_long"
    assert thread_time() - began < 10
    many = box(b"moof", full(b"free", bytes(4_000_000)))
    assert reason(start + many * 17) == "too_slow"


@pytest.mark.parametrize("width", [4, 8, 16])
def test_compact_sizes(width: int) -> None:
    """Sample sizes in 4, 8 or 16 bits: section 8.7.3.3."""
    packed = {4: b"\xaa" * 24 + b"\xa0", 8: b"\x0a" * 49, 16: b"\0\x0a" * 49}[width]
    data = movie(track(**WHOLE | {"sizes": [10] * 49}), content=474)
    at, end = next(found(data, b"stsz"))
    compact = full(b"stz2", bytes(3), bytes([width]), word(49), packed)
    padded = compact + box(b"free", bytes(end - at - len(compact) - 8))
    assert validate_video(data[:at] + padded + data[end:]).frames == 49
    assert reason(data[:at] + compact[:15] + b"\x07" + padded[16:] + data[end:]) == "damaged"


def test_a_header_that_is_too_long_is_not_read(tmp_path: Any) -> None:
    path = tmp_path / "long.mp4"
    with path.open("wb") as file:
        file.write(box(b"ftyp", b"isom", bytes(4)) + struct.pack(">I4s", 1 << 30, b"moov"))
        file.truncate((1 << 30) + 16)
    assert reason(path) == "too_slow"  # type: ignore[arg-type]
