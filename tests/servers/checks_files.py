"""Files handed to the server's own wrapper."""

from .client import Answer
from .payload import FILE_BYTES, TEXT_FILE_BYTES
from .registry import check
from .server import Site


@check
def file(site: Site, accept: str) -> list[Answer]:
    """Of a type that nobody compresses."""
    answer = site.ask("file", accept)
    assert (answer.status, answer.content, answer.complete) == (200, FILE_BYTES, True)
    return [answer]


@check
def text_file(site: Site, accept: str) -> list[Answer]:
    """Of a type that may be compressed: the file is read and closed all the same."""
    answer = site.ask("text_file", accept)
    assert (answer.status, answer.content, answer.complete) == (200, TEXT_FILE_BYTES, True)
    return [answer]


@check
def sendfile(site: Site, accept: str) -> list[Answer]:
    """The server sends the file by its shortest way, without reading it in Python."""
    before = site.files_sent()
    answer = site.ask("file", accept)
    assert answer.content == FILE_BYTES
    site.until(lambda: site.files_sent() > before, "no file was sent so")
    return [answer]


@check
def head_file(site: Site, accept: str) -> list[Answer]:
    answer = site.ask("file", accept, method="HEAD")
    assert answer.status == 200
    return [answer]
