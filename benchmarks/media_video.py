"""What it takes to validate a video, against opening it with PyAV and asking ffprobe.

The videos are ten seconds of 1280 x 720 with sound, made by FFmpeg: as MP4 with its header last and first, in
fragments, as WebM with lengths and as a browser records it. A recording of a gigabyte is passed as well.

PyAV decodes a frame to know what it opens, but of VP8: so of that it opens fast, and is only shown.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.measure import calls, measure, options, print_table
from wsgiperf.media.video import validate_video

LEAST_RATIO, MOST_SECONDS = 25.0, 1.0
GIGABYTE = 1 << 30

_PICTURES = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=10", "-f", "lavfi", "-i", "sine=d=10"]
_H264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
_FAST = ["-deadline", "realtime", "-cpu-used", "8", "-b:v", "3M", "-c:a", "libopus"]
#: What FFmpeg is told; of which other it is a copy; whether its time is one of those that count.
VIDEOS: dict[str, tuple[list[str], str | None, bool]] = {
    "h264.mp4": ([*_PICTURES, *_H264], None, True),
    "faststart.mp4": (["-movflags", "+faststart"], "h264.mp4", True),
    "fragments.mp4": (["-movflags", "+frag_keyframe+empty_moov"], "h264.mp4", True),
    "h264.mov": ([], "h264.mp4", True),
    "vp9.webm": ([*_PICTURES, "-c:v", "libvpx-vp9", *_FAST], None, True),
    "vp9-live.webm": (["-live", "1"], "vp9.webm", True),
    "vp8.webm": ([*_PICTURES, "-c:v", "libvpx", *_FAST], None, False),
    "vp8-live.webm": (["-live", "1"], "vp8.webm", False),
}


def make(folder: Path) -> None:
    for name, (arguments, source, _) in VIDEOS.items():
        copied = [] if source is None else ["-i", str(folder / source), "-c", "copy"]
        subprocess.run(["ffmpeg", "-v", "error", *copied, *arguments, str(folder / name)], check=True)


def open_with_pyav(path: str) -> object:
    import av

    with av.open(path) as container:
        return container.duration


def ask_ffprobe(path: str) -> object:
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", path]
    return subprocess.run(command, check=True, capture_output=True).stdout


def recording(path: Path) -> tuple[float, int]:
    """Seconds for each gigabyte of a live recording of blocks of 4 KB, and how many blocks that are."""
    size = b"\x01\0\0\0\0\0\x0f\xa4"
    blocks = [b"\xa3" + size + b"\x81" + (10 * tick).to_bytes(2, "big") + bytes(4001) for tick in range(3000)]
    track = b"\xae\x96\xd7\x81\x01\x83\x81\x01\x86\x85V_VP8\xe0\x87\xb0\x82\x02\x80\xba\x81\xf0"
    head = b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\xff\x16\x54\xae\x6b" + bytes(
        [0x80 | len(track)]
    )
    with path.open("wb") as file:
        file.write(head + track)
        for number in range(44):
            file.write(b"\x1f\x43\xb6\x75\xff\xe7\x84" + (30_000 * number).to_bytes(4, "big"))
            file.writelines(blocks)
    taken = []
    for _ in range(3):
        started = perf_counter()
        found = validate_video(path)
        taken.append(perf_counter() - started)
    assert found.frames == 132_000
    return min(taken) * GIGABYTE / path.stat().st_size, found.frames


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = options(__doc__, arguments)
    if shutil.which("ffmpeg") is None:
        print("ffmpeg is not installed")
        return 1 if chosen.check else 0
    rows: list[tuple[object, ...]] = [
        ("microseconds", "validate_video", "PyAV's open", "ffprobe", "PyAV / ours")
    ]
    ours, theirs = 0.0, 0.0
    with TemporaryDirectory() as name:
        folder = Path(name)
        make(folder)
        for video, (_, _, counts) in VIDEOS.items():
            path = str(folder / video)
            candidates = {
                "ours": calls(validate_video, path),
                "pyav": calls(open_with_pyav, path),
            }
            if not chosen.quick:
                candidates["ffprobe"] = calls(ask_ffprobe, path)
            took = {kind: one.least for kind, one in measure(candidates, 5 if chosen.quick else 20).items()}
            ours, theirs = ours + counts * took["ours"], theirs + counts * took["pyav"]
            rows.append(
                (video, took["ours"], took["pyav"], took.get("ffprobe", ""), took["pyav"] / took["ours"])
            )
        seconds, blocks = recording(folder / "recording.webm")
    rows.append(("all but VP8", ours, theirs, "", theirs / ours))
    print_table(rows)
    print(f"A recording: {seconds:.2f} s for each gigabyte, of {blocks:,} blocks of 4 KB.")
    return 1 if chosen.check and (theirs / ours < LEAST_RATIO or seconds > MOST_SECONDS) else 0


if __name__ == "__main__":
    sys.exit(main())
