"""One awkward WSGI application, bare or inside a wrapper, for any server to import.

`APP` in the environment is `bare`, or names the wrapper as `module:callable`.
"""

import hashlib
import importlib
import itertools
import json
import os
from collections.abc import Iterator
from wsgiref.util import FileWrapper, shift_path_info
from wsgiref.validate import validator

from . import payload
from .payload import BLOCKS, LENGTH, TEXT, WHOLE
from .recording import STATE, Body, RecordedFile, token_of, watch_sendfile, watched
from .troubles import TROUBLES

try:
    import uwsgi  # exists only inside that server: its own way to read chunked input
except ImportError:
    uwsgi = None


def listed(environ, start_response):
    start_response("200 OK", [TEXT])
    return list(BLOCKS)


def single(environ, start_response):
    start_response("200 OK", [TEXT, LENGTH])
    return [WHOLE]


def generator(environ, start_response):
    start_response("200 OK", [TEXT])
    return Body(environ, (block for block in BLOCKS))


def counted(environ, start_response):
    """A generator whose length the application knows."""
    start_response("200 OK", [TEXT, LENGTH])
    return Body(environ, (block for block in BLOCKS))


def late(environ, start_response):
    def blocks():
        start_response("200 OK", [TEXT])
        yield from BLOCKS

    return Body(environ, blocks())


def late_empty(environ, start_response):
    """Starts late, and has nothing to say at first."""

    def blocks():
        start_response("200 OK", [TEXT])
        yield b""
        yield b""
        yield from BLOCKS

    return Body(environ, blocks())


def written(environ, start_response):
    write = start_response("200 OK", [TEXT])
    write(BLOCKS[0])
    write(BLOCKS[1])
    return Body(environ, [BLOCKS[2]])


def empty(environ, start_response):
    start_response("200 OK", [TEXT])
    return Body(environ, [])


def no_content(environ, start_response):
    start_response("204 No Content", [])
    return Body(environ, [])


def not_modified(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"tag"')])
    return Body(environ, [])


def aware(environ, start_response):
    """Leaves the body out itself when it is not asked for."""
    start_response("200 OK", [TEXT, LENGTH])
    return Body(environ, [] if environ["REQUEST_METHOD"] == "HEAD" else [WHOLE])


def lengthless(environ, start_response):
    """The same, leaving the length out too."""
    bodiless = environ["REQUEST_METHOD"] == "HEAD"
    start_response("200 OK", [TEXT] if bodiless else [TEXT, LENGTH])
    return Body(environ, [] if bodiless else [WHOLE])


def fields(environ, start_response):
    start_response("200 OK", [TEXT, *payload.AWKWARD_FIELDS])
    return [WHOLE]


def partial(environ, start_response):
    first, last = payload.RANGE
    if environ.get("HTTP_RANGE") != f"bytes={first}-{last}":
        return single(environ, start_response)
    part = WHOLE[first : last + 1]
    content_range = ("Content-Range", f"bytes {first}-{last}/{len(WHOLE)}")
    length = ("Content-Length", str(len(part)))
    start_response("206 Partial Content", [TEXT, content_range, length, ("ETag", '"tag"')])
    return [part]


def where(environ, start_response):
    """Which mount it sees, below a dispatcher that changes environ on the way in."""
    shift_path_info(environ)
    seen = {name: environ[name] for name in ("SCRIPT_NAME", "PATH_INFO", "REQUEST_METHOD")}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen).encode()]


def process(environ, start_response):
    start_response("200 OK", [TEXT])
    return [str(os.getpid()).encode()]


def input_blocks(environ) -> Iterator[bytes]:
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        yield from iter(lambda: stream.read(1 << 16), b"")
        return
    if uwsgi and "chunked" in environ.get("HTTP_TRANSFER_ENCODING", ""):
        yield from iter(uwsgi.chunked_read, b"")
        return
    left = int(environ.get("CONTENT_LENGTH") or 0)
    while left and (block := stream.read(min(left, 1 << 16))):
        left -= len(block)
        yield block


def echo(environ, start_response):
    length = environ.get("CONTENT_LENGTH")
    known = [("Content-Length", length)] if length else []
    start_response("200 OK", [("Content-Type", environ.get("CONTENT_TYPE") or TEXT[1]), *known])
    return Body(environ, input_blocks(environ))


def swallowing(environ, start_response):
    """Reads everything before it answers."""
    whole = b"".join(input_blocks(environ))
    start_response("200 OK", [TEXT])
    return [hashlib.sha256(whole).hexdigest().encode()]


def refusing(environ, start_response):
    start_response("403 Forbidden", [TEXT, LENGTH])
    return [WHOLE]


def gated(environ, blocks) -> Iterator[bytes]:
    """The first block at once, each other one only when the test has let it go."""
    # Not blocking while it opens, since there is no writer left when the test has given up.
    gate = os.open(STATE / f"{token_of(environ)}.gate", os.O_RDONLY | os.O_NONBLOCK)
    try:
        os.set_blocking(gate, True)
        for block in blocks:
            yield block
            os.read(gate, 1)
    finally:
        os.close(gate)


def events(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")])
    return Body(environ, gated(environ, payload.EVENTS))


def pages(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return Body(environ, gated(environ, payload.PAGES))


def endless(environ, start_response):
    """More than any buffer on the way holds, so that a client which left must be noticed."""
    start_response("200 OK", [TEXT])
    return Body(environ, itertools.repeat(os.urandom(1 << 15).hex().encode()))


def file(name, media_type):
    def application(environ, start_response):
        opened = RecordedFile(STATE / name, token_of(environ))
        # Where the server has none, its plain counterpart, as frameworks do.
        wrapper = environ.get("wsgi.file_wrapper", FileWrapper)
        length = ("Content-Length", str((STATE / name).stat().st_size))
        start_response("200 OK", [("Content-Type", media_type), length])
        return watched(wrapper(opened))

    return application


ROUTES = {
    route.__name__: route
    for route in (
        listed, single, generator, counted, late, late_empty, written, empty, no_content,
        not_modified, aware, lengthless, fields, partial, process, echo, swallowing, refusing,
        events, pages, endless, *TROUBLES,
    )
}  # fmt: skip
ROUTES["inner"] = where
ROUTES["file"] = file(payload.FILE_NAME, "image/png")  # a type that nothing compresses
ROUTES["text_file"] = file(payload.TEXT_FILE_NAME, "text/plain")


def bare(environ, start_response):
    route = environ["PATH_INFO"].split("/")[1]
    return ROUTES[route](environ, start_response)


def build():
    """The application as `APP` and `VALIDATE` ask for it."""
    check = validator if os.environ.get("VALIDATE") else lambda app: app
    built = check(bare)
    if os.environ["APP"] != "bare":
        module, _, name = os.environ["APP"].partition(":")
        built = check(getattr(importlib.import_module(module), name)(built))
    return built


watch_sendfile()
application = build()
