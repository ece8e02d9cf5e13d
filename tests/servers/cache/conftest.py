import pytest

from servers.redis_server import running_redis

pytest.register_assert_rewrite("servers.cache.serving")

from .serving import REDIS_TIMEOUT  # noqa: E402 - after the line above, which is about it


@pytest.fixture(scope="session")
def redis():
    with running_redis() as server:  # skips, and says why, where there is no such program
        yield server


@pytest.fixture(scope="session")
def options_for(request, tmp_path_factory):
    """The cache's options for a store of that name."""

    def options(store):
        if store == "redis":
            url = request.getfixturevalue("redis").url
            return {"store": "redis", "redis_url": url, "redis_timeout": REDIS_TIMEOUT}
        if store == "file":
            return {"store": "file", "directory": str(tmp_path_factory.mktemp("entries"))}
        return {"store": store}

    return options
