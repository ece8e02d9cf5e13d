"""`manage.py wsgiperf settings` and `manage.py wsgiperf purge`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from wsgiperf.cli.listing import listing
from wsgiperf.configuration import Settings
from wsgiperf.django.checks import served_settings
from wsgiperf.errors import WSGIPerfError
from wsgiperf.purging import exit_status, purge_elsewhere

__all__ = ["Command"]

_PURGE = "Remove stored responses from the caches of running workers."
_PURGE_MORE = (
    "Run it where and as the workers run: on one machine they hear of it through a journal that is found by "
    "the working directory, the user, the Python environment, TMPDIR and the option cache.namespace. Exit "
    "status: 0 done, 1 something may have been missed, 2 not understood."
)


class Command(BaseCommand):
    """What wsgiperf does around this site."""

    help = "What wsgiperf does around this site."

    def add_arguments(self, parser: CommandParser) -> None:
        """The subcommands."""
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser("settings", help="List every option with its value and where it came from.")
        purge = commands.add_parser("purge", help=_PURGE, description=f"{_PURGE} {_PURGE_MORE}")
        what = purge.add_mutually_exclusive_group(required=True)
        what.add_argument("--url", help="https://site/page?q=1, or /page?q=1 on any host.")
        what.add_argument("--prefix", help="The beginning of URLs, such as /posts/ for any host.")
        what.add_argument("--tag", help="A tag that the application gave.")
        what.add_argument("--all", action="store_true", help="All.")
        purge.add_argument("--soft", action="store_true", help="Mark as stale.")

    def handle(self, *args: Any, **options: Any) -> None:
        """List the settings of WSGI_APPLICATION, or purge by them."""
        settings = served_settings()
        if settings is None:
            raise CommandError("the settings are bad: manage.py check says why")
        self.stdout.write(
            listing(settings) if options["command"] == "settings" else _purge(settings, options)
        )


def _purge(settings: Settings, options: dict[str, Any]) -> str:
    named = [(kind, options[kind]) for kind in ("url", "prefix", "tag") if options[kind] is not None]
    kind, value = named[0] if named else ("all", "")
    try:
        return purge_elsewhere(settings, kind, value, soft=options["soft"])
    except WSGIPerfError as error:
        raise CommandError(str(error), returncode=exit_status(error)) from error
