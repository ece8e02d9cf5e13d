"""Wrong with the body."""

from __future__ import annotations

from itertools import islice

from .table import Proxy, breaks


@breaks("close-exactly-once", "stop-iteration-out-of-the-call")
def is_a_generator(app):
    def wrapped(environ, start_response):
        body = app(environ, start_response)
        try:
            yield from body
        finally:
            if hasattr(body, "close"):
                body.close()

    return wrapped


@breaks("close-exactly-once", "file-wrapper-kept")
def closes_in_finally(app):
    def passed_on(body):
        try:
            yield from body
        finally:
            if hasattr(body, "close"):
                body.close()

    return lambda environ, start_response: passed_on(app(environ, start_response))


@breaks("close-exactly-once", "file-wrapper-closed-once", "valid-on-both-sides")
def loses_close(app):
    return lambda environ, start_response: map(bytes, app(environ, start_response))


@breaks("close-exactly-once", "file-wrapper-closed-once")
def closes_twice(app):
    class Body(Proxy):
        def __iter__(self):
            yield from self.body
            self.close()

    return lambda environ, start_response: Body(app(environ, start_response))


@breaks("bodies-without-close")
def expects_close(app):
    class Body(Proxy):
        def close(self):
            self.body.close()

    return lambda environ, start_response: Body(app(environ, start_response))


@breaks("close-exactly-once")
def peeks_without_closing(app):
    class Body(Proxy):
        def __init__(self, body):
            super().__init__(body)
            self.blocks = iter(body)
            self.first = list(islice(self.blocks, 1))

        def __iter__(self):
            yield from self.first
            yield from self.blocks

    return lambda environ, start_response: Body(app(environ, start_response))


class Buffered(Proxy):
    def __iter__(self):
        yield b"".join(self.body)


@breaks("no-block-delayed", "one-ask-a-block", "no-block-merged-or-reordered")
def buffers_everything(app):
    return lambda environ, start_response: Buffered(app(environ, start_response))


@breaks("no-block-delayed")
def reads_one_ahead(app):
    class Body(Proxy):
        def __iter__(self):
            last = b""
            for block in self.body:
                yield last
                last = block
            yield last

    return lambda environ, start_response: Body(app(environ, start_response))


@breaks("one-ask-a-block")
def skips_empty_blocks(app):
    class Body(Proxy):
        def __iter__(self):
            return filter(None, self.body)

    return lambda environ, start_response: Body(app(environ, start_response))


@breaks("no-block-merged-or-reordered", "response-unchanged")
def reorders(app):
    class Body(Proxy):
        def __iter__(self):
            return reversed(list(self.body))

    return lambda environ, start_response: Body(app(environ, start_response))


@breaks("valid-on-both-sides", "start-response-once")
def yields_text(app):
    class Body(Proxy):
        def __iter__(self):
            return (block.decode("latin-1") for block in self.body)

    return lambda environ, start_response: Body(app(environ, start_response))


@breaks("lists-keep-a-length", "file-wrapper-kept", "answered-elsewhere")
def wraps_every_body(app):
    class Body(Proxy):
        def __init__(self, body):
            super().__init__(iter(body))
            self.body, self.close = iter(body), getattr(body, "close", lambda: None)

    return lambda environ, start_response: Body(app(environ, start_response))
