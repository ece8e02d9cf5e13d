"""Bodies on their way through the parts: looked at, replaced, pushed, files; closed once each."""

from __future__ import annotations

import io
import sys

import pytest

from wsgiperf import Middleware, Stack
from wsgiperf.exchange import Response, hold

from .client import Body, Exchanged, ask, environ_of, returning, streaming
from .parts import Changing, Recorder, Seen


def test_every_body_a_response_ever_held_is_closed_once():
    """However often parts replace it: the outermost first, as it stands around the others."""
    log: list[str] = []

    def replace(*names):
        def change(response):
            for name in names:
                response.body = Body([b"".join(response.blocks())], name, log)

        return Changing(change)

    stack = Stack(
        returning(Body([b"x"], "own", log)),
        Recorder("end", log),
        replace("third"),
        replace("first", "second"),
    )
    assert ask(stack).body == b"x"
    assert log == [
        "request end",
        "response end",
        *(f"close {n}" for n in ("third", "second", "first", "own", "end")),
    ]


def test_a_body_put_back_is_closed_once():
    """It is the same object, wherever it was in between."""
    own = Body()

    def change(response):
        response.body = [b"other"]
        response.body = own

    ask(Stack(returning(own), Changing(change)))
    assert own.closings == 1


@pytest.mark.parametrize("reads", [0, 1])
def test_a_replaced_generator_is_closed_though_nobody_started_it(reads):
    """An unstarted generator skips its `finally`; `close` is a method of the outermost object."""
    own = Body([b"a", b"b"])

    def wrapping(response):
        blocks = response.blocks()

        def inside():
            yield from blocks

        response.body = inside()

    got = Exchanged(Stack(returning(own), Seen(), Changing(wrapping)), environ_of())
    for _ in range(reads):
        got.read()
    got.close()
    assert own.closings == 1


def test_a_list_instead_of_a_stream_has_its_length():
    """What is replaced is counted at the commit."""
    change = Changing(lambda response: setattr(response, "body", [b"".join(response.blocks())]))
    got = ask(Stack(streaming(blocks=[b"ab", b"cd"]), change))
    assert (got.body, got["Content-Length"]) == (b"abcd", "4")


def test_the_first_block_of_a_stream_is_in_hand():
    """Parts may look at it; it is delivered all the same."""
    firsts = []
    app = streaming(blocks=[b"", b"a", b"b"])
    got = ask(Stack(app, Changing(lambda response: firsts.append(response.body.first))))
    assert firsts == [b"a"]
    assert got.body == b"ab"


def test_an_empty_stream_has_no_first_block():
    """None, then, and the response is seen by the parts as any other."""
    firsts = []
    stack = Stack(streaming(blocks=[b"", b""]), Changing(lambda response: firsts.append(response.body.first)))
    assert ask(stack).body == b""
    assert firsts == [None]


@pytest.mark.parametrize("kind", [list, tuple])
def test_lists_and_tuples_stay_what_they_are(kind):
    """Parts see the size; the server too."""
    bodies = []
    stack = Stack(
        returning(kind([b"a", b"b"])), Seen(), Changing(lambda response: bodies.append(response.body))
    )
    got = ask(stack)
    assert bodies == [kind([b"a", b"b"])]
    assert len(got.iterable) == 2
    assert got["Content-Length"] == "2"


def pushing(*pushed, body=()):
    def app(environ, start_response):
        write = start_response("200 OK", [("X-Own", "1")])
        for block in pushed:
            write(block)
        return body

    return app


def test_of_pushed_bytes_parts_may_change_the_head_only():
    """They are told by `pushed`, before the first byte goes out."""
    pushed, sent = [], []

    class Watching(Middleware):
        def on_response(self, exchange, response):
            pushed.append(response.pushed)
            sent.append(len(got_body))
            response.headers.add("X-Added", "2")
            response.body = [b"instead"]

    got_body: list[bytes] = []
    got = ask(Stack(pushing(b"a", b"b", body=[b"c"]), Watching()))
    assert (pushed, sent) == ([True], [0])
    assert (got["X-Added"], got["Content-Length"]) == ("2", None)
    assert got.body == b"abc"


def test_responses_that_are_not_pushed_say_so():
    """Lists and streams."""
    pushed = []
    for app in (returning([b"x"]), streaming(blocks=[b"x"])):
        ask(Stack(app, Changing(lambda response: pushed.append(response.pushed))))
    assert pushed == [False, False]


def test_a_body_returned_after_pushing_is_closed():
    """It follows what was pushed."""
    body = Body([b"c"])
    assert ask(Stack(pushing(b"a", body=body), Seen())).body == b"ac"
    assert body.closings == 1


def test_the_applications_header_list_is_never_changed():
    """It may be a constant that serves every request."""
    fields = [("X-Own", "1")]

    def app(environ, start_response):
        start_response("200 OK", fields)
        return [b"x"]

    assert ask(Stack(app, Changing(lambda response: response.headers.add("X-Added", "2"))))["X-Added"] == "2"
    assert fields == [("X-Own", "1")]


class ServersWrapper:
    """A file wrapper that is a class, as gunicorn has it."""

    def __init__(self, file, block_size=4):
        self.file, self.block_size = file, block_size
        self.close = file.close

    def __getitem__(self, index):
        block = self.file.read(self.block_size)
        if not block:
            raise IndexError(index)
        return block


class CountedFile(io.BytesIO):
    """Counts how often it was closed."""

    closings = 0

    def close(self):
        self.closings += 1
        super().close()


