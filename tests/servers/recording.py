"""What the application sees happen, written where the tests read it: a file per request.

`STATE` in the environment is the directory which a server process shares with the tests.
"""

import io
import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qs

STATE = Path(os.environ["STATE"])


def token_of(environ):
    return parse_qs(environ["QUERY_STRING"])["token"][0]


def record(name, event):
    with (STATE / name).open("a") as log:
        log.write(f"{event}\n")


class Body:
    """An iterable that writes down when it is closed: once is the rule that wrappers break most."""

    def __init__(self, environ, blocks: Iterable[bytes]):
        self.name = token_of(environ)
        self.blocks = blocks
        record(self.name, "opened")

    def __iter__(self):
        return iter(self.blocks)

    def close(self):
        record(self.name, "closed")


class RecordedFile(io.FileIO):
    """Tells a file that was closed from one that was only forgotten."""

    forgotten = False

    def __init__(self, path, name):
        super().__init__(path)
        self.recorded_as = name
        record(name, "opened")

    def close(self):
        if not self.closed and not self.forgotten:
            record(self.recorded_as, "closed")
        super().close()

    def __del__(self):
        self.forgotten = True
        super().__del__()


def watched(body):
    """waitress has no sendfile: it takes the file over, by a call to this method of its wrapper."""
    prepare = getattr(body, "prepare", None)
    if prepare is not None:
        body.prepare = lambda size: (record("sendfile", "taken over"), prepare(size))[1]
    return body


def watch_sendfile():
    send = os.sendfile

    def recorded(*arguments):
        record("sendfile", "os.sendfile")
        return send(*arguments)

    os.sendfile = recorded
