"""One browser and one server for all tests; a machine without the browser's programs skips them."""

import os

import pytest

pytest.register_assert_rewrite(f"{__package__}.serving")

from . import serving  # noqa: E402 - after the line above, which is about it
from .chromium import chromium, missing  # noqa: E402


@pytest.fixture(scope="session")
def window(tmp_path_factory):
    if lacking := missing():
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says(f"{' and '.join(lacking)} not installed")
    with chromium(tmp_path_factory.mktemp("chromium")) as window:
        yield window


@pytest.fixture
def browser(window):
    """The window without cache and cookies. In the end its console has nothing left to say."""
    window.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    window.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    yield window
    window.driver.get("about:blank")  # ends what a page still does
    assert window.console() == []


@pytest.fixture(scope="session")
def demo(window, tmp_path_factory):
    """Both example sites; the address of each."""
    with serving.demo(tmp_path_factory.mktemp("demo")) as addresses:
        yield addresses


@pytest.fixture(scope="session", params=["Flask", "Django"])
def site(request):
    """The address of an example site, one after the other."""
    return request.getfixturevalue("demo")[request.param]


@pytest.fixture(scope="session")
def nonce_site(window, tmp_path_factory):
    """The address of the site with one page in several ways, on the strict preset."""
    directory = tmp_path_factory.mktemp("strict")
    with serving.gunicorn("nonce_site:application", directory, WSGIPERF_SECURITY="strict") as address:
        yield address


@pytest.fixture(scope="session")
def balanced_site(window, tmp_path_factory):
    """The address of the same site without any settings."""
    with serving.gunicorn("nonce_site:application", tmp_path_factory.mktemp("balanced")) as address:
        yield address
