"""What a part sees of one request, and what it may bind to it."""

from __future__ import annotations

from contextvars import ContextVar, copy_context
from threading import Thread

import pytest

from wsgiperf import Exchange, Middleware, Stack
from wsgiperf.exchange import EXCHANGE, current

from .client import Body, Exchanged, ask, environ_of, returning
from .parts import Changing, Seen

variable: ContextVar[str] = ContextVar("variable", default="nobody's")


class Binding(Middleware):
    """Binds the variable to a name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__()

    def on_request(self, exchange):
        exchange.bind(variable, self.name)


def test_the_request_is_captured_before_the_application_is_called():
    """A dispatcher shifts the path, a proxy fix the peer; the exchange keeps what the server gave."""

    def app(environ, start_response):
        environ.update(
            REQUEST_METHOD="GET",
            SCRIPT_NAME="/moved/further",
            PATH_INFO="/",
            REMOTE_ADDR="203.0.113.9",
            HTTP_ACCEPT_ENCODING="identity",
        )
        environ["wsgi.url_scheme"] = "https"
        start_response("200 OK", [])
        return []

    seen = Seen(lambda exchange: None)
    ask(
        Stack(app, seen),
        "/further/page",
        "POST",
        {"Accept-Encoding": "br"},
        mount="/moved",
        peer="192.0.2.7",
    )
    exchange = seen.exchanges[0]
    assert (exchange.method, exchange.scheme) == ("POST", "http")
    assert (exchange.mount, exchange.path) == ("/moved", "/further/page")
    assert (exchange.peer, exchange.accept_encoding) == ("192.0.2.7", "br")


def test_a_bare_environ_has_its_defaults():
    """A server that leaves out what it may leave out is no reason to fail."""
    exchange = Exchange({}, frozenset())
    assert (exchange.method, exchange.scheme, exchange.mount, exchange.path) == ("GET", "http", "", "")
    assert (exchange.peer, exchange.accept_encoding) == ("", None)


def test_nothing_is_known_at_the_start():
    """What is yet to come is None, or false, or empty."""
    exchange = Exchange({}, frozenset())
    unknown = ("status", "headers", "head_seconds", "error", "outer", "request_id", "trace", "nonce", "route")
    assert [getattr(exchange, name) for name in unknown] == [None] * len(unknown)
    assert (exchange.complete, exchange.finished) == (False, False)
    assert (exchange.events, exchange.notes) == ([], {})


def test_the_head_is_kept_as_it_was_sent():
    """Status and headers are those the server got, with what the parts made of them."""
    seen = Seen(lambda exchange: (exchange.status, list(exchange.headers)))
    stack = Stack(
        returning([b"tea"], ("X-Own", "1"), status="418 I'm a teapot"),
        seen,
        Changing(lambda response: response.headers.add("X-Ours", "2")),
    )
    got = ask(stack)
    assert seen.found == [("418 I'm a teapot", got.fields)]
    assert ("X-Ours", "2") in got.fields


def test_the_exchange_is_in_environ_while_it_runs():
    """Applications and hosts find it there."""
    found = []

    def app(environ, start_response):
        found.append(environ[EXCHANGE])
        start_response("200 OK", [])
        return []

    seen = Seen()
    ask(Stack(app, seen))
    assert found == seen.exchanges


def test_each_request_has_an_exchange_of_its_own():
    """What is noted of one request isn't known of the next."""
    seen = Seen()
    stack = Stack(returning([b"x"]), seen)
    ask(stack)
    seen.exchanges[0].notes["a"] = 1
    ask(stack)
    assert seen.exchanges[1].notes == {}
    assert seen.exchanges[1].events == []


def test_environ_is_let_go_at_the_end():
    """A finished exchange keeps neither sockets nor bodies alive, and can still be read."""
    seen = Seen()
    got = ask(Stack(returning([b"x"]), seen))
    exchange = seen.exchanges[0]
    assert exchange.finished
    assert len(exchange.environ) == 0
    assert exchange.status == got.status


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_complete_is_true_of_a_body_read_to_its_end(method):
    """Of HEAD too, whose body no server need ask for."""
    for body in ([b"a", b"b"], iter([b"a", b"b"])):
        seen = Seen(lambda exchange: exchange.complete)
        ask(Stack(returning(body), seen), "/", method)
        assert seen.found == [True]


@pytest.mark.parametrize("reads", [0, 1, 2])
@pytest.mark.parametrize("kind", [list, iter])
def test_complete_is_false_where_the_client_left(kind, reads):
    """Two blocks were taken and nobody asked what came next: more might have come."""
    seen = Seen(lambda exchange: (exchange.complete, exchange.error))
    got = Exchanged(Stack(returning(kind([b"a", b"b"])), seen), environ_of())
    for _ in range(reads):
        got.read()
    got.close()
    assert seen.found == [(False, None)]


def test_the_route_is_told_to_the_stacks_outside():
    """A host sets it on the innermost exchange; whoever measures outside reads it on its own."""

    def app(environ, start_response):
        environ[EXCHANGE].route = "/posts/<int:id>"
        start_response("200 OK", [])
        return []

    inner, outer = Seen(), Seen()
    inside = Stack(app, inner)
    ask(Stack(lambda environ, start_response: inside(environ, start_response), outer))
    assert [seen.exchanges[0].route for seen in (inner, outer)] == ["/posts/<int:id>"] * 2


