"""A small server with a client in one, and applications to ask: what nearly every test here needs."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from wsgiperf.testing.decoding import Decoder

Environ = dict[str, Any]
Application = Callable[..., Iterable[bytes]]
Field = tuple[str, str]

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

PAGE = b"<p>What a page says, again and again.</p>\n" * 200
HTML = ("Content-Type", "text/html; charset=utf-8")


def environ_of(
    path: str = "/",
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    *,
    mount: str = "",
    scheme: str = "http",
    peer: str = "192.0.2.1",
    **more: object,
) -> Environ:
    """What a server makes of a request; `more` are environ keys."""
    environ: Environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": mount,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REMOTE_ADDR": peer,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in (headers or {}).items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    return {**environ, **more}


class Exchanged:
    """A request on its way: called when made, read block by block, closed once."""

    def __init__(self, app: Application, environ: Environ, strict: bool = True) -> None:
        self.environ = environ
        self.heads: list[tuple[str, list[Field]]] = []
        self.sent: list[bytes] = []
        self._strict = strict
        self.iterable = app(environ, self._start_response)
        self._blocks = iter(self.iterable)

    @property
    def status(self) -> str:
        """The status line's text."""
        return self.heads[-1][0]

    @property
    def fields(self) -> list[Field]:
        """The header fields as sent."""
        return self.heads[-1][1]

    @property
    def body(self) -> bytes:
        """All bytes so far."""
        return b"".join(self.sent)

    def all(self, name: str) -> list[str]:
        """The values of every field of this name."""
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def __getitem__(self, name: str) -> str | None:
        """The value of the only field of this name; None where there is none."""
        values = self.all(name)
        assert len(values) < 2, f"{name} is there more than once: {values}"
        return values[0] if values else None

    def read(self) -> bytes | None:
        """One block, or None at the end."""
        block = next(self._blocks, None)
        if block is not None:
            assert self.heads, "a block came before the head"
            self._write(block)
        return block

    def close(self) -> None:
        """As servers do on every path."""
        close = getattr(self.iterable, "close", None)
        if close is not None:
            close()

    def whole(self) -> Exchanged:
        """Read to the end and close."""
        try:
            while self.read() is not None:
                pass
        finally:
            self.close()
        assert self.heads, "no head was sent"
        return self

    def decoded(self) -> bytes:
        """The body, decoded by its Content-Encoding; the coding has to come to its end."""
        coding = self["Content-Encoding"]
        if coding is None:
            return self.body
        decoder = Decoder(coding)
        plain = decoder.feed(self.body)
        assert decoder.finished, "the coding has no end"
        return plain

    def _start_response(self, status: str, fields: list[Field], exc_info: Any = None) -> Any:
        assert exc_info or not self.heads, "start_response was called twice"
        assert not self.sent, "start_response was called after the first byte"
        assert type(fields) is list
        for name, value in fields if self._strict else ():
            assert _NAME.fullmatch(name), name
            assert _VALUE.fullmatch(value), (name, value)
        self.heads.append((status, list(fields)))
        return self._write

    def _write(self, block: bytes) -> None:
        assert isinstance(block, bytes)
        self.sent.append(block)


def ask(app: Application, *args: Any, strict: bool = True, **request: Any) -> Exchanged:
    """Ask and read all of the answer; the arguments are those of `environ_of`."""
    return Exchanged(app, environ_of(*args, **request), strict).whole()


def answering(
    *fields: Field, body: bytes = PAGE, status: str = "200 OK", seen: list[Environ] | None = None
) -> Application:
    """An application that returns a list; `seen` gets each request's environ, copied."""

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        if seen is not None:
            seen.append(dict(environ))
        start_response(status, list(fields))
        return [body]

    return app


def streaming(*fields: Field, blocks: Iterable[bytes], status: str = "200 OK") -> Application:
    """An application that is a generator."""

    def app(environ: Environ, start_response: Any) -> Iterator[bytes]:
        start_response(status, list(fields))
        yield from blocks

    return app


class Body:
    """An iterable that counts how often it was closed, and says so to `log`."""

    def __init__(
        self, blocks: Iterable[bytes] = (b"body",), name: str = "body", log: list[str] | None = None
    ):
        self.blocks, self.name, self.log, self.closings = iter(blocks), name, log, 0

    def __iter__(self) -> Iterator[bytes]:
        return self.blocks

    def close(self) -> None:
        """Count."""
        self.closings += 1
        if self.log is not None:
            self.log.append(f"close {self.name}")


def returning(body: Any, *fields: Field, status: str = "200 OK") -> Application:
    """An application that returns just this object."""

    def app(environ: Environ, start_response: Any) -> Any:
        start_response(status, list(fields))
        return body

    return app
