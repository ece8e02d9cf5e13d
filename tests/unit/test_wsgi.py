"""Middlewares and stacks: how they are put together, and which parts a request passes."""

from __future__ import annotations

import pytest

from wsgiperf import Middleware, Response, Stack
from wsgiperf.exchange import EXCHANGE

from .client import ask, environ_of, returning
from .parts import Recorder, Seen


class Signed(Middleware):
    """Signs every response."""

    def __init__(self, app=None, name="signed"):
        self.name = name
        super().__init__(app)

    def on_response(self, exchange, response):
        response.headers.add("X-Signed", self.name)


class Kind(Signed):
    """Signs once a request."""

    kind = "signing"


class Other(Signed):
    """Of another kind."""

    kind = "other"


def foreign(app):
    """A middleware of somebody else's."""

    def between(environ, start_response):
        yield from app(environ, start_response)

    return between


def test_a_part_around_an_application_is_an_application():
    """`Part(app)` needs no stack."""
    assert ask(Signed(returning([b"x"])))["X-Signed"] == "signed"


def test_a_part_that_wraps_nothing_says_so():
    """Called before it is put into a stack."""
    with pytest.raises(RuntimeError, match="wraps no application yet"):
        Signed()({}, lambda *args: None)


def test_a_part_wraps_one_application():
    """Its `inner` could otherwise be only one of two."""
    part = Signed(returning([b"x"]))
    with pytest.raises(RuntimeError, match="already wraps an application"):
        Stack(returning([b"y"]), part)


def test_a_stack_names_its_parts_outermost_first():
    """The innermost sees the response first."""
    stack = Stack(returning([b"x"]), Signed(name="outer"), Signed(name="inner"))
    assert ask(stack).all("X-Signed") == ["inner", "outer"]


WRITTEN = {
    "stack": lambda app, log: Stack(app, Recorder("a", log), Recorder("b", log), Recorder("c", log)),
    "stack in a stack": lambda app, log: Stack(
        Stack(app, Recorder("c", log)), Recorder("a", log), Recorder("b", log)
    ),
    "stack of stacks": lambda app, log: Stack(
        Stack(Stack(app, Recorder("c", log)), Recorder("b", log)), Recorder("a", log)
    ),
}


@pytest.mark.parametrize("build", WRITTEN.values(), ids=WRITTEN)
def test_neighbours_fuse_however_they_are_put_together(build):
    """One interception runs all of them: one exchange, the usual order."""
    log: list[str] = []
    found = []

    def app(environ, start_response):
        found.append(environ[EXCHANGE].outer)
        start_response("200 OK", [])
        return [b"x"]

    ask(build(app, log))
    assert found == [None]
    assert log == [f"{moment} {part}" for moment in ("request",) for part in "abc"] + [
        f"{moment} {part}" for moment in ("response", "close") for part in "cba"
    ]


def test_parts_around_parts_fuse_too():
    """`A(B(app))` has one exchange."""
    found = []

    def app(environ, start_response):
        found.append(environ[EXCHANGE].outer)
        start_response("200 OK", [])
        return [b"x"]

    assert ask(Signed(Signed(app, "inner"), "outer")).all("X-Signed") == ["inner", "outer"]
    assert found == [None]


def test_an_empty_stack_is_the_application():
    """With nobody to ask, the response is the application's."""
    got = ask(Stack(returning([b"x"], ("X-Own", "1"))))
    assert (got["X-Own"], got.body) == ("1", b"x")


WRAPPED_TWICE = {
    "itself": lambda app: Kind(Kind(app, "inner"), "outer"),
    "stack": lambda app: Stack(Stack(app, Kind(name="inner")), Kind(name="outer")),
    "one stack": lambda app: Stack(app, Kind(name="outer"), Kind(name="inner")),
    "a part between": lambda app: Kind(Signed(Kind(app, "inner"), "between"), "outer"),
    "a foreign middleware between": lambda app: Kind(foreign(Kind(app, "inner")), "outer"),
    "two foreign ones between": lambda app: Kind(foreign(foreign(Kind(app, "inner"))), "outer"),
    "foreign, in stacks": lambda app: Stack(
        foreign(Stack(app, Signed(name="between"), Kind(name="inner"))), Kind(name="outer")
    ),
    "another kind between": lambda app: Kind(foreign(Other(foreign(Kind(app, "inner")), "between")), "outer"),
    "three times": lambda app: Kind(foreign(Kind(foreign(Kind(app, "innermost")), "inner")), "outer"),
}


@pytest.mark.parametrize("wrap", WRAPPED_TWICE.values(), ids=WRAPPED_TWICE)
def test_a_request_passes_each_kind_once(wrap):
    """The outermost of a kind runs, whatever lies between."""
    signatures = [name for name in ask(wrap(returning([b"x"]))).all("X-Signed") if name != "between"]
    assert signatures == ["outer"]


def test_parts_of_no_kind_run_as_often_as_they_are_there():
    """Only a name says that two do the same."""
    app = Signed(foreign(Signed(returning([b"x"]), "inner")), "outer")
    assert ask(app).all("X-Signed") == ["inner", "outer"]


