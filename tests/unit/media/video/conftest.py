"""Real videos, made once by FFmpeg."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Make = Callable[[str], Path]

SECONDS = 6
_PICTURES = ["-f", "lavfi", "-i", f"testsrc2=s=128x72:r=25:d={SECONDS}"]
_SOUND = ["-f", "lavfi", "-i", f"sine=f=440:d={SECONDS}:r=48000"]
_H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"]
_VP8 = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-g", "25", "-b:v", "300k"]
_VP9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "50", "-b:v", "300k"]

#: From nothing: what FFmpeg is told.
ENCODED = {
    "h264.mp4": [*_PICTURES, *_SOUND, *_H264, "-c:a", "aac"],
    "bframes.mp4": [*_PICTURES, *_SOUND, *_H264, "-bf", "2", "-c:a", "aac"],
    "silent.mp4": [*_PICTURES, *_H264],
    "variable.mp4": [
        *_PICTURES, *_SOUND, "-vf", "select='not(mod(n,3))+lt(n,50)'", "-fps_mode", "vfr", *_H264,
        "-c:a", "aac",
    ],
    "hevc.mp4": [
        *_PICTURES, *_SOUND, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none",
        "-tag:v", "hvc1", "-c:a", "aac",
    ],
    "mpeg4mp3.mp4": [*_PICTURES, *_SOUND, "-c:v", "mpeg4", "-c:a", "libmp3lame"],
    "mjpegpcm.mov": [*_PICTURES, *_SOUND, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le"],
    "vp8.webm": [*_PICTURES, *_SOUND, *_VP8, "-c:a", "libopus"],
    "vp8vorbis.webm": [*_PICTURES, *_SOUND, *_VP8, "-c:a", "libvorbis"],
    "vp9.webm": [*_PICTURES, *_SOUND, *_VP9, "-c:a", "libopus"],
    "silent.webm": [*_PICTURES, *_VP9],
    "audio.m4a": [*_SOUND, "-c:a", "aac"],
    "audio.webm": [*_SOUND, "-c:a", "libopus"],
}  # fmt: skip
#: From another by copying: its name, and what FFmpeg is told.
COPIED = {
    "faststart.mp4": ("h264.mp4", ["-movflags", "+faststart"]),
    "fragments.mp4": ("h264.mp4", ["-movflags", "+frag_keyframe+empty_moov"]),
    "hybrid.mp4": ("h264.mp4", ["-movflags", "+frag_keyframe"]),
    "base.mp4": ("h264.mp4", ["-movflags", "+frag_keyframe+empty_moov+default_base_moof+omit_tfhd_offset"]),
    "indexed.mp4": ("h264.mp4", ["-movflags", "+frag_keyframe+empty_moov+dash+global_sidx"]),
    "dash.mp4": ("h264.mp4", ["-movflags", "+frag_keyframe+empty_moov+dash"]),
    "frames.mp4": ("bframes.mp4", ["-movflags", "+frag_every_frame+empty_moov"]),
    "told.mp4": (
        "h264.mp4", ["-movflags", "use_metadata_tags", "-metadata", "location=+48.8577+002.295/",
                     "-metadata:s:v", "comment=secret words"]
    ),
    "h264.mov": ("h264.mp4", []),
    "fragments.mov": ("h264.mp4", ["-movflags", "+frag_keyframe+empty_moov"]),
    "h264.m4v": ("h264.mp4", ["-f", "ipod"]),
    "h264.mkv": ("h264.mp4", []),
    "live.mkv": ("bframes.mp4", ["-live", "1"]),
    "vp9.mp4": ("vp9.webm", ["-strict", "-2"]),
    "live.webm": ("vp8.webm", ["-live", "1"]),
    "live9.webm": ("vp9.webm", ["-live", "1"]),
    "cues.webm": ("vp9.webm", ["-cues_to_front", "1"]),
    "short_clusters.webm": ("vp8.webm", ["-cluster_time_limit", "100"]),
    "pipe.webm": ("vp8.webm", ["-f", "webm"]),
    "pipe.mkv": ("h264.mp4", ["-f", "matroska"]),
}  # fmt: skip


def program(name: str) -> str:
    """The path of a program; where it is missing, the test is skipped."""
    found = shutil.which(name)
    if found is None:
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says(f"{name} is not installed")
    return found


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Gives the path of a video by its name. Nobody writes to it."""
    folder = tmp_path_factory.mktemp("videos")

    def make(name: str) -> Path:
        path = folder / name
        if path.exists():
            return path
        if name in ENCODED:
            arguments = ENCODED[name]
        else:
            source, options = COPIED[name]
            arguments = ["-i", str(make(source)), "-c", "copy", *options]
        to_pipe = name.startswith("pipe")
        command = [program("ffmpeg"), "-v", "error", "-y", *arguments, "-fflags", "+bitexact"]
        done = subprocess.run(
            [*command, "pipe:1" if to_pipe else str(path)], capture_output=True, timeout=100, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        if to_pipe:
            path.write_bytes(done.stdout)
        return path

    return make
