"""Security headers: presets (which), composition (their text), middleware (when), static (files)."""

from wsgiperf.security.middleware import SecurityHeadersMiddleware

__all__ = ["SecurityHeadersMiddleware"]
