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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from wsgiperf.bodies import OutgoingStream, Stream
from wsgiperf.exchange import EXCHANGE, OPTIONS, Exchange, Held, Response, current, hold
from wsgiperf.http.memo import memoised

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from wsgiperf.wsgi import Middleware, Stack

    _Hook = tuple[Middleware, Callable[[Exchange, Response], None]]

__all__ = ["Interception"]

_log = logging.getLogger("wsgiperf")
_COUNTED = (list, tuple)
_no_environ = cast("WSGIEnvironment", MappingProxyType({}))


class Interception(Exchange):
    """The exchange while it runs, with the server's side of it."""

    __slots__ = (
        "_blocks", "_entered", "_file", "_file_wrapper", "_head", "_held", "_skipped", "_stack", "_start",
        "_write",
    )  # fmt: skip

    _write: Callable[[bytes], object]
    _blocks: Sequence[bytes]

    def run(self, stack: Stack, outer: Exchange | None, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request through the stack to the application; what is returned goes to the server."""
        self._stack, self._start = stack, start_response
        self._entered = 0  # how many parts the request reached, from outside
        self._head: tuple[str, list[tuple[str, str]]] | None = None  # the application's
        self._held: Held = ()
        self._skipped: tuple[Middleware, ...] = ()
        environ = self.environ
        environ[EXCHANGE] = self
        if outer is not None:
            self._continue(outer)
        self._file: object = None  # what a file wrapper that is a function returned
        self._file_wrapper = wrapper = environ.get("wsgi.file_wrapper")
        if wrapper is not None and not isinstance(wrapper, type):
            # uWSGI's is a function that returns the raw file, known by identity; others' is a class.
            environ["wsgi.file_wrapper"] = self._wrap_file
        token = current.set(self)
        try:
            for entered, part, on_request in stack.requests:
                self._entered = entered
                try:
                    answer = on_request(self)
                except Exception:
                    self._skip(part)
                    continue
                if answer is not None:
                    return self._answer(answer)
            self._entered = stack.size
            return self._accept(stack.app(environ, self._start_response))
        except BaseException as error:
            self._abort(error)
            raise
        finally:
            current.reset(token)
            if self._tokens:
                self._unbind()

    def _continue(self, outer: Exchange) -> None:
        """A stack around this one runs already: what it knows of the request holds here too."""
        self.outer, self.events, self.kinds = outer, outer.events, self.kinds | outer.kinds
        self.request_id, self.trace, self.nonce = outer.request_id, outer.trace, outer.nonce
        self.request_id_header = outer.request_id_header

    def _answer(self, response: Response) -> Iterable[bytes]:
        """A part answered: the parts outside it see the response."""
        self._commit(response, self._entered - 1)
        return self._deliver(() if self._sends_nothing() else response._body)

    def _start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        if exc_info:
            try:
                if self.status is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # or this frame and the traceback hold each other
        elif self._head is not None:
            raise AssertionError("start_response was called a second time, without exc_info")
        self._head = (status, headers)
        return self._push

    def _push(self, data: bytes) -> None:
        """The `write()` callable."""
        if self.status is None:
            if not data:
                return  # no server sends a head for nothing: the application may start over
            self._commit_pushed()
        self._write(data)

    def _accept(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """The application returned."""
        if not isinstance(body, _COUNTED):
            return self._accept_stream(body)
        if self._head is None:
            return self._hand_over(body)
        if self.status is None:
            status, headers = self._head
            response = Response(status, headers, body)
            self._commit(response, self._entered)
            body = response._body
        else:
            self._held = hold((), body)
        return self._deliver(body)

    def _accept_stream(self, body: Iterable[bytes]) -> Iterable[bytes]:
        if not (hasattr(body, "__iter__") or hasattr(body, "__getitem__")):
            return self._hand_over(body)
        self._held = hold((), body)
        blocks = body if self._is_file(body) else self._begin(iter(body))
        if self._head is None:
            raise AssertionError("the application did not call start_response")
        if self.status is None:
            status, headers = self._head
            response = Response(status, headers, blocks)
            response._held = self._held
            self._commit(response, self._entered)
            blocks = response._body
        return self._deliver(blocks)

    def _begin(self, blocks: Iterator[bytes]) -> Stream:
        """Ask for the first non-empty block: until then a generator may call start_response."""
        if self.status is None:
            for first in blocks:
                if first:
                    return Stream(blocks, first)
            blocks = iter(())
        return Stream(blocks, None)

    def _hand_over(self, sign: Iterable[bytes]) -> Iterable[bytes]:
        """No response but a sign to the server, such as gevent's ALREADY_HANDLED: the server's, as it is."""
        if self._head is not None and self.status is None:
            self._commit_pushed()
        self.close()
        return sign

    def _commit_pushed(self) -> None:
        """The head goes out, the bytes go past the parts."""
        response = Response(*cast("tuple[str, list[tuple[str, str]]]", self._head))
        response.pushed = True
        response._held = self._held  # a generator may push while it is asked for its first block
        self._commit(response, self._entered)

    def _commit(self, response: Response, seen_by: int) -> None:
        """The one place where a head goes out."""
        responses: Iterable[_Hook] = self._stack.responses[seen_by]
        try:
            if self._skipped or OPTIONS in self.environ:
                responses = list(self._without_excused(responses))
            for part, on_response in responses:
                try:
                    on_response(self, response)
                except Exception:
                    self._skip(part)
        finally:
            self._held = response._held
        headers = response.headers
        fields = headers.fields
        if "content-length" not in fields and not response.pushed:
            self._count(response, fields)
        self.headers = pairs = headers.pairs
        self.status = status = response.status
        self._write = self._start(status, pairs)

    def _without_excused(self, responses: Iterable[_Hook]) -> Iterator[_Hook]:
        """The parts that have not failed, and that the application did not send away."""
        options = self.environ.get(OPTIONS) or {}
        for part, on_response in responses:
            excused = part.excusable and options.get(part.kind) is False
            if not excused and part not in self._skipped:
                yield part, on_response

    def _count(self, response: Response, fields: Mapping[str, str]) -> None:
        """Set Content-Length where it is known: without it gunicorn and cheroot send a list in chunks."""
        body = response._body
        if not isinstance(body, _COUNTED) or self.method == "HEAD" or _bodiless(response.status):
            return
        if "transfer-encoding" not in fields:  # RFC 9112 section 6.2
            response.headers.add("Content-Length", str(sum(map(len, body))))

    def _deliver(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """What the server gets."""
        if isinstance(body, _COUNTED):
            if self._held or self._endings or self._stack.closes[self._entered]:
                self._blocks = body
                return self
            self.finished = True  # nobody waits for the end: the application's own object
            self._let_go()
            return body
        if type(body) is not Stream:
            if self._is_file(body) and self._chain(body):
                return body
            body = Stream(iter(body), None)
        return OutgoingStream(self, body, self.close)

    def _wrap_file(self, *args: Any) -> Any:
        self._file = cast("Callable[..., object]", self._file_wrapper)(*args)
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
        self.complete = True  # as far as can be seen from here
        return True

    def _skip(self, part: Middleware) -> None:
        """While a part's exception is handled. Here runs the line: a part whose failure harms nobody
        (monitor, cache, compression, timing) is left out of this exchange; any other fails the request."""
        if not part.skippable:
            raise
        self._skipped += (part,)
        _log.exception("%s failed; the request goes on without it", type(part).__name__)

    def _abort(self, error: BaseException) -> None:
        self.fail(error)
        try:
            self.close()
        except BaseException:
            _log.exception("a close() failed too, after the error that goes on to the server")

    # What the server gets for a list or tuple: as countable as that was, and with a `close`. One object for
    # both spares each request the making of another.

    def __iter__(self) -> Iterator[bytes]:
        yield from self._blocks
        self.complete = True

    def __len__(self) -> int:
        return len(self._blocks)

    def __bool__(self) -> bool:
        return True

    def close(self) -> None:
        """Close every body once, then tell the parts that were entered, innermost first."""
        if self.finished:
            return
        self.finished = True
        if not self.complete and self.error is None and self._sends_nothing():
            self.complete = True  # servers differ in whether they ask for a body that isn't sent
        token = current.set(self)
        if self._bindings:
            self._rebind()
        failure = self._close_bodies() if self._held else None
        for part, on_close in self._stack.closes[self._entered]:
            try:
                on_close(self)
            except Exception:
                _log.exception("%s failed at the end of a request", type(part).__name__)
            except BaseException as error:
                failure = error  # the worker or its greenlet is told to stop: the other parts are told first
        if self._endings:
            failure = self._call(self._endings) or failure
        current.reset(token)
        if self._tokens:
            self._unbind()
        self._let_go()
        if failure is not None:
            raise failure

    def _close_bodies(self) -> BaseException | None:
        failure = None
        for _, close in reversed(self._held):
            try:
                close()
            except BaseException as error:
                failure = error
                self.fail(error)
        return failure

    def _call(self, endings: Iterable[Callable[[], object]]) -> BaseException | None:
        failure = None
        for call in endings:
            try:
                call()
            except Exception:
                _log.exception("what was left for the end of a request failed")
            except BaseException as error:
                failure = error  # as above
        return failure

    def _sends_nothing(self) -> bool:
        return self.method == "HEAD" or _bodiless(self.status or "")

    def _let_go(self) -> None:
        """Leave environ as it came but for the exchange; and no cycle, that would keep sockets alive."""
        if self.outer is not None:
            self.environ[EXCHANGE] = self.outer
        if self._file_wrapper is not None:
            self.environ["wsgi.file_wrapper"] = self._file_wrapper
        self.environ, self._held, self._endings = _no_environ, (), None
        if self.notes:
            self.notes.clear()
        self._start = self._write = _refuse  # most servers keep environ beside them


def _refuse(*_args: object) -> Any:
    raise RuntimeError("the response is over")


@memoised
def _bodiless(status: str) -> bool:
    """RFC 9110 section 6.4.1: 1xx, 204 and 304 have no content."""
    return status[:1] == "1" or status[:3] in ("204", "304")
