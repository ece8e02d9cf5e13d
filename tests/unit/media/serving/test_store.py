"""The store of variants: whole values or none, within its bound."""

import os
import time

import pytest

from wsgiperf.media.serving.store import ABANDONED, TOUCH, Store, default_directory
from wsgiperf.media.serving.variants import digest

ONE, OTHER = digest("one"), digest("other")


def path(store, name):
    return f"{store.root}/{name[:2]}/{name[2:]}"


def used(directory):
    files = [found for found in directory.glob("??/*") if found.is_file()]
    return sum(-(-found.stat().st_size // 4096) * 4096 for found in files)


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "variants"), 2**20)


def test_what_was_put_in_comes_out(store):
    assert store.get(ONE) is None
    assert store.put(ONE, b"value")
    assert store.get(ONE) == b"value"
    assert store.put(ONE, b"")
    assert store.get(ONE) == b""
    assert store.get(OTHER) is None


def test_another_process_finds_it(store):
    store.put(ONE, b"value")
    assert Store(store.root, 2**20).get(ONE) == b"value"


def test_the_directory_is_for_this_user_alone(store):
    store.put(ONE, b"value")
    assert os.stat(store.root).st_mode & 0o077 == 0
    assert os.stat(path(store, ONE)).st_mode & 0o077 == 0


HOSTILE = {
    "cut": lambda data: data[:-1],
    "cut in the head": lambda data: data[:20],
    "empty": lambda data: b"",
    "longer": lambda data: data + b"x",
    "a bit": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "a bit of the checksum": lambda data: data[:20] + bytes([data[20] ^ 1]) + data[21:],
    "another version": lambda data: b"wpm0" + data[4:],
    "noise": lambda data: bytes(n * 167 % 251 for n in range(len(data))),
    "a pickle": lambda data: b"\x80\x04cos\nsystem\n(S'true'\ntR.",
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_damaged_bytes_are_a_miss(store, change):
    store.put(ONE, b"value" * 20)
    with open(path(store, ONE), "r+b") as file:
        data = file.read()
        file.seek(0)
        file.truncate()
        file.write(change(data))
    assert store.get(ONE) is None
    assert store.put(ONE, b"new")
    assert store.get(ONE) == b"new"


def test_a_file_in_the_place_of_another_is_a_miss(store):
    store.put(ONE, b"value")
    store.put(OTHER, b"other")
    os.replace(path(store, OTHER), path(store, ONE))
    assert store.get(ONE) is None


def test_what_is_no_file_is_a_miss(store, tmp_path):
    store.put(OTHER, b"value")
    os.makedirs(path(store, ONE))
    assert store.get(ONE) is None
    assert not store.put(ONE, b"new")
    os.rmdir(path(store, ONE))
    os.mkfifo(path(store, ONE))
    assert store.get(ONE) is None
    os.unlink(path(store, ONE))
    os.symlink(path(store, OTHER), path(store, ONE))
    assert store.get(ONE) is None


def test_a_directory_that_others_may_write_to_is_not_used(tmp_path):
    directory = tmp_path / "open"
    directory.mkdir()
    directory.chmod(0o777)
    store = Store(str(directory), 2**20)
    assert not store.put(ONE, b"value")
    assert store.get(ONE) is None
    assert isinstance(store.failure, PermissionError)


def test_a_store_that_cannot_write_keeps_nothing(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    store = Store(str(tmp_path / "file"), 2**20)
    assert not store.put(ONE, b"value")
    assert store.get(ONE) is None
    assert store.failure is not None
    lease = store.lease(ONE)
    assert lease is not None  # threads are kept apart all the same
    assert store.lease(ONE) is None
    lease.release()


def test_a_large_value_is_not_kept(store):
    assert not store.put(ONE, bytes(2**17 + 1))
    assert store.put(ONE, bytes(2**17))


def test_it_stays_within_its_bound(store, tmp_path):
    most = 0
    for number in range(300):
        assert store.put(digest(number), bytes(20_000))
        store.make_room()
        most = max(most, used(tmp_path / "variants"))
    assert 2**20 * 0.7 < most <= 2**20 + 2**17


def test_several_processes_together_stay_near_it(tmp_path):
    stores = [Store(str(tmp_path / "variants"), 2**20) for _ in range(4)]
    for number in range(400):
        store = stores[number % 4]
        store.put(digest(number), bytes(20_000))
        store.make_room()
    assert used(tmp_path / "variants") <= 2**20 * (1 + 4 / 16) + 2**17


def test_the_least_recently_used_go_first(store, tmp_path):
    now = time.time()
    for number in range(40):
        store.put(digest(number), bytes(20_000))
        os.utime(path(store, digest(number)), (now - 10 * TOUCH + number,) * 2)
    assert store.get(digest(0)) is not None  # the oldest has been used just now
    for number in range(40, 60):
        store.put(digest(number), bytes(20_000))
    store.make_room()
    assert store.get(digest(0)) is not None
    assert store.get(digest(1)) is None
    assert store.get(digest(59)) is not None


def test_what_a_crashed_writer_left_is_swept_and_foreign_files_stay(store, tmp_path):
    store.put(ONE, b"value")
    folder = os.path.dirname(path(store, ONE))
    for name, age in ((".0123456789abcdef", ABANDONED + 60), (".fedcba9876543210", 0), ("notes.txt", 10**6)):
        with open(f"{folder}/{name}", "wb"):
            os.utime(f"{folder}/{name}", (time.time() - age,) * 2)
    store.make_room()
    assert sorted(os.listdir(folder)) == sorted([".fedcba9876543210", ONE[2:], "notes.txt"])


def test_a_lease_keeps_others_out_until_it_is_released(store):
    lease = store.lease(ONE)
    assert store.lease(ONE) is None
    assert Store(store.root, 2**20).lease(ONE) is None
    assert store.lease(OTHER) is not None
    lease.release()
    again = store.lease(ONE)
    lease.release()  # the second time it has no effect
    assert store.lease(ONE) is None
    again.release()


def test_a_directory_is_found_for_the_application(tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    found = default_directory()
    assert found == default_directory()
    assert found.startswith(str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert default_directory() != found
    os.chmod(os.path.dirname(found), 0o777)
    with pytest.raises(PermissionError):
        default_directory()
