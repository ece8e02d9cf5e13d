"""The request on its way in."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgiperf.testing.applications import HTML, LINES, Application, Shape
from wsgiperf.testing.fields import added_codings
from wsgiperf.testing.probe import Probe
from wsgiperf.testing.rules import Level, Wrap, expect, rule
from wsgiperf.testing.server import Delivery, Request, deliver
from wsgiperf.testing.trial import ENCODED, PLAIN, Decoded

ENVIRON = "PEP 3333, environ Variables"

CHUNKED = Request(
    "POST",
    fields=(
        ("Transfer-Encoding", "chunked"),
        ("Expect", "100-continue"),
        ("Connection", "Upgrade"),
        ("Upgrade", "echo"),
        ("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ),
)


class _Input(io.BytesIO):
    """A request body that counts the reads: the first one makes servers send 100 Continue."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().read(size)

    def readline(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().readline(size)


@rule("dispatchers leave word for those outside in it", Level.WSGIPERF)
def environ_is_the_same_dict(wrap: Wrap) -> None:
    """The application gets the very dict the server passed."""
    seen: list[WSGIEnvironment] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ)
        start_response("200 OK", list(HTML))
        return list(LINES)

    environ = ENCODED.environ()
    deliver(wrap(application), environ=environ)
    expect(len(seen) == 1 and seen[0] is environ, "the application got another dict")


@rule("PEP 3333, HTTP 1.1 Expect/Continue", Level.WSGIPERF)
def request_passes_untouched(wrap: Wrap) -> None:
    """Chunked input, Expect, upgrades and early hints arrive as the server gave them; no input is read."""
    body = _Input(b"request content")
    given = {
        **CHUNKED.environ(),
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.early_hints": lambda hints: None,
    }
    changed: list[str] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        changed.extend(key for key in given if environ.get(key) is not given[key])
        if body.reads:
            changed.append("wsgi.input was read")
        start_response("200 OK", list(HTML))
        return [environ["wsgi.input"].read(7)]

    delivery = deliver(wrap(application), environ=dict(given))
    expect(not changed, f"changed on the way in: {', '.join(changed)}")
    expect(body.reads == 1, "the rest of the input was read")
    expect(delivery.content == b"request", f"the content became {delivery.content!r}")


@rule(ENVIRON)
def application_may_change_environ(wrap: Wrap) -> None:
    """The application may modify environ in any way: mount itself elsewhere, drop keys, clear it."""
    for name, change in _CHANGES.items():
        for shape in (Shape.LIST, Shape.GENERATOR, Shape.ITERABLE):
            for request in (PLAIN, ENCODED):
                application = _changing(change, Probe(Application(LINES, shape, fields=HTML)))
                _expect_page(deliver(wrap(application), request), f"{name}, {shape.value}")


_CHANGES: dict[str, Callable[[WSGIEnvironment], object]] = {
    "a dispatcher": lambda environ: environ.update(SCRIPT_NAME="/mount", PATH_INFO="/inner"),
    "another method": lambda environ: environ.update(REQUEST_METHOD="HEAD"),
    "a key dropped": lambda environ: environ.pop("HTTP_ACCEPT_ENCODING", None),
    "cleared": lambda environ: environ.clear(),
}


def _changing(change: Callable[[WSGIEnvironment], object], inner: WSGIApplication) -> WSGIApplication:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        change(environ)
        return inner(environ, start_response)

    return application


@rule("tests and internal redirects use an environ again", Level.WSGIPERF)
def reused_environ(wrap: Wrap) -> None:
    """An environ serves again: for a second request, or for a redirect inside the application."""
    for request in (PLAIN, ENCODED):
        probe = Probe(Application(LINES, Shape.ITERABLE, fields=HTML))
        wrapped, environ = wrap(probe), request.environ()
        for _ in range(2):
            _expect_page(deliver(wrapped, environ=environ), "a second request")
        closings = [journal.closings for journal in probe.journals]
        expect(closings == [1, 1], f"closed {closings} times")

        redirecting = _changing(lambda environ: environ.update(PATH_INFO="/elsewhere"), wrapped)
        _expect_page(deliver(wrap(redirecting), request), "a redirect inside")


def _expect_page(delivery: Delivery, name: str) -> None:
    expect(delivery.error is None, f"{name}: it raised {delivery.error!r}")
    expect(not delivery.complaints, f"{name}: {delivery.complaints}")
    codings = added_codings(HTML, delivery.fields)
    decoded = Decoded(delivery.sent, codings)
    expect(decoded.content == b"".join(LINES), f"{name}: the content differs")
    expect(decoded.finished is not False, f"{name}: the encoded stream has no end")
