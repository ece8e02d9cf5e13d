"""Interception of one call, by the rules of PEP 3333: they are kept here and nowhere else.

An `Interception` is the exchange while it runs. It calls the application with its own `start_response`,
which only remembers. A list is complete when the call returns; of any other body the first non-empty block is
asked for inside the call, because no server sends a head before it has one. *That* is the commit point: the
parts see the response, innermost first, and the server's `start_response` is called, once. Until then the
application may start over with `exc_info`; a call of `write()` commits at once. Closing what is returned
closes every body, then tells the parts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from wsgiperf.bodies import OutgoingList, OutgoingStream, Stream
from wsgiperf.exchange import EXCHANGE, OPTIONS, Exchange, Held, Response, hold
from wsgiperf.http.headers import Fields

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from wsgiperf.wsgi import Middleware, Stack

__all__ = ["Interception"]

_log = logging.getLogger("wsgiperf")
# RFC 9112 section 6.2: where a length or a coding frames the message already, nothing is added.
_FRAMING = Fields([("Content-Length", ""), ("Transfer-Encoding", "")])
_no_options: dict[str | None, object] = {}
_no_environ = cast("WSGIEnvironment", MappingProxyType({}))


class Interception(Exchange):
    """The exchange while it runs, with the server's side of it."""

    _entered = 0  # how many parts the request reached, from outside
    _head: tuple[str, list[tuple[str, str]]] | None = None  # the application's
    _held: Held = ()
    _skipped: tuple[Middleware, ...] = ()
    _committed = False
    _write: Callable[[bytes], object]
    _file: object = None  # what a file wrapper that is a function returned

    def __init__(
        self, environ: WSGIEnvironment, stack: Stack, outer: Exchange | None, start: StartResponse
    ) -> None:
        Exchange.__init__(self, environ, stack.kinds)  # super() costs more than the call
        environ[EXCHANGE] = self
        self._stack, self._start = stack, start
        if outer is not None:
            self.outer, self.events, self.kinds = outer, outer.events, stack.kinds | outer.kinds
        # uWSGI's wrapper is a function that returns the raw file, known by identity; others' is a class.
        self._file_wrapper = wrapper = environ.get("wsgi.file_wrapper")
        if wrapper is not None and not isinstance(wrapper, type):
            environ["wsgi.file_wrapper"] = self._wrap_file

    def run(self) -> Iterable[bytes]:
        try:
            for entered, part, on_request in self._stack.requests:
                self._entered = entered
                try:
                    response = on_request(self)
                except Exception:
                    self._skip(part)
                    continue
                if response is not None:
                    return self._answer(response)
            self._entered = len(self._stack.parts)
            return self._accept(self._stack.app(self.environ, self._start_response))
        except BaseException as error:
            self._abort(error)
            raise
        finally:
            if self._tokens:
                self._leave()

    def _answer(self, response: Response) -> Iterable[bytes]:
        """A part answered: the parts outside it see the response."""
        if self.method == "HEAD" or _bodiless(response.status):
            response.body = ()
        return self._deliver(self._commit(response, self._entered - 1))

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Any:
        if exc_info:
            try:
                if self._committed:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # or this frame and the traceback hold each other
        elif self._head is not None:
            raise AssertionError("start_response was called a second time, without exc_info")
        self._head = (status, headers)
        return self._push

    def _push(self, data: bytes) -> None:
        """The `write()` callable."""
        if not self._committed:
            self._respond((), pushed=True)
        self._write(data)

    def _accept(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """The application returned."""
        if type(body) is not list:
            self._held = hold((), body)
        if isinstance(body, (list, tuple)):
            if self._head is not None:
                return self._deliver(body if self._committed else self._respond(body))
        elif hasattr(body, "__iter__") or hasattr(body, "__getitem__"):
            blocks = body if self._is_file(body) else self._begin(iter(body))
            if self._head is None:
                raise AssertionError("the application did not call start_response")
            return self._deliver(blocks if self._committed else self._respond(blocks))
        # No response but a sign to the server, such as gevent's ALREADY_HANDLED: the server's, as it is.
        if self._head is not None and not self._committed:
            self._respond((), pushed=True)
        self.close()
        return body

    def _begin(self, blocks: Iterator[bytes]) -> Stream:
        """Ask for the first non-empty block: until then a generator may call start_response."""
        if not self._committed:
            for first in blocks:
                if first:
                    return Stream(blocks, first)
            blocks = iter(())
        return Stream(blocks, None)

    def _respond(self, body: Iterable[bytes], pushed: bool = False) -> Iterable[bytes]:
        status, headers = cast("tuple[str, list[tuple[str, str]]]", self._head)
        response = Response(status, headers, body)
        response.pushed = pushed
        response._held = self._held
        return self._commit(response, self._entered)

    def _commit(self, response: Response, seen_by: int) -> Iterable[bytes]:
        """The one place where a head goes out. Returns the body to deliver."""
        self._held = response._held
        options = self.environ.get(OPTIONS) or _no_options
        for part, on_response in self._stack.responses[seen_by]:
            if part not in self._skipped and options.get(part.kind) is not False:
                try:
                    on_response(self, response)
                except Exception:
                    self._skip(part)
        status, headers, body = response.status, response.headers, response._body
        countable = isinstance(body, (list, tuple)) and not response.pushed and headers.lacks(_FRAMING)
        if countable and self.method != "HEAD" and not _bodiless(status):
            # Without it gunicorn and cheroot would send a list in chunks.
            headers.add("Content-Length", str(sum(map(len, cast("list[bytes]", body)))))
        self.status, self.headers, self._committed = status, headers.pairs, True
        self._write = self._start(status, headers.pairs)
        return body

    def _deliver(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """What the server gets."""
        if isinstance(body, (list, tuple)):
            if self._held or self._stack.closes[self._entered]:
                return OutgoingList(self, body, self.close)
            self.finished = True  # nobody waits for the end: the application's own object
            self._let_go()
            return body
        if self._is_file(body) and self._chain(body):
            return body
        return OutgoingStream(self, body if type(body) is Stream else Stream(iter(body), None), self.close)

    def _wrap_file(self, *args: Any) -> Any:
        self._file = self._file_wrapper(*args)  # type: ignore[misc]
        return self._file

    def _is_file(self, body: object) -> bool:
        wrapper = self._file_wrapper
        return isinstance(body, wrapper) if isinstance(wrapper, type) else body is self._file is not None

    def _chain(self, file: Any) -> bool:
        """A server uses sendfile for its own object only: that goes out, with our close on it."""
        try:
            file.close = self.close
        except (AttributeError, TypeError):
            return False
        return True

    def _skip(self, part: Middleware) -> None:
        """While a part's exception is handled. Here runs the line: a part whose failure harms nobody
        (monitor, cache, compression, timing) is left out of this exchange; any other fails the request."""
        if not part.skippable:
            raise
        self._skipped += (part,)
        _log.exception("%s failed; the request goes on without it", type(part).__name__)

    def _abort(self, error: BaseException) -> None:
        self.error = error
        try:
            self.close()
        except BaseException:
            _log.exception("a close() failed too, after the error that goes on to the server")

    def close(self) -> None:
        """Close every body once, then tell the parts that were entered, innermost first."""
        if self.finished:
            return
        self.finished = True
        if self.error is None and (self.method == "HEAD" or _bodiless(self.status or "")):
            self.complete = True  # servers differ in whether they ask for a body that isn't sent
        if self._bindings:
            self._enter()
        failure = None
        for _, close in reversed(self._held):
            try:
                close()
            except BaseException as error:
                failure = self.error = error
        for part, on_close in self._stack.closes[self._entered]:
            try:
                on_close(self)
            except Exception:
                _log.exception("%s failed at the end of a request", type(part).__name__)
        if self._tokens:
            self._leave()
        self._let_go()
        if failure is not None:
            raise failure

    def _let_go(self) -> None:
        """Leave environ as it came but for the exchange; and no cycle, that would keep sockets alive."""
        if self.outer is not None:
            self.environ[EXCHANGE] = self.outer
        if self._file_wrapper is not None:
            self.environ["wsgi.file_wrapper"] = self._file_wrapper
        self.environ, self._held = _no_environ, ()


def _bodiless(status: str) -> bool:
    """RFC 9110 section 6.4.1: 1xx, 204 and 304 have no content."""
    return status[:1] == "1" or status[:3] in ("204", "304")
