"""Who is told what, in which order, whatever happens."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest

from wsgiperf import Middleware, Response, Stack
from wsgiperf.exchange import current

from .client import Body, Exchanged, ask, environ_of, returning
from .logs import own
from .parts import Changing, Recorder, Seen


def moments(log, *parts):
    """What these parts were asked, in order."""
    return [line for line in log if line.split()[1] in parts]


def fail():
    raise LookupError("on purpose")


def test_requests_go_inwards_and_all_else_outwards():
    """The head is made from the inside out, and so is the end."""
    log: list[str] = []
    ask(Stack(returning(Body(log=log)), Recorder("outer", log), Recorder("inner", log)))
    assert log == [
        "request outer",
        "request inner",
        "response inner",
        "response outer",
        "close body",
        "close inner",
        "close outer",
    ]


ENTERED = {
    "outermost": (0, ["outer"]),
    "middle": (1, ["outer", "middle"]),
    "innermost": (2, ["outer", "middle", "inner"]),
}


@pytest.mark.parametrize(("index", "entered"), ENTERED.values(), ids=ENTERED)
def test_who_answers_is_told_of_the_end_and_only_those_outside_see_the_response(index, entered):
    """The parts inside were never entered; the application is not called."""
    log: list[str] = []
    parts = [Recorder(name, log) for name in ("outer", "middle", "inner")]
    parts[index].answer = lambda: Response("200 OK", [], Body([b"early"], log=log))
    assert ask(Stack(lambda *args: fail(), *parts)).body == b"early"
    outside = list(reversed(entered[:-1]))
    assert log == [
        *(f"request {name}" for name in entered),
        *(f"response {name}" for name in outside),
        "close body",
        *(f"close {name}" for name in reversed(entered)),
    ]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_early_answer_has_the_same_head_for_get_and_head(method):
    """The parts outside see the whole answer; the body of HEAD is then left out, and closed."""
    body, sizes = Body([b"early"]), []

    class Measuring(Middleware):
        def on_response(self, exchange, response):
            sizes.append(sum(map(len, response.body)))

    answering = Recorder("a", [], answer=lambda: Response("200 OK", [("Content-Length", "5")], body))
    got = ask(Stack(lambda *args: fail(), Measuring(), answering), "/", method)
    assert sizes == [5]
    assert got["Content-Length"] == "5"
    assert body.closings == 1
    assert (method == "GET") or got.body == b""


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_early_answer_without_content_sends_none(status):
    """Whatever the part put into it, which is closed."""
    body = Body([b"never"])
    got = ask(Stack(lambda *args: fail(), Recorder("a", [], answer=lambda: Response(status, [], body))))
    assert (got.body, got["Content-Length"], body.closings) == (b"", None, 1)


PATHS = ["list", "stream", "never read", "half read", "HEAD", "application raises", "first block", "block"]


def failing_after(blocks):
    yield from blocks
    fail()


@pytest.mark.parametrize("path", PATHS)
def test_each_entered_part_is_told_of_the_end_once(path):
    """On every path, and though the server closes twice."""
    log: list[str] = []
    apps = {
        "list": returning([b"x"]),
        "application raises": lambda environ, start_response: fail(),
        "first block": returning(failing_after([])),
        "block": returning(failing_after([b"a"])),
    }
    app = apps.get(path, returning(iter([b"a", b"b"])))
    stack = Stack(app, Recorder("outer", log), Recorder("inner", log))
    try:
        got = Exchanged(stack, environ_of(method="HEAD" if path == "HEAD" else "GET"))
        if path == "half read":
            got.read()
        elif path not in ("never read", "HEAD"):
            got.whole()
    except LookupError:
        pass
    else:
        got.close()
        got.close()
    assert moments(log, "outer", "inner")[-2:] == ["close inner", "close outer"]
    assert log.count("close inner") == log.count("close outer") == 1


def test_the_error_is_known_at_the_end_and_passes_on_unchanged():
    """The very exception, wherever it was raised."""
    error = LookupError("on purpose")

    def raising(*args):
        raise error

    for app in (raising, returning(map(raising, "x")), returning(failing_with(error))):
        seen = Seen(lambda exchange: (exchange.error, exchange.complete))
        with pytest.raises(LookupError) as caught:
            ask(Stack(app, seen))
        assert caught.value is error
        assert seen.found == [(error, False)]


def failing_with(error):
    yield b"a block"
    raise error


def test_an_error_in_close_passes_on_after_the_parts_were_told():
    """And every other body is closed all the same."""
    error = OSError("disk full")

    class Failing(Body):
        def close(self):
            super().close()
            raise error

    own, replaced = Body(), Failing()
    seen = Seen(lambda exchange: exchange.error)
    change = Changing(lambda response: setattr(response, "body", replaced))
    with pytest.raises(OSError, match="disk full"):
        ask(Stack(returning(own), seen, change))
    assert seen.found == [error]
    assert (own.closings, replaced.closings) == (1, 1)


def test_a_close_that_fails_after_an_error_does_not_hide_it(caplog):
    """The first exception is the one the server gets; the other is logged."""

    class Failing(Body):
        def __iter__(self):
            return failing_after([])

        def close(self):
            raise OSError("disk full")

    with pytest.raises(LookupError):
        ask(Stack(returning(Failing()), Seen()))
    assert "close() failed too" in caplog.text


SKIPPABLE = {
    "request": ["request skipped", "request inner", "response inner", "close inner", "close skipped"],
    "response": [
        "request skipped",
        "request inner",
        "response inner",
        "response skipped",
        "close inner",
        "close skipped",
    ],
    "close": [
        "request skipped",
        "request inner",
        "response inner",
        "response skipped",
        "close inner",
        "close skipped",
    ],
}


@pytest.mark.parametrize(("moment", "expected"), SKIPPABLE.items(), ids=SKIPPABLE)
def test_a_skippable_part_that_raises_is_left_out_and_logged_once(moment, expected, caplog):
    """The request goes on; where it failed early it is not asked again, but told of the end."""
    log: list[str] = []
    skipped = Recorder("skipped", log, fails=moment, skippable=True)
    got = ask(Stack(returning([b"x"]), Recorder("outer", log), skipped, Recorder("inner", log)))
    assert got.body == b"x"
    assert moments(log, "skipped", "inner") == expected
    assert moments(log, "outer") == ["request outer", "response outer", "close outer"]
    assert [record.exc_info[1].args for record in own(caplog)] == [("skipped fails",)]


@pytest.mark.parametrize("moment", ["request", "response"])
def test_any_other_part_that_raises_fails_the_request(moment):
    """Of a response without, say, its security headers nothing may be sent."""
    log: list[str] = []
    body = Body(log=log)
    part = Recorder("part", log, fails=moment)
    heads: list[str] = []
    stack = Stack(returning(body), Recorder("outer", log), part)
    with pytest.raises(RuntimeError, match="part fails"):
        stack(environ_of(), lambda status, *rest: heads.append(status))
    assert heads == []
    assert log[-2:] == ["close part", "close outer"]
    assert body.closings == (moment == "response")


def test_no_part_fails_a_request_at_its_end(caplog):
    """What is sent is sent: it is logged, and the others are told."""
    log: list[str] = []
    stack = Stack(returning([b"x"]), Recorder("outer", log), Recorder("inner", log, fails="close"))
    assert ask(stack).body == b"x"
    assert log[-2:] == ["close inner", "close outer"]
    assert "inner fails" in caplog.text


def test_a_worker_told_to_stop_at_the_end_of_a_request_stops_after_it():
    """The other parts are told, and nothing stays bound."""

    class Stopping(Middleware):
        def on_close(self, exchange):
            raise SystemExit(3)

    log: list[str] = []
    with pytest.raises(SystemExit):
        ask(Stack(returning([b"x"]), Recorder("outer", log), Stopping()))
    assert log[-1] == "close outer"
    assert current.get() is None


def test_options_that_are_none_fail_the_request_and_leave_nothing_open():
    """An application's mistake; bodies are closed and parts told as after any other."""
    log: list[str] = []
    body = Body(log=log)
    answering = Recorder("a", log, answer=lambda: Response("200 OK", [], body), kind="k")
    with pytest.raises(AttributeError):
        ask(
            Stack(returning([b"x"]), Recorder("outer", log), answering),
            **{"wsgiperf.options": "no dictionary"},
        )
    assert log == ["request outer", "request a", "close body", "close a", "close outer"]


