"""Inline code: the strict preset lets it work with the nonce of its response, and refuses all other."""

import pytest

from .chromium import INLINE_WORKS

REFUSED = "Content Security Policy directive"
CODE = {"script": "document.documentElement.dataset.added = 'yes'", "style": ":root { --added: yes }"}
EFFECT = {
    "script": "return document.documentElement.dataset.added === 'yes'",
    "style": "return getComputedStyle(document.documentElement).getPropertyValue('--added') === 'yes'",
}
ADD = """
    const [tag, nonce, code] = arguments;
    const added = document.createElement(tag);
    if (nonce) added.nonce = nonce;
    added.textContent = code;
    document.head.append(added);
"""


def test_inline_code_with_the_nonce_of_its_response_works(browser, nonce_site):
    browser.open(f"{nonce_site}/")
    assert browser.run(INLINE_WORKS) == [True, True]


@pytest.mark.parametrize("path", ["/another-nonce", "/no-nonce"])
def test_inline_code_with_another_nonce_or_none_does_not(browser, nonce_site, path):
    browser.open(nonce_site + path)
    assert browser.run(INLINE_WORKS) == [False, False]
    assert [REFUSED in note for note in browser.console()] == [True, True]


@pytest.mark.parametrize("path", ["/", "/no-nonce"])
def test_the_default_preset_breaks_no_inline_code(browser, balanced_site, path):
    page = browser.open(balanced_site + path)
    assert "script-src" not in page.headers["content-security-policy"]
    assert browser.run(INLINE_WORKS) == [True, True]


@pytest.mark.parametrize("tag", CODE)
def test_code_added_to_a_page_needs_the_nonce_of_that_page(browser, site, tag):
    browser.open(f"{site}/about")
    for wrong in ("", "0" * 32):
        browser.run(ADD, tag, wrong, CODE[tag])
        assert not browser.run(EFFECT[tag])
        assert REFUSED in browser.complaint()
    browser.run(ADD, tag, browser.run("return document.querySelector('[nonce]').nonce"), CODE[tag])
    assert browser.run(EFFECT[tag])


@pytest.mark.parametrize(
    "markup",
    [
        f"<script>{CODE['script']}</script>",
        f'<p onclick="{CODE["script"]}">',
        f'<a href="javascript:{CODE["script"]}">',
        f'<script src="data:text/javascript,{CODE["script"]}"></script>',
    ],
    ids=["script", "handler", "address", "data"],
)
def test_markup_written_into_a_page_runs_nothing(browser, site, markup):
    browser.open(f"{site}/about")
    browser.run("document.write(arguments[0])", markup)
    browser.run("document.querySelectorAll('p[onclick], a[href^=javascript]').forEach(it => it.click())")
    assert REFUSED in browser.complaint()
    assert not browser.run(EFFECT["script"])
