"""Production performance for any WSGI application."""

__version__ = "0.1.0"
