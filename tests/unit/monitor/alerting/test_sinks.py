"""The log and Sentry, and how often a trouble is logged."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from wsgiperf.monitor.alerting.records import Change
from wsgiperf.monitor.alerting.seldom import Seldom
from wsgiperf.monitor.alerting.sinks import LoggingSink, SentrySink

FIRED = Change("a1b2", "fired", 1000.5, "health", "warning", "db", 12.0, 0.0, "Failing service db: a\nb", 1)

LEVELS = {
    ("fired", "info"): logging.INFO,
    ("fired", "warning"): logging.WARNING,
    ("fired", "critical"): logging.CRITICAL,
    ("cleared", "critical"): logging.INFO,
}


@pytest.mark.parametrize(("change", "level"), LEVELS.items(), ids=map(str, LEVELS.values()))
def test_the_log_has_a_line_by_severity(change, level, caplog):
    """One line whatever a service answered, with the change for formatters."""
    caplog.set_level(logging.DEBUG, "wsgiperf.alerts")
    told = FIRED._replace(event=change[0], severity=change[1])
    LoggingSink()(told)
    (record,) = (each for each in caplog.records if each.name == "wsgiperf.alerts")
    assert record.levelno == level
    assert record.getMessage() == f"alert {change[0]}: {change[1]}, Failing service db: a\\nb, ID a1b2"
    assert record.alert == told


SENTRY = """
import json, logging, sys
from wsgiperf.monitor.alerting.records import Change
from wsgiperf.monitor.alerting.sinks import LoggingSink, SentrySink

fired = Change("a1b2", "fired", 1000.5, "health", "critical", "db", 12.0, 0.0, "db is down", 1)
sink, log = SentrySink(), LoggingSink()
sink(fired)
assert "sentry_sdk" not in sys.modules
import sentry_sdk
from sentry_sdk.transport import Transport
sink(fired)

events = []
class Kept(Transport):
    def capture_envelope(self, envelope):
        events.extend(item.payload.json for item in envelope.items if item.type == "event")

sentry_sdk.init("https://key@sentry.invalid/1", transport=Kept)
sink.prepare()
for change in fired, fired._replace(severity="info", number=2), fired._replace(event="cleared", number=3):
    sink(change)
    log(change)
sentry_sdk.flush()
logging.getLogger("other").critical("still reported")
print(json.dumps(events, default=str))
"""


def test_sentry_gets_what_fired_where_the_application_has_initialised_it():
    """Before, nothing is sent, and nothing imported; the log's line isn't a second event."""
    pytest.importorskip("sentry_sdk")
    done = subprocess.run([sys.executable, "-c", SENTRY], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    first, second, other = json.loads(done.stdout)
    assert first["message"] == "db is down"
    assert first["level"] == "error"
    assert first["tags"] == {
        "wsgiperf.alert": "a1b2",
        "wsgiperf.metric": "health",
        "wsgiperf.severity": "critical",
        "wsgiperf.subject": "db",
    }
    assert first["fingerprint"] == second["fingerprint"] == ["wsgiperf", "health", "db"]
    assert second["level"] == "info"
    assert other["logger"] == "other"


def test_an_old_sentry_that_isnt_initialised(monkeypatch):
    """Before 2.0 it is asked another way."""
    calls = []

    class Sentry:
        class Hub:
            class current:  # noqa: N801 - its name there
                client = None

        @staticmethod
        def capture_message(message, **scope):
            calls.append(message)

    monkeypatch.setitem(sys.modules, "sentry_sdk", Sentry)
    SentrySink()(FIRED)
    assert calls == []
    Sentry.Hub.current.client = object()
    SentrySink()(FIRED)
    assert calls == [FIRED.message]


def test_a_trouble_is_logged_once_a_minute(caplog):
    """Each for itself."""
    now = [100.0]
    seldom = Seldom(60.0, lambda: now[0])
    for at, what in [(100, "a"), (101, "a"), (102, "b"), (159.9, "a"), (160, "a"), (161, "a")]:
        now[0] = at
        seldom.warn(what, ValueError(f"at {at}\r\nForged: line"))
    said = [record.getMessage() for record in caplog.records if record.name == "wsgiperf.monitor"]
    assert [each.split()[0] for each in said] == ["a", "b", "a"]
    assert "\n" not in said[0]
