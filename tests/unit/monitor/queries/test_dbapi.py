"""The proxy for a DB-API connection: like the connection itself, but that its queries are counted."""

import sqlite3
from contextlib import closing, suppress

import pytest

from unit.client import environ_of
from wsgiperf.exchange import Exchange, current
from wsgiperf.monitor.queries.counting import queries_of
from wsgiperf.monitor.queries.dbapi import watched, watched_connect


@pytest.fixture
def exchange():
    running = Exchange(environ_of(), frozenset())
    token = current.set(running)
    yield running
    current.reset(token)


@pytest.fixture
def connection():
    with closing(watched(sqlite3.connect(":memory:"), "files")) as proxy:
        proxy.__wrapped__.execute("CREATE TABLE t (a, b)")
        yield proxy


def sent(exchange):
    queries = queries_of(exchange)
    return {} if queries is None else queries.statements


@pytest.mark.parametrize("through", ["cursor", "connection"])
def test_each_way_to_send_is_counted_once(exchange, connection, through):
    target = connection.cursor() if through == "cursor" else connection
    target.execute("INSERT INTO t VALUES (?, ?)", (1, 2))
    target.executemany("INSERT INTO t (a) VALUES (?)", [(n,) for n in range(50)])
    target.executescript("DELETE FROM t WHERE a > 10")
    assert sent(exchange) == {
        "INSERT INTO t VALUES (?)": 1,
        "INSERT INTO t (a) VALUES (?)": 1,
        "DELETE FROM t WHERE a > ?": 1,
    }
    totals = queries_of(exchange).aliases["files"]
    assert (totals.count, totals.failures) == (3, 0)
    assert totals.seconds > 0


def test_rows_come_as_from_the_connection(exchange, connection):
    connection.row_factory = sqlite3.Row
    cursor = connection.cursor()
    assert cursor.execute("INSERT INTO t VALUES (1, 2), (3, 4)") is cursor
    rows = connection.execute("SELECT a, b FROM t")
    assert [row["b"] for row in rows] == [2, 4]
    cursor.execute("SELECT a FROM t")
    assert next(cursor)["a"] == 1
    assert cursor.fetchall()[0]["a"] == 3
    assert cursor.description[0][0] == "a"
    assert cursor.connection is connection


def test_failures_are_counted_and_raised(exchange, connection):
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        connection.execute("SELECT a FROM missing")
    assert queries_of(exchange).failures == 1


def test_it_passes_for_a_connection(connection):
    assert isinstance(connection, sqlite3.Connection)
    assert isinstance(connection.cursor(), sqlite3.Cursor)
    assert hasattr(connection, "execute")
    assert not hasattr(connection, "callproc")
    assert "commit" in dir(connection)
    assert "sqlite3.Connection" in repr(connection)


def test_attributes_are_set_and_removed_on_the_connection():
    class Connection(sqlite3.Connection):
        pass

    with closing(watched(sqlite3.connect(":memory:", factory=Connection))) as connection:
        connection.note = "seen"
        assert connection.__wrapped__.note == connection.note == "seen"
        del connection.note
        assert not hasattr(connection.__wrapped__, "note")
        assert vars(connection.__wrapped__) == {}


def test_a_context_manager_commits_and_rolls_back(connection):
    with connection as entered:
        assert entered is connection
        connection.execute("INSERT INTO t VALUES (1, 1)")
    with suppress(ZeroDivisionError), connection:
        connection.execute("INSERT INTO t VALUES (2, 2)")
        raise ZeroDivisionError
    assert connection.execute("SELECT a FROM t").fetchall() == [(1,)]


def test_it_is_not_watched_twice(exchange, connection):
    again = watched(connection, "again")
    again.execute("SELECT 1")
    assert again is connection
    assert list(queries_of(exchange).aliases) == ["files"]


def test_connect_returns_proxies(exchange):
    connect = watched_connect(sqlite3.connect, "by connect")
    with closing(connect(":memory:")) as connection:
        connection.execute("SELECT 1")
    assert list(queries_of(exchange).aliases) == ["by connect"]
    assert connect.__name__ == "connect"


class Cursor:
    """Of a driver with procedures, cursors that are context managers, and statements that aren't text."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.left = True

    def execute(self, query, params=None):
        """Nothing to return."""

    def callproc(self, procname, parameters=()):
        return parameters

    def fetchone(self):
        return None


class Driver:
    """Its connection enters a cursor, as old ones of MySQL do."""

    def cursor(self, name=None):
        return Cursor()

    def __enter__(self):
        return Cursor()

    def __exit__(self, *error):
        return None


class Composed:
    """As psycopg has them."""

    def as_string(self, context):
        assert type(context) is Cursor
        return "SELECT 'composed'"


class Broken:
    def as_string(self, context):
        raise TypeError


@pytest.mark.parametrize(
    ("statement", "shown"),
    [(b"SELECT 'bytes'", "SELECT ?"), (Composed(), "SELECT ?"), (Broken(), "(Broken)"), (b"\xff", "(bytes)")],
    ids=["bytes", "composed", "can't be spelled", "not UTF-8"],
)
def test_statements_that_are_no_text(exchange, statement, shown):
    assert watched(Driver()).cursor().execute(statement) is None
    assert sent(exchange) == {shown: 1}


def test_procedures_and_keywords(exchange):
    cursor = watched(Driver()).cursor(name="server side")
    assert cursor.callproc("refresh", (1, 2)) == (1, 2)
    cursor.execute(query="SELECT 5")
    assert sent(exchange) == {"refresh": 1, "SELECT ?": 1}


def test_cursors_that_are_context_managers(exchange):
    with watched(Driver()).cursor() as cursor:
        cursor.execute("SELECT 1")
    assert cursor.__wrapped__.left
    with watched(Driver()) as entered:
        entered.execute("SELECT 2")
    assert sent(exchange) == {"SELECT ?": 2}


def test_double_quotes_are_strings_for_drivers_of_mysql(exchange, monkeypatch):
    monkeypatch.setattr(Cursor, "__module__", "pymysql.cursors")
    watched(Driver()).cursor().execute('SELECT "secret"')
    assert sent(exchange) == {"SELECT ?": 1}
