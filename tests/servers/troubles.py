"""Applications that fail, change their mind, or go past WSGI."""

import sys

from . import payload
from .payload import BLOCKS, LENGTH, TEXT, WHOLE
from .recording import Body


class DeliberateError(Exception):
    pass


def broken_before_start(environ, start_response):
    raise DeliberateError("before start_response")


def broken_first_block(environ, start_response):
    def blocks():
        start_response("200 OK", [TEXT])
        raise DeliberateError("before the first block")
        yield b""

    return Body(environ, blocks())


def broken_stream(environ, start_response, *more_fields):
    def blocks():
        yield BLOCKS[0]
        raise DeliberateError("after the first block")

    start_response("200 OK", [TEXT, *more_fields])
    return Body(environ, blocks())


def broken_counted(environ, start_response):
    return broken_stream(environ, start_response, LENGTH)


def restarted(environ, start_response):
    """Changes its mind before anything is sent, as PEP 3333 allows with exc_info."""
    start_response("200 OK", [TEXT, ("X-App-Old", "dropped")])
    try:
        raise DeliberateError("before the first block")
    except DeliberateError:
        start_response("503 Service Unavailable", [TEXT], sys.exc_info())
    return [WHOLE]


def restarted_too_late(environ, start_response):
    def blocks():
        yield BLOCKS[0]
        try:
            raise DeliberateError("after the first block")
        except DeliberateError:
            start_response("503 Service Unavailable", [TEXT], sys.exc_info())
        yield b"never sent: start_response must have raised"

    start_response("200 OK", [TEXT])
    return Body(environ, blocks())


def closing(environ, start_response):
    start_response("200 OK", [TEXT, LENGTH, ("Connection", "close")])
    return [WHOLE]


def hinting(environ, start_response):
    environ["wsgi.early_hints"]([payload.HINT])
    start_response("200 OK", [TEXT, LENGTH])
    return [WHOLE]


def hijacked(environ, start_response):
    """Takes the socket over, answers an upgrade and echoes one line, as WebSocket libraries do."""
    raw = environ["gunicorn.socket"]
    raw.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
    raw.sendall(raw.recv(100))
    raise StopIteration


def already_handled(environ, start_response):
    """Answers on the socket and returns the object by which gunicorn's gevent worker is told so."""
    handled = sys.modules["gunicorn.workers.base_async"].ALREADY_HANDLED
    environ["gunicorn.socket"].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    return handled


TROUBLES = (
    broken_before_start, broken_first_block, broken_stream, broken_counted, restarted,
    restarted_too_late, closing, hinting, hijacked, already_handled,
)  # fmt: skip
