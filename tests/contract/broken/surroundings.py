"""Wrong with errors, the request, threads and contexts."""

from __future__ import annotations

import contextvars
import io
import threading

from .table import Proxy, breaks


@breaks("exception-passes-unchanged", "failed-stream-stays-incomplete")
def answers_errors(app):
    class Body(Proxy):
        def __iter__(self):
            try:
                for block in self.body:  # noqa: UP028 - closing must not close the inner iterator in here
                    yield block
            except Exception:
                yield b"sorry"

    def wrapped(environ, start_response):
        try:
            return Body(app(environ, start_response))
        except Exception as error:
            start_response("500 Internal Server Error", [], (type(error), error, None))
            return [b"sorry"]

    return wrapped


@breaks("exception-passes-unchanged", "stop-iteration-out-of-the-call")
def wraps_errors(app):
    def wrapped(environ, start_response):
        try:
            return app(environ, start_response)
        except Exception as error:
            raise RuntimeError("the application failed") from error

    return wrapped


@breaks("environ-is-the-same-dict")
def copies_environ(app):
    return lambda environ, start_response: app(dict(environ), start_response)


@breaks("application-may-change-environ")
def reads_environ_late(app):
    def wrapped(environ, start_response):
        def start(status, fields, exc_info=None):
            return start_response(status, [*fields, ("X-Path", environ["PATH_INFO"])], exc_info)

        return app(environ, start)

    return wrapped


@breaks("request-passes-untouched")
def reads_the_input_ahead(app):
    def wrapped(environ, start_response):
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read())
        return app(environ, start_response)

    return wrapped


@breaks("request-passes-untouched")
def drains_the_input(app):
    def wrapped(environ, start_response):
        given = environ["wsgi.input"]
        body = app(environ, start_response)
        given.read()
        return body

    return wrapped


@breaks("reused-environ")
def runs_once_per_environ(app):
    def wrapped(environ, start_response):
        if environ.setdefault("seen", start_response) is not start_response:
            raise RuntimeError("this request is over")
        return app(environ, start_response)

    return wrapped


@breaks("other-threads")
def keeps_to_its_thread(app):
    local = threading.local()

    class Body(Proxy):
        def __iter__(self):
            return iter(local.body)

    def wrapped(environ, start_response):
        local.body = app(environ, start_response)
        return Body(local.body)

    return wrapped


@breaks("interleaved-streams")
class KeepsStateOnItself:
    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        self.body = self.app(environ, start_response)
        return self

    def __iter__(self):
        return iter(self.body)

    def close(self):
        if hasattr(self.body, "close"):
            self.body.close()


current: contextvars.ContextVar[object] = contextvars.ContextVar("current")


@breaks("context-variables-do-not-leak")
def sets_a_context_variable(app):
    def wrapped(environ, start_response):
        current.set(environ)
        return app(environ, start_response)

    return wrapped


@breaks("context-variables-do-not-leak", "other-threads")
def resets_a_context_variable_in_close(app):
    def wrapped(environ, start_response):
        token = current.set(environ)
        body = app(environ, start_response)

        class Body(Proxy):
            def close(self):
                super().close()
                current.reset(token)

        return Body(body)

    return wrapped


@breaks("context-variables-of-the-application-kept")
def runs_in_a_copied_context(app):
    def wrapped(environ, start_response):
        context = contextvars.copy_context()
        return context.run(app, environ, start_response)

    return wrapped
