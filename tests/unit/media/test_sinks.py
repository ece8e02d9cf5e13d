import io
import os
import stat

import pytest

from tests.unit.media import files
from wsgiperf.media import MediaError, optimize
from wsgiperf.media.sinks import write

DATA = files.encoded(files.quadrants(), "PNG")


def test_a_result_is_written_to_a_path(tmp_path):
    result = optimize(DATA, tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes() == result.data
    assert os.listdir(tmp_path) == ["out.png"]


def test_a_new_file_has_the_rights_that_the_process_gives_files(tmp_path):
    mask = os.umask(0o027)
    try:
        write(b"new", tmp_path / "new")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_a_file_that_is_replaced_keeps_its_rights(tmp_path):
    path = tmp_path / "old"
    path.write_bytes(b"old")
    path.chmod(0o604)
    write(b"new", str(path))
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "old"
    path.write_bytes(b"old")

    def refuse(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(MediaError) as caught:
        write(b"new", path)
    assert caught.value.reason == "unwritable"
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["old"]


@pytest.mark.parametrize("where", ["missing/out", "."], ids=["no folder", "a folder"])
def test_a_path_that_cannot_be_written(tmp_path, where):
    with pytest.raises(MediaError) as caught:
        write(b"new", tmp_path / where)
    assert caught.value.reason == "unwritable"
    assert os.listdir(tmp_path) == []


def test_a_file_object_gets_all_and_stays_open():
    class Slow(io.RawIOBase):
        taken = b""

        def writable(self):
            return True

        def write(self, data):
            part = bytes(data[:100])
            self.taken += part
            return len(part)

    slow = Slow()
    result = optimize(DATA, slow)
    assert slow.taken == result.data
    assert not slow.closed


def test_nothing_is_written_of_a_file_that_is_no_picture(tmp_path):
    path = tmp_path / "old"
    path.write_bytes(b"old")
    with pytest.raises(MediaError):
        optimize(DATA[:60], path)
    assert path.read_bytes() == b"old"
