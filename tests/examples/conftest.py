"""The example sites, each once per run: alone and under a prefix, behind gunicorn or in this process."""

import importlib
import os
import sys
from contextlib import ExitStack

import pytest
from example_site import DJANGO, FLASK, HERE, Site, gunicorn, over_http

SERVED = {
    "flask": ("app:app", FLASK, ""),
    "django": ("mysite.wsgi:application", DJANGO, ""),
    "mounted flask": ("mounted:mounted", HERE, "/flask"),
    "mounted django": ("mounted:mounted", HERE, "/django"),
}

# Set in the child process that test_example_in_process starts, for a site of this interpreter's own.
IN_PROCESS = os.environ.get("EXAMPLE_IN_PROCESS")


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """Starts a server when a test first asks for it; returns its port, and where its data are."""
    started = {}
    with ExitStack() as servers:

        def served_by(target, directory):
            if target not in started:
                data = tmp_path_factory.mktemp("site")
                started[target] = servers.enter_context(gunicorn(target, directory, data)), data
            return started[target]

        yield served_by


@pytest.fixture(scope="session", params=[IN_PROCESS] if IN_PROCESS else list(SERVED))
def site(request):
    target, directory, mount = SERVED[request.param]
    kind = request.param.split()[-1]
    if not IN_PROCESS:
        port, data = request.getfixturevalue("served")(target, directory)
        yield Site(kind, over_http(port), mount, port, data)
        return
    sys.path.insert(0, str(directory))
    module, _, name = target.partition(":")
    yield Site(kind, getattr(importlib.import_module(module), name))
    if kind == "django":
        importlib.import_module("django.db").connections.close_all()
    else:
        importlib.import_module("app").app.extensions["sqlalchemy"].kw["bind"].dispose()


@pytest.fixture
def visitor(site):
    return site.client()
