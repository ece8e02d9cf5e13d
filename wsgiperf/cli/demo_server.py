"""gunicorn's configuration for the demo: gunicorn takes every name here that it knows as a setting."""

from __future__ import annotations

import signal
from typing import Any

from wsgiperf.cli.demo_site import pages

worker_class = "gthread"
workers = 2
threads = 4
raw_env = [f"WSGIPERF_MONITOR_THREADS={threads}"]
graceful_timeout = 20  # seconds: Ctrl-C may find a worker that is still loading, or an event stream open
loglevel = "warning"  # the addresses are printed below
control_socket_disable = True  # two demos at once would share its path; older versions ignore the name


def when_ready(server: Any) -> None:
    """From here on gunicorn handles Ctrl-C; `demo` held it back until now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


_STOPS = [signal.SIGINT, signal.SIGQUIT, signal.SIGTERM]


def post_fork(server: Any, worker: Any) -> None:
    """Signals to stop wait until the worker has loaded: an exit amid imports may be lost or leave a trace."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)


def post_worker_init(worker: Any) -> None:
    """Print the addresses once the first worker can answer."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
    if worker.age != 1:
        return
    host, port = worker.sockets[0].getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    if ":" in host:
        host = f"[{host}]"
    for name, path in pages(worker.app.app_uri).items():
        print(f"  {name.capitalize():7} http://{host}:{port}{path}")
    print(f"  Monitor http://{host}:{port}/_stats (for this machine only)")
    print("Ctrl-C stops it.", flush=True)


def on_exit(server: Any) -> None:
    """Say that nothing was left behind."""
    print("\nStopped.", flush=True)  # after the ^C that a terminal shows
