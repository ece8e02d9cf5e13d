"""The middleware of docs/middleware.md, as it stands there."""

import re
from pathlib import Path

from wsgiperf.testing import WSGIContract

PAGE = Path(__file__).resolve().parents[2] / "docs" / "middleware.md"


def documented(name: str) -> dict[str, object]:
    """The names that the example with this class defines."""
    examples = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {"app": answer}
    exec(
        "from wsgiperf import Middleware\n" + next(code for code in examples if f"class {name}" in code),
        names,
    )
    return names


def answer(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return iter([b"yes"])


def call(app, path="/"):
    heads = []
    body = app(
        {"REQUEST_METHOD": "GET", "PATH_INFO": path}, lambda status, headers: heads.append((status, headers))
    )
    try:
        return heads[0][0], dict(heads[0][1]), b"".join(body)
    finally:
        getattr(body, "close", list)()


class TestMaintenance(WSGIContract):
    """The example keeps every rule, also those beyond PEP 3333."""

    levels = ("pep3333", "wsgiperf")

    def wrap(self, application):
        return documented("Maintenance")["Maintenance"](application, switch=lambda: False)


def test_it_answers_in_the_application_s_place():
    """While the switch is on, the application is not asked, but for its health."""
    app = documented("Maintenance")["Maintenance"](answer, switch=lambda: True)
    status, headers, body = call(app)
    assert (status, headers["Retry-After"], headers["Content-Length"]) == (
        "503 Service Unavailable",
        "60",
        "18",
    )
    assert body == b"Back in a minute.\n"
    assert call(app, "/health")[::2] == ("200 OK", b"yes")


def test_a_body_is_replaced_block_by_block():
    """The second example changes bytes, and no wrong length stays."""
    _, headers, body = call(documented("Shout")["Shout"](answer))
    assert body == b"YES"
    assert "Content-Length" not in headers


def test_the_example_is_as_short_as_the_page_says():
    """Twenty lines."""
    examples = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for line in examples[0].splitlines() if line.strip()]
    assert len(lines) <= 20
