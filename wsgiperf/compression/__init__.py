"""Response compression: policy (whether), codecs (how), middleware (when)."""

from wsgiperf.compression.middleware import CompressionMiddleware

__all__ = ["CompressionMiddleware"]
