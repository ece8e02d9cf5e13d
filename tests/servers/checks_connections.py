"""Several requests on one connection: kept alive, or sent before the first answer came."""

from .checks_answers import ANSWERS
from .client import Answer
from .payload import WHOLE
from .registry import Run, add, check, check_once
from .server import Site

POSTED = b"posted in a pipeline " * 100


def kept(*routes: str, head: str = "") -> Run:
    """One request after the other on one connection, the first a HEAD where that is named."""

    def run(site: Site, accept: str) -> list[Answer]:
        answers = []
        with site.connect() as connection:
            if head:
                connection.send(site.request(head, accept, method="HEAD"))
                assert connection.answer("HEAD").status == ANSWERS[head][0]
            for route in routes:
                connection.send(site.request(route, accept))
                answers.append(connection.answer())
        for route, answer in zip(routes, answers, strict=True):
            assert (answer.status, answer.content, answer.complete) == (*ANSWERS[route], True)
        return answers

    return run


add("keep_alive", kept("single", "aware", "single"))
add("keep_alive_bodiless", kept("no_content", "not_modified", "single"))
add("keep_alive_streams", kept("generator", "listed", "counted", "late", "single"))
add("keep_alive_head", kept("single", head="aware"), accepts=("identity",))
add("keep_alive_head_lengthless", kept("single", head="lengthless"))


@check
def http10_keep_alive(site: Site, accept: str) -> list[Answer]:
    answers = []
    with site.connect() as connection:
        for _ in range(2):
            keep = ("Connection", "keep-alive")
            connection.send(site.request("single", accept, fields=[keep], version="1.0"))
            answers.append(connection.answer())
    assert [answer.content for answer in answers] == [WHOLE, WHOLE]
    assert (answers[0].get("Connection") or "").lower() == "keep-alive"
    return answers


@check
def pipeline_two(site: Site, accept: str) -> list[Answer]:
    with site.connect() as connection:
        connection.send(site.request("single", accept) + site.request("generator", accept))
        answers = [connection.answer() for _ in range(2)]
    assert [answer.content for answer in answers] == [WHOLE, WHOLE]
    assert all(answer.complete for answer in answers)
    return answers


@check
def pipeline_three(site: Site, accept: str) -> list[Answer]:
    """With a body among the requests."""
    with site.connect() as connection:
        connection.send(
            site.request("echo", accept, method="POST", body=POSTED)
            + site.request("single", accept)
            + site.request("generator", accept)
        )
        answers = [connection.answer() for _ in range(3)]
    assert [answer.content for answer in answers] == [POSTED, WHOLE, WHOLE]
    assert all(answer.complete for answer in answers)
    return answers


@check_once
def pipeline_head(site: Site, accept: str) -> list[Answer]:
    with site.connect() as connection:
        connection.send(site.request("aware", accept, method="HEAD") + site.request("generator", accept))
        answers = [connection.answer(method) for method in ("HEAD", "GET")]
    assert [answer.content for answer in answers] == [b"", WHOLE]
    return answers
