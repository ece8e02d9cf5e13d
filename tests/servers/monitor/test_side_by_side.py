"""Servers beside each other, applications below a prefix, and who may see the pages."""

from __future__ import annotations

import base64
import json
from collections import Counter
from pathlib import Path

import pytest

from .figures import agreed, counted, difference, settled
from .serving import site
from .traffic import Traffic, mixed

TOKEN = "a token of these tests: #1"


def test_two_servers_of_one_shell(tmp_path: Path) -> None:
    """Each counts for itself, though parent, directory and settings are the same."""
    files = tmp_path / "files"
    files.mkdir()
    with (
        site(tmp_path / "one", workers=2, files=files) as one,
        site(tmp_path / "other", workers=2, files=files) as other,
    ):
        Traffic(one, mixed(1000)).run()
        Traffic(other, mixed(500, seed=9)).run()
        assert agreed(one)["scope"]["workers"] == 2
        assert agreed(other)["scope"]["workers"] == 2
        assert len(one.slab_files()) == 2


def test_two_servers_with_one_state(tmp_path: Path) -> None:
    """Where that is what they are told, they count together, and the next server goes on."""
    state = str(tmp_path / "counts")
    with (
        site(tmp_path / "one", workers=2, state=state) as one,
        site(tmp_path / "other", workers=2, state=state) as other,
    ):
        Traffic(one, mixed(500)).run()
        Traffic(other, mixed(500)).run()
        one.one_each()
        other.one_each()
        one.sent = other.sent = one.sent + other.sent
        assert settled(one)["scope"]["workers"] == 4
        for served in (one, other):
            assert difference(counted(served.stats()), one.sent) == {}
        sent = one.sent
    with site(tmp_path / "next", workers=2, state=state) as served:
        served.sent = Counter(sent)
        served.one_each()
        told = settled(served)
        assert difference(counted(told), served.sent) == {}
        assert told["requests"]["in_flight"] == 0
        assert told["respawns"] == 2


def test_two_monitors_in_one_process(tmp_path: Path) -> None:
    """Around two applications: both count into the one slab, and each page tells of all."""
    with site(tmp_path, workers=1, kind="two") as served:
        for _ in range(3):
            served.ask("/items/1")
            served.ask("/other/items/1")
        told = served.stats()
        assert counted(told) == {("/items/{id}", "GET", "200"): 6}
        assert told["scope"]["workers"] == 1
        below = json.loads(served.ask("/other/_stats/json").content)
        assert counted(below) == counted(told)


def test_below_a_prefix(tmp_path: Path) -> None:
    """Routes and the monitor's own pages are those below it."""
    with site(tmp_path, workers=1, kind="mounted") as served:
        assert served.ask("/shop/items/1").status == 200
        assert served.ask("/_stats/json").content == b"missing"
        told = json.loads(served.ask("/shop/_stats/json").content)
        assert counted(told) == {("/items/{id}", "GET", "200"): 1}
        page = served.ask("/shop/_stats", ("Accept", "text/html")).content.decode()
        assert "/shop/_stats" in page


@pytest.mark.parametrize("kind", ["part", "everything"])
def test_closed_without_a_token(tmp_path: Path, kind: str) -> None:
    """There is no such page: the application answers, and its answer counts."""
    with site(tmp_path, workers=1, kind=kind, access="token", metrics_path="/metrics") as served:
        for target in ("/_stats", "/_stats/json", "/_stats/metrics", "/metrics"):
            for fields in ((), (("Authorization", "Bearer "),), (("Authorization", "Basic Og=="),)):
                answer = served.ask(target, *fields)
                assert (answer.status, answer.content) == (404, b"missing")


def test_the_token_opens(tmp_path: Path) -> None:
    """As Bearer or as the password of Basic; at either address of the metrics."""
    basic = base64.b64encode(b"anybody:" + TOKEN.encode()).decode()
    with site(tmp_path, workers=1, access="token", token=TOKEN, metrics_path="/metrics") as served:
        served.ask("/items/1")
        for credentials in (f"Bearer {TOKEN}", f"Basic {basic}"):
            told = json.loads(served.ask("/_stats/json", ("Authorization", credentials)).content)
            assert counted(told) == {("/items/{id}", "GET", "200"): 1}
            for target in ("/metrics", "/metrics/", "/_stats/metrics"):
                assert b"http_server" in served.ask(target, ("Authorization", credentials)).content
        assert told["requests"]["stats_requests"] == 4
        for target in ("/_stats/json", "/metrics", "/_stats/health/live"):
            assert (
                served.ask(target).status
                == served.ask(target, ("Authorization", "Bearer x" * 3)).status
                == 404
            )
        asked = served.ask("/_stats", ("Accept", "text/html"))
        assert asked.status == 401
        assert (asked.get("WWW-Authenticate") or "").startswith("Basic ")
        told = json.loads(served.ask("/_stats/json", ("Authorization", f"Bearer {TOKEN}")).content)
        assert told["requests"]["total"] == 1
        assert told["requests"]["stats_requests"] == 4 + 4 + 7
