"""Middlewares and how they are put together.

A middleware sees three moments of an exchange: the request before the application is called, the response
when its head and first bytes are in hand and nothing is sent, and the end. What it sees of them stands in
`exchange.py`; a whole one is

    class Signature(Middleware):
        def on_response(self, exchange, response):
            response.headers["X-Served-By"] = "wsgiperf"

Neighbours share one interception (`interception.py`, where PEP 3333 is kept): `A(B(app))` and
`Stack(app, A(), B())` both run as one loop over (A, B).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from wsgiperf.bodies import Stream
from wsgiperf.exchange import EXCHANGE, OPTIONS, Exchange, Response
from wsgiperf.interception import Interception

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["EXCHANGE", "OPTIONS", "Exchange", "Middleware", "Response", "Stack", "Stream"]


class Middleware:
    """Base of every part. `Part(app)` is a WSGI callable; `Part()` waits for a `Stack`.

    Class attributes: `kind`, a name: a part that has one runs once per request, the outermost of its kind;
    `skippable`: when the part raises, that is logged and the request goes on without it. Such a part changes
    the response last, after everything that may fail; `excusable`: an application can keep the part away from
    its response by `OPTIONS`, before it sees it. A part for which that is too late reads them itself.
    """

    kind: str | None = None
    skippable = False
    excusable = True
    inner: WSGIApplication  #: what lies inside, for requests of the part's own (in an environ of their own)
    _stack: Stack | None = None

    def __init__(self, app: WSGIApplication | None = None) -> None:
        if app is not None:
            self._wrap(app)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._stack is None:
            raise RuntimeError(f"{self!r} wraps no application yet: give it one, or put it into a Stack")
        return self._stack.handle(environ, start_response)

    def on_request(self, exchange: Exchange) -> Response | None:
        """Answer now with a fresh `Response`, seen by the parts outside only, or let the request pass."""

    def on_response(self, exchange: Exchange, response: Response) -> None:
        """Change the response: nothing of it is sent."""

    def on_close(self, exchange: Exchange) -> None:
        """The last byte is out, the application failed, or the client left: once, on every path."""

    def _wrap(self, app: WSGIApplication) -> None:
        if self._stack is not None:
            raise RuntimeError(f"{self!r} already wraps an application: make another one for this")
        self.inner = app
        core, inside = _taken_apart(app)
        others = [part for part in inside if part.kind is None or part.kind != self.kind]
        self._stack = Stack._of(core, [self, *others])


def _taken_apart(app: WSGIApplication) -> tuple[WSGIApplication, tuple[Middleware, ...]]:
    stack = app._stack if isinstance(app, Middleware) else app
    return (stack.app, stack.parts) if isinstance(stack, Stack) else (app, ())


class Stack:
    """Parts around an application, with one interception.

    :param app: any WSGI application.
    :param parts: instances of `Middleware` that wrap nothing yet, outermost first.
    """

    def __init__(self, app: WSGIApplication, *parts: Middleware) -> None:
        for part in reversed(parts):
            part._wrap(app)
            app = part
        self._arrange(*_taken_apart(app))

    @classmethod
    def _of(cls, app: WSGIApplication, parts: Iterable[Middleware]) -> Stack:
        stack = cls.__new__(cls)
        stack._arrange(app, tuple(parts))
        return stack

    def _arrange(self, app: WSGIApplication, parts: tuple[Middleware, ...]) -> None:
        """Decide at the start who is asked when: what a part leaves out costs nothing."""
        self.app, self.parts, self.size = app, parts, len(parts)
        self.kinds = frozenset(part.kind for part in parts if part.kind)
        self.requests = [(i + 1, p, p.on_request) for i, p in enumerate(parts) if _has(p, "on_request")]
        inside_out = [[*reversed(parts[:count])] for count in range(len(parts) + 1)]
        # By a number of parts: who sees the response and who sees the end, of the outermost so many.
        self.responses = [[(p, p.on_response) for p in ps if _has(p, "on_response")] for ps in inside_out]
        self.closes = [[(p, p.on_close) for p in ps if _has(p, "on_close")] for ps in inside_out]
        self._without: dict[frozenset[str], Stack] = {}

    def handle(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """What a call of the stack does. Calling a method by name is quicker than calling an object."""
        outer: Exchange | None = environ.get(EXCHANGE)
        if outer is None or outer.finished:  # finished: the environ is used again
            return Interception(environ, self.kinds).run(self, None, start_response)
        stack = self if self.kinds.isdisjoint(outer.kinds) else self._stepped_aside(outer.kinds)
        if not stack.parts:
            return stack.app(environ, start_response)
        return Interception(environ, stack.kinds).run(stack, outer, start_response)

    __call__ = handle

    def _stepped_aside(self, running: frozenset[str]) -> Stack:
        """This stack without the parts that an outer one runs already."""
        stack = self._without.get(running)
        if stack is None:
            rest = [part for part in self.parts if part.kind not in running]
            stack = self._without[running] = Stack._of(self.app, rest)
        return stack


def _has(part: Middleware, name: str) -> bool:
    return getattr(getattr(part, name), "__func__", None) is not getattr(Middleware, name)
