"""Wrong with the head."""

from __future__ import annotations

from .table import BROKEN, breaks

CONSTANT = [("Content-Type", "text/html; charset=utf-8")]

CHANGES = {
    "mutates the application's list": (
        lambda status, fields: (status, fields.append(("X-Added", "1")) or fields),
        {"application-header-list-never-mutated"},
    ),
    "hands out a constant list": (
        lambda status, fields: (status, CONSTANT),
        {"header-list-belongs-to-the-server", "response-unchanged"},
    ),
    "keeps fields in a dict": (
        lambda status, fields: (status, list(dict(fields).items())),
        {"application-fields-kept", "response-unchanged"},
    ),
    "reverses the fields": (
        lambda status, fields: (status, fields[::-1]),
        {"application-fields-kept", "response-unchanged"},
    ),
    "adds Keep-Alive": (
        lambda status, fields: (status, [*fields, ("Keep-Alive", "timeout=5")]),
        {"hop-by-hop-fields-never-added"},
    ),
    "drops Connection": (
        lambda status, fields: (status, [field for field in fields if field[0] != "Connection"]),
        {"application-hop-by-hop-fields-pass", "bodiless-statuses-left-alone"},
    ),
    "changes the status": (
        lambda status, fields: ("200 OK", fields),
        {"response-unchanged"},
    ),
    "gives a tuple of fields": (
        lambda status, fields: (status, tuple(fields)),
        {"start-response-once", "valid-on-both-sides"},
    ),
    "lets control characters in": (
        lambda status, fields: (status, [*fields, ("X-Added", "a\r\nb")]),
        {"start-response-once", "valid-on-both-sides"},
    ),
    "claims a length for everything": (
        lambda status, fields: (status, [*fields, ("Content-Length", "0")]),
        {"head-left-alone", "bodiless-statuses-left-alone"},
    ),
    "drops the length": (
        lambda status, fields: (status, [field for field in fields if field[0] != "Content-Length"]),
        {"content-length-of-lists", "response-unchanged"},
    ),
}


def changing(change):
    """A middleware that does one thing to each head on its way."""

    def wrap(app):
        def wrapped(environ, start_response):
            def start(status, fields, exc_info=None):
                return start_response(*change(status, fields), exc_info)

            return app(environ, start)

        return wrapped

    return wrap


BROKEN.update((name, (changing(change), rules)) for name, (change, rules) in CHANGES.items())


@breaks("start-response-once", "valid-on-both-sides")
def starts_twice(app):
    def wrapped(environ, start_response):
        def start(status, fields, exc_info=None):
            start_response(status, list(fields), exc_info)
            return start_response(status, list(fields), exc_info)

        return app(environ, start)

    return wrapped


@breaks("exc-info-before-commit", "exc-info-after-commit", "explicit-none-as-exc-info")
def knows_no_exc_info(app):
    def wrapped(environ, start_response):
        return app(environ, lambda status, fields: start_response(status, fields))

    return wrapped


@breaks("explicit-none-as-exc-info")
def unpacks_exc_info(app):
    def wrapped(environ, start_response):
        def start(status, fields, *rest):
            if rest:
                _kind, _error, _trace = rest[0]
            return start_response(status, fields, *rest)

        return app(environ, start)

    return wrapped


@breaks("exc-info-reference-dropped")
def keeps_exc_info(app):
    def wrapped(environ, start_response):
        def start(status, fields, exc_info=None):
            kept.append(exc_info)
            return start_response(status, fields, exc_info)

        kept = [None]
        kept.append(start)
        return app(environ, start)

    return wrapped


class Deferred:
    """Collects the head and gives it to the server once the application has returned."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        heads = []
        writes = []

        def start(status, fields, exc_info=None):
            heads.append((status, fields))
            return writes.append

        body = self.app(environ, start)
        start_response(*heads[-1])
        return self.written(writes, body)

    def written(self, writes, body):
        return [*writes, *body] if writes else body


@breaks(
    "late-start-response",
    "start-response-twice-without-exc-info",
    "close-when-the-server-refuses-the-head",
    "exc-info-after-commit",
    "no-block-delayed",
)
def defers_the_head(app):
    return Deferred(app)


@breaks("write-callable", "response-unchanged")
def ignores_what_is_written(app):
    def wrapped(environ, start_response):
        def start(status, fields, exc_info=None):
            start_response(status, fields, exc_info)
            return lambda block: None

        return app(environ, start)

    return wrapped


@breaks("write-callable")
def returns_no_write_callable(app):
    def wrapped(environ, start_response):
        def start(status, fields, exc_info=None):
            start_response(status, fields, exc_info)

        return app(environ, start)

    return wrapped
