"""What is told of real videos, against ffprobe, which reads every packet."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from tests.unit.media.video.conftest import COPIED, ENCODED, Make, program
from wsgiperf.media.video import validate_video

NAMES = sorted(name for name in [*ENCODED, *COPIED] if not name.startswith("audio"))
_CODECS = {"pcm_s16le": "pcm"}


def probed(path: Path) -> tuple[float, int, dict[str, tuple[str, int, int]]]:
    """Seconds and pictures by the packets, and codec and size of each kind of stream."""
    command = [program("ffprobe"), "-v", "error", "-of", "compact=p=0:nk=1", "-show_entries"]
    streams = subprocess.run(
        [*command, "stream=index,codec_type,codec_name,width,height", path], capture_output=True, text=True,
        timeout=60, check=True,
    ).stdout  # fmt: skip
    kinds: dict[str, tuple[str, int, int]] = {}
    pictures = ""
    for line in streams.split():
        index, codec, kind, *size = line.split("|")
        if kind == "video":
            pictures = index
        width, height = map(int, size[:2]) if kind == "video" else (0, 0)
        kinds[kind] = (_CODECS.get(codec, codec), width, height)
    packets = subprocess.run(
        [*command, "packet=stream_index,dts_time,duration_time", path], capture_output=True, text=True,
        timeout=60, check=True,
    ).stdout  # fmt: skip
    begins, ends, count = defaultdict(list), defaultdict(list), 0
    for line in packets.split():
        index, begin, *duration = line.split("|")
        count += index == pictures
        if begin != "N/A":
            begins[index].append(float(begin))
            ends[index].append(float(begin) + float(duration[0] if duration and duration[0] != "N/A" else 0))
    return max(max(ends[index]) - min(begins[index]) for index in begins), count, kinds


@pytest.mark.parametrize("name", NAMES)
def test_the_duration_is_that_of_the_packets(video: Make, name: str) -> None:
    path = video(name)
    seconds, pictures, kinds = probed(path)
    found = validate_video(path)
    assert found.duration == pytest.approx(seconds, abs=0.05)
    assert found.frames in (None, pictures)
    codec, width, height = kinds["video"]
    assert found.video_codec == codec
    upright = (height, width) if found.rotation in (90, 270) else (width, height)
    assert (found.width, found.height) == upright
    assert found.audio_codec == (kinds["audio"][0] if "audio" in kinds else None)
    assert found.size == path.stat().st_size


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith((".mp4", ".mov", ".m4v"))])
def test_the_pictures_of_an_mp4_are_counted(video: Make, name: str) -> None:
    assert validate_video(video(name)).frames == probed(video(name))[1]


@pytest.mark.parametrize(
    ("name", "container", "content_type"),
    [
        ("h264.mp4", "mp4", "video/mp4"),
        ("h264.m4v", "mp4", "video/mp4"),
        ("h264.mov", "mov", "video/quicktime"),
        ("vp8.webm", "webm", "video/webm"),
        ("h264.mkv", "mkv", "video/x-matroska"),
    ],
)
def test_the_container_is_told_by_the_content(
    video: Make, tmp_path: Path, name: str, container: str, content_type: str
) -> None:
    renamed = tmp_path / "picture.jpg"
    renamed.write_bytes(video(name).read_bytes())
    found = validate_video(renamed)
    assert (found.container, found.content_type) == (container, content_type)
