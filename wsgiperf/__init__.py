"""Production performance for any WSGI application.

`wrap(app)` puts every part around an application; the classes do so one by one.
"""

from wsgiperf.assembly import wrap
from wsgiperf.cache import CacheMiddleware
from wsgiperf.compression import CompressionMiddleware
from wsgiperf.configuration import Settings
from wsgiperf.errors import HeaderError, SettingsError, WSGIPerfError
from wsgiperf.exchange import Exchange, Response
from wsgiperf.media.middleware import MediaMiddleware
from wsgiperf.monitor import MonitorMiddleware
from wsgiperf.request_id import RequestIdMiddleware
from wsgiperf.security import SecurityHeadersMiddleware
from wsgiperf.timing import TimingMiddleware
from wsgiperf.wsgi import Middleware, Stack

__version__ = "0.1.0"

__all__ = [
    "CacheMiddleware",
    "CompressionMiddleware",
    "Exchange",
    "HeaderError",
    "MediaMiddleware",
    "Middleware",
    "MonitorMiddleware",
    "RequestIdMiddleware",
    "Response",
    "SecurityHeadersMiddleware",
    "Settings",
    "SettingsError",
    "Stack",
    "TimingMiddleware",
    "WSGIPerfError",
    "__version__",
    "wrap",
]
