"""`manage.py wsgiperf settings`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from wsgiperf.cli.listing import listing
from wsgiperf.django.checks import served_settings

__all__ = ["Command"]


class Command(BaseCommand):
    """What wsgiperf does around this site."""

    help = "What wsgiperf does around this site."

    def add_arguments(self, parser: CommandParser) -> None:
        """The one subcommand."""
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser("settings", help="List every option with its value and where it came from.")

    def handle(self, *args: Any, **options: Any) -> None:
        """List the settings of WSGI_APPLICATION."""
        settings = served_settings()
        if settings is None:
            raise CommandError("the settings are bad: manage.py check says why")
        self.stdout.write(listing(settings))
