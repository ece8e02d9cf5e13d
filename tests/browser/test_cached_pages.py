"""Pages with a nonce, from the cache, on the strict preset: each view works, and has a nonce of its own."""

import re
import tempfile
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from itertools import cycle, islice
from time import time
from wsgiref.simple_server import make_server

import pytest
from selenium.webdriver.support.wait import WebDriverWait

from wsgiperf import wrap

from .chromium import INLINE_WORKS
from .nonce_site import SQUARE
from .test_spliced_pages import Quiet, Server

VIEWS = 1000
LONGEST = 400  # seconds, on a machine that does other things besides; alone it takes a twentieth of that
CODINGS = ("br", "gzip", "zstd")
PAGES = ("a", "b", "c", "d")
# The first script notes what is refused, the last one tells the page around this one what works.
PAGE = """<!doctype html>
<html lang="en">
<title>A view</title>
<link rel="icon" href="/static/square.svg">
<script nonce="{nonce}">
const refused = [];
document.addEventListener("securitypolicyviolation", event => refused.push(event.violatedDirective));
</script>
<style nonce="{nonce}">:root {{ --applied: yes }}</style>
<body>
{text}
<script nonce="{nonce}" data-nonce="{nonce}">
const {{nonce, dataset}} = document.currentScript, root = document.documentElement;
root.dataset.ran = "yes";
addEventListener("load", () => {{
    const applied = getComputedStyle(root).getPropertyValue("--applied");
    parent.postMessage([location.pathname, applied, dataset.nonce === nonce, refused.join(), nonce]);
}});
</script>
"""
# Has one view after the other in each of four frames.
FRAMES = b"""<!doctype html>
<html lang="en">
<title>Waiting</title>
<link rel="icon" href="/static/square.svg">
<script>
const views = [];
function show(route) {
    let left = route.length;
    addEventListener("message", event => {
        views.push(event.data);
        if (views.length === route.length) document.title = "The end";
        const frame = [...document.querySelectorAll("iframe")].find(it => it.contentWindow === event.source);
        if (left) frame.contentWindow.location.replace(route[route.length - left--]);
    });
    for (let frames = 0; frames < 4; frames++) {
        const frame = document.createElement("iframe");
        frame.src = route[route.length - left--];
        document.body.append(frame);
    }
}
</script>
<body>
"""
TEXT = "".join(f"<p>Paragraph {i} of a page that is worth encoding: {i * i} views.</p>\n" for i in range(60))


@dataclass
class Seen:
    """What went through the server: the calls of the application, and what was answered."""

    calls: list = field(default_factory=list)
    answers: list = field(default_factory=list)


def site(seen):
    """The same page under many paths, encoded as the first segment says, and one with a date."""

    def pages(environ, start_response):
        path = environ["PATH_INFO"]
        seen.calls.append(path)
        fields = [("Content-Type", "text/html; charset=utf-8")]
        if path.endswith("/dated"):
            # Not in the past, or the browser guesses for a while that nothing changed. (It minds no entity
            # tags here: the server speaks HTTP/1.0.)
            fields += [("Last-Modified", formatdate(time() + 60, usegmt=True)), ("ETag", '"kept"')]
        start_response("200 OK", fields)
        return [PAGE.format(nonce=environ["wsgiperf.csp_nonce"], text=TEXT).encode()]

    rules = {"rules": [{"path": "*", "ttl": 600}]}
    strict = {"preset": "strict", "frame": "self"}
    stacks = {
        coding: wrap(pages, security=strict, cache=rules, compression={"codings": (coding,)})
        for coding in CODINGS
    }

    plain = {"/": ("text/html", FRAMES), "/static/square.svg": ("image/svg+xml", SQUARE)}

    def application(environ, start_response):
        path = environ["PATH_INFO"]
        if path in plain:
            start_response("200 OK", [("Content-Type", plain[path][0]), ("Cache-Control", "max-age=600")])
            return [plain[path][1]]

        def noted(status, fields, exc_info=None):
            seen.answers.append((path, dict(fields)))
            return start_response(status, fields, exc_info)

        return stacks[path.split("/")[1]](environ, noted)

    return application


@pytest.fixture(scope="module")
def seen():
    return Seen()


@pytest.fixture(scope="module")
def address(seen, window, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("journal")))
        with make_server("127.0.0.1", 0, site(seen), Server, Quiet) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                server.shutdown()
                thread.join()


def nonces(fields):
    return set(re.findall(r"'nonce-([^']+)'", fields["Content-Security-Policy"]))


@pytest.mark.timeout(LONGEST + 100)
def test_a_thousand_views_have_a_thousand_nonces_and_break_nothing(browser, address, seen):
    route = [*islice(cycle(f"/{coding}/{page}" for page in PAGES for coding in CODINGS), VIEWS)]
    browser.open(f"{address}/")
    browser.run("show(arguments[0])", route)
    WebDriverWait(browser.driver, LONGEST, poll_frequency=0.5).until(
        lambda _: browser.driver.title == "The end"
    )
    # Each view ran its scripts, had its style, and the one nonce in both; nothing was refused.
    views = browser.run("return views")
    assert sorted(view[0] for view in views) == sorted(route)
    assert {tuple(view[1:4]) for view in views} == {("yes", True, "")}
    assert browser.console() == []
    # No two had the same nonce, and theirs are those of the policies that went with them.
    sent = [nonces(fields) for _, fields in seen.answers]
    assert [len(each) for each in sent] == [1] * VIEWS
    assert len(set.union(*sent)) == VIEWS
    assert set.union(*sent) == {view[4] for view in views}
    # In the codings asked for, and the application made each page once.
    assert all(fields["Content-Encoding"] == path.split("/")[1] for path, fields in seen.answers)
    assert sorted(seen.calls) == sorted({*route})
    hits = [fields["Cache-Status"].startswith("wsgiperf; hit; ttl=") for _, fields in seen.answers]
    assert hits.count(True) >= VIEWS - 2 * len(seen.calls)  # beside who came while a page was being made


@pytest.mark.parametrize("coding", CODINGS)
def test_a_page_that_the_cache_confirms_keeps_its_inline_code(browser, address, seen, coding):
    first = browser.open(f"{address}/{coding}/dated")
    assert (first.wire_status, first.headers["content-encoding"]) == (200, coding)
    for _ in range(3):
        again = browser.open(f"{address}/{coding}/dated")
        assert again.wire_status == 304
        assert again.wire_headers["cache-status"].startswith("wsgiperf; hit; ttl=")
        assert "content-security-policy" not in again.wire_headers
        assert browser.run(INLINE_WORKS) == [True, True]
    assert seen.calls.count(f"/{coding}/dated") == 1


@pytest.mark.parametrize("path", ["/", "/about", "/members/karim", "/posts/2", "/profile"])
def test_pages_of_the_example_sites_come_from_the_cache_with_a_nonce_of_their_own(browser, site, path):
    seen = set()
    for view in range(1, 41):  # each of the workers has a memory of its own
        page = browser.open(site + path)
        inline = browser.run("return [...document.querySelectorAll('[nonce]')].map(element => element.nonce)")
        seen |= {*inline}
        assert (len({*inline}), len(seen)) == (1, view)
        assert browser.run("return getComputedStyle(document.documentElement).getPropertyValue('--accent')")
        if view > 1 and "; hit" in page.headers["cache-status"]:
            break
    assert page.headers["cache-status"].startswith("wsgiperf; hit; ttl=")
    assert page.headers["cache-control"] == "private"
