"""The servers that the browser visits: the demo as its command starts it, and gunicorn with another site."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gunicorn.config import KNOWN_SETTINGS

from wsgiperf.configuration import ALIASES, PREFIX

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# What a shell may have set that the command or gunicorn listens to.
HEARD = {*ALIASES, "APP", "PORT", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS", "DJANGO_SETTINGS_MODULE"}


def environment(**given: str) -> dict[str, str]:
    """This process's environment without anything that would change what is tested, and what is given."""
    kept = {n: v for n, v in os.environ.items() if n not in HEARD and not n.startswith((PREFIX, "DEMO_"))}
    return kept | given


@contextmanager
def demo(directory: Path) -> Iterator[dict[str, str]]:
    """`wsgiperf demo`; gives the address of each site, without the slash at its end."""
    log = directory / "demo.log"
    with log.open("wb") as errors:
        server = subprocess.Popen(
            [sys.executable, "-m", "wsgiperf", "demo", "--port=0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env=environment(DEMO_DATA_DIR=str(directory), TMPDIR=str(directory)),  # purges are its own, too
        )
    with server:
        try:
            yield _addresses(server, log)
        finally:
            _stop(server)
    _expect_no_other_failure(log)


def _addresses(server: subprocess.Popen[str], log: Path) -> dict[str, str]:
    said = ""
    for line in server.stdout:
        said += line
        if line.startswith("Ctrl-C stops it"):
            return dict(re.findall(r"^ +(\w+) +(http://\S+)/$", said, re.MULTILINE))
    raise RuntimeError(f"the demo did not start:\n{said}{log.read_text()}")


def _stop(server: subprocess.Popen[Any]) -> None:
    server.terminate()
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
        raise


def _expect_no_other_failure(log: Path) -> None:
    """Nothing failed but the page whose business it is, and the library had nothing to report."""
    written = log.read_text()
    assert written.count("Traceback") == written.count("\nRuntimeError: This page always fails"), written
    assert "CSP nonce" not in written, written


@contextmanager
def gunicorn(application: str, directory: Path, **environ: str) -> Iterator[str]:
    """A site of this folder behind two workers, wrapped by the gunicorn hook; gives its address."""
    options = [
        "--workers=2",
        "--worker-class=gthread",
        "--threads=4",
        "--config=python:wsgiperf.gunicorn",
        f"--chdir={HERE}",
    ]
    if any(setting.name == "control_socket_disable" for setting in KNOWN_SETTINGS):
        options.append("--no-control-socket")
    log = directory / "gunicorn.log"
    # The socket listens before the server starts: whoever connects early waits. It is the server's alone
    # from then on, so that nobody waits for a server that could not start.
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as output:
        port, handle = listener.getsockname()[1], listener.fileno()
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", f"--bind=fd://{handle}", *options, application],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=directory,
            env=environment(**environ),
            pass_fds=[handle],
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        _stop(server)
    _expect_no_other_failure(log)
