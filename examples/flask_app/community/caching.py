"""What is kept for whom, and for how long. The views say nothing of it but tags: by these it is purged."""

from contextlib import suppress

from wsgiperf.flask import WSGIPerf
from wsgiperf.purging import PurgeFailed

perf = WSGIPerf()

MINUTE = 60
# Of the cookies this site reads but one, its session. What follows from that one is in the key of what is
# kept, so that nobody gets the page of another visitor; whoever sends yet other cookies is not served from
# the cache, and neither is whoever sends credentials. `shared` says that no cookie makes a difference.
RULES = [
    {"path": "/", "ttl": 5 * MINUTE, "shared": True, "tags": ["posts"]},
    {"path": "/api/posts", "ttl": 5 * MINUTE, "shared": True, "tags": ["posts"]},
    {"path": "/api/posts/*", "ttl": 2 * MINUTE, "shared": True, "tags": ["posts"]},
    {"path": "/api/figures", "ttl": 60 * MINUTE, "shared": True},
    {"path": "/members/*", "ttl": 10 * MINUTE, "shared": True, "tags": ["posts"]},
    {"path": "/about", "ttl": 60 * MINUTE, "shared": True},
    {"path": "/upload/*", "ttl": 30 * MINUTE, "shared": True},
    # These print a form's token, or what the visitor wrote.
    {"path": "/posts/*", "ttl": 2 * MINUTE, "key_cookies": ["session"], "tags": ["posts"]},
    {"path": "/upload", "ttl": 30 * MINUTE, "key_cookies": ["session"], "tags": ["photos"]},
    {"path": "/profile", "ttl": 10 * MINUTE, "key_cookies": ["session"]},
    # Files. A photo never changes under its name; a style sheet may, and browsers are told one minute.
    {"path": "/media/*", "ttl": 30 * MINUTE, "shared": True, "files": True},
    {"path": "/static/*", "ttl": MINUTE, "shared": True, "files": True},
]
CACHE = {
    # A name of its own: a purge here is none of another application's business.
    "namespace": "communiconnect-flask",
    "rules": RULES,
    "ignored_query": ["utm_*", "fbclid", "gclid"],
}


def forget(*tags):
    """Purge what has one of these tags, in all workers."""
    for tag in tags:
        # The library has logged it. The pages are out of date for some minutes, which is no reason to tell a
        # visitor that the comment was not taken.
        with suppress(PurgeFailed):
            perf.purge("tag", tag)
