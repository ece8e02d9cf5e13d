"""Options of the cache under test, by the name of their set: the only place that spells them."""

from __future__ import annotations

#: Mounted under the set's name. `compressed` has our compression around the cache.
SETS: dict[str, dict[str, object]] = {
    "default": {},
    "compressed": {},
    "set_cookie": {"set_cookie": True},
    "heuristic": {"heuristic_max": 600},
    "targeted": {"targeted_fields": ["Wsgiperf-Cache-Control", "CDN-Cache-Control"]},
    "bounded": {"stale_if_error_max": 30},
    "ignoring": {"ignored_query": ["utm_*", "fbclid"], "ignored_cookies": ["_ga*", "theme"]},
    "rules": {
        "ignored_cookies": ["_ga*"],
        "rules": [
            {"path": "/rules/plain/*", "ttl": 60},
            {"path": "/rules/shared/*", "ttl": 60, "shared": True},
            {"path": "/rules/by-cookie/*", "ttl": 60, "key_cookies": ["user"]},
            {"path": "/rules/by-header/*", "ttl": 60, "key_headers": ["X-Tenant"]},
            {"path": "/rules/by-authorization/*", "ttl": 60, "key_headers": ["Authorization"]},
            {"content_type": "text/css", "ttl": 60},
        ],
    },
}


#: Seconds that Redis may take: a machine that is busy, too, has it answer. What becomes of a request when it
#: doesn't is not asked here.
PATIENT = 20.0


def store_options(store: str, directory: str, redis_url: str) -> dict[str, object]:
    """What chooses the store. Sets of options share neither directories nor, by their URLs, keys."""
    if store == "file":
        return {"store": "file", "directory": directory}
    if store == "redis":
        return {"store": "redis", "redis_url": redis_url, "redis_timeout": PATIENT}
    return {"store": "memory"}
