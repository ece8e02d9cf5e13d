"""Videos encoded anew: what comes out, and that nothing comes out where it can't."""

from __future__ import annotations

import io
import random
import stat
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.unit.media.video.conftest import Make
from tests.unit.media.video.patching import found, patched
from wsgiperf.media.errors import MediaError
from wsgiperf.media.video import compress_video, poster, validate_video

av = pytest.importorskip("av")

TURNED = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


def refused(folder: Path, source: Any, **options: Any) -> str:
    """The reason; nothing is left in the folder."""
    with pytest.raises(MediaError) as raised:
        compress_video(source, folder / "out.mp4", **options)
    assert list(folder.iterdir()) == []
    return raised.value.reason


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "results"
    made.mkdir()
    return made


@pytest.mark.parametrize(
    "name",
    [
        "h264.mp4", "bframes.mp4", "silent.mp4", "variable.mp4", "fragments.mp4", "hevc.mp4", "mpeg4mp3.mp4",
        "mjpegpcm.mov", "vp8.webm", "vp8vorbis.webm", "vp9.webm", "live.webm", "pipe.mkv",
    ],
)  # fmt: skip
def test_every_video_becomes_an_mp4_that_starts_at_once(video: Make, folder: Path, name: str) -> None:
    source = validate_video(video(name))
    told: list[float] = []
    result = compress_video(video(name), folder / "out.mp4", preset="ultrafast", progress=told.append)
    assert result == validate_video(folder / "out.mp4")
    assert (result.container, result.video_codec, result.width, result.height) == ("mp4", "h264", 128, 72)
    assert result.audio_codec == (None if source.audio_codec is None else "aac")
    assert result.duration == pytest.approx(source.duration, abs=0.15)
    assert result.frames is not None
    if source.frames is not None:
        assert abs(result.frames - source.frames) <= 1
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 20
    data = (folder / "out.mp4").read_bytes()
    assert next(found(data, b"moov")) < next(found(data, b"mdat"))
    assert [path.name for path in folder.iterdir()] == ["out.mp4"]


def test_what_a_camera_wrote_is_left_out(video: Make, folder: Path) -> None:
    """Where it was filmed above all."""
    source = video("told.mp4")
    assert b"48.8577" in source.read_bytes()
    compress_video(source, folder / "out.mp4", preset="ultrafast")
    data = (folder / "out.mp4").read_bytes()
    assert b"48.8577" not in data
    assert b"secret words" not in data


def test_sound_and_pictures_stay_together(video: Make, folder: Path) -> None:
    compress_video(video("variable.mp4"), folder / "out.mp4", preset="ultrafast")
    times = []
    for path in (video("variable.mp4"), folder / "out.mp4"):
        with av.open(str(path)) as container:
            times.append([frame.time for frame in container.decode(video=0)])
    assert len(times[0]) == len(times[1])
    shift = times[0][0] - times[1][0]
    assert max(abs(a - b - shift) for a, b in zip(*times, strict=True)) < 0.002
    assert abs(shift) < 0.05


@pytest.mark.parametrize(
    ("limits", "size"),
    [
        ({}, (128, 72)),
        ({"max_width": 64}, (64, 36)),
        ({"max_height": 36}, (64, 36)),
        ({"max_width": 50, "max_height": 50}, (50, 28)),
        ({"max_width": 4000, "max_height": 4000}, (128, 72)),
    ],
)
def test_the_shape_stays_and_nothing_grows(
    video: Make, folder: Path, limits: dict[str, int], size: tuple[int, int]
) -> None:
    result = compress_video(video("silent.mp4"), folder / "out.mp4", preset="ultrafast", **limits)
    assert (result.width, result.height) == size


@pytest.mark.parametrize("rotation", TURNED)
def test_what_was_turned_is_upright(video: Make, folder: Path, rotation: int) -> None:
    a, b, c, d = [one << 16 for one in TURNED[rotation]]
    data = patched(video("silent.mp4").read_bytes(), b"tkhd", 40, struct.pack(">6i", a, b, 0, c, d, 0))
    result = compress_video(data, folder / "out.mp4", preset="ultrafast")
    assert (result.width, result.height) == ((128, 72) if rotation == 180 else (72, 128))
    assert result.rotation == 0
    plain = picture(poster(video("silent.mp4"), at=0))
    turned = picture(poster(data, at=0))
    with av.open(str(folder / "out.mp4")) as container:
        encoded = next(container.decode(video=0)).to_image()
    expected = plain.rotate(-rotation, expand=True)
    for image in (turned, encoded):
        assert difference(image, expected) < 12
        assert difference(image, expected.rotate(180)) > 25


