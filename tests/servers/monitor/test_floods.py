"""Whatever clients make up: memory and output stay bounded, and what is known keeps its row."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from .figures import counted, difference, exposed, settled
from .serving import HERE, site
from .traffic import Ask, Traffic

MANY, SOME = 100_000, 5_000
MOST_BYTES = 256 * 1024
MOST_GROWTH = 5 * 2**20


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["part", "everything"])
def test_a_flood_of_made_up_requests(tmp_path: Path, kind: str) -> None:
    """100,000 paths, methods and hosts, in a process of its own, which tells what became of it."""
    run = subprocess.run(
        [sys.executable, str(HERE / "flooded.py"), kind, str(MANY)],
        env={**os.environ, "STATE": str(tmp_path), "TMPDIR": str(tmp_path)},
        capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    print({name: value for name, value in told.items() if isinstance(value, int)})
    assert told["grown"] <= MOST_GROWTH
    assert told["longest json"] <= MOST_BYTES
    assert told["longest metrics"] <= MOST_BYTES
    assert told["total"] == told["sent"]
    rows = {(row["route"], row["method"]): row["count"] for row in told["endpoints"]}
    assert rows.pop(("/late/{id}", "GET")) == 1
    assert {route for route, _ in rows} <= {*(f"/known{n}/{{id}}" for n in range(50)), "unmatched"}
    assert set(told["overflow"].values()) == {0}


def test_a_flood_by_way_of_gunicorn(tmp_path: Path) -> None:
    """With what its parser lets through."""
    draw = random.Random(5)

    def made_up() -> Ask:
        method = draw.choice(["GET", "POST", "BREW", "".join(draw.choices("ABCDEFGHIJ", k=8))])
        name = method if method in ("GET", "POST") else "_OTHER"
        target = "/" + "".join(draw.choices("abcdefghij%/;=", k=draw.randrange(1, 200))).replace("%", "%25")
        return Ask(method, target, "unmatched", "404", counts_as=name)

    with site(tmp_path) as served:
        workers = [psutil.Process(pid) for pid in served.one_each()]
        Traffic(served, [made_up() for _ in range(SOME // 2)]).run()
        before = [worker.memory_info().rss for worker in workers]
        Traffic(served, [made_up() for _ in range(SOME)]).run()
        grown = [worker.memory_info().rss - was for worker, was in zip(workers, before, strict=True)]
        print(f"grown: {grown}")
        assert max(grown) <= MOST_GROWTH
        served.ask("/items/1")
        served.sent["/items/{id}", "GET", "200"] += 1
        told = settled(served)
        assert difference(counted(told), served.sent) == {}
        assert difference(exposed(served.metrics()), served.sent) == {}
        assert set(told["overflow"].values()) == {0}
        assert {(row["route"], row["method"]) for row in told["endpoints"]} == {
            *(("unmatched", method) for method in ("GET", "POST", "_OTHER")),
            ("/items/{id}", "GET"),
            ("/where", "GET"),
        }
