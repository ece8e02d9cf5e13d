"""Requests a second of a real server, bare and wrapped: gunicorn's threaded worker, asked by wrk.

All servers stand there all the time; they are asked in turns, for a second each. The most requests a second
count, and the least CPU time of the worker for one, which depends less on what else the machine does.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from typing import Any

import psutil

from benchmarks import frameworks, site
from benchmarks.measure import options, print_table
from wsgiperf import wrap

PAGE = site.noticeboard(15 * 1024)

# What gunicorn loads.
bare = site.application_of(PAGE)
wrapped = wrap(bare)

SERVED = {"bare": "bare", "by_hand": "headers by hand", "wrapped": "wrapped"}
CLIENTS = {
    "no coding wanted": "Accept-Encoding: identity",
    "br": "Accept-Encoding: gzip, deflate, br, zstd",
}


def by_hand(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The bare application with all of wsgiperf's headers: servers take their time for each."""
    start_response("200 OK", [*_headers])
    return [PAGE]


def _sent(app: Any) -> list[tuple[str, str]]:
    sent: list[tuple[str, str]] = []
    body = app(dict(site.NO_CODING), lambda status, headers, exc_info=None: sent.extend(headers))
    body.close()
    return sent


_headers = _sent(wrapped)


@contextmanager
def gunicorn(name: str) -> Iterator[tuple[int, psutil.Process]]:
    """Serve an application of this module by one worker with four threads; gives port and process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, handle = listener.getsockname()[1], listener.fileno()
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--bind", f"fd://{handle}"),
                *("--worker-class", "gthread", "--threads", "4", "--log-level", "critical"),
                *("--no-control-socket", f"{__spec__.name}:{name}"),  # type: ignore[union-attr]
            ],
            pass_fds=[handle],
        )
    try:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/")  # waits until there is a worker
        connection.getresponse().read()
        connection.close()
        yield port, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait()


def ask(port: int, header: str, seconds: int) -> tuple[int, float]:
    """Ask for so long: how many answers there were, and how many a second."""
    report = subprocess.run(
        ["wrk", "-t1", "-c8", f"-d{seconds}s", "-H", header, f"http://127.0.0.1:{port}/"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    answers, rate = re.findall(r"(\d+) requests in|Requests/sec: +([\d.]+)", report)
    return int(answers[0]), float(rate[1])


def cpu_seconds(server: psutil.Process) -> float:
    """What the worker has taken so far."""
    [worker] = server.children()
    times = worker.cpu_times()
    return times.user + times.system


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = options(__doc__, arguments)
    if absent := [*frameworks.missing("gunicorn"), *([] if shutil.which("wrk") else ["wrk"])]:
        print(f"not measured, for these are not installed: {', '.join(absent)}")
        return 0
    rates: dict[tuple[str, str], list[float]] = defaultdict(list)
    cpu: dict[tuple[str, str], list[float]] = defaultdict(list)
    with ExitStack() as stack:
        servers = {name: stack.enter_context(gunicorn(name)) for name in SERVED}
        for _ in range(3 if chosen.quick else 20):
            for label, header in CLIENTS.items():
                for name, (port, process) in servers.items():
                    before = cpu_seconds(process)
                    answers, rate = ask(port, header, 1)
                    rates[name, label].append(rate)
                    cpu[name, label].append((cpu_seconds(process) - before) / answers * 1e6)
    rows: list[Sequence[object]] = [("a page of 15 KB", *SERVED.values(), "wrapped / bare", "/ by hand")]
    for label in CLIENTS:
        most = [max(rates[name, label]) for name in SERVED]
        least = [min(cpu[name, label]) for name in SERVED]
        for unit, values in (("requests a second", most), ("CPU microseconds each", least)):
            shown = (f"{value:,.0f}" for value in values)
            rows.append((f"{label}: {unit}", *shown, values[2] / values[0], values[2] / values[1]))
    print_table(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
