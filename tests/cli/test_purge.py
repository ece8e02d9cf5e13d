"""`wsgiperf purge`: what it takes, prints and returns. That it reaches workers is tried under gunicorn."""

import sys
from pathlib import Path

import pytest
from command_line import run, said, without
from werkzeug.test import Client

import wsgiperf
from wsgiperf.cache.journal import default_path


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch) -> Path:
    """The directory for temporary files, of this process and of the commands."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def site(**cache):
    """A wrapped application in this process, of which each response is another."""
    made = iter(range(100))

    def app(environ, start_response):
        start_response("200 OK", [("Cache-Control", "max-age=60"), ("Surrogate-Key", "a b")])
        return [b"%d" % next(made)]

    return Client(wsgiperf.wrap(app, cache=cache))


def served(client, path="/"):
    return client.get(path).text


@pytest.mark.parametrize(
    ("arguments", "done"),
    [
        pytest.param(["--url", "/"], "purged", id="url"),
        pytest.param(["--prefix", "http://localhost"], "purged", id="prefix"),
        pytest.param(["--tag", "b"], "purged", id="tag"),
        pytest.param(["--all"], "purged", id="all"),
        pytest.param(["--all", "--soft"], "marked stale", id="soft"),
    ],
)
def test_a_process_in_the_same_directory_hears_of_it(temporary, arguments, done):
    """The journal is found by the directory; how many entries its readers had isn't known."""
    client = site()
    assert [served(client), served(client)] == ["0", "0"]
    answer = run("purge", *arguments)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == f"{done} in all workers of this machine\n"
    assert served(client) == "1"


def test_a_shared_store_is_counted(temporary, tmp_path):
    """The store of WSGIPERF_CACHE_STORE is opened, and its entries are counted."""
    store = {"store": "file", "directory": str(tmp_path / "store")}
    client = site(**store)
    for path in ("/1", "/2", "/3"):
        served(client, path)
    given = {f"WSGIPERF_CACHE_{name.upper()}": value for name, value in store.items()}
    assert run("purge", "--url=/1", **given).stdout == "purged: 1 stored response\n"
    assert run("purge", "--tag=a", "--soft", **given).stdout == "marked stale: 2 stored responses\n"
    assert run("purge", "--tag=c", **given).stdout == "purged: 0 stored responses\n"
    assert run("purge", "--all", **given).stdout == "purged: all\n"
    assert [served(client, path) for path in ("/1", "/2")] == ["3", "4"]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        pytest.param({"WSGIPERF_CACHE_NAMESPACE": "other"}, "namespace", id="namespace"),
        pytest.param({"TMPDIR": "."}, "TMPDIR", id="directory for temporary files"),
    ],
)
def test_where_nobody_would_hear_of_it_nothing_is_purged(temporary, given, names):
    """Exit status 1 and what to look at, rather than success without effect; and again, when tried again."""
    client = site()
    assert [served(client), served(client)] == ["0", "0"]
    for _ in range(2):
        answer = run("purge", "--all", cwd=temporary.parent if names == "TMPDIR" else None, **given)
        assert (answer.returncode, answer.stdout) == (1, "")
        assert answer.stderr.startswith("Error: no worker would hear of it, so nothing was purged")
        assert names in answer.stderr
    assert served(client) == "0"


def test_a_purge_that_misses_a_tier_fails(temporary, tmp_path):
    """Exit status 1 with what failed: here the store's directory is a file."""
    default_path("cache/default").touch(0o600)
    (tmp_path / "store").write_text("")
    answer = run(
        "purge", "--tag=a", WSGIPERF_CACHE_STORE="file", WSGIPERF_CACHE_DIRECTORY=str(tmp_path / "store")
    )
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "Error: the shared store can't be opened: " in answer.stderr


def test_redis_that_is_down(temporary):
    """It is the store and what tells the others."""
    given = {"WSGIPERF_CACHE_STORE": "redis", "WSGIPERF_CACHE_REDIS_URL": "redis://127.0.0.1:1/0"}
    answer = run("purge", "--tag=a", **given)
    assert answer.returncode == 1
    assert "the shared store: " in answer.stderr
    assert "the other machines: " in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--url", "posts/1"], "url: expected an http:// or https:// URL", id="no URL"),
        pytest.param(["--url", "/posts/*"], "no wildcard", id="a star"),
        pytest.param(["--prefix", ""], "prefix: expected 1 to", id="empty prefix"),
        pytest.param(["--tag", "two words"], "tag: expected", id="no tag"),
    ],
)
def test_bad_input(temporary, arguments, message):
    """Exit status 2, in one line."""
    assert message in said(run("purge", *arguments))


@pytest.mark.parametrize("arguments", [[], ["--soft"], ["--all", "--tag", "a"], ["--url=/", "--prefix=/"]])
def test_exactly_one_thing_is_purged(arguments):
    """Exit status 2, with how to get help."""
    answer = run("purge", *arguments)
    assert answer.returncode == 2
    assert "one of --url, --prefix, --tag, --all" in answer.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"WSGIPERF_CACHE": "off"}, "a cache that is on", id="off"),
        pytest.param({"WSGIPERF_CACHE_STORE": "disk"}, "WSGIPERF_CACHE_STORE: expected 'memory'", id="bad"),
        pytest.param({"WSGIPERF_CACHE_STOER": "file"}, "did you mean WSGIPERF_CACHE_STORE", id="misspelt"),
    ],
)
def test_bad_settings(temporary, given, message):
    """Exit status 2, in their own words."""
    assert message in said(run("purge", "--all", **given))


def test_help_says_how_the_journal_is_found():
    """What has to be the same as for the workers."""
    words = run("purge", "--help").stdout
    for name in ("WSGIPERF_CACHE_NAMESPACE", "TMPDIR", "working directory", "--chdir"):
        assert name in words


def test_what_purges_needs_no_click():
    """The Django command works without it."""
    program = "import sys, wsgiperf.purging; sys.exit('click' in sys.modules)"
    assert run(command=[sys.executable, "-c", program]).returncode == 0
    assert run("purge", "--all", command=without("click")).returncode == 1