def test_a_sign_to_the_server_is_handed_over():
    """No response, such as gevent's ALREADY_HANDLED: the very object, and the parts are told of the end."""
    log: list[str] = []
    sign = object()
    got = Stack(lambda environ, start_response: sign, Recorder("a", log))(environ_of(), pytest.fail)
    assert got is sign
    assert log == ["request a", "close a"]


def test_a_stop_iteration_out_of_the_call_passes():
    """So an application tells some servers that it has taken the socket."""
    log: list[str] = []

    def taking(environ, start_response):
        raise StopIteration

    with pytest.raises(StopIteration):
        Stack(taking, Recorder("a", log))(environ_of(), pytest.fail)
    assert log == ["request a", "close a"]


def test_a_head_that_a_part_broke_is_refused_and_everything_closed():
    """An exception, no response; nothing stays open."""
    body, log = Body(), []
    change = Changing(lambda response: response.headers.add("X-Bad", "a\r\nSet-Cookie: b"))
    with pytest.raises(ValueError, match="may not contain"):
        ask(Stack(returning(body), Recorder("outer", log), change))
    assert body.closings == 1
    assert log == ["request outer", "close outer"]


@pytest.mark.parametrize("value", [False, True, {}, None], ids=repr)
def test_an_application_may_keep_a_part_away_from_its_response(value):
    """False does, by the part's kind; the part is told of the end all the same."""
    log: list[str] = []

    def app(environ, start_response):
        environ.setdefault("wsgiperf.options", {})["named"] = value
        start_response("200 OK", [])
        return [b"x"]

    ask(Stack(app, Recorder("part", log, kind="named"), Recorder("other", log)))
    assert ("response part" in log) is (value is not False)
    assert "response other" in log
    assert "close part" in log


