"""The same pages served by Flask and by Django, with whatever packages are usual there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.site import noticeboard


def missing(*modules: str) -> list[str]:
    """Those of the modules that aren't installed."""
    return [module for module in modules if find_spec(module) is None]


def flask(*extensions: Callable[[Any], None]) -> Any:
    """A Flask application whose posts are pages of as many bytes as their number says."""
    app = import_module("flask").Flask("benchmarks")
    for extension in extensions:
        extension(app)
    response = app.response_class

    @app.route("/posts/<int:number>")
    def post(number: int) -> Any:
        return response(noticeboard(number), mimetype="text/html")

    return app


def flask_compress(app: Any) -> None:
    app.config |= {"COMPRESS_MIN_SIZE": 800, "COMPRESS_BR_LEVEL": 5, "COMPRESS_ZSTD_LEVEL": 3}  # as ours
    import_module("flask_compress").Compress(app)


def flask_talisman(app: Any) -> None:
    import_module("flask_talisman").Talisman(app, force_https=False, session_cookie_secure=False)


def flask_request_id(app: Any) -> None:
    app.config["REQUEST_ID_UNIQUE_VALUE_PREFIX"] = ""
    import_module("flask_request_id_header.middleware").RequestID(app)


def django(*middleware: str) -> Any:
    """A Django application with the same posts."""
    settings = import_module("django.conf").settings
    if not settings.configured:
        path = import_module("django.urls").path
        response = import_module("django.http").HttpResponse

        def post(request: Any, number: int) -> Any:
            return response(noticeboard(number))

        settings.configure(
            ROOT_URLCONF=(path("posts/<int:number>", post),),
            ALLOWED_HOSTS=["*"],
            INSTALLED_APPS=[] if missing("django_guid") else ["django_guid"],
            DJANGO_GUID={"EXPOSE_HEADER": False, "INTEGRATIONS": []},
            LOGGING_CONFIG=None,
        )
        import_module("django").setup()
    # Read when the handler is made. CommonMiddleware, which every site has, sets Content-Length.
    settings.MIDDLEWARE = [*middleware, "django.middleware.common.CommonMiddleware"]
    return import_module("django.core.handlers.wsgi").WSGIHandler()


DJANGO_GZIP = "django.middleware.gzip.GZipMiddleware"
DJANGO_SECURITY = (
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)
DJANGO_GUID = "django_guid.middleware.guid_middleware"


def example_page() -> bytes:
    """The front page of the Flask example."""
    script = "import sys, app; sys.stdout.buffer.write(app.app.test_client().get('/').data)"
    with tempfile.TemporaryDirectory() as data:
        return subprocess.run(
            [sys.executable, "-c", script],
            cwd=Path(__file__).parents[1] / "examples/flask_app",
            env=os.environ | {"DEMO_DATA_DIR": data},
            check=True,
            capture_output=True,
        ).stdout