class OwnedFile(CountedFile):
    """A file whose `close` can't be replaced, as that of a real one."""

    __slots__ = ()

    def __setattr__(self, name, value):
        if name == "close":
            raise AttributeError(name)
        super().__setattr__(name, value)


def sending(file):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return environ["wsgi.file_wrapper"](file)

    return app


WRAPPERS = {"a class": (ServersWrapper, CountedFile), "a function": (lambda file: file, CountedFile)}


@pytest.mark.parametrize(("wrapper", "kind"), WRAPPERS.values(), ids=WRAPPERS)
@pytest.mark.parametrize("parts", [0, 2])
def test_the_servers_file_wrapper_stays_its_own_object(wrapper, kind, parts):
    """Else it could not use sendfile; closing it tells the parts, and closes the file, once."""
    log: list[str] = []
    file = kind(b"all of the file")
    environ = {"wsgi.file_wrapper": wrapper}
    stack = Stack(sending(file), Middleware(), *(Recorder(str(n), log) for n in range(parts)))
    got = Exchanged(stack, environ_of(**environ))
    body = got.iterable
    assert body is file or isinstance(body, ServersWrapper)
    got.close()
    got.close()
    assert file.closings == 1
    assert len([line for line in log if line.startswith("close")]) == parts


def test_a_file_whose_close_cannot_be_replaced_is_wrapped():
    """Then there is no sendfile, but the parts are told of the end."""
    log: list[str] = []
    file = OwnedFile(b"all of the file")
    environ = {"wsgi.file_wrapper": lambda file: file}
    got = Exchanged(Stack(sending(file), Recorder("a", log)), environ_of(**environ))
    assert got.iterable is not file
    assert got.whole().body == b"all of the file"
    assert (file.closings, log[-1]) == (1, "close a")


@pytest.mark.parametrize("wrapper", [ServersWrapper, lambda file: file], ids=WRAPPERS)
def test_a_part_may_read_a_file(wrapper):
    """`blocks()` reads it by blocks, whatever the server's wrapper is."""
    file = CountedFile(b"one line\nanother")
    change = Changing(lambda response: setattr(response, "body", [b"".join(response.blocks()).upper()]))
    got = ask(Stack(sending(file), change), **{"wsgi.file_wrapper": wrapper})
    assert got.body == b"ONE LINE\nANOTHER"
    assert file.closings == 1


def test_environ_has_the_servers_wrapper_again_afterwards():
    """A function is replaced while the application runs, to recognise what it returned."""
    wrapper = lambda file: file  # noqa: E731
    got = ask(Stack(sending(CountedFile(b"x")), Seen()), **{"wsgi.file_wrapper": wrapper})
    assert got.environ["wsgi.file_wrapper"] is wrapper


def test_a_file_that_did_not_come_from_the_wrapper_is_an_iterable_like_any_other():
    """It only looks alike."""
    file = CountedFile(b"line\nline")
    got = ask(Stack(returning(file), Seen()), **{"wsgi.file_wrapper": lambda file: file})
    assert got.body == b"line\nline"
    assert file.closings == 1


def test_variants_are_none_until_a_part_offers_some():
    """Compression looks for them there."""
    variants = []
    ask(Stack(returning([b"x"]), Changing(lambda response: variants.append(response.variants))))
    assert variants == [None]


BLOCKS = {
    "list": [b"a", b"b"],
    "tuple": (b"a", b"b"),
    "iterator": iter([b"a", b"b"]),
    "file": io.BytesIO(b"ab"),
    "indexed": ServersWrapper(io.BytesIO(b"ab"), 1),
}


@pytest.mark.parametrize("body", BLOCKS.values(), ids=BLOCKS)
def test_blocks_iterates_over_any_body(body):
    """An iterator, always."""
    blocks = Response("200 OK", [], body).blocks()
    assert iter(blocks) is blocks
    assert b"".join(blocks) == b"ab"


def test_the_close_of_a_body_is_taken_when_it_comes():
    """What replaces the attribute afterwards, such as our own chaining, is not called in its place."""
    body = Body()
    ((_, close),) = hold((), body)
    body.close = lambda: pytest.fail("replaced")
    close()
    assert body.closings == 1


def test_a_body_that_pushes_while_it_is_iterated_is_closed():
    """PEP 3333 forbids write() there; whoever does it all the same has its body closed."""
    closed = []

    class Body:
        def __init__(self, start_response):
            self.start_response = start_response

        def __iter__(self):
            self.start_response("200 OK", [("Content-Type", "text/plain")])(b"pushed, ")
            yield b"yielded"

        def close(self):
            closed.append(True)

    sent = []
    body = Stack(lambda environ, start: Body(start), Middleware())({}, lambda *head: sent.append)
    sent.extend(body)
    body.close()
    assert b"".join(sent) == b"pushed, yielded"
    assert closed == [True]


def test_after_an_empty_write_the_application_may_start_over():
    """PEP 3333: the head goes out with the first non-empty block."""

    def app(_environ, start_response):
        write = start_response("200 OK", [("X-Tried", "yes")])
        write(b"")
        try:
            raise LookupError("on purpose")
        except LookupError:
            start_response("503 Service Unavailable", [], sys.exc_info())
        return [b"sorry"]

    got = ask(Stack(app, Middleware()))
    assert (got.status, got["X-Tried"], got.body) == ("503 Service Unavailable", None, b"sorry")
