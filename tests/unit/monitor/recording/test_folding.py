"""Under which names requests are counted."""

import pytest

from wsgiperf.monitor.recording.folding import matcher, method_name, status_code


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("GET", "GET"),
        ("PATCH", "PATCH"),
        ("get", "_OTHER"),
        ("PURGE", "_OTHER"),
        ("", "_OTHER"),
        ("A" * 9999, "_OTHER"),
    ],
    ids=["known", "patch", "lower case", "not HTTP's", "empty", "long"],
)
def test_methods(method, name):
    assert method_name(method) == name


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("200 OK", 200),
        ("404", 404),
        ("599 x", 599),
        (None, 500),
        ("600 x", 500),
        ("099 x", 500),
        ("abc", 500),
        ("", 500),
        ("²00 x", 500),
    ],
    ids=["ok", "no reason", "last", "no head", "above", "below", "words", "empty", "no ASCII digit"],
)
def test_statuses(status, code):
    assert status_code(status) == code


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/posts/1", "/posts/{id}"),
        ("/posts/a b", "/posts/{id}"),
        ("/posts/", "unmatched"),
        ("/posts/1/comments", "/posts/{id}/comments"),
        ("/posts/1\n", "/posts/{id}"),
        ("/static/a/b.css", "/static/*"),
        ("/static/", "/static/*"),
        ("/users/7/avatar.png", "/users/<int:id>/*.png"),
        ("/", "/"),
        ("/wp-login.php", "unmatched"),
        ("/a.b", "/a.b"),
        ("/aXb", "unmatched"),
        ("", "unmatched"),
    ],
)
def test_patterns(path, route):
    match = matcher(
        ["/", "/posts/{id}", "/posts/{id}/comments", "/static/*", "/users/<int:id>/*.png", "/a.b"]
    )
    assert match(path) == route


def test_the_first_pattern_that_matches_counts():
    match = matcher(["/posts/new", "/posts/{id}"])
    assert match("/posts/new") == "/posts/new"


def test_no_patterns_no_matcher():
    assert matcher([]) is None


def test_a_flood_of_paths_is_answered_in_bounded_memory():
    match = matcher(["/posts/{id}"])
    assert {match(f"/x{number}") for number in range(10_000)} == {"unmatched"}
    assert len(match.__self__) <= 256
