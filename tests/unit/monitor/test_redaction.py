"""Messages without what looks like a secret, in one short line."""

from time import thread_time

import pytest

from wsgiperf.monitor.redaction import LONGEST, redacted

GONE = "[redacted]"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("no route to postgres://bob:s3cr@t/x@db.local:5432/app", f"no route to postgres://{GONE}@db.local:5432/app"),
        ("redis://:hunter2@cache/0", f"redis://{GONE}@cache/0"),
        ("GET https://x.org/a/b?key=1&b=2 failed", f"GET https://x.org/a/b?{GONE} failed"),
        ("host=db user=bob password='x y' dbname=z", f"host=db user=bob password={GONE} dbname=z"),
        ("{'password': 'hunter 2', 'user': 'bob'}", f"{{'password': {GONE}, 'user': 'bob'}}"),
        ('{"api_key": "abc def', f'{{"api_key": {GONE}'),
        ("DB_PASSWORD=hunter2", f"DB_PASSWORD={GONE}"),
        ("client_secret: abc and token_v2 = def", f"client_secret: {GONE} and token_v2 = {GONE}"),
        ("PASSWORD => hunter2", f"PASSWORD => {GONE}"),
        ("Authorization: Basic dXNlcjpwYXNz", f"Authorization: {GONE}"),
        ("Set-Cookie: a=b; c=d\nnext", f"Set-Cookie: {GONE} next"),
        ("sent Bearer abc.def-123 and", f"sent Bearer {GONE} and"),
        ("bad token eyJhbGciOi.eyJzdWIi.abc", f"bad token {GONE}"),
        ("mail to bob.smith+x@mail.example.com bounced", f"mail to {GONE} bounced"),
        ("card 4111 1111 1111 1111 declined", f"card {GONE} declined"),
        ("key 9f86d081884c7d659a2feaa0c55ad015", f"key {GONE}"),
        ("user 550e8400-e29b-41d4-a716-446655440000", f"user {GONE}"),
        ("got dGhpc0lzQVNlY3JldFRva2Vu", f"got {GONE}"),
        ("AKIAIOSFODNN7EXAMPLE is unknown", f"{GONE} is unknown"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END", GONE),
        ("(sqlite3.IntegrityError) UNIQUE failed\n[SQL: INSERT INTO t]\n[parameters: ('x',)]",
         "(sqlite3.IntegrityError) UNIQUE failed"),
        ('duplicate key "users_email"\nDETAIL:  Key (ssn)=(123) exists.', 'duplicate key "users_email"'),
    ],
    ids=["URL", "URL without user", "query", "DSN", "dict", "cut JSON", "prefixed name", "words around",
         "arrow", "authorization", "cookie", "bearer", "JWT", "e-mail", "card", "hash", "UUID", "base64",
         "AWS", "PEM", "SQLAlchemy", "PostgreSQL"],
)  # fmt: skip
def test_secrets_go(message, expected):
    assert redacted(message) == expected


@pytest.mark.parametrize(
    "message",
    [
        "division by zero",
        "'access_token'",
        "invalid literal for int() with base 10: 'abc'",
        "No such file or directory: '/srv/app/python3/site-packages/views.py'",
        "ImproperlyConfiguredDatabaseError in test_something_very_long_name_2",
        "HTTPConnectionPool(host='posts.internal', port=8080): Max retries exceeded",
        "module 'app.views' has no attribute 'posts_by_author_and_year'",
        "spin=5 mapping=3 at 2024-05-06T10:11:12",
    ],
)
def test_what_helps_stays(message):
    assert redacted(message) == message


def test_one_printable_line():
    assert redacted(" a\0b \x1b[31m\r\n\tc\u202e\ud800 ") == "a b [31m c"


def test_a_long_message_is_cut():
    message = redacted("word " * 10_000)
    assert len(message) == LONGEST
    assert message.endswith("…")


def test_no_half_of_a_secret_is_left_where_reading_stops():
    """The front of it would not look like one."""
    for length in range(1950, 2000):
        assert "9f86" not in redacted(" " * length + "9f86d081884c7d659a2feaa0c55ad015" + " " * 100)


PIECES = [
    "a",
    "a.",
    "://",
    "a://",
    "@",
    "a@",
    "password=",
    "password ",
    "?a=",
    "-",
    "1 ",
    "'",
    '"',
    "eyJ",
    "a1",
]


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("length", [1_999, 1_000_000])
def test_any_message_takes_milliseconds(piece, length):
    message = piece * (length // len(piece))
    started = thread_time()  # not that of whatever else this machine does
    assert len(redacted(message)) <= LONGEST
    assert thread_time() - started < 0.2
