"""Runs the npm package `http-cache-tests` against the cache, and prints what fails, and why.

    python -m conformance.public_suite [--server waitress|gunicorn] [--store memory|file|redis] [--set-cookie]

in `tests/`. The package's client asks a server of ours, in which the cache stands before a reverse proxy to
the package's own origin server. Ends with 1 where a required test fails that `deviations.py` doesn't explain.
`--no-cache` leaves the cache out: what the suite says then is what it says of nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from servers.redis_server import free_port, running_redis

from conformance.options import store_options

from . import deviations, package, report

TESTS = Path(__file__).parents[2]
APPLICATION = "conformance.public_suite.application:application"
# The client opens a hundred connections at once, and each may wait for the origin server.
SERVERS = {
    "gunicorn": ["-m", "gunicorn", APPLICATION, "--bind=127.0.0.1:0", "--workers=1", "--worker-class=gthread",
                 "--threads=64", "--no-control-socket", "--graceful-timeout=1"],
    "waitress": ["-m", "waitress", "--listen=127.0.0.1:0", "--threads=64", APPLICATION],
}  # fmt: skip
PORT = re.compile(r"(?:Listening at:|Serving on) http://127\.0\.0\.1:(\d+)")


def main() -> int:
    arguments = _arguments()
    if missing := package.missing_programs():
        print(f"Skipped: the public suite needs {' and '.join(missing)}.")
        return 1 if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else 0
    folder = package.install()
    tests = package.listing(folder)
    print(
        f"{len(tests)} tests of http-cache-tests {package.VERSION}, through {arguments.server} ...",
        flush=True,
    )
    with ExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        options = None if arguments.no_cache else _options(arguments, stack, state)
        origin_port = free_port()
        stack.enter_context(package.origin_server(folder, origin_port, state))
        port = stack.enter_context(_front(arguments.server, origin_port, options, state))
        results = package.run_client(folder, port)
        if arguments.json:
            Path(arguments.json).write_text(json.dumps(results, indent=1))
    known = deviations.table(set_cookie=arguments.set_cookie, server=arguments.server)
    print(report.render(tests, results, known))
    wrong = [test["id"] for test in report.unexplained(tests, results, known)]
    if wrong:
        print(f"\n{len(wrong)} required tests fail for no known reason: {', '.join(wrong)}")
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("conformance.public_suite", description=__doc__.splitlines()[0])
    parser.add_argument("--server", choices=SERVERS, default="waitress")
    parser.add_argument("--store", choices=("memory", "file", "redis"), default="memory")
    parser.add_argument("--set-cookie", action="store_true", help="store responses with Set-Cookie")
    parser.add_argument("--no-cache", action="store_true", help="leave the cache out")
    parser.add_argument("--json", metavar="FILE", help="write the results as the package prints them")
    return parser.parse_args()


def _options(arguments: argparse.Namespace, stack: ExitStack, state: Path) -> dict[str, object]:
    url = stack.enter_context(running_redis()).url if arguments.store == "redis" else ""
    options = store_options(arguments.store, str(state / "store"), url)
    return options | ({"set_cookie": True} if arguments.set_cookie else {})


@contextmanager
def _front(server: str, origin_port: int, options: dict[str, object] | None, state: Path):
    """The server that the client asks; its port."""
    settings = {"ORIGIN_PORT": str(origin_port), "CACHE": json.dumps(options), "PYTHONPATH": str(TESTS)}
    log = state / "front.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, *SERVERS[server]], cwd=state, env=os.environ | settings,
            stdin=subprocess.DEVNULL, stdout=written, stderr=written,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 20
        while not (found := PORT.search(log.read_text())):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text())
            time.sleep(0.02)
        _await_answer(int(found[1]), log)
        yield int(found[1])
    finally:
        process.terminate()
        process.wait(timeout=10)


def _await_answer(port: int, log: Path) -> None:
    """gunicorn listens before it has loaded the application, which may fail."""
    try:
        with socket.create_connection(("127.0.0.1", port), 20) as probe:
            probe.sendall(b"GET /state/none HTTP/1.0\r\n\r\n")
            if probe.recv(5) == b"HTTP/":
                return
    except OSError:
        pass
    raise RuntimeError(f"the server with the cache does not answer:\n{log.read_text()}")


if __name__ == "__main__":
    sys.exit(main())
