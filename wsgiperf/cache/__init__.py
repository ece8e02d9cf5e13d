"""Response caching: RFC 9111 as a shared cache, in front of one application."""

from wsgiperf.cache.middleware import CacheMiddleware

__all__ = ["CacheMiddleware"]
