"""A gunicorn with the cache, and clients that ask it at once."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from servers.client import Connection

from .origin_blocks import block_of

HERE = Path(__file__).parent
PATIENCE = 60.0
#: Seconds that Redis has where it isn't what is in trouble: a busy machine, too, has it answer.
REDIS_TIMEOUT = 20.0


def until(true, within=PATIENCE, otherwise="it did not happen"):
    deadline = time.monotonic() + within
    while not (result := true()):
        assert time.monotonic() < deadline, f"{otherwise} within {within} s"
        time.sleep(0.004)
    return result


class Site:
    """One gunicorn, in a directory where the application's notes lie, too.

    :param options: the cache's.
    """

    def __init__(self, state, *arguments, options=(), limits=None, **environ):
        self.state = state
        self.log_path = state / "log"
        state.mkdir(exist_ok=True)
        for name in ("calls", "asked", "made", "closed"):
            (state / name).touch()
        (state / "ahead").write_bytes(b"")
        (state / "tmp").mkdir(exist_ok=True)
        command = [
            sys.executable, "-m", "gunicorn", "--no-control-socket", "--bind=127.0.0.1:0", "--keep-alive=60",
            "--timeout=60", "--graceful-timeout=1", "--backlog=512",
        ]  # fmt: skip
        own = {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")])),
            "STATE": str(state), "TMPDIR": str(state / "tmp"), "CACHE": json.dumps(dict(options)),
        }  # fmt: skip
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *arguments, "origin:served"],
                cwd=state,
                env={**os.environ, **own, **environ},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, preexec_fn=limits,
            )  # fmt: skip
        self.connections = []

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_until_ready(self, workers=1):
        self.port = int(until(self._port, otherwise="no port")[1])
        self.workers = workers
        until(lambda: self.log.count("Booting worker") >= workers, otherwise=self.log)

    def _port(self):
        assert self.process.poll() is None, self.log
        return re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", self.log)

    def connect(self, timeout=PATIENCE):
        connection = Connection(self.port, timeout)
        self.connections.append(connection)
        return connection

    def spread(self, each):
        """So many open connections to each worker, by process ID."""
        found, deadline = {}, time.monotonic() + PATIENCE
        while len(found) < self.workers or any(len(to) < each for to in found.values()):
            assert time.monotonic() < deadline, {pid: len(to) for pid, to in found.items()}
            # Several at once, or one worker would take them all.
            several = [self.connect() for _ in range(2 * self.workers)]
            for connection in several:
                connection.send(asking("/pid"))
            for connection in several:
                to = found.setdefault(int(connection.answer().content), [])
                if len(to) < each:
                    to.append(connection)
                else:
                    connection.leave()
        return found

    def one_each(self):
        return {pid: to[0] for pid, to in self.spread(1).items()}

    def ask(self, target, *fields, on=None, method="GET"):
        connection = on or self.connect()
        try:
            connection.send(asking(target, *fields, method=method))
            return connection.answer(method)
        finally:
            if on is None:
                connection.leave()

    def purge(self, kind, value="", on=None, soft=False):
        said = self.ask(f"/purge?kind={kind}&value={value}{'&soft=1' if soft else ''}", on=on)
        return said.content.decode()

    def noted(self, name, page):
        lines = (self.state / name).read_text().split("\n")[:-1]
        return [line.split()[1:] for line in lines if line.split()[0] == page.partition("?")[0]]

    def calls(self, page):
        return len(self.noted("calls", page))

    def asked(self, page):
        return len(self.noted("asked", page))

    def made(self, page, call=1):
        """How many blocks of a stream."""
        return len([number for number, _ in self.noted("made", page) if number == str(call)])

    def open(self, gate):
        (self.state / f"gate-{gate}").touch()

    def shut(self, gate):
        (self.state / f"gate-{gate}").unlink()

    def later(self, seconds):
        """The clocks of all its caches go forward so far."""
        os.truncate(self.state / "ahead", (self.state / "ahead").stat().st_size + seconds)

    def stop(self):
        for connection in self.connections:
            connection.leave()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # a session of its own; there is nothing to tidy
        self.process.wait()


@contextmanager
def site(state, *arguments, workers=1, threads=40, **more):
    """A gunicorn with threads, while the block runs."""
    threaded = ["--worker-class=gthread", f"--workers={workers}", f"--threads={threads}"]
    started = Site(state, *threaded, *arguments, **more)
    try:
        started.wait_until_ready(workers)
        yield started
    finally:
        started.stop()


def asking(target, *fields, method="GET"):
    lines = [f"{method} {target} HTTP/1.1", "Host: test", *(f"{name}: {value}" for name, value in fields)]
    if method not in ("GET", "HEAD"):
        lines.append("Content-Length: 0")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def burst(connections, request, within=PATIENCE):
    """Send the request on all connections, then read all answers: (head, body, seconds) of each."""
    begun, data, done = {}, {}, {}
    poll = select.poll()
    by_number = {connection.sock.fileno(): connection for connection in connections}
    for number, connection in by_number.items():
        poll.register(number, select.POLLIN)
        data[number] = b""
        begun[number] = time.perf_counter()
        connection.sock.sendall(request)
    deadline = time.monotonic() + within
    while len(done) < len(connections):
        assert time.monotonic() < deadline, f"{len(done)} of {len(connections)} answers"
        for number, _ in poll.poll(100):
            part = by_number[number].sock.recv(262144)
            assert part, f"closed after {data[number]!r:.200}"
            data[number] += part
            head, found, body = data[number].partition(b"\r\n\r\n")
            if found and len(body) >= length_of(head):
                done[number] = head, body, time.perf_counter() - begun[number]
                poll.unregister(number)
    return list(done.values())


def length_of(head):
    return int(re.search(rb"(?i)content-length: *(\d+)", head)[1])


def body_of(page, size=1000, blocks=1):
    path = page.partition("?")[0]
    return b"".join(block_of(path, number, size) for number in range(blocks))


def kill(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
