"""A place for shared files that is this test's alone, and processes that don't outlive it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wsgiperf.monitor.shared import file, place, segment

from .processes import Child


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds the turn may have to wait for a processor longer than a server's worker would wait."""
    for module in (file, segment):
        monkeypatch.setattr(module, "PATIENCE", 25.0)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that default places are in; it isn't there yet."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(place, "SHARED_MEMORY", str(tmp_path / "none"))
    monkeypatch.setattr(place, "MOUNTS", str(tmp_path / "none"))  # or it were memory on a tmpfs
    monkeypatch.setattr(segment, "_asked", {})  # a process keeps to the place it had first
    return tmp_path / f"wsgiperf-{os.geteuid()}"


@pytest.fixture
def started() -> Iterator[Callable[[Child], Child]]:
    """Have a process killed at the end."""
    children: list[Child] = []

    def start(child: Child) -> Child:
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
