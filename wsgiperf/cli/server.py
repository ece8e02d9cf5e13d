"""From a command to gunicorn: this process becomes the server, so signals and exit code are its own."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable
from typing import NoReturn

import click

from wsgiperf.cli.problem import Problem
from wsgiperf.configuration import Settings, resolve
from wsgiperf.errors import SettingsError

__all__ = ["become_gunicorn", "settings_here"]


def become_gunicorn(config: str, arguments: Iterable[str]) -> NoReturn:
    """Replace this process by gunicorn with a configuration module of ours."""
    command = [sys.executable, "-m", "gunicorn", "--config", f"python:{config}", *arguments]
    sys.stdout.flush()
    os.execv(sys.executable, command)


def settings_here(*, quiet: bool = False) -> Settings:
    """The settings as the environment gives them.

    :param quiet: leave warnings to whoever reads the settings next.
    :raises Problem: for an unknown name or a bad value, in its own words.
    """
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        try:
            settings = resolve(environ=os.environ)
        except SettingsError as error:
            raise Problem(str(error)) from error
    for note in () if quiet else notes:
        click.echo(note.message, err=True)
    return settings
