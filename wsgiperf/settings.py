"""Every option of every part, declared once. `configuration.py` finds out their values.

To add a part's options: declare its section here and add it to `SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from wsgiperf.caching_rules import rules_of
from wsgiperf.errors import SettingsError
from wsgiperf.http.headers import check_field
from wsgiperf.http.media_type import media_types
from wsgiperf.options import choice, custom, flag, integer, mapping, names, number, options_of, text

__all__ = [
    "SECTIONS",
    "CacheSettings",
    "CompressionSettings",
    "RequestIdSettings",
    "Section",
    "SecuritySettings",
    "TimingSettings",
]

YEAR = 31_536_000  # seconds


def nearest(name: object, right: Mapping[str, object] | list[str]) -> str | None:
    """The right name that looks most like this one, if any does."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(str(name), list(right), 1, 0.6)), None)


@dataclass(frozen=True, kw_only=True)
class Section:
    """The options of one part, checked.

    :raises SettingsError: for a value an option does not take.
    """

    section: ClassVar[str]

    def __post_init__(self) -> None:
        for name, option in options_of(type(self)).items():
            value = getattr(self, name)
            try:
                object.__setattr__(self, name, option.check(value))
            except (ValueError, TypeError) as error:
                raise SettingsError(f"{self.section}.{name}", option.expected, value=value) from error

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Make the section from keywords.

        :raises SettingsError: for an unknown name or a bad value.
        """
        known = options_of(cls)
        for name in given:
            if name not in known:
                suggestion = nearest(name, known)
                raise SettingsError(
                    f"{cls.section}.{name}",
                    f"an option of {cls.section}: {', '.join(known)}",
                    suggestion=suggestion and f"{cls.section}.{suggestion}",
                )
        return cls(**given)

    def as_dict(self) -> dict[str, Any]:
        """All options with their values."""
        return {declared.name: getattr(self, declared.name) for declared in fields(self)}


def _address(value: str) -> bool:
    from ipaddress import ip_network

    return value == "unix" or bool(ip_network(value))


#: Fields that frame the message or the connection: the server's and the application's, never ours to add.
_FRAMING = frozenset(
    (
        "connection", "content-length", "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
        "trailer", "trailers", "transfer-encoding", "upgrade",
    )
)  # fmt: skip


def _token(value: str) -> bool:
    check_field(value, "")
    return value.lower() not in _FRAMING


def _header(name: str, value: object) -> tuple[str, str | None]:
    if not (value is None or isinstance(value, str)) or not _token(name):
        raise ValueError(value)
    check_field(name, value or "")
    return name, value


def _directive(name: str, value: object) -> tuple[str, tuple[str, ...] | None]:
    sources = value.split() if isinstance(value, str) else () if value is None else value
    if not isinstance(sources, (list, tuple)):
        raise ValueError(value)
    for word in (name, *sources):
        # CSP level 3, section 2.2: these would end the directive or the policy.
        if not isinstance(word, str) or not word or not word.isascii() or not word.isprintable():
            raise ValueError(value)
        if set(word) & set(";, "):
            raise ValueError(value)
    return name.lower(), None if value is None else tuple(sources)


def _media_type(value: str) -> bool:
    return bool(media_types((value,)))


def _prefix(value: str) -> bool:
    return value.startswith("/") and value.endswith("/") and len(value) > 1


def _trusted_proxies() -> Any:
    """An option of two sections, in one wording."""
    return names(
        (),
        "Proxies whose forwarding headers are believed: addresses, networks, or `unix` for a unix socket.",
        expected="a list of IP addresses, networks such as 10.0.0.0/8, or 'unix'",
        accepts=_address,
    )


@dataclass(frozen=True, kw_only=True)
class RequestIdSettings(Section):
    """Options of `RequestIdMiddleware`."""

    section = "request_id"

    header: str = text(
        "X-Request-ID",
        "The header that carries the ID, in the request and in the response.",
        expected="a header field name",
        accepts=_token,
    )
    accept: str = choice(
        "always",
        "Whose well-formed inbound ID is kept: everybody's, only a trusted proxy's, or nobody's.",
        among=("always", "trusted", "never"),
    )
    trusted_proxies: tuple[str, ...] = _trusted_proxies()
    trace_context: bool = flag(True, "Continue or start a W3C trace context, for outgoing requests.")


@dataclass(frozen=True, kw_only=True)
class TimingSettings(Section):
    """Options of `TimingMiddleware`."""

    section = "timing"

    server_timing: bool = flag(True, "Send Server-Timing, with the spans the application measured.")
    processing_time: bool = flag(True, "Send X-Processing-Time, the time to the head, such as `0.380s`.")
    slow_seconds: float = number(
        1.0,
        "A request whose first block comes later is logged as slow; 0 logs none.",
        unit="seconds",
        least=0,
        most=86_400,
    )


@dataclass(frozen=True, kw_only=True)
class SecuritySettings(Section):
    """Options of `SecurityHeadersMiddleware`."""

    section = "security"

    preset: str = choice(
        "balanced",
        "The set to start from: one that no working site breaks on, a strict one, or one for JSON.",
        among=("balanced", "strict", "api"),
    )
    frame: str = choice(
        "deny",
        "Who may frame a page: nobody, the site itself, or anybody.",
        among=("deny", "self", "any"),
    )
    csp: dict[str, tuple[str, ...] | None] = mapping(
        "Sources added to the preset's Content-Security-Policy, by directive; None drops a directive.",
        expected="a dictionary of directive -> sources (a list, or words in a string), or None",
        member=_directive,
    )
    csp_report_only: bool = flag(False, "Send the policy as Content-Security-Policy-Report-Only.")
    hsts: bool = flag(True, "Send Strict-Transport-Security to who came by https.")
    hsts_max_age: int = integer(
        YEAR, "How long browsers keep to https.", unit="seconds", least=0, most=10 * YEAR
    )
    hsts_include_subdomains: bool = flag(
        False, "Extend it to all subdomains (the strict preset always does)."
    )
    hsts_preload: bool = flag(False, "Ask for a place in the browsers' preload list; hard to undo.")
    xss_protection: str = choice(
        "0",
        "X-XSS-Protection. Browsers removed the filter, which could itself be abused: `0` is right today.",
        among=("0", "1; mode=block"),
    )
    headers: dict[str, str | None] = mapping(
        "Headers to set, or to replace by another value; None drops one.",
        expected="a dictionary of header name -> value, or None to drop it",
        member=_header,
    )
    trusted_proxies: tuple[str, ...] = _trusted_proxies()
    static_prefixes: tuple[str, ...] = names(
        ("/static/",),
        "Paths, below the mount, of files that anybody may cache; hosts add the framework's own.",
        expected="a list of paths that begin and end with a slash",
        accepts=_prefix,
    )
    media_prefixes: tuple[str, ...] = names(
        ("/media/",),
        "Paths, below the mount, of uploaded files, which browsers may cache.",
        expected="a list of paths that begin and end with a slash",
        accepts=_prefix,
    )
    static_caching: bool = flag(True, "Send Cache-Control for files below these paths.")
    static_max_age: int = integer(
        60, "How long a file without a content hash in its name is fresh.", unit="seconds", least=0, most=YEAR
    )
    static_year: bool = flag(False, "Call every file below these paths public and fresh for a year.")
    media_public: bool = flag(False, "Let shared caches keep uploaded files too.")


@dataclass(frozen=True, kw_only=True)
class CompressionSettings(Section):
    """Options of `CompressionMiddleware`."""

    section = "compression"

    codings: tuple[str, ...] = names(
        ("br", "zstd", "gzip"),
        "The content codings offered, the preferred first; one whose package is missing is left out.",
        expected="a list of 'br', 'zstd', 'gzip'",
        accepts=("br", "zstd", "gzip").__contains__,
    )
    minimum_size: int = integer(
        800,
        "A smaller body of known size stays as it is: the saving is less than a packet.",
        unit="bytes",
        least=0,
        most=2**30,
    )
    content_types: tuple[str, ...] = names(
        (
            "text/*",
            "*+json",
            "*+xml",
            "application/javascript",
            "application/json",
            "application/manifest+json",
            "application/wasm",
            "application/x-javascript",
            "application/xml",
            "application/x-ndjson",
            "font/otf",
            "font/ttf",
            "image/bmp",
            "image/svg+xml",
            "image/x-icon",
            "image/vnd.microsoft.icon",
        ),
        "The media types to encode: whole names, `text/*`, or a suffix such as `*+json`.",
        expected="a list of media types",
        accepts=_media_type,
    )
    brotli_level: int = integer(5, "Brotli's quality.", least=0, most=11)
    zstd_level: int = integer(
        3, "Zstandard's level; above 19 its window is larger than browsers take (RFC 9659).", least=1, most=19
    )
    gzip_level: int = integer(6, "Deflate's level; 9 costs much and saves little.", least=1, most=9)


@dataclass(frozen=True, kw_only=True)
class CacheSettings(Section):
    """Options of `CacheMiddleware`."""

    section = "cache"

    store: Any = custom(
        "memory",
        "Where entries are kept: in each process, in a directory, in Redis, or in any cachelib backend.",
        expected="'memory', 'file', 'redis', or a cachelib cache",
        accepts=lambda value: (
            value in ("memory", "file", "redis") or (hasattr(value, "get") and hasattr(value, "set"))
        ),
    )
    memory_size: int = integer(
        64 * 2**20,
        "What a process may use for entries; in front of a shared store 0 has that asked each time.",
        unit="bytes",
        least=0,
        most=2**40,
    )
    directory: str = text(
        "", "The directory of the file store.", expected="a path", accepts=lambda path: True
    )
    file_size: int = integer(
        2**30, "What the file store may use on the disk.", unit="bytes", least=2**20, most=2**50
    )
    redis_url: str = text(
        "redis://localhost:6379/0", "The server of the Redis store.", expected="a URL", accepts=bool
    )
    redis_prefix: str = text(
        "wsgiperf:", "Begins the names of all keys in Redis.", expected="a prefix", accepts=bool
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
        "default", "Tells apart caches of one application, each with purges of its own.",
        expected="a name", accepts=bool,
    )  # fmt: skip
    rules: Any = custom(
        (),
        "How long responses live that say nothing themselves: see docs/caching.md.",
        expected="a list of rules such as {'path': '/posts/*', 'ttl': 60}; as text, JSON",
        read=rules_of,
    )
    ignored_query: tuple[str, ...] = names(
        (), "Query parameters that change nothing, such as `utm_*`: not part of the key."
    )
    ignored_cookies: tuple[str, ...] = names(
        ("_ga", "_ga_*", "_gid", "_gat*", "_gcl_*", "_fbp", "_fbc", "__utm?", "_pk_*", "_hj*"),
        "Cookies that change nothing, such as analytics': who sends no others counts as anonymous.",
    )
    set_cookie: bool = flag(False, "Store responses that set cookies, which all then get.")
    targeted_fields: tuple[str, ...] = names(
        ("CDN-Cache-Control",),
        "Fields that speak to this cache in place of Cache-Control (RFC 9213), the first one first.",
        expected="a list of header field names",
        accepts=_token,
    )
    heuristic_fraction: float = number(
        0.1,
        "Of the time since Last-Modified, where a response doesn't say how long it is fresh.",
        least=0,
        most=1,
    )
    heuristic_max: float = number(
        60.0, "The longest such guess; 0 makes none.", unit="seconds", least=0, most=YEAR
    )
    stale_while_revalidate: float = number(
        0.0, "For responses that don't say so themselves.", unit="seconds", least=0, most=YEAR
    )
    stale_while_revalidate_max: float = number(
        86_400.0,
        "No response is served stale for longer while it is refreshed.",
        unit="seconds",
        least=0,
        most=YEAR,
    )
    stale_if_error: float = number(
        0.0, "For responses that don't say so themselves.", unit="seconds", least=0, most=YEAR
    )
    stale_if_error_max: float = number(
        86_400.0, "No response stands in for errors for longer.", unit="seconds", least=0, most=YEAR
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
        expected="printable ASCII",
        accepts=lambda name: name.isascii() and name.isprintable(),
    )
    purge_token: str = text(
        "",
        "Who sends it as a bearer token may use the PURGE method; empty turns that off.",
        expected="at least 16 printable ASCII characters",
        accepts=lambda token: not token or (len(token) >= 16 and token.isascii() and token.isprintable()),
    )


#: Every section of `wrap`, outermost part first; None where this version has no such part yet.
SECTIONS: dict[str, type[Section] | None] = {
    "monitor": None,
    "request_id": RequestIdSettings,
    "timing": TimingSettings,
    "security": SecuritySettings,
    "compression": CompressionSettings,
    "cache": CacheSettings,
    "media": None,
}
