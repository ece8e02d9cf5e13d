"""Ordinary answers, their HEAD and their HTTP/1.0 form."""

import json

from .client import Answer
from .payload import AWKWARD_FIELDS, MOUNT, RANGE, WHOLE
from .registry import BOTH, Run, add, check
from .server import Site

# What each route answers: status and content.
ANSWERS = {
    "listed": (200, WHOLE),
    "single": (200, WHOLE),
    "generator": (200, WHOLE),
    "counted": (200, WHOLE),
    "late": (200, WHOLE),
    "late_empty": (200, WHOLE),
    "written": (200, WHOLE),
    "empty": (200, b""),
    "aware": (200, WHOLE),
    "lengthless": (200, WHOLE),
    "no_content": (204, b""),
    "not_modified": (304, b""),
}


def get(route: str) -> Run:
    def run(site: Site, accept: str) -> list[Answer]:
        answer = site.ask(route, accept, ("Connection", "close"))
        assert (answer.status, answer.content, answer.complete) == (*ANSWERS[route], True)
        return [answer]

    return run


def head(route: str) -> Run:
    def run(site: Site, accept: str) -> list[Answer]:
        token = next(site.tokens)
        with site.connect() as connection:
            connection.send(site.request(route, accept, token, method="HEAD", close=True))
            answer = connection.answer("HEAD")
            assert b"".join(connection.rest()) == b""
        site.expect_closed_once(token)
        assert answer.status == ANSWERS[route][0]
        return [answer]

    return run


def old(route: str) -> Run:
    """HTTP/1.0 without keep-alive: no chunks, and the connection ends with the body."""

    def run(site: Site, accept: str) -> list[Answer]:
        token = next(site.tokens)
        with site.connect() as connection:
            connection.send(site.request(route, accept, token, version="1.0"))
            answer = connection.answer()
            assert b"".join(connection.rest()) == b""
        site.expect_closed_once(token)
        assert not answer.chunked
        assert (answer.status, answer.content, answer.complete) == (*ANSWERS[route], True)
        return [answer]

    return run


for _route in ANSWERS:
    add(f"get_{_route}", get(_route))
    # Encoded, a HEAD has no Content-Length: lengthless is then the one to compare with.
    add(f"head_{_route}", head(_route), accepts=("identity",) if _route == "aware" else BOTH)
for _route in ("listed", "single", "generator", "late", "written", "no_content"):
    add(f"http10_{_route}", old(_route))


@check
def fields(site: Site, accept: str) -> list[Answer]:
    """Repeated, lower-case and non-ASCII fields arrive as set, those of one name in their order."""
    answer = site.ask("fields", accept)
    for name in {name for name, _ in AWKWARD_FIELDS}:
        assert answer.all(name) == [value for other, value in AWKWARD_FIELDS if other == name]
    return [answer]


@check
def partial(site: Site, accept: str) -> list[Answer]:
    """A range which the application cut out stays as it is: no coding could be put together."""
    first, last = RANGE
    answer = site.ask("partial", accept, ("Range", f"bytes={first}-{last}"))
    assert answer.status == 206
    assert answer.content == WHOLE[first : last + 1]
    assert answer.get("Content-Encoding") is None
    assert answer.get("Content-Length") == str(last + 1 - first)
    assert answer.get("Content-Range") == f"bytes {first}-{last}/{len(WHOLE)}"
    return [answer]


@check
def mounted(site: Site, accept: str) -> list[Answer]:
    """The server's mount reaches the application, also below a dispatcher inside it."""
    answer = site.ask("inner/where", accept)
    assert json.loads(answer.content) == {
        "SCRIPT_NAME": f"{MOUNT}/inner",
        "PATH_INFO": "/where",
        "REQUEST_METHOD": "GET",
    }
    return [answer]


@check
def connection_close(site: Site, accept: str) -> list[Answer]:
    """`Connection: close` set by the application is obeyed, where the server lets it pass."""
    with site.connect() as connection:
        connection.send(site.request("closing", accept))
        answer = connection.answer()
        assert b"".join(connection.rest()) == b""
    assert (answer.status, answer.content, answer.complete) == (200, WHOLE, True)
    assert answer.get("Connection") == "close"
    return [answer]
