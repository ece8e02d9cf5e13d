"""What a monitor runs beside its requests ends with its test, and never goes on beside another's."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from servers.redis_server import until

from wsgiperf.monitor import collector

BESIDE = ("wsgiperf-sampler", "wsgiperf-alerts")


def end_what_runs_beside() -> None:
    """End the samplers of all monitors in this process, and wait for them and for what they have to tell.

    They would log, look at processes and open files amid tests that count such things, or replace them.
    """
    for found in [*collector._collectors.values()]:
        if found._background is not None:
            found._background._sampler.stop()
            found._background = None  # the next monitor with this file has one again
    until(lambda: not any(each.name in BESIDE for each in threading.enumerate()), within=60)


@pytest.fixture(autouse=True)
def nothing_of_another_test() -> Iterator[None]:
    """Neither of one before, whichever file it is in, nor of this one for those to come."""
    end_what_runs_beside()
    yield
    end_what_runs_beside()
