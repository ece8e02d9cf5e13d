"""The JSON's size is bounded, whatever clients and applications put into it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wsgiperf.monitor.endpoint.payload import MOST_BYTES, document
from wsgiperf.monitor.endpoint.texts import clipped
from wsgiperf.monitor.snapshot import (
    Coding,
    ContentType,
    Database,
    Failure,
    Hour,
    Second,
    SlowQuery,
    SlowRequest,
    Snapshot,
    Window,
    Worker,
)  # fmt: skip

from .figures import NOW, a_snapshot

#: As JSON an emoji in escapes is twelve bytes for four, a control character or a bracket six for one.
WORST = ["<", "\x01", "\U0001f600", "\u2028", '"', "x", "\udcff"]
METHODS = ["GET", "POST", "HEAD", "_OTHER"]
MANY = 2**53 - 1


def worst(character: str, length: int, number: int) -> str:
    return f"{number}{character * length}"


def largest_snapshot(character: str, routes: int, workers: int) -> Snapshot:
    """All tables full, all numbers long."""
    requests = [
        (worst(character, 230, route), method, status, 0.123456789 * (route + 1))
        for route in range(routes)
        for method in METHODS
        for status in (200, 304, 404, 500)
    ]
    text = worst(character, 500, 0)
    second, ten, hour = int(NOW), int(NOW) // 10, int(NOW) // 3600
    return a_snapshot(
        requests,
        failures=[Failure(NOW, text, "critical", text, text, "GET", 500, 1 / 3, text)] * 100,
        exceptions={(worst(character, 120, at), "critical"): MANY for at in range(64)},
        slowest=[SlowRequest(NOW, text, "DELETE", 500, 1 / 3, text)] * 32,
        content_types=[ContentType(worst(character, 90, at), MANY, MANY, MANY, MANY) for at in range(48)],
        codings=[Coding(worst(character, 20, at), MANY, MANY, MANY, 1 / 3) for at in range(8)],
        databases=[Database(worst(character, 60, at), MANY, 1 / 3, MANY, MANY) for at in range(16)],
        slow_queries=[SlowQuery(NOW, text, text, 1 / 3, text, text)] * 100,
        workers=[
            Worker(2**22 + at, at, NOW, MANY, 99, 99, ((worst(character, 60, at), 99, 99, 99),) * 4)
            for at in range(workers)
        ],
        seconds=[
            Second(second - at, (9999, 99999, 9999, 9999, 9999), 1 / 3, 99999, 99999, 10**9, 10**6, 1 / 3)
            for at in range(300)
        ],
        windows=[Window((ten - at) * 10, 10**6, 10**6, [1000] * 163) for at in range(90)],
        hours=[Hour((hour - at) * 3600, 10**8, 10**8) for at in range(168)],
    )


def largest_board(character: str, workers: int) -> dict[str, Any]:
    text = worst(character, 500, 0)
    alert = {
        "id": text, "metric": text, "severity": "critical", "subject": text, "value": 1 / 3,
        "threshold": 1 / 3, "message": text, "since": NOW, "event": "fired", "at": NOW,
    }  # fmt: skip
    service = {
        "name": text, "kind": text, "region": text, "status": "hung", "since": NOW, "checked": NOW,
        "latency": 1 / 3, "p50": 1 / 3, "p95": 1 / 3, "uptime_percent": 100 / 3, "error": text,
    }  # fmt: skip
    line = {"cpu": [100 / 3] * 500, "memory_bytes": [10**11] * 500}
    return {
        "at": NOW,
        "history": {
            "start": NOW, "step": 5, "cpu": [100 / 3] * 500, "memory": [100 / 3] * 500,
            "workers": {str(2**22 + at): line for at in range(workers)},
        },
        "health": [service] * 200,
        "alerts": {"active": [alert] * 200, "journal": [alert] * 200},
    }  # fmt: skip


@pytest.mark.parametrize("character", WORST, ids=ascii)
def test_fifty_routes_and_everything_at_its_worst(character):
    """Every route with four methods, 16 workers, texts of 500 characters: all routes are there."""
    body = document(largest_snapshot(character, 50, 16), largest_board(character, 16))
    found = json.loads(body)
    assert len(body) <= MOST_BYTES
    assert len(found["endpoints"]) == 200
    assert found["overflow"]["endpoints"] == 0
    assert len(found["workers"]) == 16


def test_more_routes_than_any_table_holds():
    """What is cut off is what took the least time, and it is said how much that was."""
    body = document(largest_snapshot("\U0001f600", 1000, 256), largest_board("\U0001f600", 256))
    found = json.loads(body)
    assert len(body) <= MOST_BYTES
    shown = sum(row["count"] for row in found["endpoints"])
    assert shown + found["overflow"]["endpoints"] == found["requests"]["total"] == 16_000
    assert found["endpoints"][0]["route"].startswith("999")


def test_usual_texts_are_shown_whole():
    statement = "SELECT " + ", ".join(f"column_{number}" for number in range(50))
    snapshot = a_snapshot(slow_queries=[SlowQuery(NOW, "default", statement, 1.0, "/", None)] * 32)
    found = json.loads(document(snapshot, {}))
    assert {row["statement"] for row in found["database"]["slow_queries"]} == {statement}


@pytest.mark.parametrize(
    "text", ["", "x" * 40, "x" * 41, "<" * 7, "\U0001f600" * 9, "a\\b" * 30, "\udcff" * 90]
)
def test_a_clipped_text_is_the_beginning_and_fits(text):
    found = clipped(text, 40)
    beginning = found.removesuffix("...")
    assert len(json.dumps(beginning).replace("<", "\\u003c")) - 2 <= 40
    assert text.encode("utf-8", "replace").decode().startswith(beginning)
    assert (beginning == found) == (found == text.encode("utf-8", "replace").decode())
