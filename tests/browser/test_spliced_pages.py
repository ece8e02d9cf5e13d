"""Pages stored without their nonce and filled for each view: the browser decodes them and runs their code."""

import threading
from os import urandom
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from wsgiperf.cache.nonces import cut
from wsgiperf.cache.splices import splice

CODINGS = {"gzip": 6, "br": 5, "zstd": 3, "br-11": 11}
POLICY = (
    "default-src 'none'; script-src 'nonce-{0}'; style-src 'nonce-{0}'; "
    "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'"
)
WORDS = "caf\xe9 \u4f60\u597d "
TEXT = "".join(f"<p id=p{i}>Paragraph {i}: {WORDS * (i % 5)}{i * i} views</p>\n" for i in range(200))
# Nonces in the first line, in a row, among text that repeats, and at the end.
PAGE = """<!doctype html><script nonce="{nonce}">window.refused = [];
document.addEventListener("securitypolicyviolation", event => refused.push(event.violatedDirective));
window.ran = ["first"]</script>
<title>A stored page</title><link rel="icon" href="data:,">
<style nonce="{nonce}">:root {{ --applied: yes }}</style>
<script nonce="{nonce}" data-row="{nonce}{nonce}">ran.push("second")</script>
{text}
<script nonce="{nonce}">ran.push("third")</script>
{text}
<script nonce="{nonce}">ran.push("last"); ran.push(document.currentScript.nonce)</script><!-- {nonce}"""
WORKS = """
    const style = getComputedStyle(document.documentElement).getPropertyValue("--applied");
    return [ran.slice(0, 4), style, refused, document.querySelectorAll("p").length, ran[4]];
"""
# The same address once more: what the browser decodes, and the nonce of that answer.
AGAIN = """
    const request = new XMLHttpRequest();
    request.open("GET", location.href, false);
    request.send();
    return [request.responseText, request.getResponseHeader("X-Its-Nonce")];
"""


class Quiet(WSGIRequestHandler):
    def log_message(self, *about):
        """Say nothing."""


class Server(ThreadingMixIn, WSGIServer):
    """The browser opens connections before it needs them; none may keep the others waiting."""

    daemon_threads = True


def stored_pages():
    """The page as it came from the application once, by path."""
    nonce = urandom(16).hex()
    page = cut(PAGE.format(nonce=nonce, text=TEXT).encode(), nonce.encode())
    pages = {"/identity": ("identity", page)}
    for path, level in CODINGS.items():
        coding = path.partition("-")[0]
        pages[f"/{path}"] = (coding, splice(page, coding, level))
    assert all(stored is not None for _, stored in pages.values())
    return page, pages


@pytest.fixture(scope="module")
def stored():
    """The page, and the address of a site that fills it anew for each request."""
    page, pages = stored_pages()

    def application(environ, start_response):
        coding, stored = pages[environ["PATH_INFO"]]
        nonce = urandom(16).hex()
        headers = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(stored.length)),
            ("Content-Security-Policy", POLICY.format(nonce)),
            ("Cache-Control", "no-store"),
            ("X-Its-Nonce", nonce),
        ]
        if coding != "identity":
            assert coding in environ["HTTP_ACCEPT_ENCODING"]
            headers.append(("Content-Encoding", coding))
        start_response("200 OK", headers)
        return [stored.fill(nonce.encode())]

    with make_server("127.0.0.1", 0, application, Server, Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield page, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("path", ["identity", *CODINGS])
def test_each_view_of_a_stored_page_has_a_nonce_of_its_own_and_all_code_runs(browser, stored, path):
    page, address = stored
    seen = set()
    for _ in range(3):
        answer = browser.open(f"{address}/{path}")
        assert answer.headers.get("content-encoding", "identity") == path.partition("-")[0]
        ran, style, refused, paragraphs, nonce = browser.run(WORKS)
        assert (ran, style, refused, paragraphs) == (["first", "second", "third", "last"], "yes", [], 400)
        assert nonce == answer.headers["x-its-nonce"]
        text, another = browser.run(AGAIN)
        assert text == page.fill(another.encode()).decode()
        seen |= {nonce, another}
    assert len(seen) == 6


@pytest.mark.parametrize("path", ["identity", *CODINGS])
def test_code_with_the_nonce_of_another_view_does_not_run(browser, stored, path):
    """Else who saw one view could write code into the next."""
    _, address = stored
    old = browser.open(f"{address}/{path}").headers["x-its-nonce"]
    browser.open(f"{address}/{path}")
    browser.run(
        """
        const script = document.createElement("script");
        script.setAttribute("nonce", arguments[0]);
        script.textContent = "ran.push('injected')";
        document.body.append(script);
        """,
        old,
    )
    assert "script-src" in browser.complaint()
    assert "injected" not in browser.run("return ran")
