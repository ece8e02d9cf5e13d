"""Awkward applications, as data: each a legal thing that some middleware somewhere gets wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from wsgiperf.testing.server import Fields

BODILESS = ("101", "204", "304")


class Shape(Enum):
    """What kind of object the application returns."""

    LIST = "list"
    TUPLE = "tuple"
    GENERATOR = "generator"
    ITERABLE = "iterable with close"
    ITERATOR = "iterator with close"
    SEQUENCE = "sequence with close"
    FILE = "file wrapper"


@dataclass(frozen=True)
class Application:
    """What an application does in answer to any request. `Probe` acts it out."""

    blocks: tuple[bytes, ...] = (b"Hello, ", b"world")
    shape: Shape = Shape.LIST
    status: str = "200 OK"
    fields: Fields = (("Content-Type", "text/plain"),)
    written: tuple[bytes, ...] = ()
    """What it writes, inside the call, before it returns its body."""
    late: int | None = None
    """The block before which it calls start_response; None is inside the call."""
    fails: int | Literal["call", "iter", "close"] | None = None
    """Where it raises: asked for that block, in the call, by `iter()` or in `close`."""
    recovers: bool = False
    """Whether it then calls start_response again, with exc_info, and sends an error page."""

    @property
    def streams(self) -> bool:
        """Whether its blocks are made one at a time."""
        return self.shape not in (Shape.LIST, Shape.TUPLE, Shape.FILE)

    @property
    def bodiless(self) -> bool:
        """Whether its status has no content (RFC 9110, section 6.4.1)."""
        return self.status[:3] in BODILESS

    @property
    def empty_first(self) -> int:
        """How many empty blocks come before anything else."""
        return next((n for n, block in enumerate(self.blocks) if block), len(self.blocks))

    @property
    def within_pep3333(self) -> bool:
        """False for those who yield empty blocks before start_response: forbidden, yet servers allow it."""
        return not self.late


TEXT = b"".join(b"%04d: a line of text, much like all the others\n" % n for n in range(60))
LINES = tuple(TEXT[start : start + 900] for start in range(0, len(TEXT), 900))
NOISE = bytes(n * n * 167 % 251 for n in range(2000))

HTML: Fields = (("Content-Type", "text/html; charset=utf-8"),)
BYTES: Fields = (("Content-Type", "application/octet-stream"),)


def _sized(fields: Fields, content: bytes) -> Fields:
    return (*fields, ("Content-Length", str(len(content))))


_LISTS = {
    "a list of one block": Application((b"Hello",)),
    "a list of several blocks": Application(),
    "an empty list": Application(()),
    "a list with empty blocks": Application((b"", b"Hello", b"", b"world", b"")),
    "a tuple": Application(shape=Shape.TUPLE),
    "a page": Application((TEXT,), fields=HTML),
    "a page in pieces": Application(LINES, fields=HTML),
    "a page with its length": Application((TEXT,), fields=_sized(HTML, TEXT)),
    "an image": Application((NOISE,), fields=(("Content-Type", "image/png"),)),
}

_STREAMS = {
    "a generator": Application(shape=Shape.GENERATOR),
    "a generator of nothing": Application((), Shape.GENERATOR),
    "a generator of empty blocks": Application((b"", b""), Shape.GENERATOR),
    "a generator with empty blocks": Application((b"", b"one", b"", b"", b"two", b""), Shape.GENERATOR),
    "a generator with its length": Application((TEXT,), Shape.GENERATOR, fields=_sized(HTML, TEXT)),
    "a streamed page": Application(LINES, Shape.GENERATOR, fields=HTML),
    "an event stream": Application(
        (b"data: 1\n\n", b"data: 2\n\n"),
        Shape.ITERATOR,
        fields=(("Content-Type", "text/event-stream"),),
    ),
    "an iterable": Application(LINES, Shape.ITERABLE),
    "an iterator": Application(LINES, Shape.ITERATOR),
    "a sequence": Application(LINES, Shape.SEQUENCE),
    "a file": Application((NOISE,), Shape.FILE, fields=BYTES),
    "a text file": Application((TEXT,), Shape.FILE),
    "a late head": Application(shape=Shape.GENERATOR, late=0),
    "a late head without a body": Application((), Shape.ITERATOR, late=0),
    "a late head of a page": Application(LINES, Shape.ITERATOR, late=0),
}

LATE_AFTER_EMPTY_BLOCKS = {
    "one empty block, then the head": Application((b"", *LINES), Shape.GENERATOR, late=1),
    "three empty blocks, then the head": Application((b"", b"", b"", b"x"), Shape.ITERABLE, late=3),
    "empty blocks, then the head alone": Application((b"", b""), Shape.ITERATOR, late=2),
}

WRITERS = {
    "written": Application((), written=(b"Hello, ", b"world")),
    "written, then a list": Application((b"two", b"three"), written=(b"one",)),
    "written, then a generator": Application((b"two", b"", b"three"), Shape.GENERATOR, written=(b"one",)),
    "a written page": Application((), fields=HTML, written=LINES),
    "a page written and iterated": Application(LINES[2:], Shape.ITERABLE, written=LINES[:2]),
    "empty blocks written": Application((b"two",), Shape.ITERATOR, written=(b"", b"one", b"")),
}

_STATUSES = {
    "no content": Application((), status="204 No Content", fields=()),
    "not modified": Application((), status="304 Not Modified", fields=(("ETag", '"abc"'),)),
    "not modified, streamed": Application((), Shape.ITERATOR, status="304 Not Modified", fields=()),
    "a redirect": Application((), status="302 Found", fields=(*HTML, ("Location", "/elsewhere"))),
    "not found": Application((TEXT,), status="404 Not Found"),
    "a server error": Application((b"broken",), status="500 Internal Server Error"),
    "an unusual status": Application((b"tea",), status="418 I'm a teapot"),
    "a part": Application(
        (TEXT[100:1200],),
        status="206 Partial Content",
        fields=(*BYTES, ("Content-Range", f"bytes 100-1199/{len(TEXT)}")),
    ),
}

_FIELDS = {
    "encoded already": Application((NOISE,), fields=(*HTML, ("Content-Encoding", "gzip"))),
    "not to be transformed": Application((TEXT,), fields=(*HTML, ("Cache-Control", "no-transform"))),
    "a strong entity tag": Application((TEXT,), fields=(*HTML, ("ETag", '"v1"'))),
    "a weak entity tag": Application((TEXT,), fields=(*HTML, ("ETag", 'W/"v1"'))),
    "a digest": Application((TEXT,), fields=(*HTML, ("Content-Digest", "sha-256=:AAAA:"))),
    "ranges": Application((TEXT,), fields=(*HTML, ("Accept-Ranges", "bytes"))),
    "varying": Application((TEXT,), fields=(*HTML, ("Vary", "Cookie, accept-language"))),
    "varying by everything": Application((TEXT,), fields=(*HTML, ("Vary", "*"))),
    "cookies": Application(fields=(*HTML, ("Set-Cookie", "a=1; Path=/"), ("set-cookie", "b=2"))),
    "timed": Application(fields=(*HTML, ("Server-Timing", "db;dur=1.2"), ("Server-Timing", "tpl"))),
    "odd spelling": Application((TEXT,), fields=(("content-TYPE", "TEXT/HTML"), ("x-ODD", "kept"))),
    "not ASCII": Application(fields=(*HTML, ("X-Name", "Andr\xe9"))),
}

FAILURES = {
    "fails in the call": Application(fails="call"),
    "fails at iter()": Application(LINES, Shape.ITERABLE, fails="iter"),
    "fails at the first block": Application(LINES, Shape.ITERABLE, fails=0),
    "a generator fails at the first block": Application(LINES, Shape.GENERATOR, fails=0),
    "fails before a late head": Application(LINES, Shape.ITERATOR, late=0, fails=0),
    "fails after a late head": Application((b"", *LINES), Shape.GENERATOR, late=0, fails=1),
    "fails in the middle": Application(LINES, Shape.ITERATOR, fails=2),
    "a generator fails in the middle": Application(LINES, Shape.GENERATOR, fails=2),
    "fails at the end": Application(LINES, Shape.ITERATOR, fails=len(LINES)),
    "fails after a write": Application((), written=LINES[:1], fails="call"),
    "fails in close": Application(LINES, Shape.ITERABLE, fails="close"),
}

RESTARTS_IN_TIME = {
    "recovers in the call": Application(fails="call", recovers=True),
    "recovers at the first block": Application(LINES, Shape.GENERATOR, fails=0, recovers=True),
    "recovers after an empty block": Application(
        (b"", *LINES), Shape.GENERATOR, fields=HTML, fails=1, recovers=True
    ),
    "recovers before a late head": Application(LINES, Shape.ITERATOR, late=0, fails=0, recovers=True),
    "recovers after a late head": Application((b"", *LINES), Shape.GENERATOR, late=0, fails=1, recovers=True),
}

RESTARTS_TOO_LATE = {
    "recovers after a block": Application(LINES, Shape.GENERATOR, fails=1, recovers=True),
    "recovers at the end": Application((TEXT,), Shape.ITERATOR, fails=1, recovers=True),
    "recovers after a write": Application((), written=LINES[:1], fails="call", recovers=True),
}

COMPLETE = {**_LISTS, **_STREAMS, **WRITERS, **_STATUSES, **_FIELDS}
"""Applications that answer, each in its own way."""

AWKWARD = {**COMPLETE, **FAILURES, **RESTARTS_IN_TIME, **RESTARTS_TOO_LATE}
"""All that PEP 3333 allows."""

STREAMED = {
    name: application for name, application in AWKWARD.items() if application.streams or application.written
}
"""Those whose blocks must not be kept waiting."""
