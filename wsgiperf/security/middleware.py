"""Security headers: composed at the start, added where the application has none of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsgiperf.http.forwarded import TrustedProxies, forwarded_scheme
from wsgiperf.http.headers import Headers
from wsgiperf.security.composition import HeaderSet
from wsgiperf.security.csp import frame_by_header, frame_by_policy
from wsgiperf.security.nonce import Nonce
from wsgiperf.security.static import StaticCaching
from wsgiperf.settings import SecuritySettings
from wsgiperf.wsgi import OPTIONS, Exchange, Middleware, Response

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["SecurityHeadersMiddleware"]

#: The environ key of the nonce.
CSP_NONCE = "wsgiperf.csp_nonce"

#: What is noted of most requests: no scheme by a proxy, no Authorization.
_NOTHING = (None, False)


class SecurityHeadersMiddleware(Middleware):
    """Add the headers of a preset, and Cache-Control for static files.

    :param app: the WSGI application; left out inside a `Stack`.
    :param options: those of `SecuritySettings`.
    :raises SettingsError: for an unknown option or a bad value.

    The application's own header always wins. Of X-Frame-Options and frame-ancestors the other one follows it.
    `environ["wsgiperf.csp_nonce"]` is a `Nonce`; once read, it stands in script-src and style-src.
    """

    kind = "security"

    def __init__(self, app: WSGIApplication | None = None, **options: Any) -> None:
        settings = SecuritySettings.of(options)
        #: by (https, frame); None for the frame option as configured
        self._sets = {
            (https, frame): HeaderSet(settings, https, frame)
            for https in (False, True)
            for frame in (None, "deny", "self", "any")
        }
        self._by_http, self._by_https = self._sets[False, None], self._sets[True, None]
        self._static = StaticCaching(settings)
        self._static_prefixes = self._static.prefixes
        self._has_proxies = bool(settings.trusted_proxies)
        self._trusts = TrustedProxies(settings.trusted_proxies).trusts
        super().__init__(app)

    def on_request(self, exchange: Exchange) -> None:
        """Offer the nonce; note what a trusted proxy says, and whether there are credentials."""
        environ = exchange.environ
        exchange.nonce = environ[CSP_NONCE] = Nonce()
        authorized = "HTTP_AUTHORIZATION" in environ
        scheme = None
        if self._has_proxies and self._trusts(exchange.peer):
            scheme = forwarded_scheme(environ.get("HTTP_X_FORWARDED_PROTO", ""))
        if authorized or scheme:
            exchange.notes[self] = (scheme, authorized)

    def on_response(self, exchange: Exchange, response: Response) -> None:
        """Add what the application left out."""
        headers = response.headers
        https = exchange.scheme == "https"
        if not https and self._has_proxies:
            https = exchange.notes.get(self, _NOTHING)[0] == "https"
        nonce = exchange.nonce.seal()
        options = exchange.environ.get(OPTIONS)
        frame = _frame(options) if options else None
        revalidated = response.status[:3] == "304"
        chosen = self._by_https if https else self._by_http
        if frame is None and not revalidated and headers.lacks(chosen.watched):
            headers.add_all(chosen.fields)
            if nonce is not None and chosen.takes_nonce:
                chosen.name_nonce(headers, nonce)
        else:
            self._fill_in(headers, https, frame, nonce, revalidated)
        path = exchange.path
        if path.startswith(self._static_prefixes) and not exchange.notes.get(self, _NOTHING)[1]:
            value = self._static.cache_control(exchange.method, path, response.status, headers)
            if value is not None:
                headers.add("Cache-Control", value)

    def _fill_in(
        self, headers: Headers, https: bool, frame: str | None, nonce: str | None, revalidated: bool
    ) -> None:
        """Where not all fields go out as they stand: a nonce, a 304, or headers of the application's own."""
        own_framing, own_policy = headers.get("X-Frame-Options"), headers.get("Content-Security-Policy")
        if own_framing is not None:
            frame = frame_by_header(own_framing)
        elif own_policy is not None:
            frame = frame_by_policy(own_policy) or frame
        chosen = self._sets[https, frame]
        for name, value in chosen.fields.pairs:
            if name in headers:
                continue
            if name == chosen.policy_name:
                # On a 304 a policy takes the place of the one that was stored with the page and its nonce.
                if not (revalidated and chosen.takes_nonce):
                    headers.add(name, chosen.policy(value, nonce))
            else:
                headers.add(name, value)


def _frame(options: Any) -> str | None:
    """What the application says of this one response: ``{"security": {"frame": "any"}}``."""
    section = options.get("security")
    frame = section.get("frame") if isinstance(section, dict) else None
    return frame if frame in ("deny", "self", "any") else None
