"""What the servers serve: the scripted application, behind one cache for every set of options.

`CONFORMANCE` in the environment is JSON: `store`, `directory` and `redis_url` of the stores, `control`, the
path of a socket, and `stand_in`, the name of something to put in the cache's place.
"""

from __future__ import annotations

import json
import os

from . import origin, stand_ins
from .options import SETS, store_options

HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
     "proxy-authenticate", "proxy-authentication-info", "proxy-authorization")
)  # fmt: skip


def show_hop_by_hop(app):
    """Fields of the connection under names of their own: gunicorn would drop them, waitress refuses them."""

    def shown(environ, start_response):
        def start(status, fields, *exc_info):
            fields = [
                (f"Hop-{name}" if name.lower() in HOP_BY_HOP else name, value) for name, value in fields
            ]
            return start_response(status, fields, *exc_info)

        return app(environ, start)

    return shown


def build(settings):
    stand_in = settings.get("stand_in")
    if stand_in:
        make = stand_ins.NAMES[stand_in]
        return {name: make(origin.application) for name in SETS}
    from wsgiperf import CacheMiddleware, CompressionMiddleware
    from wsgiperf.cache import clock

    clock.now = origin.STATE.now
    built = {}
    for name, options in SETS.items():
        directory = os.path.join(settings["directory"], name)
        chosen = store_options(settings["store"], directory, settings.get("redis_url") or "")
        built[name] = CacheMiddleware(origin.application, **chosen, **options)
    built["compressed"] = CompressionMiddleware(built["compressed"])
    return built


def dispatch(built):
    def dispatching(environ, start_response):
        origin.STATE.arrive(environ["PATH_INFO"])
        name = next(filter(None, environ["PATH_INFO"].split("/")), "")
        return built.get(name, origin.application)(environ, start_response)

    return dispatching


_settings = json.loads(os.environ["CONFORMANCE"])
application = show_hop_by_hop(dispatch(build(_settings)))
origin.listen(_settings["control"])
