import io
import os

import pytest

from tests.unit.descriptors import still_open
from tests.unit.media import files
from wsgiperf.media import MediaError, optimize, probe
from wsgiperf.media.sources import read

DATA = files.encoded(files.quadrants(), "PNG")


class Trickle(io.RawIOBase):
    """A socket's file: gives a few bytes at a time and cannot seek."""

    def __init__(self, data):
        self._rest = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._rest.readinto(memoryview(buffer)[:7])


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview], ids=lambda kind: kind.__name__)
def test_bytes_of_any_kind(kind):
    assert probe(kind(DATA)).width == 80


@pytest.mark.parametrize("kind", [str, os.fspath, lambda path: path], ids=["str", "fspath", "path"])
def test_a_path(tmp_path, kind):
    path = tmp_path / "picture.txt"
    path.write_bytes(DATA)
    assert probe(kind(path)).format == "png"


@pytest.mark.parametrize("position", [0, 5, len(DATA)])
def test_a_file_object_is_read_whole_left_where_it_stood_and_stays_open(position):
    file = io.BytesIO(DATA)
    file.seek(position)
    assert optimize(file).width == 80
    assert file.tell() == position
    assert not file.closed


def test_a_file_object_is_left_where_it_stood_when_it_is_no_picture():
    file = io.BytesIO(b"no picture")
    file.seek(3)
    with pytest.raises(MediaError):
        optimize(file)
    assert file.tell() == 3
    assert not file.closed


def test_what_cannot_seek_and_gives_little_at_a_time():
    assert read(Trickle(DATA), 10_000) == DATA


def test_no_more_is_read_than_is_allowed():
    class Endless:
        given = 0

        def read(self, size):
            self.given += size
            return bytes(size)

    endless = Endless()
    with pytest.raises(MediaError) as caught:
        read(endless, 3_000_000)
    assert caught.value.reason == "too_many_bytes"
    assert endless.given == 3_000_001


def test_exactly_as_many_bytes_as_are_allowed():
    assert read(io.BytesIO(DATA), len(DATA)) == read(DATA, len(DATA)) == DATA


def _pipe(folder):
    os.mkfifo(folder / "pipe")  # opening it for reading would wait for a writer
    return folder / "pipe"


UNREADABLE = {
    "missing": lambda folder: folder / "missing",
    "a folder": lambda folder: folder,
    "a pipe": _pipe,
    "a zero byte": lambda folder: "a\0b",
    "text": lambda folder: io.StringIO("text"),
    "closed": lambda folder: _closed(),
}


def _closed():
    file = io.BytesIO(DATA)
    file.close()
    return file


@pytest.mark.parametrize("make", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read(tmp_path, make):
    with pytest.raises(MediaError) as caught:
        optimize(make(tmp_path))
    assert caught.value.reason == "unreadable"
    assert str(tmp_path) not in str(caught.value)


def test_what_is_no_source_is_a_mistake_of_the_caller():
    with pytest.raises(TypeError):
        optimize(5)


def test_no_file_stays_open(tmp_path):
    paths = [tmp_path / "good.png", tmp_path / "bad.png"]
    paths[0].write_bytes(DATA)
    paths[1].write_bytes(DATA[:70])
    for _ in range(5):
        optimize(paths[0])
        with pytest.raises(MediaError):
            optimize(paths[1])
    assert still_open(*paths) == []
