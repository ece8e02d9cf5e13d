"""What one worker is told reaches all workers before the answer to who told it."""

from itertools import count

import pytest

from .serving import REDIS_TIMEOUT, asking, site, until

WORKERS = 4
number = count()


@pytest.fixture(scope="module", params=["memory", "memory, preloaded", "file", "redis"])
def served(request, tmp_path_factory, options_for):
    store, _, preloaded = request.param.partition(", ")
    arguments = ["--preload"] if preloaded else []
    options = options_for(store)
    state = tmp_path_factory.mktemp("workers")
    with site(state, *arguments, workers=WORKERS, threads=8, options=options) as served:
        served.each = list(served.one_each().values())
        assert len(served.each) == WORKERS
        yield served


def a_page():
    return f"/page{next(number)}"


def answers_of(served, target):
    """The number of the call that each worker's answer is from."""
    return [int(served.ask(target, on=worker).get("X-Call")) for worker in served.each]


@pytest.mark.parametrize("by", range(2))
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        pytest.param("url", "http://test{page}", id="url"),
        pytest.param("url", "{page}", id="path"),
        pytest.param("prefix", "{page}", id="prefix"),
        pytest.param("tag", "of{name}", id="tag"),
        pytest.param("all", "", id="all"),
    ],
)
def test_a_purge_reaches_every_worker(served, kind, value, by):
    """The next request on any of them is a miss, at once."""
    page = a_page()
    target = f"{page}?tag=of{page[1:]}" if kind in ("tag", "prefix", "all") else page
    before = answers_of(served, target)
    assert answers_of(served, target) == before
    said = served.purge(kind, value.format(page=page, name=page[1:]), on=served.each[by])
    assert said.startswith("met"), said
    assert min(answers_of(served, target)) > max(before)


def test_a_soft_purge_reaches_every_worker(served):
    """Nobody may serve it as fresh: without stale-while-revalidate each asks again."""
    page = a_page()
    before = answers_of(served, page)
    assert served.purge("url", page, on=served.each[0], soft=True).startswith("met")
    assert min(answers_of(served, page)) > max(before)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_an_unsafe_method_reaches_every_worker(served, method):
    """RFC 9111 section 4.4."""
    page = a_page()
    before = answers_of(served, page)
    said = served.ask(page, on=served.each[1], method=method)
    assert said.status == 204
    assert min(answers_of(served, page)) > max(before)


@pytest.fixture
def machines(redis, tmp_path):
    """Two servers that share a Redis but no journal, each listening to the other."""
    options = {"store": "redis", "redis_url": redis.url, "redis_timeout": REDIS_TIMEOUT}
    options["namespace"] = tmp_path.name
    with site(tmp_path / "one", options=options) as one, site(tmp_path / "two", options=options) as two:
        one.ask("/warm")
        two.ask("/warm")
        until(lambda: b":2" in redis.say(f"PUBSUB NUMSUB wsgiperf:{tmp_path.name}:messages"))
        yield one, two


def heard(one, two):
    """Until what `two` was told has reached `one`: messages keep their order."""
    page = a_page()
    one.ask(page)
    assert two.purge("url", page) == "met 1"
    until(lambda: one.ask(page) and one.calls(page) > 1)


def test_a_purge_reaches_other_machines(machines):
    one, two = machines
    page = a_page()
    one.ask(page)
    assert two.ask(page).get("X-Call") == "1"
    assert two.calls(page) == 0
    assert two.purge("url", page) == "met 1"
    heard(one, two)
    one.ask(page)
    assert one.calls(page) == 2


def test_what_another_machine_purged_meanwhile_is_not_stored(machines):
    """The response was begun before the purge: it goes to who asked for it, and to nobody after."""
    one, two = machines
    page = a_page()
    client = one.connect()
    client.send(asking(f"{page}?gate=x"))
    until(lambda: one.calls(page) == 1)
    assert two.purge("prefix", page).startswith("met")
    heard(one, two)
    one.open("x")
    two.open("x")
    assert client.answer().get("X-Call") == "1"
    two.ask(f"{page}?gate=x")
    assert two.calls(page) == 1
