"""Streams: when their parts arrive, and what happens when the client leaves."""

from .client import Answer
from .payload import EVENTS, PAGES
from .registry import Run, add, check
from .server import Site

TRIES = 7


@check
def first_event(site: Site, accept: str) -> list[Answer]:
    """How soon the first event comes: the least of several tries, to be compared."""
    seconds = []
    for _ in range(TRIES):
        token = next(site.tokens)
        with site.gate(token) as gate, site.connect() as connection:
            connection.send(site.request("events", accept, token))
            answer = connection.head()
            contents = connection.contents(answer)
            assert next(contents) == EVENTS[0]
            seconds.append(answer.seconds)
            gate.release(len(EVENTS))
            answer.content = EVENTS[0] + b"".join(contents)
        site.expect_closed_once(token)
        assert (answer.content, answer.complete) == (b"".join(EVENTS), True)
    answer.seconds = min(seconds)
    return [answer]


def each_part(route: str, parts: list[bytes]) -> Run:
    """Each part arrives and can be decoded before the application may produce the next one."""

    def run(site: Site, accept: str) -> list[Answer]:
        token = next(site.tokens)
        with site.gate(token) as gate, site.connect() as connection:
            connection.send(site.request(route, accept, token))
            answer = connection.head()
            contents = connection.contents(answer)
            for part in parts:
                arrived = b""
                while len(arrived) < len(part):
                    arrived += next(contents)
                assert arrived == part
                gate.release()
            assert b"".join(contents) == b""
        site.expect_closed_once(token)
        assert (answer.status, answer.complete) == (200, True)
        return [answer]

    return run


add("each_event", each_part("events", EVENTS))
add("each_page", each_part("pages", PAGES))


def leave(*, reset: bool) -> Run:
    """A client that leaves in the middle of a stream which the application goes on producing."""

    def run(site: Site, accept: str) -> list[Answer]:
        worker = site.worker()
        token = next(site.tokens)
        with site.connect() as connection:
            connection.send(site.request("endless", accept, token))
            answer = connection.head()
            assert next(connection.contents(answer))
            connection.leave(reset=reset)
        site.expect_closed_once(token)
        assert site.worker() == worker
        return []

    return run


add("leave_stream", leave(reset=False))
add("leave_stream_reset", leave(reset=True))


@check
def leave_events(site: Site, accept: str) -> list[Answer]:
    """A client that leaves while the application waits; the next events find nobody."""
    worker = site.worker()
    token = next(site.tokens)
    with site.gate(token) as gate, site.connect() as connection:
        connection.send(site.request("events", accept, token))
        assert next(connection.contents(connection.head())) == EVENTS[0]
        connection.leave()
        gate.release(len(EVENTS))
        site.expect_closed_once(token)
    assert site.worker() == worker
    return []
