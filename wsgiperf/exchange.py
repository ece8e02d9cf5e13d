"""What a part sees of one request and its response, and what it may do with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar, Token
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from wsgiperf.http.headers import Headers

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from wsgiperf.http.trace_context import TraceContext

__all__ = ["EXCHANGE", "OPTIONS", "Exchange", "Held", "Response", "current", "hold"]

#: The environ key under which applications, hosts and nested stacks find the exchange.
EXCHANGE = "wsgiperf.exchange"
#: The environ key under which an application leaves options for its response: a dict of section names. False
#: keeps that part away from it.
OPTIONS = "wsgiperf.options"

#: An exception that is raised again and again doesn't grow without end.
MOST_NOTES = 4

#: Bodies, each with its close.
Held = tuple[tuple[object, Callable[[], object]], ...]


class Exchange:
    """One request and its response on their way through one stack.

    The request fields are captured before the application is called, for dispatchers change environ.
    """

    # Slots, all filled here: the quickest attributes to read, by a factor of five to a default in the class.
    __slots__ = (
        "_bindings", "_endings", "_route", "_tokens", "accept_encoding", "complete", "environ", "error",
        "events", "finished", "head_seconds", "headers", "kinds", "method", "mount", "nonce", "notes",
        "outer", "path", "peer", "request_id", "request_id_header", "scheme", "started", "status", "trace",
    )  # fmt: skip

    def __init__(self, environ: WSGIEnvironment, kinds: frozenset[str]) -> None:
        get = environ.get
        self.environ = environ  #: the server's own dict, the same all the way; empty once finished
        self.method: str = get("REQUEST_METHOD", "GET")
        self.scheme: str = get("wsgi.url_scheme", "http")  #: as this server saw it
        self.mount: str = get("SCRIPT_NAME", "")
        self.path: str = get("PATH_INFO", "")  #: below the mount
        self.peer: str = get("REMOTE_ADDR", "")  #: the connection's other end; empty on a unix socket
        self.accept_encoding: str | None = get("HTTP_ACCEPT_ENCODING")
        self.kinds = kinds  #: the kinds of all parts that this request passes
        self.outer: Exchange | None = None  #: the unfinished exchange of a stack around this one
        self.events: list[Any] = []  #: records of what happened
        #: what parts remember of this exchange from one moment to the next, each under itself as key
        self.notes: dict[object, Any] = {}
        self.request_id: str | None = None  #: where the request ID part is there
        self.request_id_header = "X-Request-ID"  #: the field that carries it
        self.trace: TraceContext | None = None  #: the place in a distributed trace, likewise
        self.nonce: Any = None  #: the CSP nonce; `nonce.used` tells whether the application read it
        self.status: str | None = None  #: the head as sent, from the commit on
        self.headers: list[tuple[str, str]] | None = None
        self.head_seconds: float | None = None  #: from the start to the head, where the timing part is there
        self.error: BaseException | None = None  #: what ended the exchange, where something did
        self.complete = False  #: the body was asked for to its very end
        self.finished = False
        self._route: str | None = None
        self._endings: list[Callable[[], object]] | None = None
        self._bindings: list[tuple[ContextVar[Any], Any]] | None = None
        self._tokens: list[tuple[ContextVar[Any], Token[Any]]] | None = None
        self.started = perf_counter()  #: seconds

    @property
    def route(self) -> str | None:
        """The route's template, such as ``/posts/<int:id>``; hosts set it when the framework knows."""
        return self._route

    @route.setter
    def route(self, route: str | None) -> None:
        self._route = route
        if self.outer is not None:
            self.outer.route = route

    def at_end(self, call: Callable[[], object]) -> None:
        """Have something called when the exchange is over, once and on every path, behind all `on_close`.

        For a part that needs the end of few exchanges only: waiting for it costs the others nothing. To be
        called before the head goes out. What the call raises is logged, and harms nobody.
        """
        if self._endings is None:
            self._endings = []
        self._endings.append(call)

    def not_at_end(self, call: Callable[[], object]) -> None:
        """Take back what was given to `at_end`."""
        if self._endings is not None:
            self._endings.remove(call)

    def bind(self, variable: ContextVar[Any], value: Any) -> None:
        """Give a context variable its value whenever application code of this exchange runs, and only then.

        It is set and reset around each single call: a context that stayed set would leak into whatever the
        server's thread does between two blocks, a copied one breaks tracers that reset their own tokens.
        """
        if self._bindings is None:
            self._bindings = []
        if self._tokens is None:
            self._tokens = []
        self._bindings.append((variable, value))
        self._tokens.append((variable, variable.set(value)))

    def _rebind(self) -> None:
        if not self._tokens:  # else they are set: the call itself ends the exchange
            self._tokens = [(variable, variable.set(value)) for variable, value in self._bindings or ()]

    def _unbind(self) -> None:
        while self._tokens:
            variable, bound = self._tokens.pop()
            variable.reset(bound)

    def fail(self, error: BaseException) -> None:
        """Remember what ended the exchange. The server logs it outside of any context: its ID goes along."""
        self.error = error
        if self.request_id is not None and len(getattr(error, "__notes__", ())) < MOST_NOTES:
            error.add_note(f"request ID: {self.request_id}")