def test_stepping_aside_leaves_the_others_of_the_stack():
    """Each of them for itself."""
    log: list[str] = []
    inside = Stack(
        returning([b"x"]), Recorder("a", log), Recorder("b", log, kind="k"), Recorder("c", log, kind="m")
    )
    ask(Stack(foreign(inside), Recorder("outer", log, kind="k")))
    assert [line for line in log if line.startswith("request")] == ["request outer", "request a", "request c"]


def test_the_inner_stack_serves_requests_of_its_own_in_full():
    """Stepping aside is for one request: asked directly, the same stack runs all its parts."""
    inner = Kind(returning([b"x"]), "inner")
    outer = Kind(foreign(inner), "outer")
    assert ask(outer)["X-Signed"] == "outer"
    assert ask(inner)["X-Signed"] == "inner"
    assert ask(outer)["X-Signed"] == "outer"


def test_a_finished_exchange_in_a_reused_environ_is_replaced():
    """A retry, or a test client that keeps its environ, is a request like any other."""
    seen = Seen()
    stack = Stack(Kind(returning([b"x"])), seen)
    environ = environ_of()
    for _ in range(2):
        assert ask(lambda _, start_response: stack(environ, start_response))["X-Signed"] == "signed"
    assert len(set(map(id, seen.exchanges))) == 2


def test_a_middleware_may_ask_again_with_the_same_environ():
    """One that retries after a failure finds the inner stack ready, and the outer one still running."""
    asked = []

    def app(environ, start_response):
        asked.append(environ[EXCHANGE])
        if len(asked) == 1:
            raise ConnectionError("try again")
        start_response("200 OK", [])
        return [b"x"]

    inner = Stack(app, Signed(name="inner"))

    def retrying(environ, start_response):
        try:
            return inner(environ, start_response)
        except ConnectionError:
            return inner(environ, start_response)

    seen = Seen()
    assert ask(Stack(retrying, seen))["X-Signed"] == "inner"
    assert asked[0] is not asked[1]
    assert [exchange.outer for exchange in asked] == seen.exchanges * 2


def test_the_outer_exchange_is_back_in_environ_when_the_inner_one_is_over():
    """What runs after the inner stack, inside the outer one, finds the right exchange."""
    found = []
    inner = Stack(returning([b"x"]), Signed())

    def between(environ, start_response):
        body = list(inner(environ, start_response))
        found.append(environ[EXCHANGE])
        return body

    seen = Seen()
    ask(Stack(between, seen))
    assert found == seen.exchanges


class Asking(Middleware):
    """Asks what lies inside once more, when the exchange is over."""

    def __init__(self):
        self.answers = []
        super().__init__()

    def on_close(self, exchange):
        self.answers.append(ask(self.inner, "/again"))


def test_a_part_reaches_what_lies_inside_it():
    """For refreshing in the background and sub-requests: a plain WSGI callable, with the parts within."""
    log: list[str] = []
    asking = Asking()
    ask(Stack(returning([b"x"]), Recorder("outer", log), asking, Recorder("inner", log)))
    assert [answer.body for answer in asking.answers] == [b"x"]
    assert log.count("request inner") == 2
    assert log.count("request outer") == 1


def test_the_innermost_parts_inner_is_the_application_itself():
    """There is nothing between."""
    app = returning([b"x"])
    part, other = Signed(), Signed()
    Stack(app, other, part)
    assert part.inner is app
    assert other.inner is part


def test_a_subrequest_while_the_request_runs_has_an_exchange_of_its_own():
    """Made in an environ of its own, it changes nothing in the request it was made for."""
    log: list[str] = []

    class Including(Middleware):
        def on_request(self, exchange):
            exchange.notes[self] = ask(self.inner, "/included").body

        def on_response(self, exchange, response):
            response.body = [*response.body, exchange.notes[self]]

    def app(environ, start_response):
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode()]

    seen = Seen()
    got = ask(Stack(app, seen, Including(), Recorder("inner", log)), "/page")
    assert got.body == b"/page/included"
    assert log.count("close inner") == 2
    assert [exchange.finished for exchange in seen.exchanges] == [True]


def test_a_moment_may_be_set_on_an_instance():
    """It need not be a method of the class."""
    part = Middleware()
    part.on_response = lambda exchange, response: response.headers.add("X-Set", "1")
    assert ask(Stack(returning([b"x"]), part))["X-Set"] == "1"


def test_a_part_that_overrides_nothing_changes_nothing():
    """The application's own list is what the server gets."""
    body = [b"x"]
    got = ask(Stack(returning(body), Middleware()))
    assert got.iterable is body


def test_one_stack_serves_many_requests_at_once():
    """Nothing of a request is kept on a part or a stack."""
    stack = Stack(returning([b"x"]), Recorder("a", []))
    vars_before = {part: dict(vars(part)) for part in stack.parts}
    ask(stack)
    assert {part: dict(vars(part)) for part in stack.parts} == vars_before


def test_a_part_may_answer_in_the_place_of_the_application():
    """`Response` is all it needs."""
    answering = Recorder("a", [], answer=lambda: Response("404 Not Found", [("X-A", "1")], [b"no"]))
    got = ask(Stack(returning([b"never"]), answering))
    assert (got.status, got["X-A"], got["Content-Length"], got.body) == ("404 Not Found", "1", "2", b"no")
