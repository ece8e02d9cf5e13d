"""What passes by WSGI: interim answers, and applications that take the socket over."""

from .client import Answer
from .payload import HINT, WHOLE
from .registry import check, check_once
from .server import Site


@check
def early_hints(site: Site, accept: str) -> list[Answer]:
    answer = site.ask("hinting", accept)
    assert (answer.status, answer.content) == (200, WHOLE)
    assert [(interim.status, interim.fields) for interim in answer.interim] == [(103, [HINT])]
    return [answer]


@check_once
def hijack(site: Site, accept: str) -> list[Answer]:
    """An upgrade which the application answers on the socket itself, leaving by StopIteration."""
    worker = site.worker()
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "echo")]
    with site.connect() as connection:
        connection.send(site.request("hijacked", accept, fields=upgrade))
        answer = connection.head()
        assert (answer.status, answer.get("Upgrade")) == (101, "echo")
        connection.send(b"a line\r\n")
        assert b"".join(connection.rest()) == b"a line\r\n"
    assert site.worker() == worker
    return [answer]


@check_once
def already_handled(site: Site, accept: str) -> list[Answer]:
    """The application answers on the socket and tells gunicorn's gevent worker by an object."""
    answer = site.ask("already_handled", accept)
    assert (answer.status, answer.content) == (200, b"ok")
    return [answer]
