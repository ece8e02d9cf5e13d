from __future__ import annotations

from pathlib import Path

import pytest

from wsgiperf.monitor.shared import place


@pytest.fixture
def own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the monitors of this process find their files."""
    monkeypatch.setattr(place, "SHARED_MEMORY", str(tmp_path / "none"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path
