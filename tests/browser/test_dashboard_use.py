"""The dashboard in its readers' hands: sorting, searching, pausing, with the keyboard, on any screen."""

# ruff: noqa: F401, F811 - fixtures are imported by name and asked for by name

import os
import re

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from . import axe
from .dashboard_figures import ROUTES
from .dashboard_page import choose, column, page, refreshed, resize, running, site, text

SLOWLY = pytest.mark.timeout(600)  # many steps, perhaps on a machine that does other things besides


@pytest.fixture(scope="session")
def accessibility():
    """Gives what is wrong with the page that is open."""
    if lacking := axe.missing():
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says(f"{' and '.join(lacking)} not installed")
    axe.script()
    return axe.complaints


def test_the_endpoints_are_sorted_by_any_column_and_stay_so(page):
    head = page.find('[data-table="endpoints"] thead th:nth-child(1)')
    button = head.find_element(By.TAG_NAME, "button")
    button.click()
    assert head.get_attribute("aria-sort") == "ascending"
    ascending = column(page, 0)
    assert set(ascending) == {route for _, route, _, _ in ROUTES}
    button.click()
    assert head.get_attribute("aria-sort") == "descending"
    descending = column(page, 0)
    assert sorted(descending) == sorted(ascending)
    assert (descending[0], descending[-1]) == (ascending[-1], ascending[0])
    page.find('[data-table="endpoints"] thead th:nth-child(7) button').click()
    assert head.get_attribute("aria-sort") is None
    order = [f"{method} {route}" for method, route, _, seconds in sorted(ROUTES, key=lambda one: -one[3])]
    refreshed(page)
    shown = zip(column(page, 1), column(page, 0), strict=True)
    assert [f"{method} {route}" for method, route in shown] == order


def test_the_search_narrows_the_endpoints_and_stays(page):
    page.find("[data-search]").send_keys("POST")
    found = [one for one in ROUTES if "post" in f"{one[0]} {one[1]}".lower()]
    page.until(lambda: len(column(page, 0)) == len(found))
    assert text(page, "[data-endpoint-count]") == f"{len(found)} of {len(ROUTES)}"
    refreshed(page)
    assert len(column(page, 0)) == len(found)
    assert page.find("[data-search]").get_attribute("value") == "POST"
    page.find("[data-search]").send_keys(" nothing of that name")
    assert "Nothing matches." in page.find('[data-table="endpoints"]').text


def test_it_can_be_paused_and_goes_on_at_once(page, site):
    button = page.find("[data-pause]")
    button.click()
    assert button.text == "Resume"
    page.until(lambda: re.search(r"[2-9] s ago, paused", text(page, "[data-age]")))
    asked = site.asked
    page.until(lambda: re.search(r"[4-9] s ago, paused", text(page, "[data-age]")))
    assert site.asked == asked
    button.click()
    page.until(lambda: site.asked > asked)
    page.until(lambda: "paused" not in text(page, "[data-age]"))
    assert button.text == "Pause"


def test_the_rate_holds_and_is_kept_for_the_next_visit(page, site):
    choose(page, "[data-rate]", "30")
    # What it had asked, and given up then, has come to the server in the meantime.
    page.until(lambda: re.search(r"[2-9] s ago", text(page, "[data-age]")))
    asked = site.asked
    page.until(lambda: re.search(r"[4-9] s ago", text(page, "[data-age]")))
    assert site.asked == asked
    page.reload()
    assert Select(page.find("[data-rate]")).first_selected_option.text == "30 s"
    choose(page, "[data-rate]", "1")
    refreshed(page)


@pytest.mark.parametrize(
    ("value", "points", "note"),
    [("60", 60, ""), ("300", 300, ""), ("900", 90, "mean of 10 s"), ("604800", 168, "per hour")],
)
def test_the_time_range_is_what_the_charts_show(page, value, points, note):
    page.run("document.querySelector(`input[name=range][value='${arguments[0]}']`).click()", value)
    cursor = page.find(".chart .cursor")
    # The last value, where it isn't over yet, isn't shown.
    assert points - 2 < int(cursor.get_attribute("max")) + 2 <= points + 1
    assert note in text(page, ".chart .note")
    page.reload()
    assert page.find(f"input[value='{value}']").is_selected()


def test_a_chart_says_its_values_to_keyboard_and_pointer(page):
    page.find("[data-pause]").click()
    cursor = page.find(".chart .cursor")
    cursor.send_keys(Keys.ARROW_LEFT)
    said = cursor.get_attribute("aria-valuetext")
    assert re.fullmatch(r"\d\d:\d\d:\d\d, 2xx .+/s, 3xx .+/s, 4xx .+/s, 5xx .+/s", said)
    assert text(page, ".chart .when") == said[:8]
    assert page.find(".chart .pointer").get_attribute("visibility") == "visible"
    cursor.send_keys(Keys.HOME)
    assert text(page, ".chart .when") < said[:8] or said.startswith("00:0")
    # The other charts point at the same time.
    assert text(page, ".chart:nth-child(3) .when") == text(page, ".chart .when")


