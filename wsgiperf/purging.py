"""Purges for the hosts and the command line: of a cache that runs here, or of those that share its settings.

A process that serves nothing has no entries in its memory. What it purges reaches the others through what
they share: the journal, and the store where they have one. Both are found by the settings, and the journal
besides by user, working directory, Python environment and directory for temporary files. Where these differ
from the workers', nobody would hear of the purge and nobody would notice; so a command makes sure first that
the journal is there, which the first request that a worker serves makes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from wsgiperf.cache import CacheMiddleware
from wsgiperf.cache.journal import default_path
from wsgiperf.cache.purges import Purge, PurgeError
from wsgiperf.cache.storage import PurgeFailed
from wsgiperf.errors import WSGIPerfError
from wsgiperf.settings import CacheSettings

if TYPE_CHECKING:
    from wsgiperf.cache.purges import Kind
    from wsgiperf.configuration import Settings
    from wsgiperf.settings import Section
    from wsgiperf.wsgi import Stack

__all__ = ["PurgeError", "PurgeFailed", "exit_status", "purge", "purge_elsewhere"]


def purge(
    settings: Settings, kind: str, value: str = "", *, soft: bool = False, stack: Stack | None = None
) -> int:
    """Remove stored responses, in every worker and store, or mark them stale.

    :param settings: those of the application.
    :param kind: ``"url"``, ``"prefix"``, ``"tag"`` or ``"all"``.
    :param value: a URL, or its path and query alone for any scheme and host; the beginning of one; or a tag.
    :param soft: mark as stale.
    :param stack: the application's, where it runs in this process.
    :returns: how many responses were met in the shared store, or else in this process; 0 where the cache is
        off.
    :raises PurgeError: for what can't be understood.
    :raises PurgeFailed: where a store or a worker may have been missed.
    """
    Purge.parse(kind, value, soft=soft)  # wrong also where the cache is off
    section = settings["cache"]
    if section is None:
        return 0
    cache = None if stack is None else next((p for p in stack.parts if isinstance(p, CacheMiddleware)), None)
    return (cache or _opened(section)).purge(cast("Kind", kind), value, soft=soft)


def purge_elsewhere(settings: Settings, kind: str, value: str = "", *, soft: bool = False) -> str:
    """The same from a process that serves nothing, for commands.

    :returns: what was done, in a line for people.
    :raises PurgeError: for what can't be understood, and where the cache is off.
    :raises PurgeFailed: where a store or a worker may have been missed, and where it seems that no worker
        would hear of it; in the latter case nothing is purged.
    """
    Purge.parse(kind, value, soft=soft)
    section = settings["cache"]
    if not isinstance(section, CacheSettings):
        raise PurgeError("cache", "a cache that is on; see the command `settings`", "off")
    if not _spreads_by_itself(section.store):
        _find_journal(section)
    met = purge(settings, kind, value, soft=soft)
    done = "marked stale" if soft else "purged"
    if section.store == "memory":
        return f"{done} in all workers of this machine"  # how many each of them had nobody knows
    if kind == "all" and not soft:
        return f"{done}: all"
    return f"{done}: {met} stored response{'' if met == 1 else 's'}"


def exit_status(error: Exception) -> int:
    """Of a command that failed: 2 for what it was given, 1 for what became of it."""
    return 2 if isinstance(error, ValueError) else 1


def _opened(section: Section) -> CacheMiddleware:
    """A cache around nothing, with the stores of those that serve."""
    try:
        return CacheMiddleware(**section.as_dict())
    except WSGIPerfError:
        raise
    except Exception as error:  # a directory that is none, a package that isn't installed
        raise PurgeFailed(f"the shared store can't be opened: {error}") from error


def _spreads_by_itself(store: object) -> bool:
    """Whether the store tells all who use it of purges: then these need no journal in common."""
    return store == "redis" or hasattr(store, "publish")


def _find_journal(section: CacheSettings) -> None:
    given = section.as_dict().get("journal")
    path = Path(given) if given else default_path(f"cache/{section.namespace}")
    if not path.exists():
        raise PurgeFailed(
            f"no worker would hear of it, so nothing was purged: there is no journal {path}. Workers make it "
            "when they serve their first request. Its name depends on the user, the working directory, the "
            "Python environment, TMPDIR and the cache's namespace: run this where and as the workers run"
        )
