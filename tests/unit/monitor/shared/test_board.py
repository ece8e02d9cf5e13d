"""What the board shows is one whole document, or nothing."""

from __future__ import annotations

import mmap
import os
import random
import signal
import time
from collections.abc import Callable

import pytest

from wsgiperf.errors import WSGIPerfError
from wsgiperf.monitor.shared import board as module
from wsgiperf.monitor.shared.board import BOARD_BYTES, MOST_BYTES, Board, BoardError

from .processes import Child


@pytest.fixture
def memory() -> memoryview:
    return memoryview(mmap.mmap(-1, BOARD_BYTES))  # shared with forked children


def test_empty(memory: memoryview) -> None:
    board = Board(memory)
    assert (board.number, board.read()) == (0, b"")


@pytest.mark.parametrize(
    "documents",
    [
        pytest.param([b"a"], id="one"),
        pytest.param([b"longer", b"short", b"", b"longest"], id="several"),
        pytest.param([b"x" * MOST_BYTES, b"y" * MOST_BYTES, b"z" * MOST_BYTES], id="longest"),
    ],
)
def test_the_last_document_is_up(memory: memoryview, documents: list[bytes]) -> None:
    """For other boards of the same memory as well; the number tells that there is a new one."""
    board, reader = Board(memory), Board(memory)
    for number, document in enumerate(documents, 1):
        board.write(document)
        assert (reader.number, reader.read()) == (number, document)


def test_one_that_is_too_long_leaves_the_last_up(memory: memoryview) -> None:
    board = Board(memory)
    board.write(b"a")
    with pytest.raises(BoardError, match="at most 524,288 bytes, got 524,289") as refused:
        board.write(b"x" * (MOST_BYTES + 1))
    assert isinstance(refused.value, WSGIPerfError)
    assert (board.number, board.read()) == (1, b"a")


def flip(memory: memoryview, place: int) -> None:
    memory[place] ^= 1


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda memory: flip(memory, 4096 + MOST_BYTES + 2), id="document"),
        pytest.param(lambda memory: flip(memory, 8 * 2), id="length"),
        pytest.param(lambda memory: flip(memory, 8 * 2 + 7), id="huge-length"),
        pytest.param(lambda memory: flip(memory, 8 * 4), id="checksum"),
        pytest.param(lambda memory: flip(memory, 0), id="number"),
    ],
)
def test_a_damaged_board_shows_nothing(memory: memoryview, spoil: Callable[[memoryview], None]) -> None:
    """Until the next is written."""
    board = Board(memory)
    board.write(b"document")
    assert board.read() == b"document"
    spoil(memory)
    assert board.read() == b""
    board.write(b"next")
    assert board.read() == b"next"


class Mortal:
    """Words for a process that dies at its n-th touch of them."""

    def __init__(self, words: memoryview, touches: int) -> None:
        self.words, self.touches = words, touches

    def touch(self) -> None:
        self.touches -= 1
        if self.touches == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def __getitem__(self, key: int) -> int:
        self.touch()
        return self.words[key]

    def __setitem__(self, key: int, value: int) -> None:
        self.touch()
        self.words[key] = value


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")
@pytest.mark.parametrize("touch", range(1, 5))
def test_a_writer_that_dies_leaves_the_last_document(memory: memoryview, touch: int) -> None:
    """At whichever step; its successor writes on."""
    board = Board(memory)
    board.write(b"before")
    pid = os.fork()
    if pid == 0:
        board._words = Mortal(board._words, touch)  # type: ignore[assignment]
        board.write(b"unfinished")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert board.read() == b"before"
    board.write(b"after")
    assert board.read() == b"after"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")
def test_readers_see_whole_documents_in_order(memory: memoryview) -> None:
    """While another process writes as fast as it can: none torn, none older than the last."""
    board = Board(memory)

    def write(word: str) -> None:
        rng = random.Random(4)
        number = 0
        while True:
            number += 1
            board.write(b"%d " % number * rng.choice((1, 100, 20_000)))

    writer = Child(write)
    writer.tell("go")
    try:
        last = seen = 0
        deadline = time.monotonic() + 90
        while seen < 300:
            assert time.monotonic() < deadline, seen
            document = board.read()
            if document:
                numbers = set(document.split())
                assert len(numbers) == 1
                assert int(min(numbers)) >= last
                seen += int(min(numbers)) > last
                last = int(min(numbers))
    finally:
        writer.kill()


def test_the_states_of_the_board_are_never_split(memory: memoryview) -> None:
    """A document published between looking and copying: the reader takes the new one."""
    board, writer = Board(memory), Board(memory)
    writer.write(b"old")
    real = module.crc32
    published = []

    def crc32(document: bytes) -> int:
        if not published:
            published.append(1)
            writer.write(b"new")
        return real(document)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "crc32", crc32)
        assert board.read() == b"new"
