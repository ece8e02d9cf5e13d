"""What a health check may be made of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wsgiperf.health_checks import (
    MOST_CHECKS,
    CallableCheck,
    DatabaseCheck,
    HealthCheck,
    HttpCheck,
    RedisCheck,
    TcpCheck,
    checks_of,
)

HTTP: dict[str, Any] = {"name": "posts", "url": "http://posts.example/health"}
TCP: dict[str, Any] = {"name": "mail", "host": "mail.example", "port": 25}


@pytest.mark.parametrize(
    ("made", "given", "bad"),
    [
        (HttpCheck, HTTP, {"name": ""}),
        (HttpCheck, HTTP, {"name": "x" * 101}),
        (HttpCheck, HTTP, {"name": "line\nbreak"}),
        (HttpCheck, HTTP, {"name": 7}),
        (HttpCheck, HTTP, {"region": "x" * 101}),
        (HttpCheck, HTTP, {"region": None}),
        (HttpCheck, HTTP, {"interval": 0.9}),
        (HttpCheck, HTTP, {"interval": 86401}),
        (HttpCheck, HTTP, {"interval": float("nan")}),
        (HttpCheck, HTTP, {"interval": float("inf")}),
        (HttpCheck, HTTP, {"interval": 10**400}),
        (HttpCheck, HTTP, {"interval": True}),
        (HttpCheck, HTTP, {"timeout": 0.05}),
        (HttpCheck, HTTP, {"timeout": 61}),
        (HttpCheck, HTTP, {"timeout": "5"}),
        (HttpCheck, HTTP, {"critical": 1}),
        (HttpCheck, HTTP, {"expect": 99}),
        (HttpCheck, HTTP, {"expect": (399, 200)}),
        (HttpCheck, HTTP, {"expect": (200, 600)}),
        (HttpCheck, HTTP, {"expect": (200,)}),
        (HttpCheck, HTTP, {"expect": True}),
        (HttpCheck, HTTP, {"expect": "ok"}),
        (TcpCheck, TCP, {"host": ""}),
        (TcpCheck, TCP, {"host": "a b"}),
        (TcpCheck, TCP, {"host": "http://mail.example"}),
        (TcpCheck, TCP, {"port": 0}),
        (TcpCheck, TCP, {"port": 65536}),
        (TcpCheck, TCP, {"port": True}),
        (TcpCheck, TCP, {"port": "25"}),
        (DatabaseCheck, {"name": "db", "connect": print}, {"connect": "sqlite://"}),
        (DatabaseCheck, {"name": "db", "connect": print}, {"query": " "}),
        (CallableCheck, {"name": "f", "function": print}, {"function": None}),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, dict) else "",
)
def test_a_bad_value_is_named(made: type[HealthCheck], given: dict[str, Any], bad: dict[str, Any]) -> None:
    """With what would have been right."""
    made(**given)
    field = next(iter(bad))
    with pytest.raises(ValueError, match=f"^not a value for a check's {field}: .*; expected .+"):
        made(**given | bad)


@pytest.mark.parametrize(
    ("made", "url"),
    [
        (HttpCheck, "ftp://hunter2:secret@host/"),
        (HttpCheck, "//hunter2:secret@host/"),
        (HttpCheck, "http://hunter2:secret@/"),
        (HttpCheck, "http://hunter2:secret@host:99999/"),
        (HttpCheck, "http://hunter2:secret@host:0/"),
        (HttpCheck, "http://hunter2:secret@host/a b"),
        (HttpCheck, "http://hunter2:secret@host/\r\nX: y"),
        (HttpCheck, "http://hunter2:secret@hôst/"),
        (HttpCheck, "http://hunter2:secret@host/" + "x" * 2000),
        (HttpCheck, b"http://host/"),
        (RedisCheck, "http://hunter2:secret@host/"),
        (RedisCheck, "redis://hunter2:secret@/0"),
        (RedisCheck, "unix://hunter2:secret@"),
    ],
)
def test_a_bad_url_is_refused_without_being_shown(made: type[Any], url: Any) -> None:
    """It may hold a password."""
    with pytest.raises(ValueError, match="not a value for a check's url; expected") as raised:
        made("name", url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "headers",
    [
        "X: y", [("X",)], [("X Y", "z")], [("X", "secret\r\nY: z")], [("X", "secret\u20ac")], [("X", 1)],
        {"Content-Length": "5"}, {"transfer-encoding": "chunked"}, 5,
    ],
    ids=repr,
)  # fmt: skip
def test_bad_headers_are_refused_without_being_shown(headers: Any) -> None:
    """So may they."""
    with pytest.raises(ValueError, match="not a value for a check's headers; expected") as raised:
        HttpCheck(**HTTP, headers=headers)
    assert "secret" not in str(raised.value)


def test_values_are_kept_in_one_form() -> None:
    """However they were given."""
    check = HttpCheck(**HTTP, interval=10, expect=204, headers={"Accept": "text/plain"})
    assert (check.interval, check.timeout, check.critical, check.region) == (10.0, 5.0, True, "")
    assert check.expect == (204, 204)
    assert check.headers == (("Accept", "text/plain"),)
    assert HttpCheck(**HTTP).expect == (200, 399)
    assert hash(check) == hash(HttpCheck(**HTTP, interval=10, expect=(204, 204), headers=check.headers))
    with pytest.raises(AttributeError):
        check.interval = 1  # type: ignore[misc]


def test_no_secret_is_in_what_a_check_is_shown_as() -> None:
    """Settings are listed and logged."""
    check = HttpCheck("posts", "http://user:hunter2@host/", headers={"Authorization": "Bearer hunter2"})
    assert "hunter2" not in repr((check, RedisCheck("cache", "redis://:hunter2@host/0")))


def test_a_list_as_json() -> None:
    """As the environment has it: the kinds that need no function."""
    checks = checks_of(
        json.dumps(
            [
                {"kind": "http", **HTTP, "interval": 10, "expect": [200, 299], "headers": {"A": "b"}},
                {"kind": "tcp", **TCP, "region": "eu", "critical": False},
                {"kind": "redis", "name": "cache", "url": "rediss://host/0"},
            ]
        )
    )
    assert checks == (
        HttpCheck(**HTTP, interval=10, expect=(200, 299), headers={"A": "b"}),
        TcpCheck(**TCP, region="eu", critical=False),
        RedisCheck("cache", "rediss://host/0"),
    )
    assert checks_of(" ") == checks_of([]) == ()
    assert checks_of(list(checks)) == checks


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "http"}, "a list of health checks"),
        ([5], "a dictionary, or one of the classes"),
        ([{**HTTP}], "kind is one of http, tcp, redis, database, callable, not None"),
        ([{"kind": ["http"], **HTTP}], "kind is one of"),
        ([{"kind": "http", **HTTP, "every": 5}], "kind http has no 'every'; it has name, "),
        ([{"kind": "http", "name": "posts"}], "kind http lacks some of name, "),
        ([{"kind": "tcp", **TCP, "port": 0}], "not a value for a check's port: 0"),
        ([HttpCheck(**HTTP), TcpCheck("posts", "h", 1)], "two health checks are named 'posts' in region ''"),
        ([TcpCheck(f"n{each}", "h", 1) for each in range(MOST_CHECKS + 1)], "101 health checks; 100 at most"),
        ("{", "Expecting"),
    ],
    ids=[
        "no list",
        "number",
        "no kind",
        "list as kind",
        "unknown",
        "missing",
        "bad",
        "twice",
        "many",
        "no JSON",
    ],
)
def test_a_bad_list_is_refused(given: object, message: str) -> None:
    """With the reason."""
    with pytest.raises(ValueError, match=message):
        checks_of(given)


def test_one_name_in_two_regions_is_two_services() -> None:
    """The label tells them apart."""
    both = [TcpCheck("posts", "host", 1, region=region) for region in ("eu", "us")]
    assert checks_of(both) == tuple(both)


def test_there_is_no_check_of_no_kind() -> None:
    """The base does nothing."""
    with pytest.raises(ValueError, match="HttpCheck"):
        HealthCheck("name")
