"""The workers of real servers share one file, find each other through every restart, and never another's."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PATIENCE = 20.0

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")

GUNICORN = [
    "-m", "gunicorn", "--no-control-socket", "--bind=127.0.0.1:0", "--graceful-timeout=2", "--workers=3",
    "segment_site:application",
]  # fmt: skip
GTHREAD = [*GUNICORN, "--worker-class=gthread", "--threads=2"]
UWSGI = [
    "-c", "import pyuwsgi; pyuwsgi.run()", "--module=segment_site:application", "--http-socket=127.0.0.1:0",
    "--master", "--processes=3", "--die-on-term", "--need-app",
]  # fmt: skip
SERVERS = {
    "gunicorn-sync": GUNICORN,
    "gunicorn-gthread": GTHREAD,
    "gunicorn-gthread-preload": [*GTHREAD, "--preload"],
    "gunicorn-gevent": [*GUNICORN, "--worker-class=gevent"],
    "gunicorn-gevent-preload": [*GUNICORN, "--worker-class=gevent", "--preload"],
    "uwsgi": UWSGI,
    "uwsgi-threads-lazy": [*UWSGI, "--lazy-apps", "--threads=2"],
}
PORT = re.compile(
    r"(?:Listening at: http://|TCP address |listening on |Serving on http://)127\.0\.0\.1:(\d+)"
)


def until(true, otherwise=lambda: "it did not happen"):
    deadline = time.monotonic() + PATIENCE
    while not (result := true()):
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.01)
    return result


class Site:
    """A server process, and what its log tells."""

    def __init__(self, folder, arguments, **environ):
        for module in ("gunicorn", "gevent", "pyuwsgi", "waitress"):
            if any(module in argument for argument in arguments):
                needs(module)
        self.log_path = folder / f"log-{len(os.listdir(folder))}"
        paths = filter(None, [str(HERE), os.environ.get("PYTHONPATH")])
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PLACE": str(folder), **environ}
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *arguments], cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    @property
    def port(self):
        return int(until(lambda: PORT.search(self.log), lambda: self.log)[1])

    def ask(self, path="/"):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def ready(self):
        def answers():
            with suppress(OSError):
                return self.ask()

        return until(answers, lambda: self.log)

    def each(self, workers, without=()):
        """An answer of each worker, asked until all have answered."""
        found = {}

        def ask():
            with suppress(OSError):
                answer = self.ask("/slow")
                if answer["pid"] not in without:
                    found[answer["pid"]] = answer

        def several():
            threads = [threading.Thread(target=ask) for _ in range(2 * workers)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return len(found) >= workers

        until(several, lambda: f"{sorted(found)}\n{self.log}")
        return list(found.values())

    def stop(self):
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # a session of its own; there is nothing to tidy
        self.process.wait()


def needs(module):
    if importlib.util.find_spec(module) is None:
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says(f"{module} is not installed")


@contextmanager
def site(folder, arguments, **environ):
    started = Site(folder, arguments, **environ)
    try:
        started.ready()
        yield started
    finally:
        started.stop()


def slabs_in(folder):
    return sorted(folder.glob("wsgiperf-*/*.slabs"))


@pytest.mark.parametrize("server", SERVERS)
def test_workers_share_one_file(tmp_path, server):
    """With nothing installed in the master. A killed worker is succeeded, and what it counted stays."""
    with site(tmp_path, SERVERS[server]) as served:
        answers = served.each(3)
        assert len({answer["path"] for answer in answers}) == 1
        assert {answer["slab"] for answer in answers} == {0, 1, 2}
        assert {answer["reason"] for answer in answers} == {""}
        assert served.ask()["holders"] == [
            answer["pid"] for answer in sorted(answers, key=lambda answer: answer["slab"])
        ]
        before = served.ask()["total"]
        os.kill(answers[1]["pid"], signal.SIGKILL)
        until(lambda: answers[1]["pid"] not in served.ask()["holders"])
        new = served.each(3, without=[answers[1]["pid"]])
        assert {answer["slab"] for answer in new} == {0, 1, 2}
        assert {answer["path"] for answer in new} == {answers[0]["path"]}
        assert min(answer["total"] for answer in new) > before
        assert served.ask()["respawns"] == 1
        assert len(slabs_in(tmp_path)) == 1


def test_totals_are_exact_whoever_answers(tmp_path):
    """One thread to a worker here, as one word without a lock is all that this application counts in."""
    with site(tmp_path, GUNICORN) as served:
        first = served.ask()["total"]
        assert [served.ask()["total"] - first for _ in range(200)] == list(range(1, 201))


def test_another_leads_after_a_kill(tmp_path):
    """At once, as the kernel gives up the dead one's locks."""
    with site(tmp_path, GTHREAD) as served:
        leader = until(lambda: (told := served.ask("/lead"))["leads"] and told)
        os.kill(leader["pid"], signal.SIGKILL)
        new = until(lambda: (told := served.ask("/lead"))["leads"] and told)
        assert new["pid"] != leader["pid"]
        assert new["path"] == leader["path"]


