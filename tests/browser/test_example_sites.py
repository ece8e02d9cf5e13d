"""Both example sites on the strict preset: every page as a visitor with a browser has it."""

import re
from urllib.parse import urldefrag

import pytest

from .serving import ROOT

FAILING = {"/nobody-lives-here": 404, "/boom": 500}
STATIC = {"css": "Stylesheet", "js": "Script", "svg": "Image", "webmanifest": "Manifest"}
NO_PAGES = ("/api/", "/download", "/static/", "/media/")
STRICT = {
    "content-security-policy": r"default-src 'none'; script-src 'self'.*; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": r"camera=\(\), .*",
    "x-xss-protection": "0",
    "x-request-id": "[0-9a-f]{32}",
    "x-processing-time": r"\d+\.\d{3}s",
    "server-timing": r"(.*, )?total;dur=[\d.]+",
}
PICTURE = ROOT / "examples/shared/communiconnect/static/icon.png"


def expect_strict(answer):
    for name, pattern in STRICT.items():
        assert re.fullmatch(pattern, answer.headers.get(name, "")), f"{name} of {answer}"
    assert "strict-transport-security" not in answer.headers  # this is plain http


def expect_page(browser, page):
    """All headers, br, and inline code that works: the script applies what the visitor chose before."""
    assert page.headers["content-encoding"] == "br"
    expect_strict(page)
    theme, accent, *nonces = browser.run(
        "const root = document.documentElement;"
        "return [root.dataset.theme, getComputedStyle(root).getPropertyValue('--accent'),"
        "        ...Array.from(document.querySelectorAll('[nonce]'), element => element.nonce)]"
    )
    assert theme == "dark"
    assert accent.startswith("light-dark(")
    named = re.findall(r"-src 'self' 'nonce-([0-9a-f]{32})'", page.headers["content-security-policy"])
    assert named == nonces
    assert len(nonces) == 2


@pytest.fixture(scope="session")
def choice(window, demo):
    """A visitor's choice, by the button of a page: it holds for both sites, which share their address."""
    window.open(f"{demo['Flask']}/about")
    window.find("[data-theme-button]").click()
    assert window.run("return localStorage.theme") == "dark"


@pytest.fixture
def visitor(choice, browser):
    """Somebody who likes it dark."""
    return browser


def test_static_files_are_encoded_and_have_all_headers(browser, site):
    browser.open(f"{site}/")
    for suffix, kind in STATIC.items():
        file = browser.fetched(f".{suffix}")
        assert file.kind == kind
        assert file.wire_status == 200
        assert file.url.startswith(f"{site}/static/")
        assert "max-age=" in file.headers["cache-control"]
        assert suffix not in ("css", "js") or file.headers["content-encoding"] == "br"
        expect_strict(file)
    assert browser.run("return getComputedStyle(document.querySelector('.card')).display") == "flex"


def pages_linked(browser, site):
    """The pages that the links of this one lead to, all of them inside the site."""
    links = {urldefrag(link).url for link in browser.run("return [...document.links].map(link => link.href)")}
    assert all(link.startswith(f"{site}/") for link in links)
    return {link for link in links if not link.removeprefix(site).startswith((*NO_PAGES, *FAILING))}


def test_every_page_that_a_link_leads_to_works_and_leaves_the_console_silent(visitor, site):
    waiting, seen = {f"{site}/"}, set()
    while waiting:
        address = waiting.pop()
        seen.add(address)
        page = visitor.open(address)
        assert page.status == 200, address
        expect_page(visitor, page)
        assert visitor.console() == [], address
        waiting |= pages_linked(visitor, site) - seen
    assert len(seen) > 35


@pytest.mark.parametrize("path", FAILING)
def test_an_error_page_is_a_page_like_any_other(visitor, site, path):
    page = visitor.open(site + path)
    assert page.status == FAILING[path]
    expect_page(visitor, page)
    assert visitor.find("main code").text == page.headers["x-request-id"]
    [note] = visitor.until(visitor.console)  # the browser's own, of each answer that is an error
    assert f"{page.url} - Failed to load resource" in note
    assert f"status of {page.status}" in note


@pytest.mark.parametrize("path", ["/api/posts", "/api/posts/1"])
def test_json_can_be_looked_at(browser, site, path):
    answer = browser.open(site + path)
    assert answer.headers["content-type"] == "application/json"
    expect_strict(answer)


def test_the_icon_that_browsers_ask_for_by_themselves_is_one(browser, site):
    browser.open(f"{site}/about")
    browser.run("document.body.append(document.createElement('img'))")
    icon = browser.find("body > img")
    browser.run("arguments[0].src = arguments[1]", icon, f"{site}/favicon.ico")
    browser.until(lambda: browser.run("return arguments[0].naturalWidth > 0", icon))


def test_a_redirect_has_all_headers(browser, site):
    page = browser.open(f"{site}/latest")
    assert page.url == f"{site}/posts/24"
    [redirect] = [answer for answer in browser.network.answers() if answer.kind == "Redirect"]
    assert redirect.status == 302
    expect_strict(redirect)


def test_the_event_stream_reaches_the_page(browser, site):
    browser.open(f"{site}/")
    line = browser.find("[data-events]")
    browser.until(lambda: line.get_attribute("data-state") == "live")
    assert re.fullmatch(r"24 posts, \d+ comments, \d+ photos?", line.text)
    stream = browser.fetched("/events")
    assert stream.kind == "EventSource"
    expect_strict(stream)


def test_the_foot_of_a_page_shows_what_the_browser_measured(browser, site):
    browser.open(f"{site}/?made-for-this")  # one from the cache asks no database
    line = browser.find("[data-page-figures]")
    text = browser.until(lambda: line.text)
    size, sent = re.match(r"This page: ([\d.]+) KB sent as ([\d.]+) KB · db [\d.]+ ms · total", text).groups()
    assert float(sent) < float(size) / 4


def test_a_comment_is_sent_and_shown(browser, site):
    browser.open(f"{site}/posts/7")
    browser.find("#id_name").send_keys("Élodie")
    browser.find("#id_text").send_keys("<script>document.title = 'taken over'</script>")
    page = browser.after(browser.find("main form button").click)
    assert page.status == 200
    assert [answer.status for answer in browser.network.answers() if answer.kind == "Redirect"] == [303]
    address, comment = urldefrag(browser.driver.current_url)
    assert address == f"{site}/posts/7"
    shown = browser.find(f"#{comment}").text
    assert "Élodie" in shown
    assert "<script>document.title = 'taken over'</script>" in shown
    assert "taken over" not in browser.driver.title


def test_a_photo_is_sent_and_shown(browser, site):
    browser.open(f"{site}/upload")
    browser.find("#id_photo").send_keys(str(PICTURE))
    browser.after(browser.find("main form button").click)
    assert browser.find("h1").text == "Thank you for the photo"
    assert browser.run("return document.querySelector('.shown').naturalWidth") == 192
    photo = browser.fetched("/media/")
    assert photo.headers["content-type"] == "image/png"
    expect_strict(photo)
