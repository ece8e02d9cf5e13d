"""`purge` for command lines made with click: which option means what, what is said, and the exit status."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import click

from wsgiperf.cli.problem import Problem
from wsgiperf.errors import WSGIPerfError
from wsgiperf.purging import exit_status

__all__ = ["takes_purge"]

_HELP = {
    "url": "The response of a URL: https://site/page?q=1, or /page?q=1 on any host. Without a query, that "
    "page without one.",
    "prefix": "All whose URLs begin so: https://site/posts/, or /posts/ on any host.",
    "tag": "All that the application gave this tag.",
}


class _Missed(click.ClickException):
    """Something may have been missed: exit code 1."""

    exit_code = 1


def takes_purge(run: Callable[..., str]) -> Callable[..., None]:
    """A function for click of one that purges.

    :param run: gets kind, value and whether the purge is soft; returns the line to print. An error of this
        library that it raises is said in one line: exit status 2 for bad input, 1 for a purge that may have
        missed something.
    """

    @wraps(run)
    def purge(
        *, url: str | None, prefix: str | None, tag: str | None, everything: bool, soft: bool, **more: object
    ) -> None:
        named = {"url": url, "prefix": prefix, "tag": tag, "all": "" if everything else None}
        chosen = [(kind, value) for kind, value in named.items() if value is not None]
        if len(chosen) != 1:
            raise click.UsageError("say what to purge by one of --url, --prefix, --tag, --all")
        try:
            said = run(*chosen[0], soft, **more)
        except WSGIPerfError as error:
            raise (Problem if exit_status(error) == 2 else _Missed)(str(error)) from error
        click.echo(said)

    decorated: Callable[..., None] = click.option(
        "--soft", is_flag=True, help="Mark as stale: served once more where that is allowed, while refreshed."
    )(purge)
    decorated = click.option("--all", "everything", is_flag=True, help="All.")(decorated)
    for kind in ("tag", "prefix", "url"):
        decorated = click.option(f"--{kind}", metavar=kind.upper(), help=_HELP[kind])(decorated)
    return decorated
