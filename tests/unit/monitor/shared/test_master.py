"""Workers of one server know each other by their master; those of two servers never take each other's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wsgiperf.monitor.shared import master as module
from wsgiperf.monitor.shared.master import Master, lives, machine, master_of_this_process

from .processes import Child

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")

Start = Callable[[Child], Child]

TELL = "from wsgiperf.monitor.shared import master; print(*master.master_of_this_process()[:2], flush=True)"


def tell(_: str = "") -> list[object]:
    return [*master_of_this_process()]


def own() -> list[object]:
    return [*master_of_this_process()]


@linux
def test_a_process_that_was_started_is_its_own_master() -> None:
    """As a development server is, whatever started it; not even a Python that starts a Python shares."""
    run = subprocess.run([sys.executable, "-c", TELL], capture_output=True, text=True, check=True)
    assert run.stdout.split() != [str(part) for part in own()[:2]]
    code = f"import os; print(os.getpid()); {TELL}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    pid, master, start = run.stdout.split()
    assert pid == master
    assert not lives(int(pid), int(start))


@linux
def test_two_servers_of_one_shell() -> None:
    """The same command, at the same time, with the same parent."""
    script = f'{sys.executable} -c "{TELL}" & {sys.executable} -c "{TELL}" & wait'
    run = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert len(set(run.stdout.splitlines())) == 2


@linux
def test_forks_share_their_master(started: Start) -> None:
    """Children, and theirs; whether the master has asked before or never heard of this library."""
    children = [started(Child(tell)) for _ in range(2)]

    def nest(_: str) -> object:
        child = Child(tell)
        try:
            return child.ask("x")
        finally:
            child.kill()

    assert [child.ask("x") for child in children] == [own()] * 2
    assert started(Child(nest)).ask("x") == own()
    code = f"import os\nfor _ in 'ab':\n    if not os.fork():\n        {TELL}\n        break\n    os.wait()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(run.stdout.splitlines()) == 2
    assert len(set(run.stdout.splitlines())) == 1


@linux
def test_a_fork_that_starts_a_program_is_on_its_own(started: Start) -> None:
    """As the new master when gunicorn is upgraded: a child of the old one, but no fork of it any more."""

    def run(_: str) -> str:
        return subprocess.run([sys.executable, "-c", TELL], capture_output=True, text=True, check=True).stdout

    assert started(Child(run)).ask("x").split()[0] != str(own()[0])


DAEMON = f"""
import os, time
parent = os.getpid()
os.fork() and os._exit(0)
while os.getppid() == parent:
    time.sleep(0.01)
print(os.getpid())
{TELL}
"""

REAPER = """
import ctypes, os, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans become this one's children
subprocess.run([sys.executable, "-c", os.environ["DAEMON"]])
os.wait()
"""


@linux
@pytest.mark.parametrize("adopted_by", ["init", "another-python"])
def test_a_daemon_is_its_own_master(adopted_by: str) -> None:
    """It was forked, but who is its parent now isn't who forked it."""
    code = DAEMON if adopted_by == "init" else REAPER
    environ = {**os.environ, "DAEMON": DAEMON}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    pid, master, _ = run.stdout.split()
    assert pid == master


@linux
def test_it_is_found_once() -> None:
    """A worker whose master died belongs where it always did."""
    code = (
        "import os, time\nfrom wsgiperf.monitor.shared.master import *\n"
        "read, write = os.pipe()\n"
        "if os.fork():\n    os.read(read, 1); os._exit(0)\n"
        "first, parent = master_of_this_process(), os.getppid()\nos.write(write, b'x')\n"
        "while os.getppid() == parent: time.sleep(0.01)\n"
        "print(first == master_of_this_process(), first.pid == parent)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "True"]


MULTIPROCESSING = f"""
import multiprocessing, sys

def tell():
    {TELL}

if __name__ == "__main__":
    tell()
    context = multiprocessing.get_context(sys.argv[1])
    for _ in "ab":
        child = context.Process(target=tell)
        child.start()
        child.join()
"""


@linux
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_children_of_multiprocessing(tmp_path: Path, method: str) -> None:
    """Spawned ones are started anew, but name their parent."""
    script = tmp_path / "script.py"
    script.write_text(MULTIPROCESSING)
    run = subprocess.run([sys.executable, script, method], capture_output=True, text=True, check=True)
    assert len(run.stdout.splitlines()) == 3
    assert len(set(run.stdout.splitlines())) == 1


@linux
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to become another user"
)
def test_workers_that_gave_up_their_rights(started: Start) -> None:
    """As with gunicorn's option `user`: they may not see all of their master any more."""

    def run(_: str) -> list[object]:
        os.setgid(65534)
        os.setuid(65534)
        assert not module._read(os.getppid()).stack  # type: ignore[union-attr]
        return tell()

    children = [started(Child(run)) for _ in range(2)]
    assert [child.ask("x") for child in children] == [own()] * 2
    assert lives(*own()[:2])  # type: ignore[arg-type]


