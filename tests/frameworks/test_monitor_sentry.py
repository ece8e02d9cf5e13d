"""Sentry's events carry what the stack knows of the request."""

import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("sentry_sdk", reason="sentry_sdk is not installed")

#: In a process of its own, for Sentry's SDK is one for the whole process.
SITE = textwrap.dedent(
    """
    import sentry_sdk
    from flask import Flask
    from werkzeug.test import Client
    from wsgiperf import wrap

    sent = []
    sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", before_send=lambda event, hint: sent.append(event))
    app = Flask(__name__)

    @app.get("/posts/<int:number>")
    def post(number):
        sentry_sdk.set_tag("own", "kept")
        raise LookupError("no such post")

    @app.get("/said/<word>")
    def said(word):
        sentry_sdk.set_tag("route", "the application's")
        sentry_sdk.capture_message("hello")
        return "said"

    application = wrap(app)
    client = Client(application)
    answer = client.get("/posts/5")
    assert answer.status_code == 500
    assert sent  # the exception, and what Flask logged of it
    for event in sent:
        assert event["tags"]["request_id"] == answer.headers["X-Request-ID"]
        assert event["tags"]["route"] == "/posts/<int:number>"
        assert event["tags"]["own"] == "kept"
        assert 0 <= float(event["tags"]["elapsed_ms"]) < 60_000
    sent.clear()
    client.get("/said/x")
    assert sent[0]["tags"]["route"] == "the application's"
    sent.clear()
    sentry_sdk.capture_message("outside of requests")
    assert "request_id" not in (sent[0].get("tags") or {})
    print("as it should be")
    """
)


def test_events_are_tagged():
    done = subprocess.run(
        [sys.executable, "-c", SITE], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "as it should be\n", done.stderr
