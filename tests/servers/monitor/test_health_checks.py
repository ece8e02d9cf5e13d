"""Health checks against servers that work, fail, hang and drip."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from servers.redis_server import RedisServer, ScriptedRedis, free_port, running_redis, until
from wsgiperf.health_checks import CallableCheck, DatabaseCheck, HttpCheck, RedisCheck, TcpCheck
from wsgiperf.monitor.health.checks import Outcome, perform
from wsgiperf.monitor.health.runner import HealthRunner

LIMIT = 0.5
#: What a machine that is busy adds to the limit.
SLACK = 1.0

Answer = Callable[[socket.socket], None]


class Server:
    """Answers each connection as its path says, byte by byte as a test wants it."""

    def __init__(self, answers: dict[str, Answer], tls: ssl.SSLContext | None = None) -> None:
        self._answers, self._tls = answers, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(10)
            if self._tls is None:
                self._reply(connection)
            else:
                with self._tls.wrap_socket(connection, server_side=True) as secure:
                    self._reply(secure)

    def _reply(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request and (piece := connection.recv(65536)):
            request += piece
        self.requests.append(request.decode("latin-1"))
        if request:
            self._answers[request.split(b" ")[1].decode()](connection)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(15)


@contextmanager
def serving(tls: ssl.SSLContext | None = None, **answers: Answer) -> Iterator[Server]:
    """Answers by path, where a name stands for a path of that name."""
    server = Server({f"/{name}": answer for name, answer in answers.items()}, tls)
    try:
        yield server
    finally:
        server.close()


def says(text: str) -> Answer:
    """All at once."""
    return lambda connection: connection.sendall(text.replace("\n", "\r\n").encode())


def status(code: int, *fields: str) -> Answer:
    """An answer without a body."""
    return says("\n".join((f"HTTP/1.1 {code} Whatever", "Content-Length: 0", *fields, "", "")))


def drips(text: str) -> Answer:
    """A byte every 50 ms: each arrives long before a socket's own timeout."""

    def answer(connection: socket.socket) -> None:
        for byte in text.replace("\n", "\r\n").encode():
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    return answer


def hangs(connection: socket.socket) -> None:
    """Until the client goes."""
    connection.recv(1)


def late(outcome: Outcome) -> bool:
    """Whether the limit ended it, and in time."""
    return (
        not outcome.ok
        and outcome.error == f"timed out after {LIMIT} s"
        and LIMIT <= outcome.seconds < LIMIT + SLACK
    )


@pytest.mark.parametrize(
    ("code", "expect", "error"),
    [
        (200, (200, 399), None),
        (204, (200, 399), None),
        (304, (200, 399), None),
        (404, (200, 399), "status 404"),
        (500, (200, 399), "status 500"),
        (503, (200, 399), "status 503"),
        (404, 404, None),
        (200, 204, "status 200"),
        (302, (301, 302), None),
    ],
)
def test_http_statuses(code: int, expect: int | tuple[int, int], error: str | None) -> None:
    """Those expected are well."""
    with serving(health=status(code, "Location: /gone")) as server:
        outcome = perform(HttpCheck("x", server.url + "/health", expect=expect))
        assert (outcome.ok, outcome.error) == (error is None, error)
        assert len(server.requests) == 1


def begins(connection: socket.socket) -> None:
    """And never ends."""
    says("HTTP/1.1 200 OK\nContent-Length: 1000\n\nx")(connection)
    hangs(connection)


@pytest.mark.parametrize(
    "answer",
    [
        hangs,
        begins,
        drips("HTTP/1.1 200 OK\n" + "X: y\n" * 80),
        drips("HTTP/1.1 100 Continue\n\n" * 10),
        drips("HTTP/1.1 200 OK\nContent-Length: 1000\n\n" + "x" * 1000),
        drips("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n" + "1\nx\n" * 1000),
    ],
    ids=["silence", "half a body", "dripping fields", "dripping 100s", "dripping body", "dripping chunks"],
)
def test_http_has_one_limit_for_all(answer: Answer) -> None:
    """However the time is spent."""
    with serving(health=answer) as server:
        assert late(perform(HttpCheck("x", server.url + "/health", timeout=LIMIT)))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says(""), "RemoteDisconnected"),
        (says("SSH-2.0-OpenSSH\n"), "BadStatusLine"),
        (says("HTTP/1.1 200 OK\nX: " + "y" * 70000 + "\n\n"), "LineTooLong"),
        (says("HTTP/1.1 200 OK\n" + "X: y\n" * 200 + "\n"), "HTTPException"),
        (says("HTTP/1.1 200 OK\nContent-Length: 9\n\nx"), "IncompleteRead"),
        (says("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nzz\n"), "IncompleteRead"),
    ],
    ids=["closed", "no HTTP", "long line", "many fields", "cut off", "bad chunk"],
)
def test_http_that_is_none(answer: Answer, error: str) -> None:
    """Told by its kind, in little memory."""
    with serving(health=answer) as server:
        outcome = perform(HttpCheck("x", server.url + "/health"))
        assert not outcome.ok
        assert outcome.error is not None
        assert outcome.error.startswith(error)
        assert len(outcome.error) <= 200


