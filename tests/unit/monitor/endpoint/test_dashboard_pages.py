"""The dashboard as it is served: whatever its page names is there, for who may see the page."""

from __future__ import annotations

import json
import re

import pytest

from unit.client import environ_of
from wsgiperf.exchange import Exchange, Response
from wsgiperf.monitor.endpoint.access import Access
from wsgiperf.monitor.endpoint.routing import Endpoint

from .figures import a_board, a_snapshot

TOKEN = "a token of these tests: #1"
HOSTILE = "</script><script>alert(1)</script><!--"


def ask(path: str, *, mount: str = "", token: str = TOKEN) -> Response:
    endpoint = Endpoint(
        "/_stats", "", Access("token", TOKEN), lambda: a_snapshot([(HOSTILE, "GET", 200, 0.1)]), a_board
    )
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/html,*/*;q=0.8"}
    answer = endpoint.answer(Exchange(environ_of(path, headers=headers, mount=mount), frozenset()))
    assert answer is not None
    return answer


def page(mount: str) -> str:
    return b"".join(ask("/_stats", mount=mount).body).decode()


@pytest.mark.parametrize("mount", ["", "/app", "/caf\xc3\xa9"])
def test_all_that_the_page_names_is_there(mount):
    named = set(re.findall(r'(?:src|href)="(/[^"]*)"', page(mount)))
    assert len([address for address in named if "/assets/" in address]) > 3
    prefix = mount.replace("\xc3\xa9", "%C3%A9")
    for address in named:
        assert address.startswith(f"{prefix}/_stats/")
        path = address.removeprefix(prefix)
        assert ask(path, mount=mount).status == "200 OK", address
        assert ask(path, mount=mount, token="x" * 20).status == "404 Not Found", address


def test_its_data_cannot_leave_their_element():
    found = page("")
    assert HOSTILE not in found
    block = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', found, re.DOTALL)
    assert block is not None
    assert json.loads(block[1])["endpoints"][0]["route"] == HOSTILE


def test_its_policy_allows_nothing_inline_and_nothing_from_elsewhere():
    policy = ask("/_stats").headers["Content-Security-Policy"]
    directives = dict(directive.strip().split(" ", 1) for directive in policy.split(";"))
    assert directives["default-src"] == "'none'"
    for name in ("base-uri", "form-action", "frame-ancestors"):
        assert directives[name] == "'none'"
    for name in ("script-src", "style-src", "connect-src"):
        assert directives[name] == "'self'"


@pytest.mark.parametrize("mount", ["//elsewhere.example", '/"><script>', "/a&b<c"])
def test_the_mount_can_neither_break_the_page_nor_lead_elsewhere(mount):
    found = page(mount)
    assert "//elsewhere" not in found
    assert "<script>" not in found
