"""`wsgiperf.django` and manage.py: system checks, the command, runserver."""

import io
import os
import re
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import django_site
import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.test import override_settings

HERE = Path(__file__).parent

django_site.configure()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, set()),
        ({"WSGI_APPLICATION": "django_site_wsgi.bare"}, {"wsgiperf.W001"}),
        ({"WSGI_APPLICATION": None}, set()),
        ({"WSGI_APPLICATION": "no_such_module.application"}, set()),
        ({"MIDDLEWARE": ["django.middleware.gzip.GZipMiddleware"]}, {"wsgiperf.W002"}),
        (
            {
                "MIDDLEWARE": ["django.middleware.gzip.GZipMiddleware"],
                "WSGI_APPLICATION": None,
                "WSGIPERF": {"compression": False},
            },
            set(),
        ),
        (
            {
                "WSGI_APPLICATION": "django_site_wsgi.bare",
                "MIDDLEWARE": ["wsgiperf.django.middleware.report"],
            },
            set(),
        ),
        (
            {
                "MIDDLEWARE": [
                    "django.middleware.common.CommonMiddleware",
                    "wsgiperf.django.middleware.report",
                ]
            },
            {"wsgiperf.W003"},
        ),
        ({"MIDDLEWARE": ["django.middleware.cache.UpdateCacheMiddleware"]}, {"wsgiperf.W004"}),
    ],
    ids=[
        "all well",
        "not wrapped",
        "no application",
        "broken application",
        "double compression",
        "compression off",
        "wrapped by the server",
        "wrong order",
        "cached nonces",
    ],
)
def test_system_checks(given, expected):
    """`manage.py check` finds what is really a problem, and nothing else."""
    with override_settings(**given):
        assert {found.id for found in run_checks() if found.id.startswith("wsgiperf.")} == expected


def test_the_command_lists_settings():
    """`manage.py wsgiperf settings` shows the values of WSGI_APPLICATION and where they came from."""
    output = io.StringIO()
    call_command("wsgiperf", "settings", stdout=output)
    lines = {line.split()[0]: line.split()[1:] for line in output.getvalue().splitlines()}
    assert lines["timing.enabled"] == ["keyword", "false"]
    assert lines["security.static_prefixes"] == ["Django", "settings:", "STATIC_URL", "/assets/"]


def test_the_command_points_to_the_check():
    """With bad settings the command says where to look."""
    with (
        override_settings(WSGI_APPLICATION=None, WSGIPERF={"nonsense": 1}),
        pytest.raises(CommandError, match=r"manage\.py check"),
    ):
        call_command("wsgiperf", "settings", stdout=io.StringIO())


def test_runserver_serves_the_wrapped_application(tmp_path):
    """`manage.py runserver` takes WSGI_APPLICATION, so the parts are there in development too."""
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "django_site_settings",
        "PYTHONPATH": str(HERE),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "django", "runserver", "--noreload", "127.0.0.1:0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        try:
            port = next(found[1] for line in server.stdout if (found := re.search(r"127.0.0.1:(\d+)/", line)))
            connection = HTTPConnection("127.0.0.1", int(port), timeout=10)
            connection.request("GET", "/", headers={"Accept-Encoding": "br"})
            with connection.getresponse() as response:
                assert response.headers["Content-Encoding"] == "br"
                assert response.headers["X-Request-ID"]
                response.read()
            connection.close()
        finally:
            server.terminate()