def test_http_reads_the_beginning_of_an_endless_body() -> None:
    """And is content with it."""

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with serving(health=endless) as server:
        outcome = perform(HttpCheck("x", server.url + "/health", timeout=5))
        assert outcome.ok
        assert outcome.seconds < 4


def test_http_request() -> None:
    """What is sent: the credentials, the fields, nothing of a fragment."""
    with serving(**{"health?x=1": status(200)}) as server:
        url = f"http://us%40er:hun%2Fter2@127.0.0.1:{server.port}/health?x=1#part"
        assert perform(HttpCheck("x", url, headers={"Host": "posts.example", "X-A": "é"})).ok
        (request,) = server.requests
        head, *fields = request.rstrip("\r\n").split("\r\n")
        assert head == "GET /health?x=1 HTTP/1.1"
        assert sorted(fields) == [
            "Authorization: Basic " + base64.b64encode(b"us@er:hun/ter2").decode(),
            "Connection: close",
            "Host: posts.example",
            "User-Agent: wsgiperf",
            "X-A: é",
        ]


def test_http_follows_redirects_at_home() -> None:
    """The last answer counts, and everyone gets the credentials, which stay at home with them."""
    with serving(
        a=status(302, "Location: /b"),
        b=status(307, "Location: c"),
        c=status(500),
        again=status(302, "Location: /again"),
    ) as server:
        outcome = perform(HttpCheck("x", server.url + "/a", headers={"X-Token": "t"}))
        assert outcome.error == "status 500"
        assert len(server.requests) == 3
        assert all("X-Token: t" in request for request in server.requests)
        assert perform(HttpCheck("x", server.url + "/again")).error == "more than 5 redirects"
        assert len(server.requests) == 3 + 6


@pytest.mark.parametrize(
    "location", ["http://localhost:{0}/b", "//127.0.0.1:1/b", "https://127.0.0.1:{0}/b", "file:///etc/b"]
)
def test_http_does_not_follow_redirects_elsewhere(location: str) -> None:
    """Another host, port or scheme: the redirect is the answer."""
    listener: list[Server] = []

    def answer(connection: socket.socket) -> None:
        status(302, "Location: " + location.format(listener[0].port))(connection)

    with serving(a=answer, b=status(500)) as server:
        listener.append(server)
        assert perform(HttpCheck("x", server.url + "/a")).ok
        error = "status 302, a redirect to another host, which is not followed"
        assert perform(HttpCheck("x", server.url + "/a", expect=200)).error == error
        assert len(server.requests) == 2


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For 127.0.0.1, signed by itself, with its key behind it."""
    if shutil.which("openssl") is None:
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "both.pem",
        ],
        check=True, capture_output=True, cwd=path.parent,
    )  # fmt: skip
    path.write_text(path.read_text() + (path.parent / "key.pem").read_text())
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_https_verifies(certificate: Path, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority and the name."""
    with serving(tls, health=status(200)) as server:
        refused = perform(HttpCheck("x", server.url + "/health"))
        assert refused.error is not None
        assert refused.error.startswith("SSLCertVerificationError")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert perform(HttpCheck("x", server.url + "/health")).ok
        other = perform(HttpCheck("x", f"https://localhost:{server.port}/health"))
        assert other.error is not None
        assert "Hostname mismatch" in other.error
        assert len(server.requests) == 1


def test_https_has_one_limit_for_all(
    certificate: Path, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the handshake and without."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(tls, health=drips("HTTP/1.1 200 OK\n" + "X: y\n" * 80)) as server:
        assert late(perform(HttpCheck("x", server.url + "/health", timeout=LIMIT)))
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        assert late(perform(HttpCheck("x", url, timeout=LIMIT)))


def test_tcp() -> None:
    """Accepted, refused, and a name that is none."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        assert perform(TcpCheck("x", "127.0.0.1", port)).ok
        assert perform(TcpCheck("x", "localhost", port)).ok
    refused = perform(TcpCheck("x", "127.0.0.1", free_port()))
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
                HttpCheck("well", server.url + "/well", interval=1, timeout=1),
                HttpCheck("hung", server.url + "/hung", interval=1, timeout=LIMIT, critical=False),
                RedisCheck("cache", redis.url, interval=1),
            ]
        )
        redis.pause()
        longest = 0.0
        try:
            for _ in range(30):
                began = time.perf_counter()
                runner.tick(time.time())
                services = runner.results(time.time())
                longest = max(longest, time.perf_counter() - began)
                time.sleep(0.05)
        finally:
            redis.resume()
        assert longest < 0.3
        assert [each["status"] for each in services] == ["ok", "failing", "unknown"]
        assert not runner.ready(services)

        def recovered() -> bool:
            runner.tick(time.time())
            return runner.ready(runner.results(time.time()))

        until(recovered)
        assert runner.overall(runner.results(time.time())) == "failing"
    until(lambda: not [each for each in threading.enumerate() if each.name == "wsgiperf-health"])
