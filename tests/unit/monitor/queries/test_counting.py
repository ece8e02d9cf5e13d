"""What queries leave in the exchange: the right numbers, for the right request, in bounded memory."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from unit.client import environ_of
from wsgiperf import Middleware, Stack
from wsgiperf.exchange import Exchange, current
from wsgiperf.monitor.queries import counting
from wsgiperf.monitor.queries.counting import OVERFLOW, Queries, alias_of, configure, count, queries_of


@pytest.fixture(autouse=True)
def outside():
    """Queries outside of requests, as heard; the settings of the process are put back."""
    heard = []
    configure(outside=lambda *query: heard.append(query))
    yield heard
    configure()


@pytest.fixture
def exchange():
    running = Exchange(environ_of(), frozenset())
    token = current.set(running)
    yield running
    current.reset(token)


def test_a_request_without_queries_has_none(exchange):
    assert queries_of(exchange) is None


def test_queries_add_up(exchange, outside):
    for seconds, failed in [(0.01, False), (0.02, True), (0.04, False)]:
        count("main", "SELECT 1", seconds, failed)
    count("other", "SELECT 2", 0.5)
    queries = queries_of(exchange)
    assert (queries.count, queries.failures) == (4, 1)
    assert queries.seconds == pytest.approx(0.57)
    main, other = queries.aliases["main"], queries.aliases["other"]
    assert (main.count, main.slow, main.failures) == (3, 0, 1)
    assert main.seconds == pytest.approx(0.07)
    assert (other.count, other.slow, other.failures) == (1, 1, 0)
    assert queries.slow == [(0.5, "other", "SELECT ?")]
    assert outside == []


def test_the_limit_for_slow_ones_is_set_for_the_process(exchange):
    configure(slow_seconds=0.01)
    count("main", "SELECT a", 0.02)
    count("main", "SELECT b", 0.01)
    assert [slow.statement for slow in queries_of(exchange).slow] == ["SELECT a"]


def test_what_is_repeated_is_told_without_its_values(exchange):
    for number in range(12):
        count("main", f"SELECT name FROM author WHERE id = {number}", 0.001)
    count("main", "SELECT 'once'", 0.001)
    assert queries_of(exchange).most_repeated == ("SELECT name FROM author WHERE id = ?", 12)
    assert Queries().most_repeated == ("", 0)


def test_a_hundred_thousand_queries_take_no_more_room_than_a_hundred(exchange):
    for number in range(100_000):
        count(f"alias {number % 1000}", f"SELECT column_{number}", number / 1000)
    queries = queries_of(exchange)
    assert queries.count == 100_000
    assert len(queries.aliases) == counting.MOST_ALIASES + 1
    assert queries.aliases[OVERFLOW].count == 100_000 - 100 * counting.MOST_ALIASES
    assert len(queries.statements) == counting.MOST_STATEMENTS
    assert sorted(slow.seconds for slow in queries.slow) == [n / 1000 for n in range(99_990, 100_000)]


def test_outside_of_requests_the_hook_hears(outside):
    count("main", "SELECT 'secret'", 0.25, True)
    assert outside == [("main", 0.25, True, "SELECT ?")]


def test_a_hook_that_raises_harms_nobody(caplog):
    configure(outside=lambda *query: 1 // 0)
    count("main", "SELECT 1", 0.25)
    assert "a query was not counted" in caplog.text


def test_threads_count_for_the_request_in_whose_context_they_run(exchange, outside):
    with ThreadPoolExecutor(2) as threads:
        threads.submit(count, "main", "SELECT 1", 0.1).result()
        threads.submit(copy_context().run, count, "main", "SELECT 2", 0.1).result()
    assert queries_of(exchange).count == 1
    assert [query[3] for query in outside] == ["SELECT ?"]


class Monitor(Middleware):
    """Keeps what it finds at the end."""

    def on_close(self, exchange):
        self.found = queries_of(exchange)


class Idle(Middleware):
    """A part that has an exchange made for it."""

    def on_close(self, exchange):
        pass


class Body:
    """A body that sends a query while it is read, and another when it is closed."""

    def __iter__(self):
        yield b"first"
        count("main", "SELECT body", 0.1)
        yield b"second"

    def close(self):
        count("main", "SELECT close", 0.1)


def answer(environ, start_response):
    count("main", "SELECT view", 0.1)
    start_response("200 OK", [])
    return Body()


def run(app):
    body = app(environ_of(), lambda *head: None)
    assert b"".join(body) == b"firstsecond"
    body.close()


def statements(queries):
    return list(queries.statements)


def test_the_body_and_its_close_belong_to_the_request(outside):
    monitor = Monitor()
    run(Stack(answer, monitor))
    assert statements(monitor.found) == ["SELECT view", "SELECT body", "SELECT close"]
    assert outside == []


@pytest.mark.parametrize("place", ["outer", "inner"])
def test_a_monitor_in_either_of_two_stacks_sees_all(place):
    """Middleware between the stacks keeps them from becoming one."""
    monitor = Monitor()
    inner = Stack(answer, monitor if place == "inner" else Idle())

    def between(environ, start_response):
        count("main", "SELECT session", 0.1)
        return inner(environ, start_response)

    run(Stack(between, monitor if place == "outer" else Idle()))
    assert statements(monitor.found) == ["SELECT session", "SELECT view", "SELECT body", "SELECT close"]


def test_a_context_that_outlives_its_request_is_outside(outside):
    kept = []

    def keep(environ, start_response):
        kept.append(copy_context())
        start_response("200 OK", [])
        return [b""]

    monitor = Monitor()
    Stack(keep, monitor)(environ_of(), lambda *head: None).close()
    kept[0].run(count, "main", "SELECT late", 0.1)
    assert monitor.found is None
    assert [query[3] for query in outside] == ["SELECT late"]


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("main", "main"),
        (None, "default"),
        ("", "default"),
        ("a\x1b\nb", "ab"),
        ("x" * 500, "x" * 63),
        (5, "5"),
    ],
    ids=["text", "none", "empty", "control characters", "long", "number"],
)
def test_aliases_are_short_and_printable(name, alias):
    assert alias_of(name) == alias