def test_a_chart_can_be_read_as_a_table(page):
    page.find("[data-pause]").click()
    page.find(".chart summary").click()
    rows = page.until(lambda: page.driver.find_elements(By.CSS_SELECTOR, ".chart:first-child tbody tr"))
    assert len(rows) == int(page.find(".chart .cursor").get_attribute("max")) + 1
    assert page.find(".chart thead tr").text.split() == ["Time", "2xx", "3xx", "4xx", "5xx"]
    assert re.fullmatch(r"\d\d:\d\d:\d\d( [\d.]+/s){4}", rows[0].text)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_that_was_chosen_holds(page, theme):
    colour = "return getComputedStyle(document.body).backgroundColor"
    choose(page, "[data-theme-choice]", "dark" if theme == "light" else "light")
    other = page.run(colour)
    choose(page, "[data-theme-choice]", theme)
    assert page.run(colour) != other
    page.reload()
    assert page.run("return document.documentElement.dataset.theme") == theme
    assert page.run(colour) != other
    choose(page, "[data-theme-choice]", "auto")
    page.reload()
    assert page.run("return document.documentElement.dataset.theme ?? null") is None


def test_the_systems_theme_holds_where_none_was_chosen(page):
    colours = set()
    for preference in ("light", "dark"):
        features = {"features": [{"name": "prefers-color-scheme", "value": preference}]}
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
        colours.add(page.run("return getComputedStyle(document.body).backgroundColor"))
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert len(colours) == 2


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_the_page_never_scrolls_sideways(page, site, width):
    site.alerts = ("critical", "warning")
    resize(page, width, 740)
    page.reload()
    page.until(lambda: text(page, "[data-status-text]") == "2 alerts")
    assert page.run("return document.documentElement.scrollWidth") <= width
    # What doesn't fit scrolls in its own region, which the keyboard reaches.
    page.until(
        lambda: page.run(
            "return [...document.querySelectorAll('.scroll')].every("
            "    region => region.scrollWidth <= region.clientWidth + 1 || region.tabIndex === 0)"
        )
    )


NAME = """
    const it = document.activeElement;
    const label = it.getAttribute("aria-label") ?? it.labels?.[0]?.querySelector("span")?.textContent;
    return `${it.localName} ${label ?? it.textContent.trim()}`;
"""


def stops(page):
    """What the tab key leads to, one after the other, until it leaves the page or begins again."""
    found = []
    while len(found) < 200:
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        outside = page.run("return document.activeElement.matches('body, .skip')")
        if found and outside:
            break
        found.append(page.run(NAME))
    return found


@SLOWLY
def test_everything_can_be_done_with_the_keyboard_alone(page):
    found = stops(page)
    controls = ["input 5 min", "select Refresh", "select Theme", "button Pause"]
    assert found[: len(controls) + 1] == ["a Skip to the figures", *controls]
    for name in ("a Endpoints", "input Requests: time", "summary Show as table: Cache", "input Search",
                 "button Total time", "a Figures as JSON"):  # fmt: skip
        assert name in found
    sort = page.find('[data-table="endpoints"] thead th:nth-child(3) button')
    sort.send_keys(Keys.ENTER)
    assert (
        page.find('[data-table="endpoints"] thead th:nth-child(3)').get_attribute("aria-sort") == "descending"
    )
    page.find("input[name=range]:checked").send_keys(Keys.ARROW_LEFT)
    assert page.find("input[name=range]:checked").get_attribute("value") == "60"
    page.find("[data-pause]").send_keys(Keys.SPACE)
    assert page.find("[data-pause]").text == "Resume"


@pytest.mark.parametrize(
    "selector", ["[data-search]", '[data-table="endpoints"] thead button', ".chart .cursor", ".chart summary"]
)
def test_new_figures_leave_the_focus_where_it_is(page, selector):
    page.run("document.querySelector(arguments[0]).focus()", selector)
    focused = page.driver.switch_to.active_element
    refreshed(page)
    refreshed(page)
    assert page.driver.switch_to.active_element == focused


def test_new_figures_leave_rows_scrolling_and_selection_as_they_are(page):
    page.run(
        "const region = document.querySelector('[data-table=failing]');"
        "region.scrollTop = 40;"
        "window.row = region.querySelector('tbody tr:nth-child(4)');"
        "getSelection().selectAllChildren(row.lastChild)"
    )
    selected = page.run("return getSelection().toString()")
    assert re.fullmatch("[0-9a-f]{32}", selected)
    first = page.run("return document.querySelector('[data-table=endpoints] tbody tr').innerText")
    refreshed(page)
    assert page.run("return getSelection().toString()") == selected
    assert page.run("return document.querySelector('[data-table=failing]').scrollTop") == 40
    assert page.run("return row.isConnected")
    assert page.run("return document.querySelector('[data-table=endpoints] tbody tr').innerText") != first


@SLOWLY
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_in_the_way_of_any_reader(page, site, accessibility, theme, width):
    site.alerts = ("critical", "warning", "info")
    resize(page, width, 800)
    choose(page, "[data-theme-choice]", theme)
    page.run("document.querySelector('input[name=range][value=\"60\"]').click()")
    page.reload()
    page.until(lambda: text(page, "[data-status-text]") == "3 alerts")
    page.run("document.querySelectorAll('details').forEach(details => details.open = true)")
    page.until(lambda: page.driver.find_elements(By.CSS_SELECTOR, ".chart tbody tr"))
    assert accessibility(page) == []


@SLOWLY
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_in_the_way_while_there_are_no_figures(page, site, accessibility, theme):
    site.quiet = True
    choose(page, "[data-theme-choice]", theme)
    page.reload()
    site.changes = {"schema": 2}
    page.until(page.find("[data-banner]").is_displayed)
    assert accessibility(page) == []
