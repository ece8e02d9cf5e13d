"""What is published, installed as a user installs it: the wheel, without the checkout."""

import json
import re
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

import wsgiperf

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def contents(wheel):
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def metadata(contents):
    [text] = [text for name, text in contents.items() if name.endswith(".dist-info/METADATA")]
    return Parser().parsestr(text.decode())


def test_the_library_is_imported_from_the_wheel(installed):
    found = installed.python("import wsgiperf; print(wsgiperf.__file__)")
    assert found.startswith(str(installed.folder))


def test_it_wraps_an_application_there(installed):
    program = """
from wsgiref.util import setup_testing_defaults
from wsgiperf import wrap
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"x" * 5000]
environ = {"HTTP_ACCEPT_ENCODING": "br"}
setup_testing_defaults(environ)
body = wrap(app)(environ, lambda status, headers: print(dict(headers)["Content-Encoding"]))
print(sum(map(len, body)) < 5000)
body.close()
"""
    assert installed.python(program).split() == ["br", "True"]


def test_all_of_the_library_is_in_it_and_nothing_else(contents, wheel):
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "wsgiperf").rglob("*") if path.is_file()}
    source = {name for name in here if "__pycache__" not in name}
    packed = {name for name in contents if ".dist-info/" not in name}
    assert packed == source


def test_types_are_published(contents, installed):
    assert "wsgiperf/py.typed" in contents
    # The marker is where type checkers look: beside the installed package.
    program = "import importlib.resources as r; print(r.files('wsgiperf').joinpath('py.typed').is_file())"
    assert installed.python(program) == "True"


def test_the_licence_goes_with_it(contents):
    assert [name for name in contents if name.endswith("/licenses/LICENSE")]


def test_the_version_is_that_of_the_module(metadata, installed):
    assert metadata["Version"] == wsgiperf.__version__
    assert installed.run("wsgiperf", "--version").stdout == f"wsgiperf {wsgiperf.__version__}\n"


def test_the_page_on_the_index_shows_the_readme(metadata):
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload().strip() == (ROOT / "README.md").read_text(encoding="utf-8").strip()


def test_every_extra_is_offered(metadata):
    extras = set(metadata.get_all("Provides-Extra"))
    assert extras >= {"flask", "django", "gunicorn", "media", "zstd", "fast", "redis", "cli", "demo", "dev"}


def test_without_an_extra_it_needs_four_packages(metadata):
    needed = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert {re.match(r"[\w-]+", line)[0] for line in needed} == {"werkzeug", "brotli", "cachelib", "psutil"}


def test_the_settings_command_runs(installed):
    done = installed.run("wsgiperf", "settings")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^compression\.minimum_size +default +800 bytes$", done.stdout, re.MULTILINE)


def test_the_demo_says_that_the_examples_are_not_in_it(installed):
    done = installed.run("wsgiperf", "demo")
    assert done.returncode == 2
    assert "the examples come with the source" in done.stderr


def test_pytest_finds_the_contract_suite_for_other_authors(installed):
    program = "import json, wsgiperf.testing as t; print(json.dumps([t.__file__, len(t.RULES)]))"
    path, rules = json.loads(installed.python(program))
    assert path.startswith(str(installed.folder))
    assert rules > 10
