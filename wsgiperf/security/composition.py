"""From options to header fields, at the start."""

from __future__ import annotations

from collections.abc import Iterator

from wsgiperf.http.headers import Fields, Headers
from wsgiperf.security.csp import (
    NONCE,
    extended,
    frame_by_header,
    frame_by_policy,
    frame_options,
    framed_by,
    text,
)
from wsgiperf.security.presets import PRESETS, Policy
from wsgiperf.settings import SecuritySettings

__all__ = ["HeaderSet"]

_FRAMING = {"x-frame-options", "content-security-policy"}


class HeaderSet:
    """The fields for one scheme and one way of framing.

    :param settings: the options of the security part.
    :param https: whether the client came by https.
    :param frame: a `frame` option that stands in the place of the configured one; None for that.
    """

    def __init__(self, settings: SecuritySettings, https: bool, frame: str | None = None) -> None:
        policy = _policy(settings, frame)
        enforced = "Content-Security-Policy"
        self.policy_name = f"{enforced}-Report-Only" if settings.csp_report_only else enforced
        constant = dict(PRESETS[settings.preset].headers)
        constant["X-XSS-Protection"] = settings.xss_protection
        framing = frame_options(policy.get("frame-ancestors"))
        if framing is not None:
            constant["X-Frame-Options"] = framing
        if https and settings.hsts:
            constant["Strict-Transport-Security"] = _hsts(settings)
        if policy:
            constant[self.policy_name] = text(policy)
        template = text(policy, with_nonce=True)
        for name, value in _own_headers(settings, https, frame):
            for key in [key for key in constant if key.lower() == name.lower()]:
                del constant[key]
            if value is not None:
                constant[name] = value
            if name.lower() == self.policy_name.lower():
                template = ""  # a whole policy of the site's own: nothing is put into it
        self.fields = Fields(constant.items())
        #: Where the application sends none of these, the fields go out as they stand.
        self.watched = Fields((name, "") for name in self.fields.names | _FRAMING)
        #: What stands around the nonces.
        self._pieces = template.split(NONCE)
        #: Whether a page's policy may carry a nonce.
        self.takes_nonce = len(self._pieces) > 1
        self._policy_key = self.policy_name.lower()
        names = [name for name, _ in self.fields.pairs]
        #: Counted from the end.
        self._policy_at = names.index(self.policy_name) - len(names) if self.takes_nonce else 0

    def name_nonce(self, headers: Headers, nonce: str) -> None:
        """Have the policy name a nonce, right after `fields` were added."""
        value = nonce.join(self._pieces)
        headers.pairs[self._policy_at] = (self.policy_name, value)
        headers.fields[self._policy_key] = value

    def policy(self, constant: str, nonce: str | None) -> str:
        """The policy for a response in which this nonce was used."""
        return nonce.join(self._pieces) if nonce is not None and self.takes_nonce else constant


def _own_headers(
    settings: SecuritySettings, https: bool, frame: str | None
) -> Iterator[tuple[str, str | None]]:
    """The site's own headers, in so far as they hold for this scheme and this way of framing."""
    for name, value in settings.headers.items():
        key = name.lower()
        if key == "strict-transport-security" and not https:
            continue  # RFC 6797 section 7.2
        if key == "x-frame-options" and value is not None and frame is not None:
            continue  # the response itself says how it may be framed
        yield name, value


def _policy(settings: SecuritySettings, frame: str | None) -> Policy:
    policy = extended(PRESETS[settings.preset].policy, settings.csp)
    if frame is not None:
        policy.pop("frame-ancestors", None)
    return framed_by(policy, frame or _configured_frame(settings))


def _configured_frame(settings: SecuritySettings) -> str:
    own = {name.lower(): value for name, value in settings.headers.items() if value is not None}
    if "x-frame-options" in own:
        return frame_by_header(own["x-frame-options"])
    return frame_by_policy(own.get("content-security-policy", "")) or settings.frame


def _hsts(settings: SecuritySettings) -> str:
    value = f"max-age={settings.hsts_max_age}"
    # Browsers' lists take no host without its subdomains.
    if (
        settings.hsts_include_subdomains
        or settings.hsts_preload
        or (PRESETS[settings.preset].hsts_include_subdomains)
    ):
        value += "; includeSubDomains"
    return value + "; preload" if settings.hsts_preload else value