#: The exchange that this code runs for; None outside of requests.
current: ContextVar[Exchange | None] = ContextVar("wsgiperf.exchange", default=None)


class KeptVariants(Protocol):
    """Encoded bodies that an inner part keeps: coding -> the whole body so encoded."""

    def get(self, coding: str, /) -> bytes | None:
        """The encoded body, or None."""

    def __setitem__(self, coding: str, encoded: bytes, /) -> None:
        """Take what had to be encoded."""


class Response:
    """A head and a body, nothing of it sent.

    :param status: such as ``"200 OK"``.
    :param headers: (name, value) pairs; copied.
    :param body: blocks of bytes; a list or tuple where its size is to be known.

    A part may replace any of the three. It never closes a body: every body the response ever held is
    closed once, at the end. A part that changes the body's size removes Content-Length; a list's is set
    at the commit.
    """

    __slots__ = ("_body", "_held", "headers", "pushed", "status", "variants")

    def __init__(
        self, status: str, headers: Iterable[tuple[str, str]] = (), body: Iterable[bytes] = ()
    ) -> None:
        self.status = status
        self.headers = Headers(headers)
        self.pushed = False  #: bytes go by `write()`: the head may change, they may not
        #: coding -> the whole body so encoded, where an inner part keeps such variants
        self.variants: KeptVariants | None = None
        self._body = body
        self._held: Held = () if type(body) is list else hold((), body)

    @classmethod
    def of(
        cls, status: str, pairs: list[tuple[str, str]], fields: dict[str, str], body: list[bytes]
    ) -> Response:
        """A response from header fields that are checked, in both forms of `Headers`: its own from now on."""
        response = cls.__new__(cls)
        response.headers = headers = Headers.__new__(Headers)
        headers.pairs, headers.fields = pairs, fields
        response.status, response._body = status, body
        response.pushed, response.variants, response._held = False, None, ()
        return response

    @property
    def body(self) -> Iterable[bytes]:
        """A list, a tuple, a `Stream` with its `first` block in hand, or the server's file wrapper."""
        return self._body

    @body.setter
    def body(self, body: Iterable[bytes]) -> None:
        self._held = hold(self._held, body)
        self._body = body

    def blocks(self) -> Iterator[bytes]:
        """Iterate over the body, whatever it is; a raw file (uWSGI's wrapper) by blocks, not by lines."""
        read = getattr(self._body, "read", None)
        return iter(self._body) if read is None else iter(lambda: read(65536), b"")


def hold(held: Held, body: object) -> Held:
    """Add a body's `close`, as it is now, to those to call at the end, unless it is there."""
    close = getattr(body, "close", None)
    if close is None or any(other is body for other, _ in held):
        return held
    return (*held, (body, close))
