"""What the browser keeps: a stored page goes on working, and a hashed file is not asked for again."""

from .chromium import INLINE_WORKS

#: Too long for the cache, which would send a 304 of its own, without a policy.
POLICY_ON_304 = "/policy-on-304?" + "x" * 2048
KEPT, ASKED_FOR = "/static/square.3f9a1c2b.svg", "/square.svg"


def test_a_page_that_a_304_confirms_keeps_its_inline_code(browser, nonce_site):
    first = browser.open(f"{nonce_site}/")
    assert (first.wire_status, first.headers["content-encoding"]) == (200, "br")
    again = browser.reload()
    assert again.wire_status == 304
    assert again.wire_headers["etag"] == first.headers["etag"] != '"page-1"'
    assert "content-security-policy" not in again.wire_headers
    assert browser.run(INLINE_WORKS) == [True, True]


def test_it_would_lose_it_by_a_304_with_a_policy(browser, nonce_site):
    """Why there is none: the browser takes it for the stored page's own."""
    browser.open(nonce_site + POLICY_ON_304)
    assert browser.run(INLINE_WORKS) == [True, True]
    assert browser.reload().wire_status == 304
    assert browser.run(INLINE_WORKS) == [False, False]
    assert len(browser.console()) == 2


def test_going_back_and_forward_keeps_inline_code(browser, nonce_site):
    browser.open(f"{nonce_site}/")
    browser.open(f"{nonce_site}/?second")
    for move in (browser.driver.back, browser.driver.forward):
        assert browser.after(move).from_cache
        assert browser.run("return performance.getEntriesByType('navigation')[0].type") == "back_forward"
        assert browser.run(INLINE_WORKS) == [True, True]


def test_going_back_after_a_304_keeps_inline_code(browser, nonce_site):
    browser.open(f"{nonce_site}/")
    assert browser.reload().wire_status == 304
    browser.open(f"{nonce_site}/?second")
    assert browser.after(browser.driver.back).from_cache
    assert browser.run(INLINE_WORKS) == [True, True]


def test_a_file_with_a_content_hash_is_not_asked_for_again_and_another_is(browser, nonce_site):
    browser.open(f"{nonce_site}/")
    kept = browser.fetched(KEPT)
    assert kept.wire_status == 200
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert browser.fetched(ASKED_FOR).wire_status == 200
    for visit in (lambda: browser.open(f"{nonce_site}/?second"), browser.reload):
        visit()
        assert browser.fetched(KEPT).from_cache
        asked_for = browser.fetched(ASKED_FOR)
        assert not asked_for.from_cache
        assert asked_for.wire_status == 304


def test_static_files_of_the_example_sites_are_taken_from_the_cache(browser, site):
    browser.open(f"{site}/about")
    first = browser.fetched("/static/square.")
    assert first.wire_status == 200
    assert (
        first.headers["cache-control"].endswith("immutable") or "immutable" in first.headers["cache-control"]
    )
    browser.open(f"{site}/about?again")
    for name in ("/static/square.", "/static/site."):
        assert browser.fetched(name).from_cache
