"""Middlewares that are wrong in the usual ways, each with the rules that must catch it."""

from . import bodies, heads, surroundings
from .encoding import Gzip
from .table import BROKEN, breaks

__all__ = ["BROKEN", "Gzip", "bodies", "does_nothing", "heads", "surroundings"]


@breaks(
    "late-start-with-empty-blocks-first",
    "head-before-the-call-returns",
    "one-clean-head",
    "content-length-of-lists",
)
def does_nothing(app):
    return app
