"""The options of the monitor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import fspath
from typing import Any

from wsgiperf.alert_rules import AlertRule, rules_of
from wsgiperf.errors import SettingsError
from wsgiperf.health_checks import HealthCheck, checks_of
from wsgiperf.options import custom, flag, integer, names, number, text
from wsgiperf.settings.section import Section, trusted_proxies_option

__all__ = ["MonitorSettings"]

_ACCESS = ("token", "loopback")
_SCHEMES = ("http://", "https://")


def _access(value: object) -> bool:
    return value in _ACCESS if isinstance(value, str) else callable(value)


def _token(value: str) -> bool:
    return not value or (
        16 <= len(value) <= 1024 and value.isascii() and value.isprintable() and value == value.strip()
    )


def _url_path(value: str) -> bool:
    """Whether requests can have it as their path, and it is more than the root."""
    return (
        len(value) <= 200
        and value.startswith("/")
        and not value.endswith("/")
        and value.isascii()
        and value.isprintable()
        and not any(character in value for character in ' ?#%"<>\\')
    )


def _file(value: Any) -> str:
    path = fspath(value)
    if not isinstance(path, str) or "\0" in path:
        raise ValueError(value)
    return path


def _pattern(value: str) -> bool:
    return value.startswith("/") and len(value) <= 200 and value.isprintable()


def _webhook(value: str) -> bool:
    if not value:
        return True
    from urllib.parse import urlsplit

    parts = urlsplit(value)
    _ = parts.port  # raises ValueError for what is none
    return value.startswith(_SCHEMES) and value.isprintable() and bool(parts.hostname)


def _sinks(value: object) -> tuple[Callable[..., object], ...]:
    if value == "":  # as the environment says nothing
        return ()
    sinks = tuple(value) if isinstance(value, Iterable) and not isinstance(value, (str, bytes)) else (value,)
    if not all(map(callable, sinks)):
        raise ValueError(value)
    return sinks


@dataclass(frozen=True, kw_only=True)
class MonitorSettings(Section):
    """Options of `MonitorMiddleware`."""

    section = "monitor"

    path: str = text(
        "/_stats",
        "Where the dashboard is, and below it JSON, metrics and health.",
        expected="a path such as /_stats",
        accepts=_url_path,
    )
    metrics_path: str = text(
        "",
        "Where else Prometheus finds the metrics, such as /metrics; empty: nowhere.",
        expected="a path such as /metrics, or nothing",
        accepts=lambda path: not path or _url_path(path),
    )
    access: Any = custom(
        "token",
        "Who may see all that: who sends the token; or who is on this machine, which a proxy in front makes "
        "everybody; or whom a function of environ lets in.",
        expected="'token', 'loopback', or a function of environ",
        accepts=_access,
    )
    token: str = text(
        "",
        "The bearer token, or the password for browsers; empty: with `access='token'` nobody gets in.",
        expected="16 to 1024 printable ASCII characters, with no space at either end, or none at all",
        secret=True,
        accepts=_token,
    )
    state: str = custom(
        "",
        "The file by which workers share their counts; empty: one is found that the workers of one master "
        "share. A named one outlives restarts.",
        expected="a path",
        read=_file,
    )
    slabs: int = integer(
        16,
        "How many workers at once can share it, 0.93 MB each; workers being replaced count twice.",
        least=1,
        most=256,
    )
    routes: tuple[str, ...] = names(
        (),
        "Routes where no framework tells them, such as /posts/{id} or /static/*; the first that matches.",
        expected="a list of path patterns, each beginning with a slash",
        accepts=_pattern,
    )
    threads: int = integer(
        0,
        "How many requests a worker takes at once, for saturation; 0: not known. Under gunicorn it is.",
        least=0,
        most=100_000,
    )
    trusted_proxies: tuple[str, ...] = trusted_proxies_option()
    queries: bool = flag(True, "Count database queries of SQLAlchemy and Django.")
    slow_query_seconds: float = number(
        0.1, "A query that takes longer is kept, without its parameters.", unit="seconds", least=0, most=3600
    )
    repeated_queries: int = integer(
        10, "So many queries of one form in one request count as N+1.", least=2, most=100_000
    )
    alerts: bool = flag(True, "Watch the thresholds.")
    alert_rules: tuple[AlertRule, ...] = custom(
        (),
        "Other thresholds: where one names a metric, the default ones of that metric don't count.",
        expected="a list of rules such as {'metric': 'p95', 'threshold': 2.0}; as text, JSON",
        read=rules_of,
    )
    alert_window: float = number(
        60.0, "The time that rates and response times are of.", unit="seconds", least=10, most=300
    )
    alert_minimum: int = integer(
        20, "Requests within it below which none of these fires.", least=1, most=1_000_000
    )
    alert_webhook: str = text(
        "",
        "Where alerts are posted as JSON; empty: nowhere.",
        expected="a URL that begins with http:// or https://",
        secret=True,
        accepts=_webhook,
    )
    alert_sinks: tuple[Callable[..., object], ...] = custom(
        (),
        "Functions that are called with each alert, besides the log.",
        expected="a list of functions of one argument",
        read=_sinks,
    )
    health_checks: tuple[HealthCheck, ...] = custom(
        (),
        "What the application depends on.",
        expected="a list of checks such as HttpCheck('posts', 'http://posts/health'); as text, JSON",
        read=checks_of,
        secret=True,  # URLs may have passwords in them
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.metrics_path and self.metrics_path == self.path:
            raise SettingsError(
                "monitor.metrics_path", "another path than monitor.path", value=self.metrics_path
            )

    @property
    def is_closed(self) -> bool:
        """Whether nobody can get in, so that there are no pages at all."""
        return self.access == "token" and not self.token

    @property
    def access_in_words(self) -> str:
        """Who may see the pages: the line that servers print when they start."""
        if self.is_closed:
            return f"{self.path} is off: it needs monitor.token, or another monitor.access"
        who = {
            "token": "is for whoever sends the token",
            "loopback": "is for this machine only, which is everybody where a proxy on it passes requests on",
        }
        return f"{self.path} {who.get(self.access, 'is for whom the function monitor.access lets in')}"
