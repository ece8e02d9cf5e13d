"""The file store among processes: its bound, whole values, leases."""

from __future__ import annotations

import errno
import os
import resource
import signal
import threading
import time

import pytest

from wsgiperf.cache.stores import folders
from wsgiperf.cache.stores.filesystem import FileSystemStore
from wsgiperf.cache.stores.locks import FileLeases

from .forks import ended_well, files, fork, used

BODY = bytes(range(256)) * 60
KEY = "https://example.com/"


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def store(directory):
    return FileSystemStore(directory, 10_000_000)


class TestBound:
    @pytest.mark.parametrize("capacity", [300_000, 5_000_000])
    def test_room_is_made(self, directory, capacity):
        store = FileSystemStore(directory, capacity)
        most = 0
        for number in range(1000):
            assert store.set(str(number), BODY) is True
            assert store.get(str(number)) == BODY
            if number % 20 == 0:
                most = max(most, used(directory))
        assert capacity * 0.7 < most <= capacity * 1.125

    def test_large_values_among_small_ones(self, directory):
        store = FileSystemStore(directory, 1_000_000)
        for number in range(300):
            store.set(str(number), bytes(100))
        for number in range(100):
            assert store.set(f"large {number}", bytes(120_000)) is True
            assert used(directory) <= 1_125_000

    def test_the_cost_depends_on_a_few_folders_only(self, directory, monkeypatch):
        store = FileSystemStore(directory, 4096 * 2000)
        for number in range(2100):
            store.set(str(number), b"value")
        read = []
        real = os.scandir
        monkeypatch.setattr(folders.os, "scandir", lambda path: read.append(path) or real(path))
        for number in range(3000, 3500):
            store.set(str(number), b"value")
        assert 0 < len(read) <= 500 * 4
        monkeypatch.undo()
        assert len(files(directory)) <= 2001

    def test_overwriting_does_not_push_out_others(self, directory):
        store = FileSystemStore(directory, 1_000_000)
        for number in range(20):
            store.set(str(number), BODY)
        for _ in range(500):
            store.set("0", BODY)
        assert sum(store.has(str(number)) for number in range(20)) == 20

    def test_removing_counts(self, directory):
        store = FileSystemStore(directory, 1_000_000)
        for number in range(40):
            store.set(str(number), BODY)
        for _ in range(200):
            store.set("another", BODY)
            assert store.delete("another") is True
        assert sum(store.has(str(number)) for number in range(40)) == 40
        for _ in range(20):
            for number in range(15):
                store.set(f"odd {number}", b"odd" + BODY)
            assert store.purge(lambda head: head.startswith(b"odd"), 0.0) == 15
        assert sum(store.has(str(number)) for number in range(40)) == 40

    def test_what_was_read_outlives_what_was_not(self, directory):
        """Said by the access times, so they are set as reading sets them on a file system that keeps them."""
        store = FileSystemStore(directory, 64 * 4096)
        for number in range(50):
            store.set(f"read {number}", b"value")
            store.set(f"unread {number}", b"value") if number < 10 else None
        for path in files(directory):
            state = path.stat()
            was_read = b"unread" not in path.read_bytes()
            os.utime(path, ns=(state.st_mtime_ns + was_read * 10**9, state.st_mtime_ns))
        for number in range(9):
            store.set(f"new {number}", b"value")
        lost = [n for n in range(50) if not store.has(f"read {n}")]
        lost_unread = [n for n in range(10) if not store.has(f"unread {n}")]
        assert len(lost_unread) / 10 > len(lost) / 50

    def test_four_processes_keep_it_together(self, directory):
        store = FileSystemStore(directory, 2_000_000)

        def write(process):
            return lambda: all(store.set(f"{process} {number}", BODY) for number in range(300))

        children = [fork(write(process)) for process in range(4)]
        assert [ended_well(child) for child in children] == [True] * 4
        assert 1_000_000 < used(directory) <= 2_250_000


