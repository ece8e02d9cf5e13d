"""Whatever a file holds, it is a video or a `MediaError`, soon."""

from __future__ import annotations

from time import thread_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.media.video.conftest import Make
from tests.unit.media.video.patching import found
from wsgiperf.media.errors import MediaError
from wsgiperf.media.video import Video, validate_video

NAMES = ["h264.mp4", "fragments.mp4", "dash.mp4", "mjpegpcm.mov", "vp8.webm", "live.webm", "h264.mkv"]
_EXTREMES = [
    b"\0" * 4,
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\0\0\1",
    b"\0\0\0\x08",
    b"\xff" * 8,
]


def check(data: bytes) -> None:
    began = thread_time()  # which others on the machine don't add to
    try:
        assert isinstance(validate_video(data), Video)
    except MediaError as error:
        assert error.reason  # noqa: PT017
    assert thread_time() - began < 5


def heads(data: bytes) -> list[int]:
    """Where what is read lies: elsewhere, changes change nothing."""
    places = list(range(min(len(data), 1500)))
    for kind in (b"moov", b"moof"):
        for at, end in list(found(data, kind))[:3]:
            places += range(at, min(end, at + 3000))
    if data[:4] == b"\x1a\x45\xdf\xa3":
        at = data.find(b"\x1f\x43\xb6\x75")
        while at >= 0:
            places += range(at, min(at + 40, len(data)))
            at = data.find(b"\x1f\x43\xb6\x75", at + 4)
    return places


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.data())
def test_changed_files(video: Make, name: str, chosen: st.DataObject) -> None:
    data = bytearray(video(name).read_bytes())
    places = heads(bytes(data))
    for _ in range(chosen.draw(st.integers(1, 4))):
        at = places[chosen.draw(st.integers(0, len(places) - 1))]
        new = chosen.draw(st.sampled_from(_EXTREMES) | st.binary(min_size=1, max_size=8))
        data[at : at + len(new)] = new
    check(bytes(data))


@pytest.mark.parametrize("start", [b"\0\0\0\x10ftypisom\0\0\0\0", b"\x1a\x45\xdf\xa3\x84\x42\x82\x81w"])
@settings(max_examples=200, deadline=None)
@given(rest=st.binary(max_size=300))
def test_bytes_of_no_sense(start: bytes, rest: bytes) -> None:
    check(start + rest)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    check(data)
