"""The rest of a body by another call of the application, for who read along with one that came to a halt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from wsgiperf.calling import with_pushed
from wsgiperf.errors import WSGIPerfError
from wsgiperf.wsgi import Stack

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

__all__ = ["ResumeError", "resumed"]


_OF_THE_BODY = frozenset(("content-encoding", "content-length", "content-type", "etag", "last-modified"))


class ResumeError(WSGIPerfError, RuntimeError):
    """The second call gave another response than the first: the client sees a truncated one."""


def resumed(
    app: WSGIApplication,
    environ: WSGIEnvironment,
    status: str,
    fields: list[tuple[str, str]],
    sent: list[bytes],
) -> Iterator[bytes]:
    """The blocks that follow those that were sent.

    :param status: the one that was sent, with these `fields`.
    :raises ResumeError: where the application answers something else this time.
    """
    heads: list[object] = []
    pushed: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        heads.append((status, _telling(headers)))
        return pushed.append

    # The primitive in between: what it returns keeps the rules, whatever the application does.
    body = Stack(app)(environ, start_response)
    try:
        if heads[-1:] != [(status, _telling(fields))]:
            raise ResumeError("the application gave another response than before")
        before = b"".join(sent)
        for block in with_pushed(pushed, iter(body)):
            if before:
                if block[: len(before)] != before[: len(block)]:
                    raise ResumeError("the application gave another body than before")
                block, before = block[len(before) :], before[len(block) :]
            if block:
                yield block
        if before:
            raise ResumeError("the application gave a shorter body than before")
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()


def _telling(fields: list[tuple[str, str]]) -> dict[str, str]:
    """Those of the fields that would be wrong with another body."""
    return {name.lower(): value for name, value in fields if name.lower() in _OF_THE_BODY}
