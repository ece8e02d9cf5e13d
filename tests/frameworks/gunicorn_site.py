"""The application that the gunicorn tests serve, in several shapes."""

import os

import wsgiperf

LONG = b"long enough to be compressed " * 100


def app(environ, start_response):
    """Answers with its worker's process ID in a header."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Worker", str(os.getpid()))])
    return [LONG]


def create(name):
    """A factory."""
    assert name == "site"
    return app


def self_wrapped():
    """An application that has the parts around it already."""
    return wsgiperf.wrap(app)


async def asgi(scope, receive, send):
    """The same in the other protocol."""
    if scope["type"] == "http":
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
        )
        await send({"type": "http.response.body", "body": LONG})
