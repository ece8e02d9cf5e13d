from __future__ import annotations

import pytest
from servers.redis_server import running_redis

from .case import Case, get, hit, says
from .options import SETS
from .served import SERVERS, Site

pytest.register_assert_rewrite("conformance.running")

STORES = ("memory", "file", "redis")
COMBINATIONS = [f"{server}-{store}" for server in SERVERS for store in STORES]


@pytest.fixture(scope="session")
def redis_url():
    with running_redis() as server:  # skips, and says why, where there is no such program
        yield server.url.removesuffix("0")


@pytest.fixture(scope="session", params=COMBINATIONS)
def site(request, tmp_path_factory):
    """A server with the cache on one store, started when first needed."""
    server, store = request.param.split("-")
    # A database of its own for each server, for the same URLs are asked of all.
    url = request.getfixturevalue("redis_url") + str([*SERVERS].index(server)) if store == "redis" else ""
    started = Site(server, tmp_path_factory.mktemp(request.param), store=store, redis_url=url)
    try:
        started.wait_until_ready()
        warm_up(started)
        yield started
    finally:
        started.stop()


def warm_up(site):
    """Have every store connected: the first time one may answer too late, which is a miss."""
    from .running import Run  # now that its assertions explain themselves

    answer = says("Cache-Control: max-age=100", body="warm")
    for options in SETS:
        Run(Case("warm-up", (get(answer), get(answer, expect=hit(eventually=True))), options), site).run()