@pytest.mark.parametrize("preload", [[], ["--preload"]], ids=["plain", "preload"])
def test_a_reload_goes_on_counting(tmp_path, preload):
    """HUP: old and new workers are there at once, and have the same master."""
    with site(tmp_path, [*GTHREAD, *preload]) as served:
        old = served.each(3)
        before = served.ask()["total"]
        served.process.send_signal(signal.SIGHUP)
        new = served.each(3, without=[answer["pid"] for answer in old])
        assert {answer["path"] for answer in new} == {old[0]["path"]}
        assert min(answer["total"] for answer in new) > before
        until(lambda: len(served.ask()["holders"]) == 3)
        assert len(slabs_in(tmp_path)) == 1


def test_an_upgrade_mixes_nothing(tmp_path):
    """USR2: the new master is a child of the old one, but its workers have a file of their own.

    When the old master is gone and the next worker attaches, so is its file.
    """
    with site(tmp_path, [*GTHREAD, f"--pid={tmp_path}/pid"]) as served:
        old = served.each(3)
        served.process.send_signal(signal.SIGUSR2)
        until(lambda: served.log.count("Booting worker") == 6, lambda: served.log)
        new = served.each(3, without=[answer["pid"] for answer in old])
        assert len({answer["path"] for answer in new} | {old[0]["path"]}) == 2
        assert {answer["slab"] for answer in new} == {0, 1, 2}
        assert os.path.exists(old[0]["path"])
        old_pids = {answer["pid"] for answer in old}
        served.process.terminate()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in old_pids))
        served.process.wait(PATIENCE)
        os.kill(new[0]["pid"], signal.SIGKILL)
        served.each(3, without=[new[0]["pid"], *old_pids])
        assert [str(path) for path in slabs_in(tmp_path)] == [new[0]["path"]]


def test_two_servers_of_one_shell(tmp_path):
    """Development servers: the same program, the same parent, at the same time."""
    program = [sys.executable, str(HERE / "segment_site.py")]
    environ = {**os.environ, "PLACE": str(tmp_path)}
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), environ.get("PYTHONPATH")]))
    script = '"$0" "$@" > one 2>&1 & "$0" "$@" > two 2>&1 & wait'
    shell = subprocess.Popen(
        ["/bin/sh", "-c", script, *program], cwd=tmp_path, env=environ, start_new_session=True
    )
    try:
        told = []
        for name in ("one", "two"):
            served = object.__new__(Site)
            served.log_path = tmp_path / name
            until(served.log_path.exists)
            served.ready()
            told.append(served.ask())
        assert told[0]["path"] != told[1]["path"]
        assert [answer["total"] for answer in told] == [2, 2]
        assert [answer["holders"] for answer in told] == [[answer["pid"]] for answer in told]
    finally:
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()


def test_a_server_started_again_begins_anew(tmp_path):
    """And clears away what the last one left; one that is still there keeps its file."""
    waitress = ["-m", "waitress", "--listen=127.0.0.1:0", "segment_site:application"]
    with site(tmp_path, waitress) as living:
        kept = living.ask()["path"]
        for _ in range(3):
            with site(tmp_path, GTHREAD) as served:
                assert served.each(3)[0]["path"] != kept
                assert len(slabs_in(tmp_path)) == 2
        assert living.ask()["path"] == kept
        assert kept in map(str, slabs_in(tmp_path))


def test_a_file_of_ones_choice_survives_a_restart(tmp_path):
    """And is shared by whoever names it."""
    state = str(tmp_path / "monitor.slabs")
    with site(tmp_path, GTHREAD, STATE=state) as served:
        served.each(3)
        before = served.ask()["total"]
    with site(tmp_path, GTHREAD, STATE=state) as served, site(tmp_path, UWSGI, STATE=state) as other:
        told = served.each(3) + other.each(3)
        assert {answer["path"] for answer in told} == {state}
        assert {answer["slab"] for answer in told} == set(range(6))
        assert min(answer["total"] for answer in told) > before
    assert not slabs_in(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_workers_of_another_user_than_their_master():
    """They share a file of their own user, and still find their master."""
    if not reachable(sys.executable):
        pytest.skip("other users can't run this Python")
    with tempfile.TemporaryDirectory() as name:  # those of pytest are closed to other users
        folder = Path(name)
        folder.chmod(0o777)
        with site(folder, [*GTHREAD, "--user=65534", "--group=65534"]) as served:
            answers = served.each(3)
            assert {answer["slab"] for answer in answers} == {0, 1, 2}
            assert {answer["reason"] for answer in answers} == {""}
            assert len({answer["path"] for answer in answers}) == 1
            assert "wsgiperf-65534" in answers[0]["path"]


def reachable(program):
    code = f"import os; os.setgid(65534); os.setuid(65534); os.execv({program!r}, ['python', '-c', ''])"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
