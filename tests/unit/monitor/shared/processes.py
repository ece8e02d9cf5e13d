"""Processes that attach to a shared file, do as they are told, and die when it is time."""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from wsgiperf.monitor.shared.segment import Segment, attach

#: Words of a slab in these tests, and which of them are gauges.
WORDS = 64
GAUGES = (32, 40)


def attached(state: Path | str, slabs: int = 8, *, layout: int = 1, words: int = WORDS) -> Segment:
    return attach(str(state), slabs=slabs, slab_bytes=8 * words, layout=layout, gauges=GAUGES)


class Child:
    """A forked process that runs a function for each word it is sent, and sends back what that returned.

    :param handle: gets the word; what it returns must have a JSON form.
    """

    def __init__(self, handle: Callable[[str], Any]) -> None:
        read, self._write = os.pipe()
        self._read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                signal.alarm(120)
                os.close(self._write)
                with os.fdopen(read) as asked:
                    for line in iter(asked.readline, ""):
                        try:
                            answer = handle(line.strip())
                        except Exception as error:
                            answer = f"{type(error).__name__}: {error}"
                        os.write(write, json.dumps(answer).encode() + b"\n")
            finally:
                os._exit(0)
        os.close(read)
        os.close(write)
        self._alive = True

    def tell(self, word: str) -> None:
        os.write(self._write, f"{word}\n".encode())

    def answer(self) -> Any:
        data = b""
        while not data.endswith(b"\n"):
            ready = select.poll()  # select() knows no descriptors from 1024 on
            ready.register(self._read, select.POLLIN)
            assert ready.poll(30_000), "no answer"
            part = os.read(self._read, 65536)
            assert part, "it died"
            data += part
        return json.loads(data)

    def ask(self, word: str) -> Any:
        self.tell(word)
        return self.answer()

    def kill(self) -> None:
        """As by the kernel for want of memory."""
        if self._alive:
            self._alive = False
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            for descriptor in (self._read, self._write):
                with suppress(OSError):
                    os.close(descriptor)


def worker(state: Path | str, **options: Any) -> Child:
    """A process that counts in a slab of its own."""

    def handle(word: str) -> Any:
        name, *values = word.split()
        return _COMMANDS[name](attached(state, **options), *values)

    return Child(handle)


def _add(segment: Segment, number: str) -> int:
    segment.words[0] += int(number)
    segment.words[GAUGES[0]] += 1
    return segment.words[0]


def _about(segment: Segment) -> dict[str, Any]:
    return {"adopted": segment.adopted, "respawns": segment.respawns, "path": segment.path}


_COMMANDS: dict[str, Callable[..., Any]] = {
    "attach": lambda segment: segment.number,
    "add": _add,
    "gauge": lambda segment: segment.words[GAUGES[0]],
    "about": _about,
    "holders": Segment.holders,
    "lead": Segment.try_lead,
    "leader": Segment.leader,
    "publish": lambda segment, text: segment.board.write(text.encode()),
    "board": lambda segment: segment.board.read().decode(),
}
