"""The application behind the cache: it says what the running exchange has it say, and remembers who asked.

It does so in one of these manners: `list` (the default), `stream`, `write` and `file`, whole by the means of
WSGI; `cut`, shorter than it says; `broken`, raising after the first block; `fail`, raising at once; `slow`,
a quarter of a second after the last client came; `conditional`, a 304 to conditional requests and a 200 to
others; `gzip`, encoded by the application itself; `ranges`, from one byte to another where that is asked for.
"""

from __future__ import annotations

import gzip
import json
import socketserver
import threading
import time
from http import HTTPStatus
from io import BytesIO

PATIENCE = 20.0  # seconds until clients that don't come are given up
REASONS = {status.value: status.phrase for status in HTTPStatus}


class State:
    """What to say, case by case, and what was asked. One control connection writes it."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.answers: dict[str, dict] = {}
        self.seen: dict[str, list[dict]] = {}
        self.clients: dict[str, int] = {}  # how many have yet to come
        self.time = 0.0  # what the clock shows until the next exchange

    def now(self) -> float:
        return self.time

    def case_of(self, path: str) -> str | None:
        return next((part for part in path.split("/") if part in self.answers), None)

    def control(self, message: dict) -> object:
        case = message["case"]
        with self.changed:
            if message["do"] == "say":
                self.time = message["time"]
                self.answers[case] = message["answer"]
                self.seen[case] = []
                self.clients[case] = message["clients"]
                return None
            self.changed.wait_for(lambda: self._settled(case, message["calls"]), message["within"])
            return self.seen[case]

    def _settled(self, case: str, calls: int) -> bool:
        seen = self.seen[case]
        return len(seen) >= calls and all(asked["closed"] for asked in seen)

    def arrive(self, path: str) -> None:
        """A client is there, in front of the cache."""
        case = self.case_of(path)
        if case is not None:
            with self.changed:
                self.clients[case] -= 1
                self.changed.notify_all()

    def wait_for_clients(self, case: str) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.clients[case] <= 0, PATIENCE)

    def record(self, case: str, asked: dict) -> dict:
        with self.changed:
            self.seen[case].append(asked)
            return self.answers[case]

    def close(self, asked: dict) -> None:
        with self.changed:
            asked["closed"] = True
            self.changed.notify_all()


STATE = State()


class Body:
    """Blocks whose close is seen."""

    def __init__(self, blocks, asked: dict) -> None:
        self.blocks = iter(blocks)
        self.asked = asked

    def __iter__(self):
        return self

    def __next__(self) -> bytes:
        return next(self.blocks)

    def close(self) -> None:
        STATE.close(self.asked)


def application(environ, start_response):
    case = STATE.case_of(environ["PATH_INFO"])
    if case is None:
        start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
        return [b"no case at " + environ["PATH_INFO"].encode("latin-1")]
    asked = _asked(environ)
    answer = STATE.record(case, asked)
    manner = answer["manner"]
    if manner == "slow":
        # An application that takes its time, so that others come meanwhile, and get from there to the cache.
        STATE.wait_for_clients(case)
        time.sleep(0.25)
    if manner == "fail":
        STATE.close(asked)
        raise RuntimeError("meant to fail")
    status = answer["status"]
    if manner == "conditional":
        status = 304 if asked["fields"].keys() & {"if-none-match", "if-modified-since"} else 200
    body = answer["body"].encode()
    if manner == "gzip":
        body = gzip.compress(body, mtime=0)
    if manner == "ranges" and "range" in asked["fields"]:
        first, _, last = asked["fields"]["range"].removeprefix("bytes=").partition("-")
        whole, body = body, body[int(first) : int(last or len(body)) + 1]
        content_range = f"bytes {first}-{int(first) + len(body) - 1}/{len(whole)}"
        answer = {**answer, "fields": [*answer["fields"], ("Content-Range", content_range)]}
        status = 206
    head = (f"{status} {REASONS.get(status, 'Whatever')}", _fields(answer, status, len(body)))
    write = start_response(*head)
    if manner in ("cut", "broken", "stream") and environ["REQUEST_METHOD"] != "HEAD":
        return Body(_blocks(body, manner), asked)
    STATE.close(asked)
    if status in (204, 304) or environ["REQUEST_METHOD"] == "HEAD":
        return []
    if manner == "write":
        write(body[:5])
        return [body[5:]]
    return environ["wsgi.file_wrapper"](BytesIO(body)) if manner == "file" else [body]


def _fields(answer: dict, status: int, length: int) -> list[tuple[str, str]]:
    """As given; with a type, and where the manner lets an application know it, a length."""
    fields = [(name, value) for name, value in answer["fields"]]
    names = {name.lower() for name, _ in fields}
    if status in (204, 304):
        return fields
    if answer["manner"] == "gzip":
        fields.append(("Content-Encoding", "gzip"))
    if "content-type" not in names:
        fields.append(("Content-Type", "text/plain"))
    if answer["manner"] == "cut":
        fields.append(("Content-Length", str(length + 10)))
    elif answer["manner"] not in ("stream", "broken", "write") and "content-length" not in names:
        fields.append(("Content-Length", str(length)))
    return fields


def _blocks(body: bytes, manner: str):
    yield body[:5]
    if manner == "broken":
        raise RuntimeError("meant to break off")
    yield body[5:8]
    yield body[8:]


def _asked(environ) -> dict:
    fields = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    fields["(query)"] = environ.get("QUERY_STRING", "")
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return {
        "method": environ["REQUEST_METHOD"],
        "fields": fields,
        "body": environ["wsgi.input"].read(length).decode("latin-1") if length else "",
        "closed": False,
    }


class Control(socketserver.StreamRequestHandler):
    """One message a line, in JSON, and one answer."""

    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(json.dumps(STATE.control(json.loads(line))).encode() + b"\n")


class Listener(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False


def listen(path: str) -> None:
    """Take orders on this socket for as long as the process lives."""
    threading.Thread(target=Listener(path, Control).serve_forever, daemon=True).start()
