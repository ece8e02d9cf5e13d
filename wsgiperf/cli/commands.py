"""All commands under one name."""

from __future__ import annotations

import click

from wsgiperf import __version__
from wsgiperf.cli.demo import demo
from wsgiperf.cli.images import images
from wsgiperf.cli.purge import purge
from wsgiperf.cli.serve import serve
from wsgiperf.cli.settings import settings

__all__ = ["wsgiperf"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="wsgiperf %(version)s")
def wsgiperf() -> None:
    """Production performance for any WSGI application."""


wsgiperf.add_command(serve)
wsgiperf.add_command(demo)
wsgiperf.add_command(settings)
wsgiperf.add_command(purge)
wsgiperf.add_command(images)
