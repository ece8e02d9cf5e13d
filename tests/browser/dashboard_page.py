"""The dashboard, open in the browser, and what tests ask of it. Tests import the fixtures by name."""

import pytest
from selenium.webdriver.support.select import Select

from . import dashboard_site

COLUMN = """
    const [name, column] = arguments;
    return [...document.querySelectorAll(`[data-table="${name}"] tbody tr`)]
        .map(row => row.children[column].textContent);
"""


@pytest.fixture(scope="module")
def running(window):
    with dashboard_site.running() as site:
        yield site


@pytest.fixture
def site(running):
    running.reset()
    return running


@pytest.fixture
def page(browser, site):
    """The dashboard, new to this reader, on a screen of a usual size."""
    resize(browser, 1280, 900)
    browser.open(site.address)
    browser.run("localStorage.clear(); localStorage.setItem('wsgiperf-rate', '1')")
    visit(browser, site)
    yield browser
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def visit(browser, site):
    """Open the dashboard, and wait for its last part, which comes after the first paint."""
    browser.open(site.address)
    browser.until(lambda: text(browser, "[data-versions]"))


def resize(browser, width, height):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def text(page, selector):
    return page.run("return document.querySelector(arguments[0]).textContent", selector)


def column(page, number, table="endpoints"):
    return page.run(COLUMN, table, number)


def choose(page, selector, value):
    Select(page.find(selector)).select_by_value(value)


def refreshed(page):
    """Wait for figures that are newer than those shown."""
    before = text(page, "[data-updated]")
    page.until(lambda: text(page, "[data-updated]") != before)


def expect_failed_fetches(page, status):
    """The browser's own notes of them, and nothing of ours."""
    for note in page.until(page.console):
        assert f"status of {status}" in note
