"""A gunicorn of the tests' own: started in a directory, asked over HTTP, ended by its process ID."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from wsgiperf.configuration import ALIASES, PREFIX

HERE = Path(__file__).parent
# What a shell may have set that gunicorn or the application listens to.
HEARD = {*ALIASES, "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS", "DJANGO_SETTINGS_MODULE"}
PATIENCE = 20  # seconds


class Gunicorn:
    """A running server.

    :param directory: where it runs; its log goes there too.
    :param arguments: gunicorn's, the application among them.
    :param environ: additions to the environment.
    """

    def __init__(self, directory, *arguments, **environ):
        self.log_path = directory / "gunicorn.log"
        inherited = {n: v for n, v in os.environ.items() if n not in HEARD and not n.startswith(PREFIX)}
        # The socket listens before the server starts: whoever connects early waits.
        with socket.create_server(("127.0.0.1", 0)) as listener, self.log_path.open("wb") as log:
            self.port, handle = listener.getsockname()[1], listener.fileno()
            command = [sys.executable, "-P", "-m", "gunicorn", "--no-control-socket"]
            self.process = subprocess.Popen(
                [*command, f"--bind=fd://{handle}", *arguments],
                cwd=directory,
                env={**inherited, "PYTHONPATH": str(HERE), **environ},
                pass_fds=[handle],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def get(self, path="/", **headers):
        """Status, headers and body of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers)
            with connection.getresponse() as response:
                return response.status, response.headers, response.read()
        except OSError as error:
            raise AssertionError(self.log) from error
        finally:
            connection.close()

    @property
    def log(self):
        """What the server wrote so far."""
        return self.log_path.read_text()

    def until(self, true):
        """Wait until something is true; returns it."""
        deadline = time.monotonic() + PATIENCE
        while not (result := true()):
            assert time.monotonic() < deadline, self.log
            time.sleep(0.01)
        return result

    def ended(self):
        """The exit code, once the server ended by itself."""
        return self.process.wait(PATIENCE)

    def stop(self):
        """End it, politely if it can."""
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@contextmanager
def gunicorn(directory, *arguments, **environ):
    """Serve while the block runs."""
    server = Gunicorn(directory, *arguments, **environ)
    try:
        yield server
    finally:
        server.stop()
