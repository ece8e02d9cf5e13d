from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgiperf.monitor import collector


@pytest.fixture
def own_files(tmp_path: Path) -> Iterator[Path]:
    """Where monitors of this process may have their files; what runs beside them ends with the test."""
    yield tmp_path
    for (_, state, _), found in collector._collectors.items():
        if state.startswith(str(tmp_path)) and found._background is not None:
            found._background._sampler.stop()
