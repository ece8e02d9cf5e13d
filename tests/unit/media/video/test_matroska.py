"""WebM whose clusters, blocks or header aren't what they should be."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.unit.media.video.conftest import Make
from tests.unit.media.video.patching import block, cluster, described, document, element
from wsgiperf.media.errors import MediaError
from wsgiperf.media.video import validate_video

#: Of a hundred pictures, 40 ms each, in four clusters.
CLUSTERS = [cluster(tick, *[block(40 * i) for i in range(25)]) for tick in (0, 1000, 2000, 3000)]
LIVE = [cluster(tick, *[block(40 * i) for i in range(25)], known=False) for tick in (0, 1000, 2000, 3000)]


def reason(data: bytes, **limits: Any) -> str:
    with pytest.raises(MediaError) as raised:
        validate_video(data, **limits)
    return raised.value.reason


def duration(data: bytes, **limits: Any) -> float:
    return validate_video(data, **limits).duration


@pytest.mark.parametrize("known", [True, False], ids=["segment of known length", "of unknown length"])
@pytest.mark.parametrize("clusters", [CLUSTERS, LIVE, CLUSTERS[:2] + LIVE[2:]], ids=["known", "live", "both"])
def test_the_duration_is_that_of_the_blocks(clusters: list[bytes], known: bool) -> None:
    data = document(*clusters, known=known)
    assert duration(data) == pytest.approx(4.0)
    assert duration(data, max_seconds=4.01) == pytest.approx(4.0)
    assert reason(data, max_seconds=3.9) == "too_long"


def test_pictures_are_counted_where_they_are_passed() -> None:
    assert validate_video(document(*LIVE)).frames == 100
    assert validate_video(document(*CLUSTERS)).frames is None


@pytest.mark.parametrize("name", ["vp8.webm", "vp9.webm", "h264.mkv"])
def test_a_header_patched_to_one_second_changes_nothing(video: Make, name: str) -> None:
    data = video(name).read_bytes()
    seconds = duration(data)
    at = data.index(b"\x44\x89\x88")
    lying = data[: at + 3] + struct.pack(">d", 1000.0) + data[at + 11 :]
    found = validate_video(lying)
    assert found.duration == seconds > 5
    assert found.header_duration == 1.0
    assert reason(lying, max_seconds=5) == "too_long"


def test_the_scale_of_the_clock() -> None:
    assert duration(document(*LIVE, scale=2_000_000)) == pytest.approx(8.0)
    assert reason(document(*LIVE, scale=0)) == "damaged"
    assert duration(document(*LIVE, scale=(1 << 64) - 1)) > 1e12


def test_a_frame_lasts_as_long_as_the_track_says() -> None:
    track = described(1, 1, b"V_VP9", element(0x23E383, (500_000_000).to_bytes(4, "big")))
    assert duration(document(*CLUSTERS, tracks=track)) == pytest.approx(3.96 + 0.5)


def test_a_frame_lasts_as_long_as_its_group_says() -> None:
    group = element(
        0xA0, element(0xA1, b"\x81", struct.pack(">hB", 1000, 0), bytes(9)), element(0x9B, b"\x07\xd0")
    )
    assert duration(document(*LIVE[:3], cluster(3000, group, known=False))) == pytest.approx(6.0)
    assert duration(document(*CLUSTERS[:3], cluster(3000, group))) == pytest.approx(6.0)


def test_a_recording_that_begins_late_is_no_longer_for_it() -> None:
    late = [cluster(tick, *[block(40 * i) for i in range(25)]) for tick in (500_000, 501_000)]
    assert duration(document(*late), max_seconds=3) == pytest.approx(2.0)


def test_the_order_of_clusters_hides_nothing() -> None:
    assert duration(document(*CLUSTERS[2:], *CLUSTERS[:2])) == pytest.approx(4.0)
    hour = cluster(3_600_000, block(0), block(40))
    assert reason(document(CLUSTERS[0], hour, CLUSTERS[1]), max_seconds=60) == "too_long"


def test_a_block_far_behind_its_cluster_is_beyond_the_limit() -> None:
    hidden = cluster(0, *[block(40 * i) for i in range(25)], block(32_000))
    assert reason(document(hidden, *CLUSTERS[1:]), max_seconds=10) == "too_long"


def test_a_single_block_in_the_last_cluster_lasts_as_long_as_the_ones_before() -> None:
    assert duration(document(*CLUSTERS, cluster(4000, block(0)))) == pytest.approx(4.04)


def test_tracks_that_are_no_picture_do_not_count() -> None:
    subtitles = described(1) + described(2, 17, b"S_TEXT/UTF8")
    live = cluster(3_000_000, block(0, track=2), known=False)
    assert duration(document(*LIVE, live, tracks=subtitles), max_seconds=10) == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (document(*CLUSTERS, tracks=described(1, 2, b"A_OPUS")), "no_video"),
        (document(*CLUSTERS, tracks=described(1, 17, b"S_TEXT/UTF8")), "not_a_video"),
        (document(*CLUSTERS, tracks=described(2)), "zero_length"),
        (document(), "zero_length"),
        (document(cluster(0)), "zero_length"),
        (document(cluster(0, known=False)), "zero_length"),
        (document(cluster(0, block(0, content=0))), "zero_length"),
        (document(*CLUSTERS, tracks=described() + described()), "damaged"),
        (document(element(0x1F43B675, block(0))), "damaged"),
        (document(*LIVE, element(0x1F43B675, element(0xA3, b"\x81"), known=False)), "damaged"),
        (document(*LIVE, element(0xEC, known=False)), "damaged"),
        (document(*CLUSTERS, tracks=described(200)), "unsupported"),
        (
            document(*CLUSTERS, tracks=described(1, 1, b"V_VP8", element(0x23314F, struct.pack(">f", 60)))),
            "unsupported",
        ),
        (
            document(
                *CLUSTERS,
                tracks=described(1, 1, b"V_VP8", element(0x6D80, element(0x6240, element(0x5035)))),
            ),
            "unsupported",
        ),
        (element(0x1A45DFA3, element(0x4282, b"other")) + bytes(50), "not_a_video"),
    ],
)
def test_what_is_no_video(data: bytes, why: str) -> None:
    assert reason(data) == why


@pytest.mark.parametrize("length", [0, 1, 5, 1 << 40, (1 << 56) - 2])
@pytest.mark.parametrize("clusters", [CLUSTERS, LIVE], ids=["known", "live"])
def test_lengths_that_cannot_be_right(clusters: list[bytes], length: int) -> None:
    data = document(*clusters)
    for identifier in (b"\x16\x54\xae\x6b", b"\x18\x53\x80\x67", b"\xae", b"\xa3\x01"):
        at = data.rindex(identifier) + len(identifier) - identifier.count(1)
        changed = data[:at] + (length | 1 << 56).to_bytes(8, "big") + data[at + 8 :]
        if identifier[:1] == b"\xa3" and clusters is CLUSTERS and length == 5:
            continue
        with pytest.raises(MediaError):
            validate_video(changed)


def test_blocks_without_end_cost_little() -> None:
    empty = element(0x1F43B675, element(0xE7, b"\0"), known=False) + b"\xec\x80" * 2_000_100
    assert reason(document(empty, known=False)) == "too_slow"
    assert reason(document(b"\xec\x80" * 200_001)) == "too_slow"
    assert reason(document(tracks=b"\xec\x80" * 5000)) == "damaged"


def test_the_roll_turns_the_picture() -> None:
    for roll, size in (
        (-90.0, (360, 640)),
        (90.0, (360, 640)),
        (180.0, (640, 360)),
        (float("nan"), (640, 360)),
    ):
        projection = element(0x7670, element(0x7675, struct.pack(">f", roll)))
        shape = element(0xE0, element(0xB0, b"\x02\x80"), element(0xBA, b"\x01\x68"), projection)
        track = element(0xAE, element(0xD7, b"\1"), element(0x83, b"\1"), element(0x86, b"V_VP8"), shape)
        found = validate_video(document(*CLUSTERS, tracks=track))
        assert (found.width, found.height) == size
        assert found.rotation == (0 if roll != roll else -roll % 360)


@pytest.mark.parametrize("clusters", [CLUSTERS, LIVE], ids=["known", "live"])
def test_blocks_of_no_track_end_nothing(clusters: list[bytes]) -> None:
    strange = cluster(0, block(0, track=0), *[block(40 * number) for number in range(200)])
    assert duration(document(strange)) == pytest.approx(8.0)
    assert duration(document(cluster(0, block(0, track=0), known=False), *clusters)) == pytest.approx(4.0)
