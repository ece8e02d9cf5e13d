"""Purges under real gunicorn: four workers with a memory each, and a command beside them."""

import os
import socket
import subprocess
import sys

import pytest
from gunicorn_process import gunicorn

WORKERS = 4
SITE = """
import os
from pathlib import Path

HERE = Path(__file__).parent

def app(environ, start_response):
    path = environ["PATH_INFO"]
    fields = [("Cache-Control", "max-age=600"), ("Surrogate-Key", "page" + path.replace("/", "-"))]
    start_response("200 OK", [*fields, ("X-Edition", (HERE / "edition").read_text())])
    return [path.encode()]

def with_pid(environ, start_response):
    # Outside of all: which worker answered.
    def start(status, headers, *exc_info):
        return start_response(status, [*headers, ("X-Answered-By", str(os.getpid()))], *exc_info)
    return wrapped(environ, start)

import wsgiperf
wrapped = wsgiperf.wrap(app)
"""


class Site:
    """The site in a directory, its server, and the command beside it."""

    def __init__(self, directory, server):
        self.directory, self.server = directory, server

    def edition(self, text):
        (self.directory / "edition").write_text(text)

    def everywhere(self, path):
        """The edition of a page, and whether it is a hit, from each of the workers, by process ID."""
        found = {}
        self.server.until(lambda: len(found) == WORKERS or self._round(path, found))
        return found

    def _round(self, path, found):
        # A connection that says nothing yet keeps a sync worker, so four of them reach four, nearly always.
        address = ("127.0.0.1", self.server.port)
        connections = [socket.create_connection(address, timeout=20) for _ in range(WORKERS)]
        for connection in connections:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: site.example\r\n\r\n".encode())
        for connection in connections:
            with connection, connection.makefile("rb") as answer:
                head = answer.read().partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
            fields = dict(line.split(": ", 1) for line in head[1:])
            assert head[0].endswith("200 OK"), head
            found.setdefault(
                fields["X-Answered-By"], (fields["X-Edition"], "; hit" in fields["Cache-Status"])
            )

    def purge(self, *arguments, cwd=None):
        """Run the command: its exit status and all it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "wsgiperf", "purge", *arguments],
            cwd=cwd or self.directory,
            env=environment(self.directory.parent),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout + done.stderr


def environment(parent):
    """Journals of this test are nobody else's."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WSGIPERF_")}
    return {**inherited, "TMPDIR": str(parent / "tmp")}


@pytest.fixture(scope="module", params=["there", "chdir"])
def served(request, tmp_path_factory):
    """The server, started in its directory or told to go there."""
    top = tmp_path_factory.mktemp("purges")
    directory = top / "site"
    for name in ("tmp", "elsewhere", "site"):
        (top / name).mkdir()
    (directory / "cached_site.py").write_text(SITE)
    (directory / "edition").write_text("first")
    started = directory if request.param == "there" else top / "elsewhere"
    arguments = ["cached_site:with_pid", f"--workers={WORKERS}", f"--chdir={directory}"]
    with gunicorn(started, *arguments, TMPDIR=str(top / "tmp")) as server:
        yield Site(directory, server)


@pytest.fixture
def site(served):
    """The site with all caches empty, in its first edition."""
    served.edition("first")
    served.everywhere("/posts/1")
    assert served.purge("--all")[0] == 0
    return served


def fill(site, path):
    """Have a page in all memories, and a newer edition that nobody has seen."""
    site.edition("first")
    site.everywhere(path)
    site.edition("second")
    assert set(site.everywhere(path).values()) == {("first", True)}


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(["--url=/posts/1"], id="path on any host"),
        pytest.param(["--url=http://SITE.example/posts/1"], id="URL"),
        pytest.param(["--prefix=/posts/"], id="prefix"),
        pytest.param(["--tag=page-posts-1"], id="tag"),
        pytest.param(["--all"], id="all"),
        pytest.param(["--tag=page-posts-1", "--soft"], id="soft"),
    ],
)
def test_a_purge_reaches_every_worker(site, what):
    """The command, in the workers' directory: no worker serves what it purged, from the next request on."""
    fill(site, "/posts/1")
    status, said = site.purge(*what)
    assert (status, "in all workers of this machine" in said) == (0, True)
    assert {edition for edition, _ in site.everywhere("/posts/1").values()} == {"second"}


def test_a_purge_spares_the_rest(site):
    """What isn't meant stays in every worker."""
    fill(site, "/about")
    assert site.purge("--prefix=/posts/")[0] == 0
    assert set(site.everywhere("/about").values()) == {("first", True)}


def test_a_purge_from_elsewhere_is_no_silent_miss(site):
    """In another directory there is another journal: the command says so; --chdir leads to the right one."""
    fill(site, "/posts/1")
    elsewhere = site.directory.parent / "elsewhere"
    status, said = site.purge("--all", cwd=elsewhere)
    assert (status, "nothing was purged" in said) == (1, True)
    assert set(site.everywhere("/posts/1").values()) == {("first", True)}
    assert site.purge("--all", f"--chdir={site.directory}", cwd=elsewhere)[0] == 0
    assert {edition for edition, _ in site.everywhere("/posts/1").values()} == {"second"}
