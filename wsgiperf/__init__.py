"""Production performance for any WSGI application."""

from wsgiperf.wsgi import Exchange, Middleware, Response, Stack

__version__ = "0.1.0"

__all__ = ["Exchange", "Middleware", "Response", "Stack", "__version__"]
