"""The file store: hostile directories, full disks, several processes, the bound."""

from __future__ import annotations

import errno
import os
import resource
import stat
import struct
import time
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wsgiperf.cache.stores import folders
from wsgiperf.cache.stores.filesystem import FileSystemStore

from .forks import ended_well, files, fork, used

BODY = bytes(range(256)) * 60
KEY = "https://example.com/"


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def store(directory):
    return FileSystemStore(directory, 10_000_000)


@pytest.fixture
def place(directory):
    """Where the file of KEY lies."""
    digest = sha256(KEY.encode()).hexdigest()
    path = directory / digest[:2] / digest[2:]
    path.parent.mkdir(mode=0o700, parents=True)
    directory.chmod(0o700)
    return path


class TestFiles:
    def test_nobody_else_can_read_them(self, store, directory):
        store.set(KEY, BODY)
        store.lease(KEY).release()
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [directory, *directory.rglob("*")]}
        assert len(modes) == 6
        assert {
            path: mode for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)
        } == {}

    def test_a_directory_that_others_may_write_to_is_refused(self, directory):
        directory.mkdir()
        directory.chmod(0o777)
        with pytest.raises(PermissionError, match="others"):
            FileSystemStore(directory, 1_000_000)

    def test_also_when_it_turns_up_later(self, store, directory):
        directory.mkdir()
        directory.chmod(0o777)
        assert store.set(KEY, BODY) is False
        assert isinstance(store.failure, PermissionError)
        assert files(directory) == []

    def test_a_file_is_no_directory(self, directory):
        directory.write_bytes(b"")
        with pytest.raises(NotADirectoryError):
            FileSystemStore(directory, 1_000_000)

    def test_another_process_reads_them(self, store, directory):
        store.set(KEY, BODY)
        assert ended_well(fork(lambda: FileSystemStore(directory, 10_000_000).get(KEY) == BODY))

    def test_those_of_another_boot_are_misses(self, store, directory, monkeypatch):
        store.set(KEY, BODY)
        monkeypatch.setattr("wsgiperf.cache.stores.filesystem._boot", lambda: 7)
        assert FileSystemStore(directory, 10_000_000).get(KEY) is None