class TestProcesses:
    def test_concurrent_writers_never_mix_values(self, store):
        """Each value is one byte repeated, its length told by that byte."""

        def whole(value):
            return value is None or (len(set(value)) == 1 and len(value) == 5000 * value[0])

        def use(process):
            def work():
                for turn in range(150):
                    number = 1 + (process * 7 + turn) % 20
                    store.set(f"key {turn % 3}", bytes([number]) * (5000 * number))
                    if not all(whole(store.get(f"key {other}")) for other in range(3)):
                        return False
                return True

            return work

        children = [fork(use(process)) for process in range(4)]
        assert [ended_well(child) for child in children] == [True] * 4

    def test_a_lease_is_had_by_one_thread_of_one_process(self, store, tmp_path):
        """4 processes of 4 threads take and leave it; a file made exclusively says who is inside."""
        inside, counted = tmp_path / "inside", tmp_path / "counted"

        def work():
            alone, start = [], threading.Barrier(4)

            def take():
                start.wait(60)
                had, deadline = 0, time.monotonic() + 80
                while had < 20 and time.monotonic() < deadline:
                    lease = store.lease(KEY, 5)
                    if lease is None:
                        time.sleep(0.0005)
                        continue
                    os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
                    with counted.open("ab") as file:
                        file.write(b".")
                    inside.unlink()
                    lease.release()
                    had += 1
                alone.append(had)

            threads = [threading.Thread(target=take) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return alone == [20] * 4

        children = [fork(work) for _ in range(4)]
        assert [ended_well(child) for child in children] == [True] * 4
        assert len(counted.read_bytes()) == 4 * 4 * 20

    def test_a_killed_holder_holds_nothing(self, store):
        reading, writing = os.pipe()

        def hold():
            lease = store.lease(KEY, 5)
            os.write(writing, b"1" if lease else b"0")
            signal.pause()

        child = fork(hold)
        os.close(writing)
        try:
            assert os.read(reading, 1) == b"1"
            assert store.lease(KEY, 5) is None
            assert store.lease("other", 5) is not None
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(reading)
        assert store.lease(KEY, 5) is not None

    def test_a_child_holds_nothing_of_its_parents_and_releases_nothing(self, store):
        lease = store.lease(KEY, 5)

        def child():
            lease.release()
            return (
                lease.renew() is False and store.lease(KEY, 5) is None and store.lease("other", 5) is not None
            )

        assert ended_well(fork(child))
        assert lease.renew() is True
        assert ended_well(fork(lambda: store.lease(KEY, 5) is None))
        lease.release()
        assert ended_well(fork(lambda: store.lease(KEY, 5) is not None))

    def test_a_child_gets_what_its_parent_held_and_let_go(self, store):
        lease = store.lease(KEY, 5)
        reading, writing = os.pipe()

        def child():
            os.read(reading, 1)
            return store.lease(KEY, 5) is not None

        process = fork(child)
        lease.release()
        os.write(writing, b"1")
        assert ended_well(process)
        os.close(reading)
        os.close(writing)

    def test_two_stores_on_one_directory_exclude_each_other(self, store, directory):
        """And making, using or dropping the second does not free the first one's lock."""
        lease = store.lease(KEY, 5)
        second = FileSystemStore(directory, 10_000_000)
        assert second.lease(KEY, 5) is None
        second.lease("other", 5).release()
        second.clear()
        second.purge(lambda head: True, 0.0)
        del second
        assert ended_well(fork(lambda: store.lease(KEY, 5) is None))
        assert lease.renew()

    def test_of_many_that_add_one_wins(self, store, tmp_path):
        def add():
            if store.add(KEY, BODY):
                (tmp_path / f"won {os.getpid()}").touch()
            return store.get(KEY) in (None, BODY)

        children = [fork(add) for _ in range(8)]
        assert [ended_well(child) for child in children] == [True] * 8
        assert len(list(tmp_path.glob("won *"))) == 1


def is_open_on(descriptor: int, wanted: os.stat_result) -> bool:
    """Whether a descriptor, if it is open still, is one of that file."""
    try:
        return os.path.samestat(os.fstat(descriptor), wanted)
    except OSError:
        return False


class TestLeases:
    def test_the_file_may_be_removed(self, tmp_path):
        leases = FileLeases(str(tmp_path / "leases"))
        kept = leases.lease(KEY)
        (tmp_path / "leases").unlink()
        again = leases.lease(KEY)
        assert again is not None
        kept.release()
        assert ended_well(fork(lambda: leases.lease(KEY) is None))
        assert again.renew()

    def test_one_descriptor_serves_all(self, tmp_path):
        leases = FileLeases(str(tmp_path / "leases"))
        leases.lease(KEY).release()
        for number in range(50):
            FileLeases(str(tmp_path / "leases")).lease(f"{KEY}{number}").release()
        wanted = os.stat(tmp_path / "leases")
        descriptors = [int(name) for name in os.listdir("/proc/self/fd")]
        assert sum(is_open_on(descriptor, wanted) for descriptor in descriptors) == 1

    def test_descriptors_may_be_closed_by_a_daemon(self, tmp_path):
        leases = FileLeases(str(tmp_path / "leases"))
        leases.lease(KEY).release()

        def daemon():
            os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
            with (tmp_path / "another").open("wb"):
                lease = leases.lease(KEY)
                inner = os.fork()
                if not inner:
                    os._exit(0 if leases.lease(KEY) is None else 1)
                return lease is not None and os.waitpid(inner, 0)[1] == 0

        assert ended_well(fork(daemon))

    def test_what_cannot_be_opened_is_an_error(self, tmp_path):
        (tmp_path / "elsewhere").write_bytes(b"")
        (tmp_path / "leases").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(OSError, match="symbolic"):
            FileLeases(str(tmp_path / "leases")).lease(KEY)

    def test_a_lock_that_cannot_be_had_leaves_the_name_free(self, tmp_path, monkeypatch):
        leases = FileLeases(str(tmp_path / "leases"))

        def fail(*arguments):
            raise OSError(errno.ENOLCK, "no locks")

        with monkeypatch.context() as patched:
            patched.setattr("wsgiperf.cache.stores.locks.fcntl.lockf", fail)
            with pytest.raises(OSError, match="no locks"):
                leases.lease(KEY)
        assert leases.lease(KEY) is not None

    def test_a_forgotten_lease_is_free(self, tmp_path):
        leases = FileLeases(str(tmp_path / "leases"))
        lease = leases.lease(KEY)
        del lease
        assert ended_well(fork(lambda: leases.lease(KEY) is not None))
