"""Greenlets that come while another waits for the shared file."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path

import pytest

from servers.client import request
from wsgiperf.monitor.shared.file import TURN

from .figures import settled
from .serving import site


@pytest.mark.parametrize("preload", [False, True], ids=["", "preloaded"])
def test_first_requests_at_once(tmp_path: Path, preload: bool) -> None:
    """Locks made before gevent patched would stop the whole worker, and with it who holds them."""
    state = tmp_path / "counts"
    arguments = ["--preload"] if preload else []
    with (
        state.open("wb") as file,
        site(tmp_path, *arguments, model="gevent", workers=1, state=str(state)) as served,
    ):
        state.chmod(0o600)
        fcntl.lockf(file, fcntl.LOCK_EX, 1, TURN)
        connections = [served.connect() for _ in range(4)]
        for connection in connections:
            connection.send(request("GET", "/items/1"))
        time.sleep(0.5)  # less than a worker waits for its turn, enough for all four to come
        fcntl.lockf(file, fcntl.LOCK_UN, 1, TURN)
        assert [connection.answer().status for connection in connections] == [200] * 4
        told = settled(served, 4)
        assert told["requests"]["total"] == 4
        assert told["scope"]["shared"]
