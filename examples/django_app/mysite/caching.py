"""What is kept for whom, and for how long. The views say nothing of it but tags: by these it is purged."""

MINUTE = 60
# What this site makes of a cookie is in the key of what is kept, so that nobody gets the page of another
# visitor; whoever sends yet other cookies is not served from the cache, and neither is whoever sends
# credentials. `shared` says that no cookie makes a difference.
COOKIES = ["csrftoken", "wrote"]
RULES = [
    {"path": "/", "ttl": 5 * MINUTE, "shared": True, "tags": ["posts"]},
    {"path": "/api/posts", "ttl": 5 * MINUTE, "shared": True, "tags": ["posts"]},
    {"path": "/api/posts/*", "ttl": 2 * MINUTE, "shared": True, "tags": ["posts"]},
    {"path": "/api/figures", "ttl": 60 * MINUTE, "shared": True},
    {"path": "/members/*", "ttl": 10 * MINUTE, "shared": True, "tags": ["posts"]},
    {"path": "/about", "ttl": 60 * MINUTE, "shared": True},
    {"path": "/upload/*", "ttl": 30 * MINUTE, "shared": True},
    # These print a form's token, or what the visitor wrote.
    {"path": "/posts/*", "ttl": 2 * MINUTE, "key_cookies": COOKIES, "tags": ["posts"]},
    {"path": "/upload", "ttl": 30 * MINUTE, "key_cookies": COOKIES, "tags": ["photos"]},
    {"path": "/profile", "ttl": 10 * MINUTE, "key_cookies": COOKIES},
    # Files. A photo never changes under its name; of static files WhiteNoise says how long they are fresh.
    {"path": "/media/*", "ttl": 30 * MINUTE, "shared": True, "files": True},
    {"path": "/static/*", "files": True},
]
