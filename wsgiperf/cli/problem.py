"""What a command says instead of a traceback."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

import click

__all__ = ["Problem", "require"]


class Problem(click.ClickException):
    """Something the user can put right: said in one line, exit code 2 as for a wrong option."""

    exit_code = 2


def require(packages: Iterable[str], extra: str, who: str) -> None:
    """Make sure that optional packages are there.

    :raises Problem: naming those that are not, and how to get them.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise Problem(f'{who} needs {", ".join(missing)}: pip install "wsgiperf[{extra}]"')
