"""Request bodies: counted, chunked, announced by Expect."""

import hashlib
import random
import threading

from .client import Answer, Connection
from .payload import WHOLE
from .registry import check, check_once
from .server import Site

MEGABYTE = 1 << 20
PIECE = random.Random(1).randbytes(MEGABYTE)
BINARY = ("Content-Type", "application/octet-stream")
PLAIN = ("Content-Type", "text/plain")


@check
def expect_continue(site: Site, accept: str) -> list[Answer]:
    """The server says 100 before the client sends its body, and the application gets it."""
    token = next(site.tokens)
    fields = [("Expect", "100-continue"), ("Content-Length", str(len(WHOLE)))]
    with site.connect() as connection:
        connection.send(site.request("echo", accept, token, method="POST", fields=fields))
        assert connection.any_head("POST", []).status == 100
        connection.send(WHOLE)
        answer = connection.answer("POST")
    site.expect_closed_once(token)
    assert (answer.status, answer.content, answer.complete) == (200, WHOLE, True)
    return [answer]


@check
def expect_refused(site: Site, accept: str) -> list[Answer]:
    """An application that refuses without reading, whether or not the server said 100 already."""
    fields = [("Expect", "100-continue"), ("Content-Length", str(len(WHOLE)))]
    with site.connect() as connection:
        connection.send(site.request("refusing", accept, method="POST", fields=fields))
        answer = connection.any_head("POST", [])
        if answer.status == 100:
            connection.send(WHOLE)
            answer = connection.head("POST")
        answer.content = b"".join(connection.contents(answer))
    assert (answer.status, answer.content, answer.complete) == (403, WHOLE, True)
    return [answer]


@check_once
def upload_swallowed(site: Site, accept: str) -> list[Answer]:
    """All of it is read before the answer begins."""
    with site.connect() as connection:
        connection.send(site.request("swallowing", accept, method="POST", body=PIECE))
        answer = connection.answer("POST")
    assert answer.content.decode() == hashlib.sha256(PIECE).hexdigest()
    return [answer]


@check_once
def upload_counted(site: Site, accept: str) -> list[Answer]:
    """Echoed: it is read while the answer goes out."""
    token = next(site.tokens)
    head = site.request(
        "echo", accept, token, method="POST", fields=[BINARY, ("Content-Length", str(MEGABYTE))]
    )
    answer = echoed(site, token, head, [PIECE])
    assert answer.content == hashlib.sha256(PIECE).digest()
    return [answer]


@check
def upload_chunked(site: Site, accept: str) -> list[Answer]:
    """50 MB in chunks, echoed (and encoded) while they arrive, where the server collects nothing."""
    token = next(site.tokens)
    pieces = [number.to_bytes(4) + PIECE[4 : 1 << 16] for number in range(50 * 16)]
    chunks = [b"%X\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
    head = site.request(
        "echo", accept, token, method="POST", fields=[PLAIN, ("Transfer-Encoding", "chunked")]
    )
    answer = echoed(site, token, head, [*chunks, b"0\r\n\r\n"])
    assert answer.content == hashlib.sha256(b"".join(pieces)).digest()
    return [answer]


def echoed(site: Site, token: str, head: bytes, pieces: list[bytes]) -> Answer:
    """The answer to an upload, with the hash of its content in the content's place."""
    with site.connect() as connection:
        sender = threading.Thread(target=send_all, args=(connection, head, pieces))
        sender.start()
        try:
            answer = connection.head("POST")
            arrived = hashlib.sha256()
            for piece in connection.contents(answer):
                arrived.update(piece)
        finally:
            connection.end()  # a sender that is still stuck comes free
            sender.join()
    site.expect_closed_once(token)
    assert (answer.status, answer.complete) == (200, True)
    answer.content = arrived.digest()
    return answer


def send_all(connection: Connection, head: bytes, pieces: list[bytes]) -> None:
    try:
        for piece in [head, *pieces]:
            connection.send(piece)
    except OSError:
        pass  # the answer tells what went wrong


@check_once
def leave_upload(site: Site, accept: str) -> list[Answer]:
    """A client that leaves in the middle of its upload."""
    worker = site.worker()
    token = next(site.tokens)
    fields = [BINARY, ("Content-Length", str(MEGABYTE))]
    with site.connect() as connection:
        connection.send(site.request("echo", accept, token, method="POST", fields=fields))
        connection.send(PIECE[: MEGABYTE // 2])
        connection.leave()
    site.expect_closed_once(token)
    assert site.worker() == worker
    return []