class TestHostileDirectory:
    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda tail: b"wpc1" + tail))
    def test_any_file_is_a_miss(self, store, place, content):
        place.write_bytes(content)
        assert store.get(KEY) is None
        assert store.purge(lambda head: True, 1.0) <= 1
        assert store.set(KEY, b"ours") is True
        assert store.get(KEY) == b"ours"

    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data(), st.sampled_from([10, 66_000]))
    def test_a_damaged_file_is_a_miss_or_another_value_of_that_length(self, store, place, data, size):
        store.set(KEY, bytes(size), 0)
        content = bytearray(place.read_bytes())
        at = data.draw(st.integers(0, 31) | st.integers(0, len(content) - 1))
        content[at] ^= data.draw(st.integers(1, 255))
        place.write_bytes(content)
        value = store.get(KEY)
        assert value is None or len(value) == size
        if at < 8 or 16 <= at < 32 + len(KEY):  # all but the end of its time and what fills up
            assert value is None

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data(), st.sampled_from([0, 10, 66_000]), st.booleans())
    def test_a_cut_or_lengthened_file_is_a_miss(self, store, place, data, size, cut):
        store.set(KEY, bytes(size))
        content = place.read_bytes()
        if cut:
            place.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
        else:
            place.write_bytes(content + data.draw(st.binary(min_size=1, max_size=70_000)))
        assert store.get(KEY) is None

    def test_another_keys_file_is_a_miss(self, store, place):
        store.set("another", BODY)
        (other,) = files(place.parent.parent)
        other.rename(place)
        assert store.get(KEY) is None

    def test_a_file_that_claims_to_be_huge_is_a_miss(self, store, place):
        place.write_bytes(struct.pack("<4sIdQQ", b"wpc1", 20, 0.0, 1 << 60, 0) + bytes(70_000))
        assert store.get(KEY) is None
        os.truncate(place, 1 << 40)
        assert store.get(KEY) is None

    @pytest.mark.parametrize("what", ["directory", "pipe", "symlink", "symlink to nowhere", "loop"])
    def test_what_is_no_file_is_a_miss_and_not_followed(self, store, place, tmp_path, what):
        outside = tmp_path / "outside"
        outside.write_bytes(b"precious")
        if what == "directory":
            place.mkdir()
        elif what == "pipe":
            os.mkfifo(place)
        else:
            target = {"symlink": outside, "loop": place}.get(what, tmp_path / "nowhere")
            place.symlink_to(target)
        assert store.get(KEY) is None
        assert store.purge(lambda head: True, 0.0) == 0
        assert store.set(KEY, BODY) is (what != "directory")
        assert store.get(KEY) == (None if what == "directory" else BODY)
        assert store.clear() is True
        assert outside.read_bytes() == b"precious"

    def test_a_valid_file_behind_a_symlink_is_a_miss(self, store, place, tmp_path):
        store.set(KEY, BODY)
        place.rename(tmp_path / "elsewhere")
        place.symlink_to(tmp_path / "elsewhere")
        assert store.get(KEY) is None

    def test_a_pipe_that_somebody_writes_to_is_a_miss(self, store, place):
        store.set(KEY, b"short")
        content = place.read_bytes()
        place.unlink()
        os.mkfifo(place)
        descriptor = os.open(place, os.O_RDWR)
        try:
            assert store.get(KEY) is None
            os.write(descriptor, content[:20])
            assert store.get(KEY) is None
        finally:
            os.close(descriptor)

    def test_other_peoples_files_stay(self, store, directory, tmp_path):
        store.set(KEY, BODY)
        stranger = directory / "00" / "notes.txt"
        stranger.parent.mkdir(exist_ok=True)
        stranger.write_bytes(bytes(1 << 20))
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        bystanders = [elsewhere / name for name in ("passwd", "0123abcd", "unfinished.tmp")]
        for bystander in bystanders:
            bystander.write_bytes(b"somebody's")
            os.utime(bystander, (0, 0))
        (directory / "ab").symlink_to(elsewhere)
        assert store.clear() is True
        assert stranger.exists()
        for number in range(200):
            store.set(str(number), BODY)
        assert stranger.exists()
        assert [path for path in bystanders if not path.exists()] == []

    @pytest.mark.parametrize("content", [b"", b"x" * 100, b"\xff" * 2048, b"\0" * 2048, b"x" * 5000], ids=len)
    def test_any_table_will_do(self, directory, content):
        store = FileSystemStore(directory, 1_000_000)
        for number in range(30):
            store.set(str(number), BODY)
        (directory / "table").write_bytes(content)
        for number in range(600):
            assert store.set(str(number), BODY) is True
        assert used(directory) <= 1_125_000

    @pytest.mark.parametrize("what", ["missing", "pipe", "symlink"])
    def test_a_table_that_is_none_is_replaced(self, store, directory, tmp_path, what):
        outside = tmp_path / "outside"
        outside.write_bytes(b"precious")
        store.set(KEY, BODY)
        table = directory / "table"
        table.unlink()
        if what == "pipe":
            os.mkfifo(table)
        elif what == "symlink":
            table.symlink_to(outside)
        assert store.set("another", BODY) is True
        assert sum(struct.unpack("<256Q", table.read_bytes())) == used(directory)
        assert outside.read_bytes() == b"precious"


