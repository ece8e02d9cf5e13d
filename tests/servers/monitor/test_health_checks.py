"""Health checks against servers that work, fail, hang and drip."""

from __future__ import annotations

import socket
import sqlite3
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from servers.monitor.answering import (
    LIMIT,
    Server,
    certificate_in,
    hangs,
    late,
    says,
    serving,
    status,
    tls_of,
)
from servers.redis_server import RedisServer, ScriptedRedis, running_redis, until
from wsgiperf.health_checks import CallableCheck, DatabaseCheck, HttpCheck, RedisCheck, TcpCheck
from wsgiperf.monitor.health.checks import perform
from wsgiperf.monitor.health.runner import HealthRunner


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_in(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    return tls_of(certificate)


def test_tcp() -> None:
    """Accepted, refused, and a name that is none."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        assert perform(TcpCheck("x", "127.0.0.1", port)).ok
        assert perform(TcpCheck("x", "localhost", port)).ok
    with closing(socket.socket()) as deaf:  # has the port, so that nobody else listens there
        deaf.bind(("127.0.0.1", 0))
        refused = perform(TcpCheck("x", "127.0.0.1", deaf.getsockname()[1]))
    assert refused.error is not None
    assert "refused" in refused.error
    unknown = perform(TcpCheck("x", "no-such-name.invalid", 1, timeout=60))
    assert unknown.error is not None
    assert unknown.error.startswith("gaierror")


def test_tcp_to_where_nobody_accepts() -> None:
    """The kernel's queue is full, and what comes then is dropped."""
    with closing(socket.socket()) as listener, contextmanager(_filled)(listener) as port:
        assert late(perform(TcpCheck("x", "127.0.0.1", port, timeout=LIMIT)))


def _filled(listener: socket.socket) -> Iterator[int]:
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    clients = [socket.socket() for _ in range(8)]
    for client in clients:
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
    try:
        yield listener.getsockname()[1]
    finally:
        for client in clients:
            client.close()


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


def test_redis_through_its_troubles(redis: RedisServer) -> None:
    """It works, hangs, works again, is away, and is back."""
    check = RedisCheck("cache", redis.url, timeout=LIMIT)
    assert perform(check) == (True, pytest.approx(0, abs=LIMIT), None)
    redis.pause()
    try:
        assert late(perform(check))
    finally:
        redis.resume()
    until(lambda: perform(check).ok)
    redis.stop()
    away = perform(check)
    assert away.error is not None
    assert "refused" in away.error
    redis.start()
    assert perform(RedisCheck("cache", redis.url)).ok


def test_redis_with_a_password(redis: RedisServer) -> None:
    """Asked for, wrong, and right; with and without a user; never told."""
    redis.say("CONFIG SET requirepass hunter2/")
    try:
        for userinfo, error in (
            ("", "NOAUTH"), (":wrong-one@", "WRONGPASS"), (":hunter2%2F@", None),
            ("default:hunter2%2F@", None), ("nobody:hunter2%2F@", "WRONGPASS"),
        ):  # fmt: skip
            outcome = perform(RedisCheck("cache", f"redis://{userinfo}127.0.0.1:{redis.port}/0"))
            assert outcome.ok == (error is None)
            assert (error or "None") in str(outcome.error)
            assert "hunter2" not in str(outcome.error)
        assert perform(RedisCheck("cache", redis.url + "?password=hunter2/")).ok
    finally:
        with closing(socket.create_connection(("127.0.0.1", redis.port))) as connection:
            connection.sendall(b"AUTH hunter2/\r\nCONFIG SET requirepass ''\r\n")
            until(lambda: connection.recv(100))


@pytest.mark.parametrize(
    ("pieces", "error"),
    [
        ([b"-LOADING Redis is loading\r\n"], "PING was answered '-LOADING Redis is loading'"),
        ([b"x" * 5000], "PING was answered 'xxxxx"),
        ([b""], "ConnectionError: the server closed the connection"),
        ([b"+PO", b"NG\r\n"], None),
    ],
    ids=["loading", "long", "closed", "in pieces"],
)
def test_redis_that_says_something_else(pieces: list[bytes], error: str | None) -> None:
    """PONG alone is well."""

    def answer(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)

    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with closing(listener):
        outcome = perform(RedisCheck("cache", f"redis://127.0.0.1:{listener.getsockname()[1]}"))
    thread.join(10)
    assert outcome.ok == (error is None)
    assert str(outcome.error).startswith(error or "None")
    assert len(str(outcome.error)) <= 200


def test_redis_has_one_limit_for_all() -> None:
    """A byte now and then doesn't prolong it."""

    def reply(_: list[bytes]) -> Iterator[bytes | None]:
        for byte in b"+" + b"x" * 500:
            time.sleep(0.05)
            yield bytes([byte])

    with ScriptedRedis(reply) as server:
        assert late(perform(RedisCheck("cache", server.url, timeout=LIMIT)))


def test_redis_over_tls(certificate: Path, tls: ssl.SSLContext) -> None:
    """Verified, unless the URL says otherwise in redis-py's words."""
    answers = Server({}, tls)
    answers._serve = lambda connection: _pong(connection, tls)  # type: ignore[method-assign]
    try:
        url = f"rediss://127.0.0.1:{answers.port}/0"
        refused = perform(RedisCheck("cache", url))
        assert refused.error is not None
        assert refused.error.startswith("SSLCertVerificationError")
        assert perform(RedisCheck("cache", f"{url}?ssl_ca_certs={certificate}")).ok
        assert perform(RedisCheck("cache", f"{url}?ssl_cert_reqs=none")).ok
        named = f"rediss://localhost:{answers.port}/0?ssl_ca_certs={certificate}"
        assert not perform(RedisCheck("cache", named)).ok
        assert perform(RedisCheck("cache", named + "&ssl_check_hostname=false")).ok
    finally:
        answers.close()


def _pong(connection: socket.socket, tls: ssl.SSLContext) -> None:
    with suppress(OSError), tls.wrap_socket(connection, server_side=True) as secure:
        if secure.recv(100):
            secure.sendall(b"+PONG\r\n")


def test_redis_by_a_socket_file(tmp_path: Path) -> None:
    """As redis-py names it."""
    path = tmp_path / "redis.sock"
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
        listener.listen()
        check = RedisCheck("cache", f"unix://{path}?db=0", timeout=LIMIT)
        assert late(perform(check))
        connection, _ = listener.accept()
        assert connection.recv(100) == b"*1\r\n$4\r\nPING\r\n"
        connection.close()
    missing = perform(RedisCheck("cache", "unix:///no/such/file"))
    assert missing.error is not None
    assert missing.error.startswith("FileNotFoundError")


def test_database_by_its_own_driver(tmp_path: Path) -> None:
    """The connection is closed, whatever the query comes to."""
    opened = []

    def connect() -> sqlite3.Connection:
        opened.append(sqlite3.connect(tmp_path / "db.sqlite"))
        return opened[-1]

    assert perform(DatabaseCheck("db", connect)).ok
    failing = perform(DatabaseCheck("db", connect, query="SELECT 1 FROM posts"))
    assert failing.error == "OperationalError: no such table: posts"
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")
    no_file = perform(DatabaseCheck("db", lambda: sqlite3.connect(tmp_path / "no" / "db.sqlite")))
    assert no_file.error == "OperationalError: unable to open database file"
    wrong = perform(DatabaseCheck("db", lambda: "sqlite://"))
    assert wrong.error == "connect() returned str, which is no connection and no engine"


def test_database_by_an_engine(tmp_path: Path) -> None:
    """It lends a connection and gets it back; one lent by the application itself goes back as well."""
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/db.sqlite", poolclass=sqlalchemy.pool.QueuePool)
    assert perform(DatabaseCheck("db", lambda: engine)).ok
    assert perform(DatabaseCheck("db", engine.connect)).ok
    failing = perform(DatabaseCheck("db", lambda: engine, query="SELECT 1 FROM posts"))
    assert failing.error is not None
    assert "no such table: posts" in failing.error
    assert engine.pool.checkedout() == 0
    engine.dispose()


def test_errors_hold_no_credentials() -> None:
    """Neither those of the check nor those that a driver puts into its words."""

    def fail() -> None:
        raise RuntimeError("can't reach postgresql://user:hunter2@host/db?password=hunter2")

    outcome = perform(CallableCheck("x", fail))
    assert outcome.error == "RuntimeError: can't reach postgresql://***@host/db?password=***"
    with serving(health=says("hunter2-token\n")) as server:
        check = HttpCheck("x", server.url + "/health", headers={"X-Key": "hunter2-token"})
        assert perform(check).error == "BadStatusLine: ***"


def test_all_together_while_some_hang(redis: RedisServer) -> None:
    """Ticks take no time, what works is known soon, what hangs ends at its limit, and no thread is left."""
    with serving(well=status(200), hung=hangs) as server:
        runner = HealthRunner(
            [
                HttpCheck("well", server.url + "/well", interval=1, timeout=30),
                HttpCheck("hung", server.url + "/hung", interval=1, timeout=LIMIT, critical=False),
                RedisCheck("cache", redis.url, interval=1, timeout=60),
            ]
        )
        redis.pause()
        longest, deadline = 0.0, time.perf_counter() + 30
        try:
            for turn in count():
                began = time.perf_counter()
                runner.tick(time.time())
                services = runner.results(time.time())
                longest = max(longest, time.perf_counter() - began)
                told = [each["status"] for each in services]
                if turn >= 30 and (told == ["ok", "failing", "unknown"] or began > deadline):
                    break
                time.sleep(0.05)
        finally:
            redis.resume()
        assert longest < 0.3
        assert told == ["ok", "failing", "unknown"]
        assert not runner.ready(services)

        def recovered() -> bool:
            runner.tick(time.time())
            return runner.ready(runner.results(time.time()))

        until(recovered)
        assert runner.overall(runner.results(time.time())) == "failing"
    until(lambda: not [each for each in threading.enumerate() if each.name == "wsgiperf-health"])
