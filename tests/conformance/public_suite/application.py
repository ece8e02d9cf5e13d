"""What the server in front serves: the cache around a proxy to the public suite's origin server.

`ORIGIN_PORT` in the environment says where that is; `CACHE` is JSON: the options of the cache, or null.
"""

from __future__ import annotations

import json
import os

from .proxy import proxy

application = proxy(int(os.environ["ORIGIN_PORT"]))
_options = json.loads(os.environ["CACHE"])
if _options is not None:
    from wsgiperf import CacheMiddleware

    application = CacheMiddleware(application, **_options)
