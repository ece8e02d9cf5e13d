"""`wsgiperf demo`: both example sites behind gunicorn."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import click

from wsgiperf.cli.demo_site import SITES, TARGETS
from wsgiperf.cli.listener import listen
from wsgiperf.cli.problem import Problem, require
from wsgiperf.cli.server import become_gunicorn, settings_here

__all__ = ["demo"]


@click.command()
@click.option(
    "--app",
    type=click.Choice(list(TARGETS)),
    default="both",
    show_default=True,
    envvar="APP",
    help="One site alone, at /.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65_535), envvar="PORT")
def demo(app: str, host: str, port: int) -> None:
    """Serve the example sites: Flask at / and Django under /django/."""
    require(["gunicorn", "flask", "django", "sqlalchemy", "whitenoise", "PIL"], "demo", "the demo")
    settings_here(quiet=True)
    examples = _examples()
    listener = listen(host, port, "choose another, such as --port 9000 (make demo PORT=9000)")
    folders = [str(examples / site.folder) for site in SITES.values()]
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([*folders, before] if before else folders)
    os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"  # not that of a project worked on in this shell
    os.chdir(examples)  # modules in the current directory would come before the examples'
    # Until gunicorn can handle it, and `demo_server` lets it through, Ctrl-C would show a traceback.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    click.echo("The first start fills two small databases ...")
    become_gunicorn("wsgiperf.cli.demo_server", [f"--bind=fd://{listener.detach()}", TARGETS[app]])


def _examples() -> Path:
    """The folder `examples/` of a checkout: that in which we are, or that from which we are imported."""
    for folder in _candidates():
        if all((folder / "examples" / site.folder).is_dir() for site in SITES.values()):
            return folder / "examples"
    raise Problem("the examples come with the source, not with the package: run this inside a checkout")


def _candidates() -> Iterator[Path]:
    here = Path.cwd()
    yield here
    yield from here.parents
    yield Path(__file__).resolve().parents[2]
