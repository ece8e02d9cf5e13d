"""How a check is declared."""

from collections.abc import Callable
from dataclasses import dataclass

from .client import CODINGS, Answer
from .server import Site

BOTH = ("identity", CODINGS)

Run = Callable[[Site, str], list[Answer]]  # the string is the Accept-Encoding to send


@dataclass(frozen=True)
class Check:
    name: str
    run: Run
    accepts: tuple[str, ...]


CHECKS: dict[str, Check] = {}


def add(name: str, run: Run, *, accepts: tuple[str, ...] = BOTH) -> None:
    assert name not in CHECKS
    CHECKS[name] = Check(name, run, accepts)


def check(run: Run) -> Run:
    add(run.__name__, run)
    return run


def check_once(run: Run) -> Run:
    """For what no content coding can change."""
    add(run.__name__, run, accepts=("identity",))
    return run
