"""What a test's own thread has logged."""

from __future__ import annotations

import logging
import threading

import pytest

__all__ = ["own"]


def own(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """The records of the thread that asks: threads that other tests have left say something too."""
    return [record for record in caplog.records if record.thread == threading.get_ident()]