def picture(data: bytes) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(data)).convert("RGB")


def difference(one: Any, other: Any) -> float:
    """The mean difference of two pictures' values, 0 to 255."""
    from PIL import ImageChops, ImageStat

    return sum(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other)).mean) / 3


def test_a_smaller_rate_makes_a_smaller_file(video: Make, folder: Path) -> None:
    sizes = [
        compress_video(video("silent.mp4"), folder / "out.mp4", preset="ultrafast", **options).size
        for options in ({"crf": 18}, {"crf": 40}, {"bitrate": 2_000_000}, {"bitrate": 60_000})
    ]
    assert sizes[1] < sizes[0] / 2
    assert sizes[3] < sizes[2] / 2


def test_what_validation_refuses_is_not_begun(video: Make, folder: Path, tmp_path: Path) -> None:
    data = video("faststart.mp4").read_bytes()
    assert refused(folder, data[: len(data) // 2]) == "truncated"
    assert refused(folder, b"") == "empty"
    assert refused(folder, video("audio.m4a")) == "no_video"
    assert refused(folder, data, max_seconds=2) == "too_long"
    assert refused(folder, data, max_bytes=1000) == "too_many_bytes"
    assert refused(folder, data, max_pixels=1000) == "too_many_pixels"
    with pytest.raises(MediaError):
        poster(data[: len(data) // 2])


def test_content_that_cannot_be_decoded(video: Make, folder: Path) -> None:
    data = bytearray(video("h264.mp4").read_bytes())
    at, end = next(found(bytes(data), b"mdat"))
    data[at + 8 : end] = bytes(end - at - 8)
    assert validate_video(bytes(data)).duration > 5  # nobody has looked
    assert refused(folder, bytes(data)) == "damaged"
    with pytest.raises(MediaError):
        poster(bytes(data))


def test_it_can_be_cancelled(video: Make, folder: Path) -> None:
    told: list[float] = []
    reason = refused(
        folder, video("h264.mp4"), preset="ultrafast", progress=told.append,
        cancelled=lambda: bool(told) and told[-1] > 0.3,
    )  # fmt: skip
    assert reason == "cancelled"
    assert 0.3 < told[-1] < 0.9


def test_its_time_is_limited(video: Make, folder: Path) -> None:
    assert refused(folder, video("h264.mp4"), time_limit=0) == "too_slow"
    with pytest.raises(MediaError) as raised:
        poster(video("h264.mp4"), time_limit=0)
    assert raised.value.reason == "too_slow"


def test_an_error_of_the_caller_leaves_nothing(video: Make, folder: Path) -> None:
    def fails(part: float) -> None:
        raise KeyError(part)

    with pytest.raises(KeyError):
        compress_video(video("h264.mp4"), folder / "out.mp4", progress=fails)
    assert list(folder.iterdir()) == []


def test_what_was_there_stays_until_the_new_is_complete(video: Make, folder: Path) -> None:
    path = folder / "out.mp4"
    path.write_bytes(b"before")
    path.chmod(0o640)
    with pytest.raises(MediaError):
        compress_video(video("h264.mp4"), path, time_limit=0)
    assert path.read_bytes() == b"before"
    compress_video(video("h264.mp4"), path, preset="ultrafast")
    assert validate_video(path).video_codec == "h264"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [one.name for one in folder.iterdir()] == ["out.mp4"]


def test_a_file_may_be_replaced_by_itself(video: Make, folder: Path) -> None:
    path = folder / "out.mp4"
    path.write_bytes(video("h264.mp4").read_bytes())
    assert compress_video(path, path, preset="ultrafast", max_width=64).width == 64


@pytest.mark.parametrize("name", ["with space", "with:colon", "%d", "-y", "ä"])
def test_names_are_names(video: Make, folder: Path, name: str) -> None:
    inside = folder / name
    inside.mkdir()
    assert compress_video(video("silent.mp4"), inside / f"{name}.mp4", preset="ultrafast").frames == 150


def test_a_folder_that_is_not_there(video: Make, tmp_path: Path) -> None:
    with pytest.raises(MediaError) as raised:
        compress_video(video("h264.mp4"), tmp_path / "missing" / "out.mp4")
    assert raised.value.reason == "unwritable"


def test_a_file_object_stays_open_where_it_was(video: Make, folder: Path) -> None:
    with video("vp8.webm").open("rb") as file:
        file.seek(77)
        compress_video(file, folder / "out.mp4", preset="ultrafast")
        poster(file)
        assert file.tell() == 77


@pytest.mark.parametrize(
    "options", [{"crf": 52}, {"max_width": 1}, {"bitrate": 0}, {"max_seconds": -1}]
)  # fmt: skip
def test_arguments_out_of_range(folder: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"begin|limit"):
        compress_video(b"", folder / "out.mp4", **options)


@pytest.mark.parametrize("name", ["h264.mp4", "bframes.mp4", "live.webm", "vp9.webm", "fragments.mp4"])
@pytest.mark.parametrize("second", [0, 2.5, 5.5, 99])
def test_a_poster_is_the_frame_of_that_moment(video: Make, name: str, second: float) -> None:
    with av.open(str(video(name))) as container:
        frames = list(container.decode(video=0))
    begin = frames[0].time
    expected = [frame for frame in frames if frame.time - begin <= second + 1e-6][-1]
    image = picture(poster(video(name), at=second, quality=95))
    assert min(frames, key=lambda frame: difference(image, frame.to_image())) is expected


@pytest.mark.parametrize(("format", "magic"), [("jpeg", b"\xff\xd8\xff"), ("webp", b"RIFF")])
def test_formats_and_sizes_of_posters(video: Make, format: str, magic: bytes) -> None:  # noqa: A002
    data = poster(video("h264.mp4"), format=format, max_width=64)
    assert data.startswith(magic)
    assert picture(data).size == (64, 36)
    assert picture(poster(video("h264.mp4"), format=format)).size == (128, 72)


@pytest.mark.parametrize("options", [{"format": "eps"}, {"quality": 0}, {"at": -1}, {"max_height": 0}])
def test_posters_that_make_no_sense(video: Make, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"format|moment"):
        poster(video("h264.mp4"), **options)


def test_a_codec_that_nobody_knows(video: Make, folder: Path) -> None:
    data = video("silent.mp4").read_bytes()
    unknown = data.replace(b"avc1", b"zzz9").replace(b"avcC", b"zzzC")
    assert validate_video(unknown).video_codec == "zzz9"
    assert refused(folder, unknown) == "unsupported"
    with pytest.raises(MediaError) as raised:
        poster(unknown)
    assert raised.value.reason == "unsupported"


def test_frames_of_another_size_than_the_header_says(video: Make, folder: Path) -> None:
    data = patched(video("silent.mp4").read_bytes(), b"stsd", 8 + 32, struct.pack(">HH", 64, 36))
    assert validate_video(data).width == 64
    result = compress_video(data, folder / "out.mp4", preset="ultrafast")
    assert (result.width, result.height) == (64, 36)
    assert picture(poster(data)).size == (64, 36)
    (folder / "out.mp4").unlink()
    # The limit is of what is decoded.
    assert refused(folder, data, max_pixels=64 * 36) == "damaged"


def test_changed_content_never_ends_in_another_error(video: Make, folder: Path) -> None:
    chance = random.Random(5)
    for name in ("h264.mp4", "vp9.webm", "mjpegpcm.mov"):
        whole = video(name).read_bytes()
        for _ in range(12):
            data = bytearray(whole)
            for _ in range(chance.choice((1, 20, 500))):
                data[chance.randrange(1000, len(data))] = chance.randrange(256)
            for work in (lambda: compress_video(bytes(data), folder / "out.mp4", preset="ultrafast"),  # noqa: B023
                         lambda: poster(bytes(data), at=3)):  # noqa: B023  # fmt: skip
                with suppress(MediaError):
                    work()
        assert [path.name for path in folder.iterdir()] in ([], ["out.mp4"])


def test_without_pyav_the_message_says_what_to_install(
    video: Make, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"wsgiperf\[video\]"):
        compress_video(video("h264.mp4"), folder / "out.mp4")
    with pytest.raises(ImportError, match=r"wsgiperf\[video\]"):
        poster(video("h264.mp4"))
    assert list(folder.iterdir()) == []


def test_who_only_validates_does_not_load_pyav(video: Make) -> None:
    program = (
        "import sys; from wsgiperf.media.video import validate_video; validate_video(sys.argv[1]);"
        "print([name for name in ('av', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, video("h264.mp4")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "[]\n"
