"""Libraries are listened to from when they are imported: to the end, and by the application."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from wsgiperf.monitor import listening
from wsgiperf.monitor.imported import imported
from wsgiperf.monitor.listening import Listening
from wsgiperf.settings import MonitorSettings

SLOW = """
import threading
begun, go_on = threading.Event(), threading.Event()
begun.set()
go_on.wait(60)
part = 1
"""


class HalfMade:
    """A module that another thread is importing."""

    def __init__(self, folder: Path, name: str) -> None:
        (folder / f"{name}.py").write_text(SLOW)
        self.name = name
        self.thread = threading.Thread(target=__import__, args=(name,), daemon=True)
        self.thread.start()
        while name not in sys.modules or not hasattr(sys.modules[name], "begun"):
            assert self.thread.is_alive()
        assert sys.modules[name].begun.wait(60)

    def finish(self) -> None:
        sys.modules[self.name].go_on.set()
        self.thread.join(60)


@pytest.fixture
def half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HalfMade]:
    monkeypatch.syspath_prepend(str(tmp_path))
    module = HalfMade(tmp_path, "wsgiperf_test_half_made")
    yield module
    module.finish()
    del sys.modules[module.name]


def test_imported_to_its_end(half_made: HalfMade) -> None:
    assert not imported("wsgiperf_test_never_made")
    assert half_made.name in sys.modules
    assert not imported(half_made.name)
    half_made.finish()
    assert imported(half_made.name)
    assert imported("sys")


def hearing(monkeypatch: pytest.MonkeyPatch, **listeners: object) -> Listening:
    """What listens to these modules alone."""
    monkeypatch.setattr(listening, "_REQUESTS", listeners)
    monkeypatch.setattr(listening, "_QUERIES", {})
    monkeypatch.setattr(listening.counting, "configure", lambda **_: None)  # it holds for all of the process
    recorder = SimpleNamespace(query_outside=None)
    return Listening(recorder, MonitorSettings())  # type: ignore[arg-type]


def test_nobody_is_asked_amid_an_import(monkeypatch: pytest.MonkeyPatch, half_made: HalfMade) -> None:
    """The look would get a module half made, and so would the application that imports it."""
    heard = []
    found = hearing(monkeypatch, **{half_made.name: lambda: heard.append(1) or True})
    found.look()
    assert heard == []
    half_made.finish()
    for _ in range(3):
        found.look()
    assert heard == [1]


def test_who_is_not_ready_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [False, False, True]
    found = hearing(monkeypatch, sys=lambda: answers.pop(0))
    for _ in range(5):
        found.look()
    assert answers == []


def test_one_that_fails_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once."""
    heard = []

    def fail() -> bool:
        raise ImportError("cannot import name 'Scope'")

    found = hearing(monkeypatch, sys=fail, os=lambda: heard.append(1) or True)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            found.look()
    assert heard == [1]
    said = [each.getMessage() for each in caplog.records if each.name == listening.__name__]
    assert said == ["what sys knows of requests is not counted"]


LIBRARIES = {
    "flask": "flask",
    "django": "django.core.handlers.base",
    "sentry_sdk": "sentry_sdk",
    "sqlalchemy": "sqlalchemy",
}

#: Imports a library, and has the monitor look whenever one of its parts is about to be imported.
RACE = """
import sys, threading
from types import SimpleNamespace
from wsgiperf.monitor.listening import Listening
from wsgiperf.settings import MonitorSettings
package, module = sys.argv[1:]
found = Listening(SimpleNamespace(query_outside=None), MonitorSettings())
looks = []

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(package + ".") and threading.current_thread() is threading.main_thread():
            if not looks or not looks[-1].is_alive():
                looks.append(threading.Thread(target=found.look))
                looks[-1].start()
                looks[-1].join(0.5)
        return None

sys.meta_path.insert(0, Finder())
__import__(module)
for look in looks:
    look.join()
assert looks
found.look()
"""


@pytest.mark.parametrize(("package", "module"), LIBRARIES.items(), ids=LIBRARIES)
def test_the_application_s_own_import_succeeds(package: str, module: str) -> None:
    """While the monitor looks again and again."""
    pytest.importorskip(package)
    command = [sys.executable, "-c", RACE, package, module]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
