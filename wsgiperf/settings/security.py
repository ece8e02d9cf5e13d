"""The options of the security headers."""

from __future__ import annotations

from dataclasses import dataclass

from wsgiperf.http.headers import check_field
from wsgiperf.options import choice, flag, integer, mapping, names
from wsgiperf.settings.section import YEAR, Section, field_name, trusted_proxies_option

__all__ = ["SecuritySettings"]


def _header(name: str, value: object) -> tuple[str, str | None]:
    if not (value is None or isinstance(value, str)) or not field_name(name):
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


def _prefix(value: str) -> bool:
    return value.startswith("/") and value.endswith("/") and len(value) > 1


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
    trusted_proxies: tuple[str, ...] = trusted_proxies_option()
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
