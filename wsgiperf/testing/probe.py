"""Acts out an `Application` and writes down what was done to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from inspect import GEN_CLOSED, getgeneratorstate, isgenerator
from typing import Any, NamedTuple
from wsgiref.types import StartResponse, WSGIEnvironment

from wsgiperf.testing.applications import Application, Shape
from wsgiperf.testing.files import CountedFile, FileWrapper

SORRY = b"Something went wrong, and this is the page that says so."


class StagedError(Exception):
    """What a probe raises."""


class Mark(NamedTuple):
    """A moment at which the application was asked for more: how much it had given, how much was sent."""

    given: int
    sent: int


@dataclass
class Journal:
    """What happened to the application during one call."""

    fields: list[tuple[str, str]]
    body: object = None
    """What it returned; for a file wrapper, the file."""
    asked: int = 0
    given: int = 0
    marks: list[Mark] = field(default_factory=list)
    error: BaseException | None = None
    """What it raised and nobody took back."""

    @property
    def closings(self) -> int:
        """How often the body was closed; of a generator only whether it was can be known."""
        if isgenerator(self.body):
            return int(getgeneratorstate(self.body) == GEN_CLOSED)
        return getattr(self.body, "closings", 0)

    @property
    def closable(self) -> bool:
        """Whether there is a body that has to be closed."""
        return hasattr(self.body, "close")


class Probe:
    """A WSGI application under observation. ``sent`` tells how many bytes the client has so far."""

    def __init__(self, application: Application, sent: Callable[[], int] = lambda: 0) -> None:
        self.application = application
        self.sent = sent
        self.journals: list[Journal] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        journal = Journal(list(self.application.fields))
        self.journals.append(journal)
        return _Act(self.application, journal, start_response, self.sent).body(environ)


@dataclass
class _Act:
    application: Application
    journal: Journal
    start_response: StartResponse
    sent: Callable[[], int]
    started: bool = False

    def body(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        application, journal = self.application, self.journal
        if application.late is None:
            self._start()
        blocks = self._stumble() if application.fails == "call" else application.blocks
        if application.shape is Shape.LIST:
            return list(blocks)
        if application.shape is Shape.TUPLE:
            return blocks
        if application.shape is Shape.FILE:
            journal.body = file = CountedFile(b"".join(blocks))
            wrapped: Iterable[bytes] = environ.get("wsgi.file_wrapper", FileWrapper)(file)
            return wrapped
        acted = self._act(blocks)
        body: Any = _BODIES[application.shape](self, acted) if application.shape in _BODIES else acted
        journal.body = body
        return body  # type: ignore[no-any-return]

    def _start_by(self, number: int) -> None:
        if not self.started and number >= (self.application.late or 0):
            self._start()

    def _start(self) -> None:
        self.started = True
        write = self.start_response(self.application.status, self.journal.fields)
        for block in self.application.written:
            write(block)
            self.journal.given += len(block)
            self._mark()

    def _act(self, blocks: tuple[bytes, ...]) -> Iterator[bytes]:
        application = self.application
        for number, block in enumerate(blocks):
            self._ask()
            if number == application.fails:
                yield from self._stumble()
                return
            self._start_by(number)
            self.journal.given += len(block)
            yield block
        self._ask()
        if application.fails == len(blocks):
            yield from self._stumble()
            return
        self._start_by(len(blocks))

    def _ask(self) -> None:
        self.journal.asked += 1
        self._mark()

    def _mark(self) -> None:
        self.journal.marks.append(Mark(self.journal.given, self.sent()))

    def _stumble(self) -> tuple[bytes, ...]:
        try:
            self.fail()
        except StagedError:
            if not self.application.recovers:
                raise
            fields = [("Content-Type", "text/plain")]
            self.start_response("500 Internal Server Error", fields, sys.exc_info())
            self.started = True
            self.journal.error = None
        return (SORRY,)

    def fail(self) -> None:
        self.journal.error = StagedError("the application failed")
        raise self.journal.error


class _Body:
    def __init__(self, act: _Act, blocks: Iterator[bytes]) -> None:
        self.act = act
        self.blocks = blocks
        self.closings = 0

    def next(self) -> bytes:
        if self.closings:
            raise AssertionError("a block was asked for after close")
        return next(self.blocks)

    def close(self) -> None:
        self.closings += 1
        if self.act.application.fails == "close":
            self.act.fail()


class _Iterable(_Body):
    def __iter__(self) -> Iterator[bytes]:
        if self.act.application.fails == "iter":
            self.act.fail()
        return iter(self.next, None)


class _Iterator(_Body):
    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self.next()


class _Sequence(_Body):
    def __getitem__(self, index: int) -> bytes:
        try:
            return self.next()
        except StopIteration:
            raise IndexError(index) from None


_BODIES = {Shape.ITERABLE: _Iterable, Shape.ITERATOR: _Iterator, Shape.SEQUENCE: _Sequence}
