"""How a stream is read, and what becomes of the store when it fails midway."""

import os
import threading
from io import BytesIO

import pytest

from tests.unit.media import files
from wsgiperf.media import MediaError
from wsgiperf.media.uploads import accept_upload

PNG = files.encoded(files.quadrants(), "PNG")


class Socket:
    """What gives little at a time, can't seek, and may break."""

    def __init__(self, data, step=7, broken=None):
        self._file, self._step, self._broken = BytesIO(data), step, broken
        self.given = 0

    def read(self, size=-1):
        assert size > 0, "all at once is not bounded"
        if self._broken is not None and self.given > 20:
            raise self._broken
        block = self._file.read(min(size, self._step))
        self.given += len(block)
        return block


def test_what_comes_in_small_pieces_and_cannot_seek_is_whole(store):
    assert accept_upload(Socket(PNG), store) == accept_upload(BytesIO(PNG), store)


def test_a_stream_is_read_from_its_beginning_and_left_where_it_stood(store):
    stream = BytesIO(PNG)
    stream.seek(10)
    accept_upload(stream, store)
    assert stream.tell() == 10
    assert not stream.closed


@pytest.mark.parametrize("limit", [100, 5000, 100_000])
def test_no_more_than_one_byte_beyond_the_limit_is_read(store, limit):
    endless = Socket(bytes(1_000_000), step=1 << 20)
    with pytest.raises(MediaError) as caught:
        accept_upload(endless, store, max_bytes=limit)
    assert caught.value.reason == "too_many_bytes"
    assert endless.given == limit + 1


def test_what_cannot_be_taken_is_refused_by_its_first_bytes(store):
    endless = Socket(bytes(1_000_000), step=1 << 20)
    with pytest.raises(MediaError) as caught:
        accept_upload(endless, store, kinds=("image",))
    assert caught.value.reason == "not_an_image"
    assert endless.given <= 4096


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (ConnectionResetError(), MediaError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (RuntimeError(), RuntimeError),
    ],
    ids=["the connection", "Ctrl-C", "the host's own error"],
)
def test_a_stream_that_breaks_leaves_nothing(store, stored, broken, expected):
    with pytest.raises(expected):
        accept_upload(Socket(PNG, broken=broken), store)
    assert stored() == []


@pytest.mark.parametrize("gives", ["text", None, 3])
def test_what_gives_no_bytes_is_unreadable(store, gives):
    class Odd:
        def read(self, size):
            return gives

    with pytest.raises(MediaError) as caught:
        accept_upload(Odd(), store)
    assert caught.value.reason == "unreadable"


def test_a_store_that_cannot_be_made_is_unwritable_and_names_no_place(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MediaError) as caught:
        accept_upload(BytesIO(PNG), tmp_path / "file" / "store")
    assert caught.value.reason == "unwritable"
    assert str(tmp_path) not in str(caught.value)


def test_a_file_that_cannot_get_its_name_takes_the_others_with_it(store, stored, monkeypatch):
    renamed = []

    def replace(source, target):
        renamed.append(target)
        if len(renamed) == 2:
            raise OSError(28, "No space left on device")
        os.rename(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(MediaError) as caught:
        accept_upload(BytesIO(files.encoded(files.photo(), "JPEG", quality=95)), store)
    assert (caught.value.reason, caught.value.detail) == ("unwritable", "No space left on device")
    assert stored() == []


def test_the_mask_of_the_process_decides_who_may_read(store):
    before = os.umask(0o027)
    try:
        upload = accept_upload(BytesIO(PNG), store)
    finally:
        os.umask(before)
    assert {(store / file.name).stat().st_mode & 0o777 for file in upload.files} == {0o640}


def test_what_a_killed_process_left_is_cleared_away_later(store, stored):
    store.mkdir()
    old, young, other = (store / name for name in (".upload-1.part", ".upload-2.part", ".other.part"))
    for path in (old, young, other):
        path.touch()
    os.utime(old, (0, 0))
    os.utime(other, (0, 0))
    accept_upload(BytesIO(PNG), store)
    assert not old.exists()
    assert young.exists()
    assert other.exists()


def test_many_at_once_of_the_same_file(store, stored):
    done = []

    def send():
        done.append(accept_upload(BytesIO(PNG), store))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 8
    assert len(set(done)) == 1
    assert stored() == sorted({file.name for file in done[0].files})
