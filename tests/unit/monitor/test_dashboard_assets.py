"""The dashboard's document and files: where they are, what they may hold, how much they weigh."""

from __future__ import annotations

import gzip
import json
import re
from html.parser import HTMLParser

import pytest

from wsgiperf.monitor.dashboard.page import POLICY, asset, page

PAYLOAD = b'{"schema":1}'
MOST_GZIPPED = 60 * 1024
TYPES = {
    "main.js": "text/javascript; charset=utf-8",
    "layout.css": "text/css; charset=utf-8",
    "icon-ok.svg": "image/svg+xml",
}


class Document(HTMLParser):
    """Its elements with their attributes, and the text of its data block."""

    def __init__(self, body: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""
        self._in_data = False
        self.feed(body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_data = dict(attrs).get("id") == "data"

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.data += data
            self._in_data = False

    def addresses(self) -> list[str]:
        """All that the document loads by itself."""
        found = [value for tag, attributes in self.elements if tag != "a" for name in ("src", "href")
                 if (value := attributes.get(name)) and not value.startswith("#")]  # fmt: skip
        assert len(found) > 15
        return found

    def base(self) -> str | None:
        [found] = [one["content"] for _, one in self.elements if one.get("name") == "wsgiperf-base"]
        return found


def loaded(base: str = "/_stats") -> dict[str, str]:
    """Name of each file that the document loads, with what `asset` takes."""
    addresses = Document(page(base, PAYLOAD)).addresses()
    return {address.rpartition("/")[2]: address.removeprefix(f"{base}/assets/") for address in addresses}


def every_file() -> dict[str, bytes]:
    """All files by name: those the document loads, and the signs of other states."""
    names = loaded()
    folder = names["main.js"].partition("/")[0]
    names |= {f"icon-{state}.svg": f"{folder}/icon-{state}.svg" for state in ("info", "warning", "critical")}
    return {name: found.body for name, path in names.items() if (found := asset(path)) is not None}


def test_everything_the_document_loads_is_there():
    for name, path in loaded().items():
        found = asset(path)
        assert found is not None, name
        assert gzip.decompress(found.gzipped) == found.body
        assert re.fullmatch(r'"[0-9a-f]{20}"', found.etag)


@pytest.mark.parametrize("name", TYPES)
def test_a_file_has_its_type(name):
    folder = loaded()["main.js"].partition("/")[0]
    assert asset(f"{folder}/{name}").content_type == TYPES[name]


@pytest.mark.parametrize(
    "path",
    ["", "main.js", "/main.js", "0000000000000000/main.js", "{folder}", "{folder}/", "{folder}/index.html",
     "{folder}/../page.py", "{folder}/./main.js", "{folder}//main.js", "{folder}/main.js/",
     "{folder}/nothing.js"],
)  # fmt: skip
def test_nothing_else_is_given_away(path):
    folder = loaded()["main.js"].partition("/")[0]
    assert asset(path.replace("{folder}", folder)) is None


def test_every_module_is_asked_for_at_once_and_imports_others_by_relative_names():
    files = every_file()
    for name, body in files.items():
        if name.endswith(".js"):
            imported = re.findall(rb'from "([^"]+)"', body)
            assert {one.decode() for one in imported} <= {f"./{other}" for other in files}, name
            assert b"import(" not in body


def test_the_document_holds_no_code_and_no_style():
    """The policy would refuse both, and say so in the console."""
    for tag, attributes in Document(page("/_stats", PAYLOAD)).elements:
        assert tag != "style"
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        if tag == "script":
            assert "src" in attributes or attributes["type"] == "application/json"


def test_nothing_comes_from_elsewhere():
    named = {b"http://www.w3.org/2000/svg"}  # the namespace, which nobody asks
    for name, body in {**every_file(), "document": page("/_stats", PAYLOAD)}.items():
        assert set(re.findall(rb"""(?:https?:|["'(])//[^"'\s<)]+""", body)) <= named, name
        assert b"@import" not in body


def test_no_script_makes_markup_or_code_of_text():
    ways = rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|cssText"
    assert [name for name, body in every_file().items() if re.search(ways, body)] == []


def test_the_policy_allows_the_sites_own_files_only():
    directives = dict(directive.split(" ", 1) for directive in POLICY.split("; "))
    assert directives.pop("default-src") == "'none'"
    assert set(directives.values()) == {"'self'", "'none'"}


def test_all_of_it_weighs_little():
    folder = loaded()["main.js"].partition("/")[0]
    zipped = [asset(f"{folder}/{name}").gzipped for name in every_file()]
    assert sum(map(len, zipped)) + len(gzip.compress(page("/_stats", PAYLOAD))) <= MOST_GZIPPED


BASES = {
    "plain": ("/_stats", "/_stats"),
    "mounted": ("/a/b/_stats", "/a/b/_stats"),
    "slash at its end": ("/_stats/", "/_stats"),
    "the root": ("", ""),
    "two slashes, which would name a host": ("//elsewhere.example/_stats", "/elsewhere.example/_stats"),
    "markup": ('/"><script>', "/%22%3E%3Cscript%3E"),
    "an ampersand": ("/a&amp;b", "/a&amp;b"),
    "a placeholder": ("/{payload}", "/%7Bpayload%7D"),
    "bytes as PEP 3333 has them": ("/caf\xc3\xa9", "/caf%C3%A9"),
    "beyond latin-1, against PEP 3333": ("/\u4f60", "/%3F"),
}


@pytest.mark.parametrize(("base", "expected"), BASES.values(), ids=BASES)
def test_the_base_is_an_address_on_this_host(base, expected):
    document = Document(page(base, PAYLOAD))
    assert document.base() == expected
    assert all(address.startswith(f"{expected}/assets/") for address in document.addresses())


@pytest.mark.parametrize(
    "text",
    ["</script><script>alert(1)</script>", "<!-- <script>", "{base} {assets} {payload}", "&lt;", "\u2028é"],
)
def test_any_text_in_the_figures_stays_in_their_block(text):
    figures = {"schema": 1, "text": text}
    body = page("/_stats", json.dumps(figures, ensure_ascii=False).encode())
    document = Document(body)
    assert json.loads(document.data) == figures
    assert len(document.elements) == len(Document(page("/_stats", PAYLOAD)).elements)


TEXT, GRAPHICS = 4.5, 3.0  # WCAG 2.2, success criteria 1.4.3 and 1.4.11
STATES = ("ok", "info", "warning", "critical", "unknown")
LINES = ("c1xx", "c2xx", "c3xx", "c4xx", "c5xx", "p50", "p95", "p99", *(f"w{at}" for at in range(8)))
PAIRS = [
    *((one, ground, TEXT) for one in ("text", "muted") for ground in ("page", "panel", "raised", "hover")),
    *((state, f"{state}-soft", TEXT) for state in STATES),
    *((state, "panel", TEXT) for state in STATES),
    *((state, "hover", TEXT) for state in STATES),
    *(("text", f"{state}-soft", TEXT) for state in STATES),
    *(("text", f"heat{level}", TEXT) for level in (1, 2, 3)),
    *(("on-heat", f"heat{level}", TEXT) for level in (4, 5)),
    ("accent", "page", TEXT),
    ("on-accent", "accent", TEXT),
    ("control", "panel", GRAPHICS),
    *((line, "panel", GRAPHICS) for line in LINES),
]


def luminance(colour: str) -> float:
    """As WCAG 2.2 defines it."""
    digits = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_differ_enough_from_what_they_stand_on(theme):
    sheet = every_file()["colours.css"].decode()
    found = re.findall(r"--([\w-]+): light-dark\(#(\w+), #(\w+)\);", sheet)
    colours = {name: luminance(pair[theme]) for name, *pair in found}
    ratios = {
        f"{one} on {ground}": (max(colours[one], colours[ground]) + 0.05)
        / (min(colours[one], colours[ground]) + 0.05)
        for one, ground, _ in PAIRS
    }
    least = {f"{one} on {ground}": ratio for one, ground, ratio in PAIRS}
    assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < least[pair]} == {}