@linux
def test_a_hidden_parent(started: Start) -> None:
    """Where `/proc` shows nothing of others' processes: its children still meet, and nobody else."""
    real = module._read

    def run(word: str) -> list[object]:
        module._read = lambda pid: real(pid) if pid == os.getpid() else None
        if word == "alone":
            os.setsid()
        return tell()

    children = [started(Child(run)) for _ in range(3)]
    first, second = (child.ask("x") for child in children[:2])
    assert first == second
    assert first[0] == os.getpid()
    alone = children[2].ask("alone")
    assert alone[0] == children[2].pid


@pytest.mark.parametrize("shown", [True, False], ids=["some-of-it", "nothing"])
@pytest.mark.parametrize(
    ("parent", "session", "own_master"),
    [
        pytest.param(1, 0, True, id="adopted-in-the-session-of-init"),
        pytest.param(1, 1, False, id="server-of-a-container"),
        pytest.param(7, 0, False, id="session-from-outside"),
        pytest.param(7, 7, False, id="session-of-its-own"),
    ],
)
def test_a_hidden_parent_of_the_same_session(
    monkeypatch: pytest.MonkeyPatch, parent: int, session: int, own_master: bool, shown: bool
) -> None:
    """Who is in session 0 never left that in which the system began: process 1 may have adopted it."""
    processes = {99: module._Process(99, parent, session, True, 5000, 12345)}
    if shown:
        processes[parent] = module._Process(parent, 0, session, False, 10, 0)
    monkeypatch.setattr(module, "_read", processes.get)
    monkeypatch.setattr(os, "getsid", lambda pid: session)
    assert module._find(99).pid == (99 if own_master else parent)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(None, id="no-proc"),
        pytest.param(module._Process(1, os.getpid(), 1, False, 5, 0), id="says-too-little"),
    ],
)
def test_a_system_that_does_not_tell(started: Start, answer: module._Process | None) -> None:
    """Each process is on its own, and says why: better than to mix two servers."""

    def run(_: str) -> list[object]:
        module._read = lambda pid: answer
        return tell()

    children = [started(Child(run)) for _ in range(2)]
    found = [Master(*child.ask("x")) for child in children]
    assert [master.pid for master in found] == [child.pid for child in children]
    assert all("doesn't tell which workers" in master.reason for master in found)


@linux
def test_a_proc_of_another_namespace(started: Start) -> None:
    """Its numbers are other processes': nothing is believed of them."""

    def run(_: str) -> list[object]:
        readlink = os.readlink
        os.readlink = lambda path: "1" if path == "/proc/self" else readlink(path)  # type: ignore[assignment]
        pid, start, reason = master_of_this_process()
        return [pid, bool(reason), lives(pid, start), lives(os.getppid(), 1), lives(2**22 + 5, 1)]

    child = started(Child(run))
    assert child.ask("x") == [child.pid, True, True, True, False]


def test_who_lives() -> None:
    pid, start, _ = master_of_this_process()
    assert lives(pid, start)
    assert not lives(2**22 + 5, 1)
    if Path("/proc/self/stat").exists():
        assert not lives(pid, start + 1)  # its ID is another's by now


def test_the_machine_is_the_same_for_all(started: Start) -> None:
    assert started(Child(lambda _: machine())).ask("x") == machine()
    assert len(machine()) == 8


def test_a_name_with_anything_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own name stands in parentheses among the figures, and may have some in it."""
    if not Path("/proc/self/comm").exists():
        pytest.skip("needs Linux")
    before = Path("/proc/self/comm").read_text()
    honest = module._read(os.getpid())
    try:
        Path("/proc/self/comm").write_text("a) R 1 (2")
        assert module._read(os.getpid()) == honest
    finally:
        Path("/proc/self/comm").write_text(before.rstrip("\n"))
