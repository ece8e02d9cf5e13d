"""The stores that the options ask for. A package is imported only where its store is used."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsgiperf.cache.journal import Journal, default_path
from wsgiperf.cache.storage import Storage

if TYPE_CHECKING:
    from wsgiperf.settings import CacheSettings

__all__ = ["open_storage"]


def open_storage(settings: CacheSettings) -> Storage:
    """The tiers for these options; nothing is connected to or written before the first request."""
    from wsgiperf.cache.stores.memory import MemoryStore

    shared = _shared(settings)
    size = settings.memory_size
    memory = MemoryStore(size) if size or shared is None else None
    journal = Path(settings.journal) if settings.journal else partial(default_path, _name(settings))
    return Storage(memory, shared, Journal(journal))


def _name(settings: CacheSettings) -> str:
    return f"cache/{settings.namespace}"


def _shared(settings: CacheSettings) -> Any:
    store = settings.store
    if store == "memory":
        return None
    if store == "file":
        from wsgiperf.cache.stores.filesystem import FileSystemStore

        return FileSystemStore(settings.directory or _default_directory(settings), settings.file_size)
    if store == "redis":
        from wsgiperf.cache.stores.redis import RedisStore

        return RedisStore(
            settings.redis_url,
            prefix=f"{settings.redis_prefix}{settings.namespace}:",
            seconds=settings.redis_timeout,
        )
    if all(hasattr(store, name) for name in ("lease", "purge")):
        return store
    from wsgiperf.cache.stores.adapter import Adapter

    return Adapter(store)


def _default_directory(settings: CacheSettings) -> str:
    """Beside the journal: the same for all workers of an application."""
    return str(default_path(_name(settings)).with_suffix(".entries"))
