"""`wsgiperf serve module:app`: any WSGI application, wrapped, behind gunicorn."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

import click

from wsgiperf.cli.listener import listen, split_address
from wsgiperf.cli.problem import Problem, require
from wsgiperf.cli.server import become_gunicorn, settings_here

__all__ = ["serve"]

#: Whoever sets one of these has decided who may see the monitor's pages.
_MONITOR_ACCESS = frozenset(("WSGIPERF_MONITOR", "WSGIPERF_MONITOR_ACCESS", "WSGIPERF_MONITOR_TOKEN"))


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("application", metavar="MODULE:APP")
@click.argument("more", metavar="[GUNICORN OPTIONS]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--bind", metavar="ADDRESS", help="HOST:PORT or unix:PATH, instead of --host and --port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets other machines in.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65_535), envvar="PORT")
@click.option(
    "--workers",
    type=click.IntRange(1),
    envvar="WEB_CONCURRENCY",
    help="Processes.  [default: one per processor]",
)
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1), help="Threads per process.")
@click.option("--chdir", type=click.Path(exists=True, file_okay=False), help="Find the module there.")
def serve(
    application: str,
    more: tuple[str, ...],
    bind: str | None,
    host: str,
    port: int,
    workers: int | None,
    threads: int,
    chdir: str | None,
) -> None:
    """Serve a WSGI application, wrapped by wsgiperf, with gunicorn.

    MODULE:APP names the application (`site:app`) or a factory (`site:create_app()`). Options unknown here are
    gunicorn's; settings come from WSGIPERF_... in the environment, see `wsgiperf settings`.

    The monitor's pages, at /_stats, are for this machine only. Behind a proxy that is everybody: there, set
    WSGIPERF_MONITOR_TOKEN.
    """
    require(["gunicorn"], "gunicorn", "serve")
    if any(option.startswith(("-c", "--conf")) for option in more):
        raise Problem(
            "serve brings its own configuration. For yours, run gunicorn itself, with"
            " `from wsgiperf.gunicorn import install; install(globals())` as the last line of that file"
        )
    if chdir is not None:
        os.chdir(chdir)
    _find(application)
    if not _MONITOR_ACCESS.intersection(os.environ):
        os.environ["WSGIPERF_MONITOR_ACCESS"] = "loopback"
    settings_here(quiet=True)  # a wrong one is one line here, and a traceback per worker later
    become_gunicorn(
        "wsgiperf.gunicorn",
        [
            f"--bind={_address(bind, host, port)}",
            f"--workers={workers or _processors()}",
            f"--threads={threads}",
            *more,
            application,
        ],
    )


def _find(application: str) -> None:
    """Say it clearly when there is no such module; gunicorn says well what else may be wrong."""
    module = application.partition(":")[0]
    if not module or module.startswith("-"):
        raise Problem(f"the application comes first, as MODULE:APP, not {application!r}")
    sys.path.insert(0, os.getcwd())
    try:
        found = find_spec(module) is not None
    except ModuleNotFoundError as error:
        found = not f"{module}.".startswith(f"{error.name}.")  # else it is a package that lacks another
    except Exception:  # a package that fails to import: gunicorn shows where
        found = True
    if not found:
        raise Problem(f"there is no module {module!r}, neither installed nor in {os.getcwd()}")


def _address(bind: str | None, host: str, port: int) -> str:
    if bind is not None and bind.startswith("unix:"):
        return bind
    if bind is not None:
        host, port = split_address(bind)
    listener = listen(host, port, "choose another with --port")
    return f"fd://{listener.detach()}"


def _processors() -> int:
    # The processors this process may use: in a container often fewer than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
