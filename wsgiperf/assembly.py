"""`wrap`: the parts in their order, with the reason for each place."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from wsgiperf.cache import CacheMiddleware
from wsgiperf.compression import CompressionMiddleware
from wsgiperf.configuration import Settings, resolve
from wsgiperf.media.middleware import MediaMiddleware
from wsgiperf.monitor import MonitorMiddleware
from wsgiperf.request_id import RequestIdMiddleware
from wsgiperf.security import SecurityHeadersMiddleware
from wsgiperf.timing import TimingMiddleware
from wsgiperf.wsgi import Middleware, Stack

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["assemble", "wrap"]

#: Outermost first.
PARTS: dict[str, Callable[..., Middleware]] = {
    # Around everything: a request counts with all that is done for it, whoever answers it.
    "monitor": MonitorMiddleware,
    # Everything inside logs and measures under the request's ID.
    "request_id": RequestIdMiddleware,
    # Around all that takes time, compression included.
    "timing": TimingMiddleware,
    # Outside of the cache, which stores a page without its nonce: each answer from it gets one of its own.
    "security": SecurityHeadersMiddleware,
    # Outside of whatever keeps representations, which then need only be kept once.
    "compression": CompressionMiddleware,
    # Around all that makes responses: a hit skips nothing that each visitor is owed.
    "cache": CacheMiddleware,
    # Next to the application, which it asks in words of its own; the cache keeps what comes of that.
    "media": MediaMiddleware,
}


def wrap(
    app: WSGIApplication, settings: Settings | Mapping[str, object] | None = None, **sections: object
) -> Stack:
    """Put every part around a WSGI application.

    :param app: any WSGI application.
    :param settings: a `Settings` object, or a dictionary of sections.
    :param sections: by section name (`monitor`, `request_id`, `timing`, `security`, `compression`, `cache`;
        `media`, which is off unless it is asked for) a dictionary of options, a section's settings object
        or a bool; for `security` also a preset's name. They win over `settings`, which win over
        `WSGIPERF_...` in the environment.
    :returns: the wrapped application.
    :raises SettingsError: for an unknown name or a bad value.
    """
    return assemble(app, resolve(settings, sections, environ=os.environ))


def assemble(app: WSGIApplication, settings: Settings) -> Stack:
    """The stack for settled settings, as hosts bring them."""
    parts = []
    for name, part in PARTS.items():
        if (section := settings[name]) is not None:
            parts.append(part(**section.as_dict()))
    return Stack(app, *parts)
