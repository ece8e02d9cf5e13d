"""Applications that fail, before and after the head is out."""

from .client import Answer
from .payload import BLOCKS, WHOLE
from .registry import Run, add, check
from .server import Site


def server_error(route: str) -> Run:
    """An exception before anything was sent is the server's own 500, and the worker goes on."""

    def run(site: Site, accept: str) -> list[Answer]:
        worker = site.worker()
        answer = site.ask(route, accept)
        assert (answer.status, answer.complete) == (500, True)
        assert site.worker() == worker
        return [answer]

    return run


add("error_before_start", server_error("broken_before_start"))
add("error_first_block", server_error("broken_first_block"))


def truncated(route: str) -> Run:
    """An exception in the middle of the body: the client can see that something is missing."""

    def run(site: Site, accept: str) -> list[Answer]:
        worker = site.worker()
        answer = site.ask(route, accept)
        assert answer.status == 200
        assert not answer.complete
        assert answer.content == BLOCKS[0]
        assert site.worker() == worker
        return [answer]

    return run


add("error_mid_stream", truncated("broken_stream"))
add("error_mid_counted", truncated("broken_counted"))
add("restart_too_late", truncated("restarted_too_late"))


@check
def restart(site: Site, accept: str) -> list[Answer]:
    """start_response again with exc_info, in time: the second head replaces the first."""
    answer = site.ask("restarted", accept, ("Connection", "close"))
    assert (answer.status, answer.content, answer.complete) == (503, WHOLE, True)
    assert answer.get("X-App-Old") is None
    assert len([name for name, _ in answer.fields if name.lower() == "content-type"]) == 1
    return [answer]
