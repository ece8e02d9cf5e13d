"""`wsgiperf settings`: what each option is, and why."""

from __future__ import annotations

import click

from wsgiperf.cli.listing import listing
from wsgiperf.cli.reference import settings_table
from wsgiperf.cli.server import settings_here

__all__ = ["settings"]


@click.command()
@click.option("--markdown", is_flag=True, help="Every option there is, as tables for the documentation.")
def settings(*, markdown: bool) -> None:
    """List all options: value, unit, origin."""
    click.echo(settings_table() if markdown else listing(settings_here()))