def test_options_may_come_late():
    """They are read when the response is: a view's decorator, a generator's first lines come in time."""
    log: list[str] = []

    def app(environ, start_response):
        start_response("200 OK", [])
        environ["wsgiperf.options"] = {"named": False}
        yield b"x"

    ask(Stack(app, Recorder("part", log, kind="named")))
    assert "response part" not in log


def test_options_for_a_part_inside_a_foreign_middleware_are_heard_by_all():
    """One dictionary, whichever stack runs the part."""
    log: list[str] = []

    def app(environ, start_response):
        environ.setdefault("wsgiperf.options", {})["named"] = False
        start_response("200 OK", [])
        return [b"x"]

    inner = Stack(app, Seen())
    ask(
        Stack(
            lambda environ, start_response: inner(environ, start_response), Recorder("a", log, kind="named")
        )
    )
    assert "response a" not in log


@pytest.fixture
def no_collector():
    """Nothing is freed but by its last reference."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Held:
    """Something a request has in hand."""


def holding_list(environ, start_response):
    start_response("200 OK", [])
    return [b"x"]


def holding_stream(environ, start_response):
    start_response("200 OK", [])
    yield b"x"
    yield environ["held"] and b"y"


def holding_pushed(environ, start_response):
    start_response("200 OK", [])(b"x")
    return [b"y"]


def holding_restarted(environ, start_response):
    held = environ["held"]
    try:
        fail()
    except LookupError:
        start_response("500 Internal Server Error", [], sys.exc_info())
    return [held and b"sorry"]


@pytest.mark.parametrize("make", [Middleware, lambda: Recorder("a", [])], ids=["no end", "with an end"])
@pytest.mark.parametrize("app", [holding_list, holding_stream, holding_pushed, holding_restarted])
@pytest.mark.usefixtures("no_collector")
def test_no_cycle_outlives_a_request(app, make):
    """Servers that keep environ beside start_response, as most do, would else wait for the collector."""
    held = Held()
    alive = weakref.ref(held)
    ask(Stack(app, make(), Changing(lambda response: response.headers.add("X-A", "1"))), held=held)
    del held
    assert alive() is None
