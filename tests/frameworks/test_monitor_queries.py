"""Queries of SQLAlchemy and Django, counted for the requests that send them."""

import gc
import sqlite3
import subprocess
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import django_site
import flask
import pytest
import sqlalchemy
from asgiref.sync import sync_to_async
from django.core.handlers.wsgi import WSGIHandler
from django.db import ConnectionHandler, OperationalError
from django.db.backends.signals import connection_created
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, event, insert, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AssertionPool, NullPool, QueuePool, SingletonThreadPool, StaticPool
from werkzeug.test import Client

from wsgiperf import Middleware, Stack
from wsgiperf.monitor.queries.counting import configure, queries_of
from wsgiperf.monitor.queries.django import watch_connections
from wsgiperf.monitor.queries.sqlalchemy import pools, watch_engine

django_site.configure()

ROOT = Path(__file__).resolve().parents[2]


class Witness(Middleware):
    """Stands where a monitor stands."""

    def on_close(self, exchange):
        self.queries = queries_of(exchange)


def ask(app, where="/"):
    """The queries of one request."""
    witness = Witness()
    with Client(Stack(app, witness)).get(where) as response:
        assert response.status_code == 200, response.text
    return witness.queries


@pytest.fixture(autouse=True)
def outside():
    """Queries outside of requests: alias, whether it failed, statement."""
    heard = []
    configure(outside=lambda alias, seconds, failed, statement: heard.append((alias, failed, statement)))
    yield heard
    configure()


# SQLAlchemy

sizes = count(1000)
TABLE = Table("author", MetaData(), Column("id", Integer, primary_key=True), Column("name", String))


@pytest.fixture
def engine():
    made = create_engine("sqlite://", poolclass=StaticPool)
    yield made
    made.dispose()


def site(view):
    app = flask.Flask("site", static_folder=None)
    app.add_url_rule("/", view_func=view)
    return app


def test_an_engine_is_watched_once(engine):
    """Repeated queries, failures and batches; twice watched is once."""
    watch_engine(engine, "shop")
    watch_engine(engine)

    def view():
        with engine.begin() as connection:
            TABLE.create(connection)
            connection.execute(insert(TABLE), [{"name": str(number)} for number in range(20)])
            for number in range(12):
                connection.execute(select(TABLE.c.name).where(TABLE.c.id == number))
        with engine.connect() as connection, pytest.raises(sqlalchemy.exc.OperationalError):
            connection.execute(text("SELECT 'secret' FROM missing"))
        return "done"

    queries = ask(site(view))
    assert list(queries.aliases) == ["shop"]
    assert queries.failures == 1
    assert queries.most_repeated == ("SELECT author.name FROM author WHERE author.id = ?", 12)
    assert queries.statements["INSERT INTO author (name) VALUES (?)"] == 1
    assert queries.statements["SELECT ? FROM missing"] == 1
    assert queries.seconds > 0


@pytest.mark.parametrize("rounds", [1, 2])
def test_all_engines_are_watched_those_to_come_too(rounds, tmp_path):
    """In a process of its own, for there is no way back. An engine that is watched itself counts once."""
    program = """
import sys
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from wsgiperf.monitor.queries.counting import configure
from wsgiperf.monitor.queries.sqlalchemy import pools, watch_all, watch_engine
heard = []
configure(outside=lambda *query: heard.append(query))
before, both = create_engine("sqlite:///" + sys.argv[2]), create_engine("sqlite://")
watch_engine(both, "both")
for _ in range(int(sys.argv[1])):
    watch_all()
after = create_engine("sqlite://").execution_options(isolation_level="AUTOCOMMIT")
for engine in (before, both, after):
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        try:
            connection.execute(text("SELECT x"))
        except OperationalError:
            pass
found = [(alias, failed) for alias, _, failed, _ in heard]
assert found == [(alias, failed) for alias in ("shop.db", "both", "sqlite") for failed in (False, True)]
"""
    arguments = [sys.executable, "-c", program, str(rounds), str(tmp_path / "shop.db")]
    assert subprocess.run(arguments, cwd=ROOT, timeout=60).returncode == 0


def test_an_asynchronous_engine():
    """Its events run in greenlets, in the context of the request all the same."""
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    watch_engine(engine, "async")

    async def view():
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 'a'"))
        await engine.dispose()
        return "done"

    queries = ask(site(view))
    assert {alias: totals.count for alias, totals in queries.aliases.items()} == {"async": 1}


def test_errors_that_are_no_query_are_not_counted(engine):
    """A statement that cannot be compiled was never sent; a row that cannot be read was counted before."""
    watch_engine(engine)

    def view():
        with engine.connect() as connection:
            with pytest.raises(sqlalchemy.exc.StatementError):
                connection.execute(text("SELECT :missing"), {})
            rows = connection.execute(select(sqlalchemy.literal_column("'x'", sqlalchemy.DateTime)))
            with pytest.raises(ValueError, match=r"isoformat|datetime string"):
                rows.all()
        return "done"

    queries = ask(site(view))
    assert (queries.count, queries.failures) == (1, 0)


def test_a_listener_of_somebody_elses_may_raise(engine):
    watch_engine(engine)

    def refuse(*_arguments):
        raise PermissionError

    event.listen(engine, "before_cursor_execute", refuse)
    with engine.connect() as connection, pytest.raises(PermissionError):
        connection.execute(text("SELECT 1"))
    event.remove(engine, "before_cursor_execute", refuse)

    def view():
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        return "done"

    queries = ask(site(view))
    assert (queries.count, queries.failures) == (1, 0)


