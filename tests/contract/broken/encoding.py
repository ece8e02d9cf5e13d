"""Wrong with a content coding, and one that is right."""

from __future__ import annotations

import zlib

from .table import Proxy, breaks


class Gzip:
    """A compressor that is right but for the hooks the subclasses turn."""

    flush = zlib.Z_SYNC_FLUSH
    finish_always = False

    def __init__(self, app):
        self.app = app

    def due(self, environ, status, fields):
        names = {name.lower(): value for name, value in fields}
        return (
            "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
            and environ["REQUEST_METHOD"] != "HEAD"
            and status[:3] not in ("101", "204", "304", "206")
            and "content-encoding" not in names
        )

    def encoded(self, fields):
        kept = [field for field in fields if field[0].lower() not in self.dropped]
        return [*kept, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]

    dropped = ("content-length", "etag", "content-digest")

    def __call__(self, environ, start_response):
        compressor = zlib.compressobj(wbits=31)
        due = []
        environ = dict(environ)

        def encode(block):
            return compressor.compress(block) + compressor.flush(self.flush)

        def start(status, fields, exc_info=None):
            due[:] = [self.due(environ, status, fields)]
            write = start_response(status, self.encoded(fields) if due[0] else list(fields), exc_info)
            return (lambda block: write(encode(block))) if due[0] else write

        outer = self

        class Body(Proxy):
            def __iter__(self):
                blocks = iter(self.body)
                try:
                    for block in blocks:
                        yield encode(block) if due[0] and block else block
                except Exception:
                    if outer.finish_always and due[0]:
                        yield compressor.flush()
                    raise
                if due[0]:
                    yield compressor.flush()

        return Body(self.app(environ, start))


@breaks("no-block-delayed", "no-block-merged-or-reordered")
class GzipWithoutFlush(Gzip):
    flush = zlib.Z_NO_FLUSH


@breaks("failed-stream-stays-incomplete", "exception-passes-unchanged")
class GzipThatFinishesFailures(Gzip):
    finish_always = True


@breaks("response-unchanged")
class GzipKeepingTheLength(Gzip):
    dropped = ("etag", "content-digest")


@breaks("encoding-declared")
class GzipKeepingTheEntityTag(Gzip):
    dropped = ("content-length", "content-digest")


@breaks("encoding-declared")
class GzipKeepingTheDigest(Gzip):
    dropped = ("content-length", "etag")


@breaks("encoding-declared")
class GzipWithoutVary(Gzip):
    def encoded(self, fields):
        return [field for field in super().encoded(fields) if field[0] != "Vary"]


@breaks("encoding-declared")
class GzipForEveryone(Gzip):
    def due(self, environ, status, fields):
        return super().due({**environ, "HTTP_ACCEPT_ENCODING": "gzip"}, status, fields)


@breaks("head-left-alone", "bodiless-statuses-left-alone")
class GzipOfNothing(Gzip):
    def due(self, environ, status, fields):
        return "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
