"""Calls of the application that a part makes by itself, while a visitor waits for the response.

Where an entry may stand in for errors, an exception is one too: nobody else could turn it into a response.
And where a 304 turned out to be about something else, the application has to be asked again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from wsgiperf.bodies import OutgoingStream
from wsgiperf.wsgi import Middleware, Response, Stack, Stream

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

__all__ = ["called", "with_pushed"]


def called(app: WSGIApplication, environ: WSGIEnvironment) -> Response:
    """The application's response, with as much of its body in hand as a part would find.

    :raises Exception: what the application raises.
    """
    heads: list[tuple[str, list[tuple[str, str]]]] = []
    pushed: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        heads.append((status, headers))
        return pushed.append

    # The primitive in between: what it returns keeps the rules, whatever the application does. Without any
    # part it would step aside.
    body: Any = Stack(app, Middleware())(environ, start_response)
    response = Response(*heads[-1], body)
    if pushed or isinstance(body, OutgoingStream):
        response.body = Stream(with_pushed(pushed, iter(body)), None)
    return response


def with_pushed(pushed: list[bytes], blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks of a body, each after what was given to `write()` by then."""
    for block in blocks:
        yield from pushed
        pushed.clear()
        yield block
    yield from pushed
