"""Paths, bytes and file objects: all read alike, none left changed."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.descriptors import still_open
from tests.unit.media.video.conftest import Make
from wsgiperf.media.errors import MediaError
from wsgiperf.media.video import validate_video


def reason(source: Any) -> str:
    with pytest.raises(MediaError) as raised:
        validate_video(source)
    return raised.value.reason


class Hesitant(io.RawIOBase):
    """Gives no more than 100 bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)
        self.most = 0

    def read(self, size: int = -1) -> bytes:
        self.most = max(self.most, size)
        return self._file.read(min(size, 100))

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


@pytest.mark.parametrize("name", ["h264.mp4", "fragments.mp4", "vp8.webm", "live.webm"])
def test_every_source_gives_the_same(video: Make, name: str) -> None:
    path = video(name)
    data = path.read_bytes()
    expected = validate_video(path)
    assert validate_video(str(path)) == expected
    for source in (data, bytearray(data), memoryview(data), Hesitant(data)):
        assert validate_video(source) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["h264.mp4", "live.webm"])
@pytest.mark.parametrize("buffering", [0, -1], ids=["raw", "buffered"])
def test_a_file_object_stays_open_where_it_was(video: Make, name: str, buffering: int) -> None:
    with video(name).open("rb", buffering=buffering) as file:
        file.seek(1234)
        assert validate_video(file).duration > 5
        assert file.tell() == 1234
        with pytest.raises(MediaError):
            validate_video(file, max_seconds=1)
        assert file.tell() == 1234
        assert not file.closed


def test_no_descriptor_is_left_open(video: Make, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    for _ in range(50):
        validate_video(video("h264.mp4"))
        assert reason(empty) == "empty"
        assert reason(tmp_path) == "unreadable"
    assert still_open(video("h264.mp4"), empty, tmp_path) == []


def test_what_cannot_be_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert reason(pipe) == "unreadable"  # without waiting for somebody who writes to it
    assert reason(tmp_path / "missing.mp4") == "unreadable"
    assert reason("a\0b") == "unreadable"
    closed = io.BytesIO(b"data")
    closed.close()
    assert reason(closed) == "unreadable"


def test_the_message_does_not_tell_where_the_file_is(tmp_path: Path) -> None:
    with pytest.raises(MediaError) as raised:
        validate_video(tmp_path / "missing.mp4")
    assert str(tmp_path) not in str(raised.value)


@pytest.mark.parametrize("source", [None, 5, ["a"]])
def test_what_is_no_source(source: Any) -> None:
    with pytest.raises(TypeError):
        validate_video(source)