def test_stacks_with_others_between_share_one_list_of_events():
    """Whoever reads the events reads them all."""

    def app(environ, start_response):
        environ[EXCHANGE].events.append("inside")
        start_response("200 OK", [])
        return []

    inside, seen = Stack(app, Seen()), Seen()
    ask(Stack(lambda environ, start_response: inside(environ, start_response), seen))
    assert seen.exchanges[0].events == ["inside"]


def test_a_bound_variable_is_set_around_every_single_call():
    """In the call, in each block, in `close` and in `on_close`; never between them."""
    values: list[str] = []
    note = lambda: values.append(variable.get())  # noqa: E731

    class Watched:
        blocks = iter([b"a", b"b"])

        def __iter__(self):
            return self

        def __next__(self):
            note()
            return next(self.blocks)

        def close(self):
            note()

    def app(environ, start_response):
        note()
        start_response("200 OK", [])
        return Watched()

    got = Exchanged(Stack(app, Binding("ours"), Seen(lambda exchange: note())), environ_of())
    outside = [variable.get()]
    while got.read() is not None:
        outside.append(variable.get())
    got.close()
    assert values == ["ours"] * 6  # the call, three times next, close, on_close
    assert set(outside) == {"nobody's"}
    assert variable.get() == "nobody's"


class FailingBody(Body):
    """Closing it fails."""

    def close(self):
        raise RuntimeError("close")


def fail():
    raise RuntimeError("on purpose")


def failing_later():
    yield b"a block"
    fail()


FAILURES = {
    "call": lambda environ, start_response: fail(),
    "first block": returning(map(fail, "x")),
    "later block": returning(failing_later()),
    "close": returning(FailingBody()),
}


@pytest.mark.parametrize("app", FAILURES.values(), ids=FAILURES)
def test_nothing_stays_bound_when_the_application_fails(app):
    """Wherever the exception comes from, the server's thread is left as it was."""
    with pytest.raises((RuntimeError, TypeError)):
        ask(Stack(app, Binding("ours"), Seen()))
    assert variable.get() == "nobody's"
    assert current.get() is None


def test_nothing_stays_bound_when_a_part_fails_at_the_end():
    """Its failure is logged, no more."""
    ask(Stack(returning([b"x"]), Binding("ours"), Seen(lambda exchange: fail())))
    assert variable.get() == "nobody's"
    assert current.get() is None


def test_interleaved_streams_keep_their_own_values():
    """One thread serves two clients by turns, as gevent does between two blocks."""

    def app(environ, start_response):
        start_response("200 OK", [])
        for _ in range(3):
            yield variable.get().encode()

    one, other = (Exchanged(Stack(app, Binding(name)), environ_of()) for name in ("one", "other"))
    for _ in range(3):
        one.read()
        other.read()
    one.close()
    other.close()
    assert (one.sent, other.sent) == ([b"one"] * 3, [b"other"] * 3)
    assert variable.get() == "nobody's"


def test_a_body_may_be_read_and_closed_on_other_threads():
    """Tokens belong to the context they were made in: each call makes and resets its own."""

    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"first"
        yield variable.get().encode()

    seen = Seen(lambda exchange: variable.get())
    got = Exchanged(Stack(app, Binding("ours"), seen), environ_of())
    for step in (got.read, got.read, got.read, got.close):
        thread = Thread(target=copy_context().run, args=(step,))
        thread.start()
        thread.join()
    assert got.sent == [b"first", b"ours"]
    assert seen.found == ["ours"]


def test_an_application_may_reset_its_own_token_in_a_later_call():
    """The context is the server's, not a copy: tracers set a variable in the call and reset it in `close`."""
    tokens = []

    class Tracer:
        def __iter__(self):
            return iter([b"x"])

        def close(self):
            variable.reset(tokens.pop())

    def app(environ, start_response):
        tokens.append(variable.set("the tracer's"))
        start_response("200 OK", [])
        return Tracer()

    ask(Stack(app, Seen()))
    assert variable.get() == "nobody's"


def test_of_two_bindings_the_inner_part_wins_and_both_are_undone():
    """They are undone in the reverse order."""

    def app(environ, start_response):
        start_response("200 OK", [])
        return [variable.get().encode()]

    assert ask(Stack(app, Binding("outer"), Binding("inner"))).body == b"inner"
    assert variable.get() == "nobody's"


def test_the_current_exchange_is_known_to_all_code_of_the_request():
    """And to nobody else."""

    def app(environ, start_response):
        assert current.get() is environ[EXCHANGE]
        start_response("200 OK", [])
        yield b"a"
        assert current.get() is environ[EXCHANGE]

    got = Exchanged(Stack(app, Seen(lambda exchange: current.get() is exchange)), environ_of())
    assert current.get() is None
    got.whole()
    assert current.get() is None


def test_an_error_is_noted_with_the_request_id():
    """The server logs it where no context is left."""

    def app(environ, start_response):
        environ[EXCHANGE].request_id = "abc"
        raise LookupError("gone")

    seen = Seen(lambda exchange: exchange.error)
    with pytest.raises(LookupError) as caught:
        ask(Stack(app, seen))
    assert caught.value.__notes__ == ["request ID: abc"]
    assert seen.found == [caught.value]


def test_an_exception_raised_again_and_again_does_not_grow():
    """Some applications keep one exception object for all requests."""
    error = LookupError("always the same")

    def app(environ, start_response):
        environ[EXCHANGE].request_id = "abc"
        raise error

    for _ in range(50):
        with pytest.raises(LookupError):
            ask(Stack(app, Seen()))
    assert len(error.__notes__) < 10
