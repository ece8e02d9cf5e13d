"""A running server with the cache and the scripted application in it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from servers.client import Answer, Connection

TESTS = Path(__file__).parents[1]
APPLICATION = "conformance.application:application"
PATIENCE = 60.0  # seconds until something that has to come is given up

SERVERS = {
    "gunicorn": (
        ["-m", "gunicorn", APPLICATION, "--bind=127.0.0.1:0", "--workers=1", "--worker-class=gthread",
         "--threads=8", "--no-control-socket", "--graceful-timeout=1", "--log-level=info"],
        r"Listening at: http://127\.0\.0\.1:(\d+)",
    ),
    "waitress": (
        [
            "-m",
            "waitress",
            "--listen=127.0.0.1:0",
            "--threads=8",
            "--no-clear-untrusted-proxy-headers",  # as gunicorn does, so that the cache sees them
            APPLICATION,
        ],
        r"Serving on http://127\.0\.0\.1:(\d+)",
    ),
}  # fmt: skip


class Site:
    """One server process; what its clock shows is ours to set: it stands still until then."""

    def __init__(self, server: str, state: Path, **settings: str) -> None:
        arguments, self.port_pattern = SERVERS[server]
        self.name = server
        self.time = float(int(time.time()))
        self.log_path = state / "log"
        self.control_path = state / "control"
        settings |= {"directory": str(state / "store"), "control": str(self.control_path)}
        paths = [str(TESTS), os.environ.get("PYTHONPATH", "")]
        environ = {
            **os.environ,
            "CONFORMANCE": json.dumps(settings),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        }
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *arguments], cwd=state, env=environ, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(self.port_pattern, self.log())
            if found and self._connects():
                self.port = int(found[1])
                return
            time.sleep(0.01)
        raise RuntimeError(f"{self.name} did not start:\n{self.log()}")

    def _connects(self) -> bool:
        """Whether there is a line to the application by now: its socket is there before anybody listens."""
        control = socket.socket(socket.AF_UNIX)
        try:
            control.connect(str(self.control_path))
        except (FileNotFoundError, ConnectionRefusedError):
            control.close()
            return False
        self.control, self.replies = control, control.makefile("rb")
        return True

    def stop(self) -> None:
        if hasattr(self, "control"):
            self.replies.close()
            self.control.close()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def say(self, case: str, answer: dict, clients: int) -> None:
        """Prepare what the application says to so many clients of this case, and forget what it was asked."""
        self._tell({"do": "say", "case": case, "answer": answer, "clients": clients, "time": self.time})

    def seen(self, case: str, calls: int, within: float) -> list[dict]:
        """What the application was asked since, once it was so many times."""
        return self._tell({"do": "seen", "case": case, "calls": calls, "within": within})

    def _tell(self, message: dict):
        self.control.sendall(json.dumps(message).encode() + b"\n")
        return json.loads(self.replies.readline())

    def ask(self, method: str, target: str, lines: list[str], body: str | None) -> Answer:
        """One request on a connection of its own."""
        head = [f"{method} {target} HTTP/1.1", *lines]
        if body is not None:
            head.append(f"Content-Length: {len(body)}")
        message = "\r\n".join([*head, "Connection: close", "", body or ""])
        with Connection(self.port, PATIENCE) as connection:
            connection.send(message.encode("latin-1"))
            return connection.answer(method)
