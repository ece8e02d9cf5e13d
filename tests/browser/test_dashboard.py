"""The dashboard: what it shows, and what it does where there is no answer."""

# ruff: noqa: F401, F811, RUF001 - fixtures are imported by name and asked for by name; dashes are meant

import re

import pytest
from selenium.webdriver.common.by import By

from .dashboard_figures import HOSTILE
from .dashboard_page import choose, column, expect_failed_fetches, page, refreshed, running, site, text, visit


def test_the_first_figures_come_with_the_page(page):
    """They are shown before any are asked for, and soon: the time is the browser's, from the click on."""
    shown = page.run("return performance.getEntriesByName('wsgiperf-shown')[0].startTime")
    refreshed(page)
    asked = page.run(
        "return performance.getEntriesByType('resource')"
        "    .filter(({name}) => name.endsWith('/json')).map(({startTime}) => startTime)"
    )
    assert shown < min(asked)
    assert shown < 3000  # milliseconds; far less on a machine that does nothing else


def test_every_part_of_the_page_shows_something(page):
    tables = "endpoints failing slowest errors health journal aliases pools queries cache compression"
    for name in tables.split():
        assert column(page, 0, name), name
    assert text(page, "[data-status-text]") == "OK"
    assert text(page, "[data-workers]") == "4 of 16 slabs"
    assert text(page, "[data-scope]") == "all workers"
    assert len(page.driver.find_elements(By.CSS_SELECTOR, ".chart .plot path[d]")) == 4 + 3 + 2 + 5 + 4
    assert page.driver.title.startswith("OK · 127.0.0.1:")


