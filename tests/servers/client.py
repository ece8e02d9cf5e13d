"""A small HTTP client on a raw socket, strict about framing and open about time.

Ordinary clients hide what is checked here: they join chunks, repair framing, retry, and refuse to
pipeline or to leave in the middle.
"""

import socket
import struct
import time
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import brotli

try:
    import zstandard
except ImportError:
    zstandard = None

CODINGS = "br, gzip, zstd" if zstandard else "br, gzip"
HOST = "127.0.0.1"


class AnswerError(AssertionError):
    """What came back is not an HTTP answer."""


@dataclass
class Answer:
    method: str
    version: str
    status: int
    fields: list[tuple[str, str]]
    interim: list["Answer"]  # 1xx answers that came before it
    content: bytes = b""  # decoded, where it was encoded
    complete: bool = False  # the framing and the encoding both came to their end
    seconds: float | None = None  # from the request to the first bytes of content

    def get(self, name: str) -> str | None:
        values = self.all(name)
        return ", ".join(values) if values else None

    def all(self, name: str) -> list[str]:
        return [value for other, value in self.fields if other.lower() == name.lower()]

    @property
    def chunked(self) -> bool:
        return (self.get("Transfer-Encoding") or "").lower() == "chunked"

    @property
    def has_body(self) -> bool:
        return self.method != "HEAD" and self.status >= 200 and self.status not in (204, 304)


@dataclass
class Decoder:
    feed: Callable[[bytes], bytes]
    finished: Callable[[], bool]


def decoder(coding: str | None) -> Decoder:
    if coding is None:
        return Decoder(bytes, lambda: True)
    if coding == "gzip":
        inflate = zlib.decompressobj(wbits=31)
        return Decoder(inflate.decompress, lambda: inflate.eof)
    if coding == "br":
        unbrotli = brotli.Decompressor()
        return Decoder(unbrotli.process, unbrotli.is_finished)
    if coding == "zstd" and zstandard:
        frame = zstandard.ZstdDecompressor().decompressobj()
        return Decoder(frame.decompress, lambda: frame.eof)
    raise AnswerError(f"an unknown content coding: {coding}")


def request(
    method: str,
    target: str,
    *fields: tuple[str, str],
    version: str = "1.1",
    body: bytes | None = None,
) -> bytes:
    lines = [f"{method} {target} HTTP/{version}", f"Host: {HOST}"]
    lines += [f"{name}: {value}" for name, value in fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


@dataclass
class Connection:
    port: int
    timeout: float
    sock: socket.socket = field(init=False)
    buffer: bytearray = field(default_factory=bytearray)
    asked: float = 0.0

    def __post_init__(self) -> None:
        self.sock = socket.create_connection((HOST, self.port), self.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.asked = time.perf_counter()
        self.sock.sendall(data)

    def end(self) -> None:
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def leave(self, *, reset: bool = False) -> None:
        if reset:  # a linger of zero seconds makes close() send a reset instead of an orderly end
            linger = struct.pack("ii", 1, 0)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.sock.close()

    def answer(self, method: str = "GET") -> Answer:
        answer = self.head(method)
        answer.content = b"".join(self.contents(answer))
        return answer

    def head(self, method: str = "GET") -> Answer:
        """The status and fields of the next final answer; its body is left to `contents`."""
        interim: list[Answer] = []
        while True:
            answer = self.any_head(method, interim)
            if answer.status >= 200 or answer.status == 101:
                return answer
            interim.append(answer)

    def any_head(self, method: str, interim: list[Answer]) -> Answer:
        status_line = self.line()
        version, _, rest = status_line.partition(" ")
        code = rest[:3]
        if not version.startswith("HTTP/1.") or not code.isdigit():
            raise AnswerError(f"not a status line: {status_line[:200]!r}")
        fields = []
        while line := self.line():
            name, colon, value = line.partition(":")
            if not colon or name != name.strip():
                raise AnswerError(f"not a header field: {line[:200]!r}")
            fields.append((name, value.strip(" \t")))
        return Answer(method, version.removeprefix("HTTP/"), int(code), fields, interim)

    def contents(self, answer: Answer) -> Iterator[bytes]:
        """The decoded content, piece by piece as it arrives."""
        decode = decoder(answer.get("Content-Encoding") if answer.has_body else None)
        for piece in self.pieces(answer):
            if content := decode.feed(piece):
                if answer.seconds is None:
                    answer.seconds = time.perf_counter() - self.asked
                yield content
        answer.complete = answer.complete and decode.finished()

    def pieces(self, answer: Answer) -> Iterator[bytes]:
        length = answer.get("Content-Length")
        if not answer.has_body:
            answer.complete = True
        elif answer.chunked:
            yield from self.chunks(answer)
        elif length is not None:
            yield from self.counted(answer, int(length))
        else:
            yield from self.rest()
            answer.complete = True

    def chunks(self, answer: Answer) -> Iterator[bytes]:
        while (line := self.line(allow_end=True)) is not None:
            size = int(line.partition(";")[0], 16)
            if not size:
                answer.complete = self.line(allow_end=True) == ""
                return
            arrived = yield from self.some(size)
            if not arrived or self.line(allow_end=True) != "":
                return

    def counted(self, answer: Answer, length: int) -> Iterator[bytes]:
        answer.complete = yield from self.some(length)

    def some(self, size: int) -> Generator[bytes, None, bool]:
        """`size` bytes in the pieces they arrive in; returns whether all of them came."""
        while size:
            if not self.buffer and not self.fill():
                return False
            piece = bytes(self.buffer[:size])
            del self.buffer[:size]
            size -= len(piece)
            yield piece
        return True

    def rest(self) -> Iterator[bytes]:
        """Everything until the server closes."""
        while self.buffer or self.fill():
            yield bytes(self.buffer)
            self.buffer.clear()

    def line(self, *, allow_end: bool = False) -> str | None:
        while (end := self.buffer.find(b"\r\n")) < 0:
            if not self.fill():
                if allow_end:
                    return None
                raise AnswerError(f"the server closed instead of answering; {bytes(self.buffer)!r}")
        line = self.buffer[:end].decode("latin-1")
        del self.buffer[: end + 2]
        return line

    def fill(self) -> bool:
        try:
            data = self.sock.recv(1 << 18)
        except ConnectionResetError:  # how some servers say that they broke off
            return False
        self.buffer += data
        return bool(data)
