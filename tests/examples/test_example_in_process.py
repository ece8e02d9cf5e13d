"""The example sites without a server, each in an interpreter of its own.

Django takes its settings once per process, and other tests have theirs; both sites put modules of plain
names (`app`, `blog`) on the path. In the child every warning, an unclosed file above all, is an error.
"""

import os
import subprocess

import pytest
from example_site import DJANGO, FLASK, HERE, PYTHON, environment

pytestmark = pytest.mark.skipif("EXAMPLE_IN_PROCESS" in os.environ, reason="this is the child")


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["flask", "django"])
def test_the_same_visit_in_process(kind, tmp_path):
    command = [*PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE)]
    run(command, cwd=HERE.parents[1], env=environment(tmp_path) | {"EXAMPLE_IN_PROCESS": kind})


UNWRAPPED = {
    "flask": """
from app import app
with app.test_request_context("/"):
    print(app.full_dispatch_request().get_data(as_text=True))
""",
    "django": """
import mysite.wsgi
from django.test import Client
print(Client(SERVER_NAME="localhost").get("/").text)
""",
}


@pytest.mark.parametrize("kind", UNWRAPPED)
def test_without_wsgiperf_around_it_a_site_works_with_an_empty_nonce(kind, tmp_path):
    page = run([*PYTHON, "-c", UNWRAPPED[kind]], env=environment(tmp_path))
    assert page.count('nonce=""') == 2


COUNT = {
    "flask": """
from app import app
print(len(app.test_client().get("/api/posts").json["posts"]))
""",
    "django": """
import mysite.wsgi
from blog.models import Member, Post
print(Post.objects.count() if Member.objects.count() == 6 else "too many")
""",
}


@pytest.mark.parametrize("kind", COUNT)
def test_workers_that_start_together_prepare_the_site_once(kind, tmp_path):
    command = [*PYTHON, "-c", COUNT[kind]]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    workers = [subprocess.Popen(command, env=environment(tmp_path), **pipes) for _ in range(4)]
    assert [worker.communicate(timeout=100)[0] for worker in workers] == ["24\n"] * 4


@pytest.mark.parametrize("kind", ["flask", "django"])
def test_the_key_is_made_at_the_first_start_and_is_nobody_elses_to_read(kind, tmp_path):
    for _ in range(2):
        run([*PYTHON, "-c", COUNT[kind]], env=environment(tmp_path))
    key = tmp_path / kind / "secret-key"
    assert len(key.read_text()) > 50
    assert key.stat().st_mode & 0o077 == 0


def test_django_has_no_complaint_and_no_missing_migration(tmp_path):
    manage = [*PYTHON, "-W", "error", "manage.py"]
    run([*manage, "check"], cwd=DJANGO, env=environment(tmp_path))
    run([*manage, "makemigrations", "--check", "--dry-run"], cwd=DJANGO, env=environment(tmp_path))


POOL = """
from app import app
pool = app.extensions["sqlalchemy"].kw["bind"].pool
print(pool.size(), pool._max_overflow, pool.timeout(), pool._recycle)
"""


def test_the_connection_pool_of_the_flask_site_has_the_size_it_says(tmp_path):
    assert run([*PYTHON, "-c", POOL], env=environment(tmp_path)) == "20 30 30 3600\n"


def test_flask_finds_the_application_by_its_usual_name(tmp_path):
    routes = run([*PYTHON, "-m", "flask", "--app", "app", "routes"], cwd=FLASK, env=environment(tmp_path))
    assert "/api/posts/<int:number>" in routes