def test_it_loads_its_own_files_only(page, site):
    page.reload()
    urls = page.run("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert len(urls) > 15
    assert [url for url in urls if not url.startswith(site.address)] == []


def test_the_figures_change_by_themselves(page):
    before = text(page, "[data-totals]")
    refreshed(page)
    assert text(page, "[data-totals]") != before


def test_alerts_are_told_with_severity_sign_and_age(page, site):
    site.alerts = ("critical", "warning")
    page.until(lambda: text(page, "[data-status-text]") == "2 alerts")
    # It goes on while the next figures take their time.
    page.until(lambda: re.match(r"since .+ \(1 min 3\d s\)", text(page, "[data-status-since]")))
    assert page.find(".status use").get_attribute("href") == "#icon-critical"
    assert page.find("[data-icon]").get_attribute("href").endswith("/icon-critical.svg")
    assert [
        item.text.split("\n")[0] for item in page.driver.find_elements(By.CSS_SELECTOR, ".alerts li")
    ] == [
        "Critical p95 is 2.41, above 2.0, for 60 s",
        "Warning cpu is 2.41, above 2.0, for 60 s",
    ]
    assert page.find(".tile:nth-child(3)").get_attribute("data-status") == "critical"


def test_only_a_change_of_the_status_is_announced(page, site):
    page.run(
        "window.said = [];"
        "const region = document.querySelector('[data-announce]');"
        "new MutationObserver(() => said.push(region.textContent)).observe(region, {childList: true})"
    )
    refreshed(page)
    assert page.run("return said") == []
    site.alerts = ("warning",)
    page.until(lambda: page.run("return said.length"))
    refreshed(page)
    assert page.run("return said") == ["1 alert. Warning: p95 is 2.41, above 2.0, for 60 s"]


def test_a_service_that_has_just_begun_says_why_there_is_no_figure(page, site):
    site.quiet = True
    visit(page, site)
    tiles = [tile.text.split("\n")[1:3] for tile in page.driver.find_elements(By.CSS_SELECTOR, ".tile")]
    assert tiles[1:] == [
        ["–", "no requests in the last minute"],
        ["–", "no requests in the last minute"],
        ["–", "no cache lookups in the last minute"],
        ["–", "nothing compressed yet"],
    ]
    assert "No cache lookups yet." in text(page, "#cache")
    assert "– not sampled yet" in text(page, "[data-totals]")
    assert text(page, ".worker div:nth-child(2) dd") == "– not sampled yet"


def test_a_process_on_its_own_says_why(page, site):
    site.changes = {
        "scope": {"shared": False, "reason": "no writable place was found", "workers": 1, "slabs": 1}
    }
    page.until(lambda: text(page, "[data-scope]") == "this process only: no writable place was found")


def test_hostile_text_stays_text(page, site):
    assert any(HOSTILE in route for route in column(page, 0))
    assert any(HOSTILE in message for message in column(page, 4, "failing"))
    assert HOSTILE in column(page, 0, "errors")
    assert HOSTILE in column(page, 2, "queries")
    refreshed(page)
    assert page.driver.find_elements(By.CSS_SELECTOR, "img, body script:not(#data)") == []
    assert page.driver.title.startswith("OK")


def test_the_heat_map_is_a_table_of_days_and_hours_in_the_readers_time(page):
    zone = page.run("return Intl.DateTimeFormat().resolvedOptions().timeZone")
    assert zone in text(page, "[data-zone]")
    rows = page.driver.find_elements(By.CSS_SELECTOR, ".heat tbody tr")
    assert len(rows) == 7
    assert [len(row.find_elements(By.TAG_NAME, "td")) for row in rows] == [24] * 7
    assert page.driver.find_elements(By.CSS_SELECTOR, ".heat td.level5")


# -- what it does without an answer


FAILURES = {
    "500 Internal Server Error": "The server answers 500.",
    "503 Service Unavailable": "The server answers 503.",
    "404 Not Found": "Reload the page to sign in",
    "401 Unauthorized": "Reload the page to sign in",
}


@pytest.mark.parametrize(("status", "says"), FAILURES.items(), ids=FAILURES)
def test_a_failure_is_told_and_the_last_figures_stay_marked_as_stale(page, site, status, says):
    site.status = status
    banner = page.find("[data-banner]")
    page.until(banner.is_displayed)
    assert says in banner.text
    assert re.search(
        r"These figures are stale: \d\d:\d\d:\d\d, .+ old\. (Next try in \d+ s|Trying again)", banner.text
    )
    assert page.run("return document.documentElement.hasAttribute('data-stale')")
    assert re.search(r"\d", text(page, ".tile .figure"))
    assert column(page, 0) != []
    assert says in text(page, "[data-announce]")
    site.status = "200 OK"
    page.find("[data-retry]").click()
    page.until(lambda: not banner.is_displayed())
    assert not page.run("return document.documentElement.hasAttribute('data-stale')")
    expect_failed_fetches(page, status[:3])


def test_it_asks_less_and_less_often_while_there_is_no_answer(page, site):
    choose(page, "[data-rate]", "1")
    site.status = "500 Internal Server Error"
    page.until(page.find("[data-banner]").is_displayed)
    page.until(lambda: re.search(r"Next try in [4-8] s", page.find("[data-banner]").text))
    site.status = "200 OK"
    page.until(lambda: not page.find("[data-banner]").is_displayed())
    expect_failed_fetches(page, 500)


@pytest.mark.parametrize("answer", [{"schema": 2}, []], ids=["another schema", "no object"])
def test_figures_of_another_form_are_not_shown(page, site, answer, monkeypatch):
    monkeypatch.setattr(site, "payload", lambda: answer)
    page.until(page.find("[data-banner]").is_displayed)
    assert "reload the page" in page.find("[data-banner]").text
    assert column(page, 0) != []


def test_a_server_that_is_gone_is_told(page, site):
    page.driver.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
    )
    page.until(page.find("[data-banner]").is_displayed)
    assert "The server can't be reached." in page.find("[data-banner]").text
    page.driver.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
    )
    page.until(lambda: not page.find("[data-banner]").is_displayed())
    assert all("ERR_INTERNET_DISCONNECTED" in note for note in page.console())


def test_a_page_that_nobody_sees_asks_for_nothing_and_then_at_once(page, site):
    choose(page, "[data-rate]", "30")
    hide = """
        Object.defineProperty(document, "hidden", {value: arguments[0], configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    """
    page.run(hide, True)
    choose(page, "[data-rate]", "1")
    # What it had asked, and given up then, has come to the server in the meantime.
    page.until(lambda: re.search(r"[2-9] s ago", text(page, "[data-age]")))
    asked = site.asked
    page.until(lambda: re.search(r"[4-9] s ago", text(page, "[data-age]")))
    assert site.asked == asked
    choose(page, "[data-rate]", "30")
    page.run(hide, False)
    page.until(lambda: site.asked == asked + 1)