@pytest.mark.parametrize(
    ("url", "alias"),
    [
        ("sqlite:////srv/data/shop.db", "shop.db"),
        ("sqlite://", "sqlite"),
        ("mysql+pymysql://bob:hunter2@db.internal/shop", "shop"),
        ("mysql+pymysql://bob:hunter2@db.internal", "mysql+pymysql"),
    ],
    ids=["file", "memory", "database", "no database"],
)
def test_an_alias_is_read_from_the_url(url, alias):
    """Without user, password and host."""
    size = next(sizes)
    driver = sqlite3 if url.startswith("sqlite") else types.SimpleNamespace(paramstyle="pyformat")
    watch_engine(engine := create_engine(url, module=driver, poolclass=QueuePool, pool_size=size))
    assert [found[0] for found in pools() if found[1] == size] == [alias]
    engine.dispose()


def test_pools_tell_what_is_out():
    engine = create_engine("sqlite://", poolclass=QueuePool, pool_size=2, max_overflow=5)
    watch_engine(engine, "pooled")
    connections = [engine.connect() for _ in range(3)]
    assert [found for found in pools() if found[0] == "pooled"] == [("pooled", 2, 3, 1)]
    for connection in connections:
        connection.close()
    assert [found for found in pools() if found[0] == "pooled"] == [("pooled", 2, 0, 0)]
    engine.dispose()


@pytest.mark.parametrize("kind", [NullPool, StaticPool, SingletonThreadPool, AssertionPool])
def test_pools_that_count_nothing_are_left_out(kind):
    engine = create_engine("sqlite://", poolclass=kind)
    watch_engine(engine, "uncounted")
    with engine.connect():
        assert [found for found in pools() if found[0] == "uncounted"] == []
    engine.dispose()


def test_engines_that_are_gone_leave_no_pool():
    engine = create_engine("sqlite://", poolclass=QueuePool)
    watch_engine(engine, "short-lived")
    engine.dispose()
    del engine
    gc.collect()
    assert [found for found in pools() if found[0] == "short-lived"] == []


# Django


@pytest.fixture
def handler(monkeypatch):
    """Two databases; nothing of the signal or of the connections is left behind."""
    memory = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    made = ConnectionHandler({"default": memory, "replica": memory})
    monkeypatch.setattr("django.db.connections", made)
    monkeypatch.setattr(connection_created, "receivers", [])
    yield made
    made.close_all()


def execute(handler, alias, sql, *parameters):
    with handler[alias].cursor() as cursor:
        cursor.execute(sql, parameters)


def seen_by_django(view):
    """The queries of a request to a site with this view."""
    urlconf = types.ModuleType("urls")
    urlconf.urlpatterns = [path("", view)]
    with override_settings(ROOT_URLCONF=urlconf):
        return ask(WSGIHandler())


def test_djangos_connections_are_watched_once_each_under_its_alias(handler):
    """One that is open already and one that is not; twice watched is once."""
    execute(handler, "default", "SELECT 1")
    for _ in range(2):
        assert watch_connections()

    def view(request):
        for number in range(11):
            execute(handler, "default", "SELECT %s", number)
        execute(handler, "replica", "SELECT 'secret'")
        with handler["replica"].cursor() as cursor:
            cursor.execute("CREATE TABLE t (a)")
            cursor.executemany("INSERT INTO t VALUES (%s)", [(1,), (2,)])
        return HttpResponse("done")

    queries = seen_by_django(view)
    assert {alias: totals.count for alias, totals in queries.aliases.items()} == {"default": 11, "replica": 3}
    assert queries.most_repeated == ("SELECT ?", 12)
    assert queries.statements["INSERT INTO t VALUES (?)"] == 1
    assert queries.failures == 0


def test_djangos_failures_are_counted(handler):
    watch_connections()

    def view(request):
        with pytest.raises(OperationalError):
            execute(handler, "default", "SELECT a FROM missing")
        return HttpResponse("done")

    queries = seen_by_django(view)
    assert (queries.count, queries.failures) == (1, 1)


def test_an_asynchronous_view(handler):
    """Its queries run in another thread, in the context of the request."""
    watch_connections()

    async def view(request):
        await sync_to_async(execute)(handler, "default", "SELECT 1")
        return HttpResponse("done")

    assert seen_by_django(view).count == 1


def test_a_wrapper_around_the_first_query_is_taken_off_and_ours_stays(handler, outside):
    """Django takes the last wrapper away; the connection is made inside."""
    watch_connections()
    theirs = []

    def wrapper(execute, sql, params, many, context):
        theirs.append(sql)
        return execute(sql, params, many, context)

    with handler["default"].execute_wrapper(wrapper):
        execute(handler, "default", "SELECT 1")
    execute(handler, "default", "SELECT 2")
    assert theirs == ["SELECT 1"]
    assert outside == [("default", False, "SELECT ?")] * 2


def test_a_connection_that_reconnects_is_watched_once(handler, outside):
    watch_connections()
    handler["default"].settings_dict["NAME"] = "file:shared?mode=memory"  # memory is never closed
    for _ in range(3):
        execute(handler, "default", "SELECT 1")
        handler["default"].connection.close()
        handler["default"].connection = None
    assert len(outside) == 3


def test_each_thread_has_connections_of_its_own(handler, outside):
    watch_connections()

    def work():
        execute(handler, "default", "SELECT 1")
        handler.close_all()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(work).result()
    assert outside == [("default", False, "SELECT ?")]


def test_without_django_settings_nothing_is_watched():
    program = "from wsgiperf.monitor.queries.django import watch_connections as w; import sys; sys.exit(w())"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60).returncode == 0


@pytest.mark.parametrize("module", ["sqlalchemy", "django"])
def test_neither_is_imported_before_it_is_watched(module):
    program = f"import sys, wsgiperf.monitor.queries.{module}; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60).returncode == 0
