"""A WSGI server that forgives nothing, reads step by step, and writes down what it was given.

It follows "The Server/Gateway Side" of PEP 3333 to the letter where servers differ: the head goes out with
the first non-empty block, `close` is called once on every path, an error never becomes a page. It raises
nothing itself; what broke the protocol is in `Delivery.complaints`, what was raised in `Delivery.error`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple
from wsgiref.types import WSGIApplication, WSGIEnvironment

from wsgiperf.testing.files import FileWrapper

Step = Callable[[Callable[[], object]], object]
"""How the server takes one step: directly, on another thread, in a watched context."""

Fields = tuple[tuple[str, str], ...]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

_END = object()

_STATUS = re.compile(r"[1-9][0-9]{2} [^\x00-\x1f\x7f]*")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


@dataclass(frozen=True)
class Request:
    """What a client asks."""

    method: str = "GET"
    path: str = "/contract"
    fields: Fields = ()
    content: bytes = b""

    def environ(self) -> WSGIEnvironment:
        """A new environ, as "environ Variables" of PEP 3333 wants it."""
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.content),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "wsgi.file_wrapper": FileWrapper,
        }
        if self.content:
            environ["CONTENT_LENGTH"] = str(len(self.content))
        for name, value in self.fields:
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ

    def __str__(self) -> str:
        fields = "".join(f", {name}: {value}" for name, value in self.fields)
        return f"{self.method} {self.path}{fields}"

    def field(self, name: str) -> str:
        """The field of that name, or nothing."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), "")


class Head(NamedTuple):
    """One call of start_response: what was said, and the very list it was said with."""

    status: str
    fields: Fields
    given: list[tuple[str, str]]


def directly(action: Callable[[], object]) -> object:
    """Take a step right here."""
    return action()


@dataclass
class Delivery:
    """One request on its way through an application: `call`, then `pull` block by block, then `close`."""

    application: WSGIApplication
    environ: WSGIEnvironment
    step: Step = directly
    heads: list[Head] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    """All that went to the client, written or iterated, in order; no empty blocks."""
    blocks: list[bytes] = field(default_factory=list)
    """What iteration gave, empty blocks too."""
    blocks_before_head: int = 0
    pulls: int = 0
    body: object = None
    complete: bool = False
    error: BaseException | None = None
    complaints: list[str] = field(default_factory=list)
    _iterator: Iterator[object] | None = None

    @property
    def committed(self) -> bool:
        """Whether the client has the head: with the first byte, or when the body ended without one."""
        return bool(self.sent) or (self.complete and bool(self.heads))

    @property
    def status(self) -> str:
        """The status the client sees."""
        return self.heads[-1].status if self.heads else ""

    @property
    def fields(self) -> Fields:
        """The header fields the client sees."""
        return self.heads[-1].fields if self.heads else ()

    def values(self, name: str) -> list[str]:
        """Every value of one header field, in order."""
        return [value for key, value in self.fields if key.lower() == name.lower()]

    @property
    def content(self) -> bytes:
        """The body's bytes as they went out."""
        return b"".join(self.sent)

    def call(self) -> bool:
        """Call the application; whether it gave a body."""
        self.body = self._take(lambda: self.application(self.environ, self.start_response))
        return self.error is None

    def pull(self) -> bool:
        """Ask the body for one block; False at its end, whichever end that is."""
        self.pulls += 1
        block = self._take(self._next)
        if block is _END:
            self.complete = True
            if not self.heads:
                self._complain("the body ended and start_response had not been called")
            return False
        if self.error is not None:
            return False
        self.blocks_before_head += not self.heads
        if isinstance(block, bytes):
            self.blocks.append(block)
        self.write(block)
        return True

    def close(self) -> None:
        """Call the body's close, if it has one, as a server does on every path."""
        close = getattr(self.body, "close", None)
        if close is not None:
            self._take(close)

    def run(self, take: int | None = None) -> None:
        """Serve from start to end; the client leaves after ``take`` blocks, if that is given."""
        if self.call():
            while (take is None or self.pulls < take) and self.pull():
                pass
            self.close()

    def start_response(
        self,
        status: str,
        fields: list[tuple[str, str]],
        exc_info: ExcInfo | None = None,
        /,
    ) -> Callable[[bytes], object]:
        """The server's start_response."""
        try:
            if exc_info and exc_info[1] and self.committed:
                raise exc_info[1].with_traceback(exc_info[2])
            if self.heads and not exc_info:
                raise self._complain("start_response was called twice without exc_info")
        finally:
            exc_info = None  # its traceback holds this frame: a cycle, as the PEP's own server notes
        for fault in _head_faults(status, fields):
            self._complain(fault)
        self.heads.append(Head(status, tuple(fields), fields))
        return self.write

    def write(self, block: object) -> None:
        """The server's write callable."""
        if not isinstance(block, bytes):
            self._complain(f"a block is {type(block).__name__}, not bytes")
        elif block:
            if not self.heads:
                self._complain("the body began before start_response was called")
            self.sent.append(block)

    def _next(self) -> object:
        if self._iterator is None:
            self._iterator = iter(self.body)  # type: ignore[call-overload]
        return next(self._iterator, _END)

    def _take(self, action: Callable[[], object]) -> object:
        try:
            return self.step(action)
        except KeyboardInterrupt:
            raise  # the person at the keyboard means the checker
        except BaseException as error:
            self.error = self.error or error
            return None

    def _complain(self, text: str) -> AssertionError:
        self.complaints.append(text)
        return AssertionError(text)


def _head_faults(status: object, fields: object) -> Iterator[str]:
    if type(status) is not str or not _STATUS.fullmatch(status) or not _latin1(status):
        yield f"the status {status!r} is not of the form '200 OK'"
    if type(fields) is not list:
        yield f"the header fields are {type(fields).__name__}, not a list"
        return
    for item in fields:
        if type(item) is not tuple or [type(part) for part in item] != [str, str]:
            yield f"the header field {item!r} is not a tuple of two strings"
        elif not _NAME.fullmatch(item[0]):
            yield f"the header name {item[0]!r} is not a token"
        elif not _VALUE.fullmatch(item[1]) or not _latin1(item[1]):
            yield f"the value of {item[0]} has control characters or is not latin-1: {item[1]!r}"


def _latin1(text: str) -> bool:
    return all(ord(character) < 256 for character in text)


def deliver(
    application: WSGIApplication,
    request: Request | None = None,
    *,
    take: int | None = None,
    environ: WSGIEnvironment | None = None,
    step: Step = directly,
) -> Delivery:
    """Serve one request from start to end; see `Delivery.run`."""
    given = (request or Request()).environ() if environ is None else environ
    delivery = Delivery(application, given, step)
    delivery.run(take)
    return delivery
