"""wsgi.file_wrapper: servers send such a body without iterating, if it is the object they made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from wsgiperf.testing.applications import BYTES, HTML, NOISE, TEXT
from wsgiperf.testing.fields import added_codings
from wsgiperf.testing.files import ClosingFileWrapper, CountedFile, FileWrapper, SealedFileWrapper, bare_file
from wsgiperf.testing.rules import Level, Wrap, expect, rule
from wsgiperf.testing.server import Delivery, Fields, Request
from wsgiperf.testing.trial import ENCODED, HEAD, PLAIN, Decoded

Wrapper = Callable[[CountedFile], Any]

_KINDS: dict[str, Wrapper] = {
    "gunicorn's": FileWrapper,
    "waitress's": ClosingFileWrapper,
    "uWSGI's": bare_file,
}

_CLOSED_KINDS = {**_KINDS, "one in C": SealedFileWrapper}
"""Those, and one on which no attribute can be set."""

SOURCE = "PEP 3333, Optional Platform-Specific File Handling"


@rule("gunicorn and waitress ask isinstance, uWSGI asks whether it is its own object", Level.WSGIPERF)
def file_wrapper_kept(wrap: Wrap) -> None:
    """A file nobody has to read is returned as the very object that environ's wsgi.file_wrapper made."""
    for name, kind in _KINDS.items():
        for request in (PLAIN, HEAD):
            made, file, delivery = _serve_file(wrap, kind, request, BYTES, NOISE, take=0)
            expect(delivery.body is made, f"{name} became {delivery.body!r}")
            expect(delivery.heads, f"{name}: start_response was not called before the call returned")
            expect(file.closings == 1, f"{name}: the file was closed {file.closings} times")


@rule(SOURCE)
def file_wrapper_closed_once(wrap: Wrap) -> None:
    """A file is sent from where it stands, and closed once: read to the end, half, or never."""
    for name, kind in _CLOSED_KINDS.items():
        for own, content in ((BYTES, NOISE), (HTML, TEXT)):
            for request in (PLAIN, ENCODED):
                for take in (None, 0, 1):
                    _, file, delivery = _serve_file(wrap, kind, request, own, content, take)
                    expect(file.closings == 1, f"{name}: the file was closed {file.closings} times")
                    expect(delivery.error is None, f"{name}: it raised {delivery.error!r}")
                    if take is None:
                        codings = added_codings(own, delivery.fields)
                        got = Decoded(delivery.sent, codings).content
                        expect(got == content[5:], f"{name}: the content differs")


def _serve_file(
    wrap: Wrap, kind: Wrapper, request: Request, own: Fields, content: bytes, take: int | None
) -> tuple[object, CountedFile, Delivery]:
    file = CountedFile(content)
    file.seek(5)
    made: list[Any] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(own))
        made.append(environ["wsgi.file_wrapper"](file))
        body: Iterable[bytes] = made[0]
        return body

    environ = request.environ()
    environ["wsgi.file_wrapper"] = kind
    delivery = Delivery(wrap(application), environ)
    delivery.run(take)
    return made[0], file, delivery
