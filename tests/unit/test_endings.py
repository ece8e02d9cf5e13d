"""What a part leaves for the end of single exchanges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest

from wsgiperf import Exchange, Middleware, Response, Stack

from .client import ask, environ_of, returning
from .parts import Recorder


class Ending(Middleware):
    """Asks for the end of each exchange, and gives some of it up again."""

    def __init__(self, *calls: Callable[[], object], unless: Sequence[Callable[[], object]] = ()) -> None:
        self.calls, self.unless = calls, unless
        super().__init__()

    def on_request(self, exchange):
        for call in self.calls:
            exchange.at_end(call)

    def on_response(self, exchange, response):
        for call in self.unless:
            exchange.not_at_end(call)


def failing(error: BaseException) -> Callable[[], object]:
    def fail():
        raise error

    return fail


def fails(environ, start_response):
    raise RuntimeError("the application fails")


def streams(environ, start_response):
    start_response("200 OK", [])
    yield b"a"
    yield b"b"


@pytest.mark.parametrize("app", [returning([b"a"]), streams, fails], ids=["list", "stream", "exception"])
@pytest.mark.parametrize("reads", [None, 0], ids=["read", "left"])
def test_the_end_comes_once_after_bodies_and_parts(app, reads):
    log: list[str] = []
    stack = Stack(
        app, Recorder("part", log), Ending(lambda: log.append("first"), lambda: log.append("second"))
    )
    with suppress(RuntimeError):
        body = stack(environ_of(), lambda status, headers, exc_info=None: log.append("head"))
        assert "first" not in log
        if reads is None:
            list(body)
        body.close()
        body.close()
    assert log[-3:] == ["close part", "first", "second"]
    assert log.count("first") == 1


def test_the_end_comes_to_who_answered():
    log: list[str] = []

    class Answering(Ending):
        def on_request(self, exchange):
            super().on_request(exchange)
            return Response("200 OK", [], [b"a"])

    ask(Stack(returning([b"b"]), Answering(lambda: log.append("end"))))
    assert log == ["end"]


def test_what_fails_at_the_end_harms_nobody(caplog):
    log: list[str] = []
    ask(Stack(returning([b"a"]), Ending(failing(ValueError("no")), lambda: log.append("end"))))
    assert log == ["end"]
    assert "the end of a request failed" in caplog.text


def test_a_worker_told_to_stop_at_the_end_stops_after_it():
    log: list[str] = []
    with pytest.raises(SystemExit):
        ask(Stack(returning([b"a"]), Ending(failing(SystemExit(1)), lambda: log.append("end"))))
    assert log == ["end"]


def test_an_end_that_nobody_waits_for_costs_nothing():
    """The server is given the application's own list."""
    log: list[str] = []
    body = [b"a"]

    def app(environ, start_response):
        start_response("200 OK", [])
        return body

    call = lambda: log.append("end")  # noqa: E731 - the same object twice
    stack = Stack(app, Ending(call, unless=[call]))
    assert stack(environ_of(), lambda status, headers, exc_info=None: None) is body
    assert log == []


def test_notes_are_let_go_at_the_end():
    found: list[Exchange] = []

    class Noting(Middleware):
        def on_request(self, exchange):
            exchange.notes[self] = exchange  # a cycle
            found.append(exchange)

    ask(Stack(returning([b"a"]), Noting()))
    assert found[0].notes == {}
