"""`wsgiperf purge`: stored responses out of the caches of running workers."""

from __future__ import annotations

import os

import click

from wsgiperf.cli.purging import takes_purge
from wsgiperf.cli.server import settings_here
from wsgiperf.purging import purge_elsewhere

__all__ = ["purge"]


@click.command()
@click.option("--chdir", type=click.Path(exists=True, file_okay=False), help="The workers' directory.")
@takes_purge
def purge(kind: str, value: str, soft: bool, *, chdir: str | None) -> str:
    """Remove stored responses from the caches of running workers.

    Settings come from WSGIPERF_... in the environment, as those of the workers do. Workers of this machine
    hear of it through a journal, found by the working directory (for gunicorn that of its own --chdir), the
    user, the Python environment, TMPDIR and WSGIPERF_CACHE_NAMESPACE: all these have to be the workers'. An
    application that is configured in its own code has a command of its own: `flask wsgiperf purge`,
    `manage.py wsgiperf purge`.

    Exit status: 0 done, 1 something may have been missed, 2 not understood.
    """
    if chdir is not None:
        os.chdir(chdir)
    return purge_elsewhere(settings_here(), kind, value, soft=soft)
