"""The header sets, as data.

`balanced` is for wrapping a site that works, so it restricts only what a site hardly ever wants. `strict` is
for a site written for it. `api` is for answers that are never shown as a page.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PRESETS", "Policy", "Preset"]

#: A Content-Security-Policy: directive -> sources.
Policy = dict[str, tuple[str, ...]]


class Preset(NamedTuple):
    """Headers but for the policy, the framing headers and HSTS, which depend on options; and those."""

    headers: dict[str, str]
    policy: Policy
    hsts_include_subdomains: bool


_NONE, _SELF = ("'none'",), ("'self'",)

PRESETS = {
    "balanced": Preset(
        headers={
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "strict-origin-when-cross-origin",
            # Pop-ups that a page opens (sign-in, payment) still reach it.
            "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
            # Pages keep every feature; frames of others can't be lent the ones that reach for devices.
            "Permissions-Policy": "hid=(self), midi=(self), serial=(self), usb=(self)",
        },
        policy={"base-uri": _SELF, "object-src": _NONE},
        hsts_include_subdomains=False,
    ),
    "strict": Preset(
        headers={
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "strict-origin-when-cross-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), "
            "midi=(), payment=(), serial=(), usb=()",
        },
        policy={
            "default-src": _NONE,
            "script-src": _SELF,
            "style-src": _SELF,
            "img-src": _SELF,
            "font-src": _SELF,
            "connect-src": _SELF,
            "media-src": _SELF,
            "manifest-src": _SELF,
            "worker-src": _SELF,
            "form-action": _SELF,
            "base-uri": _NONE,
        },
        hsts_include_subdomains=True,
    ),
    "api": Preset(
        headers={
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
        policy={"default-src": _NONE},
        hsts_include_subdomains=False,
    ),
}
