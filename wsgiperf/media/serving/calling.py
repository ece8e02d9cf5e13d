"""A second call of the application, where its first answer was of no use: a 304 about something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from wsgiperf.bodies import OutgoingStream
from wsgiperf.exchange import EXCHANGE
from wsgiperf.wsgi import Response, Stack, Stream

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

__all__ = ["called"]


def called(app: WSGIApplication, environ: WSGIEnvironment) -> Response:
    """The application's response, with as much of its body in hand as a part would find.

    :raises Exception: what the application raises.
    """
    heads: list[tuple[str, list[tuple[str, str]]]] = []
    pushed: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        heads.append((status, headers))
        return pushed.append

    # The primitive in between: what it returns keeps the rules, whatever the application does. It is another
    # exchange: in the one that runs, an empty stack would step aside.
    environ.pop(EXCHANGE, None)
    body: Any = Stack(app)(environ, start_response)
    response = Response(*heads[-1], body)
    if pushed or isinstance(body, OutgoingStream):
        response.body = Stream(_with_pushed(pushed, iter(body)), None)
    return response


def _with_pushed(pushed: list[bytes], blocks: Iterator[bytes]) -> Iterator[bytes]:
    for block in blocks:
        yield from pushed
        pushed.clear()
        yield block
    yield from pushed
