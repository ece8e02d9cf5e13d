"""How the tests start an example site, talk to it, and read its pages."""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

from gunicorn.config import KNOWN_SETTINGS
from werkzeug.datastructures import EnvironHeaders
from werkzeug.test import Client

from wsgiperf.configuration import ALIASES, PREFIX

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
# The library is the installed one, not what happens to lie in the directory of the test run.
PYTHON = [sys.executable, "-P"]
FLASK, DJANGO = EXAMPLES / "flask_app", EXAMPLES / "django_app"
# What a shell may have set that a site or gunicorn listens to.
HEARD = {*ALIASES, "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS", "DJANGO_SETTINGS_MODULE"}


@dataclass(frozen=True)
class Site:
    """An example site within reach: in this process (no port) or under a server."""

    kind: str
    application: object
    mount: str = ""
    port: int | None = None
    data: Path | None = None  #: its server's directory for data and for temporary files

    def client(self):
        """A visitor: keeps cookies, speaks to the site under its prefix."""
        return Visitor(self.application, self.mount)


class Visitor:
    def __init__(self, application, mount):
        self._client = Client(application)
        self._mount = mount

    def open(self, path, **options):
        """Ask for a path inside the site."""
        return self._client.open(self._mount + path, **options)

    def get(self, path, **options):
        with self.open(path, **options) as response:
            response.get_data()  # and keep it: the body is closed after this
            response.request.environ["wsgi.input"].close()  # a file, if much was sent
            return response

    def post(self, path, **options):
        return self.get(path, method="POST", **options)

    def add_cookie(self, name, value):
        """Have a cookie that this site knows nothing of."""
        self._client.set_cookie(name, value)

    def page(self, path, **options):
        return Page(self.get(path, **options).text)

    def inside(self, address):
        """The path inside the site that an address from one of its pages leads to."""
        assert address.startswith(self._mount + "/"), f"{address} leads out of {self._mount or '/'}"
        return address.removeprefix(self._mount)


class Page(HTMLParser):
    """What matters here about an HTML page."""

    def __init__(self, text):
        super().__init__()
        self.addresses = set()
        self.fields = {}
        self.inline = []  # (tag, nonce) of each inline script and style
        self.forbidden = []  # what a policy without 'unsafe-inline' refuses
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        for name in ("href", "src", "data-events"):
            if found.get(name) and not found[name].startswith("#"):
                self.addresses.add(found[name].partition("#")[0])
        if tag == "input":
            self.fields[found["name"]] = found.get("value", "")
        if tag == "style" or (tag == "script" and "src" not in found):
            self.inline.append((tag, found.get("nonce")))
        self.forbidden += [(tag, name) for name in found if name == "style" or name.startswith("on")]


def over_http(port):
    """A WSGI application that passes each request on to a server, so that one client fits both cases."""

    def application(environ, start_response):
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        target = quote((environ["SCRIPT_NAME"] + environ["PATH_INFO"]).encode("latin-1"))
        if environ["QUERY_STRING"]:
            target += "?" + environ["QUERY_STRING"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = dict(EnvironHeaders(environ)) | {"Host": f"127.0.0.1:{port}", "Connection": "close"}
        with ExitStack() as failing:
            failing.callback(connection.close)
            connection.request(environ["REQUEST_METHOD"], target, body or None, headers)
            response = connection.getresponse()
            failing.pop_all()
        start_response(f"{response.status} {response.reason}", response.getheaders())
        return Body(connection, response)

    return application


class Body:
    """The body as it arrives, block by block."""

    def __init__(self, connection, response):
        self._connection = connection
        self._response = response

    def __iter__(self):
        return iter(self._response.read1, b"")

    def close(self):
        self._response.close()
        self._connection.close()


def environment(data, temporary=None):
    """The environment of a site with its data there, that hears of purges from nobody else's.

    :param data: a directory.
    :param temporary: the directory for temporary files, where the workers' journals are; the data's without.
    """
    paths = [str(FLASK), str(DJANGO), str(HERE), os.environ.get("PYTHONPATH", "")]
    kept = {n: v for n, v in os.environ.items() if n not in HEARD and not n.startswith((PREFIX, "DEMO_"))}
    return kept | {
        "DEMO_DATA_DIR": str(data),
        "TMPDIR": str(temporary or data),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


@contextmanager
def gunicorn(target, directory, data):
    """Serve a site with two workers; gives the port."""
    log = data / "gunicorn.log"
    options = ["--workers", "2", "--worker-class", "gthread", "--threads", "4", "--chdir", str(directory)]
    if any(setting.name == "control_socket_disable" for setting in KNOWN_SETTINGS):
        options.append("--no-control-socket")
    # The socket listens before the server starts: whoever connects early waits, nobody has to try again.
    # From then on it is the server's alone, so that nobody waits for a server that could not start.
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as output:
        port, handle = listener.getsockname()[1], listener.fileno()
        server = subprocess.Popen(
            [*PYTHON, "-m", "gunicorn", "--bind", f"fd://{handle}", *options, target],
            pass_fds=[handle],
            stdout=output,
            stderr=output,
            cwd=data,
            env=environment(data),
        )
    try:
        yield port
    finally:
        server.terminate()
        server.wait(30)
    written = log.read_text()
    # Nothing failed but the page whose business it is.
    assert written.count("Traceback") == written.count("\nRuntimeError: This page always fails"), written
