"""A headless Chromium: opens pages, and tells what went over the network and what the console says."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

PROGRAMS = ("chromium", "chromedriver")
PATIENCE = 60  # seconds, for anything a page does by itself
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # Going back makes the page anew from what was stored, instead of waking the one that was left.
    "--disable-features=BackForwardCache",
)  # fmt: skip

#: For `run`, on a page of `nonce_site`: whether its inline script has run, and its inline style is applied.
INLINE_WORKS = """
    const root = document.documentElement;
    return [root.dataset.ran === "yes", getComputedStyle(root).getPropertyValue("--applied") === "yes"];
"""


@dataclass
class Answer:
    """What the browser got for one request, and from where."""

    kind: str
    url: str
    status: int
    headers: dict[str, str]
    from_cache: bool = False
    # What came over the wire, where something did: after a 304 `status` and `headers` are the stored ones'.
    wire_status: int | None = None
    wire_headers: dict[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the developer tools have told all: they do so in two events."""
        return self.from_cache or self.wire_status is not None


class Network:
    """The browser's developer tools' view of what was fetched, a page at a time."""

    def __init__(self, driver: Chrome) -> None:
        self._driver = driver
        self._answers: list[tuple[str, Answer]] = []
        self._wire: dict[str, tuple[int, dict[str, str]]] = {}
        self._from_memory: set[str] = set()

    def forget(self) -> None:
        """Begin a page."""
        self._read()
        self._answers.clear()

    def answers(self) -> list[Answer]:
        """What was fetched since then, by this browser's pages from our servers."""
        self._read()
        for request, answer in self._answers:
            answer.from_cache |= request in self._from_memory
            if not answer.from_cache and request in self._wire and answer.wire_status is None:
                answer.wire_status, answer.wire_headers = self._wire[request]
        return [answer for _, answer in self._answers]

    def _read(self) -> None:
        for entry in self._driver.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            if (note := getattr(self, "_" + event["method"].replace(".", "_"), None)) is not None:
                note(event["params"])

    def _Network_requestWillBeSent(self, event: dict[str, Any]) -> None:  # noqa: N802 - the browser's name
        if redirect := event.get("redirectResponse"):
            self._note(event["requestId"], "Redirect", redirect)
            self._wire.pop(event["requestId"], None)  # that was the redirect's

    def _Network_responseReceived(self, event: dict[str, Any]) -> None:  # noqa: N802
        self._note(event["requestId"], event["type"], event["response"])

    def _Network_responseReceivedExtraInfo(self, event: dict[str, Any]) -> None:  # noqa: N802
        self._wire[event["requestId"]] = (event["statusCode"], _lowered(event["headers"]))

    def _Network_requestServedFromCache(self, event: dict[str, Any]) -> None:  # noqa: N802
        self._from_memory.add(event["requestId"])

    def _note(self, request: str, kind: str, response: dict[str, Any]) -> None:
        url, cached = response["url"], response.get("fromDiskCache", False)
        if url.startswith("http://127.0.0.1:"):  # else it is a page of the browser's own
            answer = Answer(kind, url, response["status"], _lowered(response["headers"]), cached)
            self._answers.append((request, answer))


class Browser:
    """One window."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self.network = Network(driver)

    def open(self, url: str) -> Answer:
        """Go to an address; gives the answer that became the page."""
        return self.after(lambda: self.driver.get(url))

    def reload(self) -> Answer:
        """The reload button."""
        return self.after(self.driver.refresh)

    def after(self, act: Callable[[], object]) -> Answer:
        """Do what leads to another page; gives the answer that became it."""
        before = self.find("html")
        self.network.forget()
        act()
        self.until(
            lambda: self.find("html") != before and self.run("return document.readyState") == "complete"
        )
        return self._answer(lambda answer: answer.kind == "Document")

    def fetched(self, name: str) -> Answer:
        """The answer to what this page loads from an address with `name` in it."""
        return self._answer(lambda answer: name in answer.url)

    def _answer(self, fits: Callable[[Answer], bool]) -> Answer:
        # The developer tools may tell of it a moment later than the page itself.
        return self.until(lambda: next((a for a in self.network.answers() if fits(a) and a.complete), None))

    def console(self) -> list[str]:
        """What the console says that it did not say before."""
        return [f"{entry['level']} {entry['message']}" for entry in self.driver.get_log("browser")]

    def complaint(self) -> str:
        """The next thing the console says, which may be about to come."""
        return "\n".join(self.until(self.console))

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script as the developer tools do, under no policy; gives what it returns."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector: str) -> WebElement:
        """The first element that the selector finds."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def until(self, true: Callable[[], Any]) -> Any:
        """Wait until something is true; returns it."""
        return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.02).until(lambda _: true())


def missing() -> list[str]:
    """The programs that this machine lacks."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


@contextmanager
def chromium(directory: Path) -> Iterator[Browser]:
    """A browser that has never been used, ended with the block."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS, f"--user-data-dir={directory / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.add_experimental_option("perfLoggingPrefs", {"enableNetwork": True, "enablePage": False})
    # What it keeps outside of a profile goes there too, and nothing leads it to a proxy.
    environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    service = Service(shutil.which("chromedriver"), env=environ | {"HOME": str(directory)})
    driver = Chrome(options=options, service=service)
    try:
        yield Browser(driver)
    finally:
        driver.quit()  # ends the browser, and the driver, which it started, by their process IDs


def _lowered(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