class TestTrouble:
    @pytest.mark.parametrize("call", ["writev", "replace", "pwrite"])
    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT], ids=os.strerror)
    def test_a_write_that_fails_leaves_neither_value_nor_rest(
        self, store, directory, monkeypatch, call, code
    ):
        store.set(KEY, b"older")

        def fail(*arguments):
            raise OSError(code, os.strerror(code))

        with monkeypatch.context() as patched:
            patched.setattr(folders.os, call, fail)
            assert store.set(KEY, BODY) is False
        assert store.failure.errno == code
        assert store.get(KEY) is None
        assert files(directory) == []
        assert store.set(KEY, BODY) is True

    def test_a_full_disk(self, store, directory):
        """The kernel cuts what is written at a limit, as a disk does, then refuses."""
        store.set(KEY, b"older")

        def write():
            resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
            refused = store.set(KEY, BODY) is False and store.failure.errno == errno.EFBIG
            return refused and store.get(KEY) is None and files(directory) == [] and store.set(KEY, b"small")

        assert ended_well(fork(write))
        assert store.get(KEY) == b"small"

    def test_an_interrupted_write_leaves_no_rest(self, store, directory, monkeypatch):
        def interrupt(*arguments):
            raise KeyboardInterrupt

        monkeypatch.setattr(folders.os, "writev", interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.set(KEY, BODY)
        assert files(directory) == []

    def test_a_read_only_directory(self):
        """Modes don't stop root, who therefore becomes another user in the child."""
        nobody = 65_534

        def read_only(directory):
            if os.geteuid() == 0:
                for path in [directory.parent, directory, *directory.rglob("*")]:
                    os.chown(path, nobody, nobody)
                os.setresuid(nobody, nobody, nobody)
            for path in [*directory.glob("??"), directory]:
                path.chmod(0o500)
            store = FileSystemStore(directory, 10_000_000)
            if store.set(KEY, b"later") or store.set("new", BODY) or store.failure.errno != errno.EACCES:
                return False
            with pytest.raises(PermissionError):
                store.delete(KEY)
            with pytest.raises(PermissionError):
                store.purge(lambda head: True, 0.0)
            return store.get("new") is None and store.get(KEY) == BODY

        with TemporaryDirectory() as parent:
            directory = Path(parent, "store")
            FileSystemStore(directory, 10_000_000).set(KEY, BODY)
            try:
                assert ended_well(fork(lambda: read_only(directory)))
            finally:
                for path in [directory, *directory.glob("??")]:
                    path.chmod(0o700)

    def test_purge_and_clear_say_what_they_could_not_do(self, store, monkeypatch):
        for number in range(10):
            store.set(str(number), BODY)
        real = os.unlink
        refused = []

        def fail_once(path):
            if not refused:
                refused.append(path)
                raise OSError(errno.EROFS, "read-only")
            real(path)

        monkeypatch.setattr(folders.os, "unlink", fail_once)
        with pytest.raises(OSError, match="read-only"):
            store.purge(lambda head: True, 0.0)
        assert sum(store.has(str(number)) for number in range(10)) == 1
        refused.clear()
        with pytest.raises(OSError, match="read-only"):
            store.clear()
        assert store.clear() is True

    def test_purge_removes_what_another_version_wrote(self, store, place):
        place.write_bytes(b"wpc9" + bytes(100))
        assert store.purge(lambda head: False, 1.0) == 0
        assert not place.exists()

    def test_what_crashed_writers_left_is_swept(self, directory):
        now = [time.time()]
        store = FileSystemStore(directory, 10_000_000, clock=lambda: now[0])
        store.set(KEY, BODY)
        rests = [directory / f"{number:02x}" / f".{number:016x}" for number in range(256)]
        for rest in rests:
            rest.parent.mkdir(exist_ok=True)
            rest.write_bytes(b"unfinished")
            os.utime(rest, (now[0], now[0]))
        turns = 257 * folders.TIDY_EVERY
        for _ in range(turns // 16):
            store._folders._tidy(store._folders._count(), store._folders._next_folder())
        assert all(rest.exists() for rest in rests)
        now[0] += folders.ABANDONED + 5
        for turn in range(turns):
            store.set(KEY, b"")
            if turn % 1000 == 0 and not any(rest.exists() for rest in rests):
                break
        assert [rest for rest in rests if rest.exists()] == []
        assert store.get(KEY) == b""
