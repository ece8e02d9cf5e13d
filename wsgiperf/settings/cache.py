"""The options of the response cache."""

from __future__ import annotations

from dataclasses import dataclass, fields
from os import fspath
from typing import Any

from wsgiperf.caching_rules import Rule, rules_of
from wsgiperf.errors import SettingsError
from wsgiperf.options import custom, flag, integer, names, number, text
from wsgiperf.settings.section import YEAR, Section, field_name

__all__ = ["CacheSettings"]

_STORES = ("memory", "file", "redis")
_SCHEMES = ("redis://", "rediss://", "unix://")
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_LONGEST_NAME = 64
_LONGEST_PREFIX = 100  # bytes
#: Of the prefix and the namespace together: with a colon behind they begin each key in Redis.
_LONGEST_BOTH = 127


def _store(value: object) -> bool:
    if isinstance(value, str):
        return value in _STORES
    # A class has the methods, too, but no entries.
    return not isinstance(value, type) and all(
        callable(getattr(value, name, None)) for name in ("get", "set", "delete")
    )


def _path(value: Any) -> str:
    path = fspath(value)
    if not isinstance(path, str) or "\0" in path:
        raise ValueError(value)
    return path


def _redis_url(value: str) -> bool:
    if not value.startswith(_SCHEMES) or not value.isprintable() or " " in value:
        return False
    from urllib.parse import urlsplit

    parts = urlsplit(value)
    _ = parts.port  # raises ValueError for what is none
    return parts.scheme != "unix" or bool(parts.path)


def _printable(value: str) -> bool:
    return value.isascii() and value.isprintable()


def _token(value: str) -> bool:
    """Whether it arrives as it is: servers strip fields, and limit them to some 8 KiB."""
    return not value or (16 <= len(value) <= 1024 and _printable(value) and value == value.strip())


@dataclass(frozen=True, kw_only=True)
class CacheSettings(Section):
    """Options of `CacheMiddleware`."""

    section = "cache"

    store: Any = custom(
        "memory",
        "Where entries are kept: in each process, in a directory, in Redis, or in any cachelib backend.",
        expected="'memory', 'file', 'redis', or an object with get, set and delete as cachelib's have",
        accepts=_store,
    )
    memory_size: int = integer(
        64 * 2**20,
        "What a process may use for entries. In front of a shared store 0 has that asked each time.",
        unit="bytes",
        least=0,
        most=2**40,
    )
    directory: str = custom(
        "",
        "The directory of the file store, used for nothing else; empty: one is found, as for `journal`.",
        expected="a path",
        read=_path,
    )
    file_size: int = integer(
        2**30, "What the file store may use on the disk.", unit="bytes", least=2**20, most=2**50
    )
    redis_url: str = text(
        "redis://localhost:6379/0",
        "The server of the Redis store.",
        expected="a URL that begins with redis://, rediss:// or unix://",
        accepts=_redis_url,
        secret=True,  # a password may be in it
    )
    redis_prefix: str = text(
        "wsgiperf:",
        "Begins the names of all keys in Redis, before the namespace.",
        expected=f"1 to {_LONGEST_PREFIX} printable ASCII characters",
        accepts=lambda prefix: 0 < len(prefix) <= _LONGEST_PREFIX and _printable(prefix),
    )
    redis_timeout: float = number(
        0.05,
        "How long a request waits for Redis before that counts as a miss.",
        unit="seconds",
        least=0.001,
        most=60,
    )
    maximum_body_size: int = integer(
        2**20, "A longer body passes through unstored.", unit="bytes", least=0, most=2**40
    )
    namespace: str = text(
        "default",
        "Tells apart caches of one application, each with purges of its own.",
        expected=f"a name of 1 to {_LONGEST_NAME} letters, digits, dots, hyphens and underscores, all ASCII",
        accepts=lambda name: 0 < len(name) <= _LONGEST_NAME and _NAME.issuperset(name),
    )
    journal: str = custom(
        "",
        "The file by which the workers of one machine tell each other of purges; empty: one is found, the "
        "same for the same user, working directory, Python environment and namespace.",
        expected="a path",
        read=_path,
    )
    rules: Any = custom(
        (),
        "How responses live that say nothing themselves, and what is in their key; the first that matches.",
        expected=(
            "a list of rules such as {'path': '/posts/*', 'ttl': 60}, each with some of "
            f"{', '.join(declared.name for declared in fields(Rule))}; as text, JSON"
        ),
        read=rules_of,
    )
    ignored_query: tuple[str, ...] = names(
        (),
        "Query parameters that change nothing, such as `utm_*`: not part of the key.",
        expected="a list of names, `*` standing for any characters",
    )
    ignored_cookies: tuple[str, ...] = names(
        ("_ga", "_ga_*", "_gid", "_gat*", "_gcl_*", "_fbp", "_fbc", "__utm?", "_pk_*", "_hj*"),
        "Cookies that change nothing, such as analytics': who sends no others counts as anonymous.",
        expected="a list of names, `*` standing for any characters and `?` for one",
    )
    set_cookie: bool = flag(False, "Store responses along with the cookies they set, which all then get.")
    targeted_fields: tuple[str, ...] = names(
        ("CDN-Cache-Control",),
        "Fields that speak to this cache in place of Cache-Control (RFC 9213), the first one first.",
        expected="a list of header field names",
        accepts=field_name,
    )
    heuristic_fraction: float = number(
        0.1,
        "How long a response is fresh that doesn't say so: this part of the time since its Last-Modified.",
        least=0,
        most=1,
    )
    heuristic_max: float = number(
        60.0, "The longest such guess; 0 makes none.", unit="seconds", least=0, most=YEAR
    )
    stale_while_revalidate: float = number(
        0.0,
        "How long a stale response is served while it is refreshed, where it doesn't say so itself.",
        unit="seconds",
        least=0,
        most=YEAR,
    )
    stale_while_revalidate_max: float = number(
        86_400.0,
        "No response is served stale for longer while it is refreshed, whatever it says.",
        unit="seconds",
        least=0,
        most=YEAR,
    )
    stale_if_error: float = number(
        0.0,
        "How long a stale response stands in for errors, where it doesn't say so itself.",
        unit="seconds",
        least=0,
        most=YEAR,
    )
    stale_if_error_max: float = number(
        86_400.0,
        "No response stands in for errors for longer, whatever it says.",
        unit="seconds",
        least=0,
        most=YEAR,
    )
    coalesce_timeout: float = number(
        5.0,
        "How long a request waits for another one's response to the same.",
        unit="seconds",
        least=0,
        most=3600,
    )
    refresh_threads: int = integer(
        2, "Threads of a process that refresh in the background.", least=1, most=64
    )
    best_compression: bool = flag(
        True, "Encode what stays hot anew at Brotli's best level, in the background."
    )
    status_name: str = text(
        "wsgiperf",
        "The cache's name in Cache-Status; empty sends none.",
        expected="up to 100 printable ASCII characters",
        accepts=lambda name: not name or (len(name) <= 100 and _printable(name)),
    )
    purge_token: str = text(
        "",
        "Who sends it as a bearer token may use the PURGE method; empty turns that off.",
        expected="16 to 1024 printable ASCII characters, with no space at either end, or none at all",
        accepts=_token,
        secret=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.store == "redis" and len(self.redis_prefix) + len(self.namespace) > _LONGEST_BOTH:
            expected = f"at most {_LONGEST_BOTH} characters together with the namespace"
            raise SettingsError("cache.redis_prefix", expected, value=self.redis_prefix)
