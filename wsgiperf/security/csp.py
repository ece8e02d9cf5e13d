"""Content-Security-Policy (CSP level 3) as a dictionary; its framing counterpart; its text with a nonce."""

from __future__ import annotations

from collections.abc import Mapping

from wsgiperf.security.presets import Policy

__all__ = ["NONCE", "extended", "frame_by_header", "frame_by_policy", "frame_options", "framed_by", "text"]

#: Stands in a policy's text where the nonce goes; no policy contains it.
NONCE = "\0"

#: The `frame` option: who may frame a page, in CSP and in X-Frame-Options (RFC 7034).
_ANCESTORS = {"deny": ("'none'",), "self": ("'self'",)}
_FRAME_OPTIONS = {"'none'": "DENY", "'self'": "SAMEORIGIN"}
_FRAME_OF = {"DENY": "deny", "SAMEORIGIN": "self"}


def extended(policy: Policy, more: Mapping[str, tuple[str, ...] | None]) -> Policy:
    """`policy` with more sources by directive; None drops a directive, 'none' alone drops its sources."""
    result = dict(policy)
    for directive, sources in more.items():
        if sources is None:
            result.pop(directive, None)
            continue
        # 'none' means nothing beside another source (CSP level 3, section 6.7.2.4).
        present = () if sources == ("'none'",) else result.get(directive, ())
        kept = tuple(source for source in present if source != "'none'")
        result[directive] = tuple(dict.fromkeys(kept + sources))
    return result


def framed_by(policy: Policy, frame: str) -> Policy:
    """`policy` with the directive for the `frame` option, unless it has its own."""
    if "frame-ancestors" in policy or frame == "any":
        return policy
    return {**policy, "frame-ancestors": _ANCESTORS[frame]}


def frame_options(ancestors: tuple[str, ...] | None) -> str | None:
    """The X-Frame-Options that says the same; None where it has no word for it."""
    if ancestors is None or len(ancestors) != 1:
        return None
    return _FRAME_OPTIONS.get(ancestors[0].lower())


def frame_by_policy(value: str) -> str | None:
    """The `frame` option nearest to a policy's text; None where that says nothing of framing."""
    for policy in value.split(","):  # several are joined by commas
        for directive in policy.split(";"):
            name, *sources = directive.split() or [""]
            if name.lower() == "frame-ancestors":
                return _FRAME_OF.get(frame_options(tuple(sources) or ("'none'",)) or "", "any")
    return None


def frame_by_header(value: str) -> str:
    """The `frame` option that says what this X-Frame-Options does (HTML, "The `X-Frame-Options` header")."""
    words = {word.strip().upper() for word in value.split(",")}
    if len(words) > 1 and not words.isdisjoint(("DENY", "SAMEORIGIN", "ALLOWALL")):
        return "deny"  # so browsers take a contradiction
    return _FRAME_OF.get(words.pop(), "any")


def text(policy: Policy, with_nonce: bool = False) -> str:
    """The field's value; `NONCE` stands in script-src and style-src where it is asked for."""
    directives = []
    for name, sources in policy.items():
        words = [name, *sources]
        if with_nonce and name in ("script-src", "style-src") and _has_place_for_nonce(sources):
            words.append(f"'nonce-{NONCE}'")
        directives.append(" ".join(words))
    return "; ".join(directives)


def _has_place_for_nonce(sources: tuple[str, ...]) -> bool:
    """A nonce would make browsers ignore 'unsafe-inline', and means nothing beside 'none'."""
    return "'none'" not in sources and "'unsafe-inline'" not in sources
