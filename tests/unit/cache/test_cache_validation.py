"""Conditions, validation, HEAD and ranges: what is asked of the application, and what of that others get."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cache.site import (
    FRESH,
    HOST,
    HTML,
    NOW,
    OLD,
    PASSWORD,
    TAG,
    Clock,
    Origin,
    came_from_store,
    frozen,
    get,
    stored,
)
from tests.unit.client import Environ, ask
from wsgiperf import CacheMiddleware
from wsgiperf.http.dates import format_date


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    return frozen(monkeypatch, tmp_path)


# -- conditions


@pytest.mark.parametrize("streams", [False, True], ids=["list", "stream"])
def test_the_application_is_asked_without_the_client_s_conditions(streams: bool) -> None:
    """Else the first visitor's 304 would leave nothing to store."""
    seen: list[Environ] = []

    def app(environ: Environ, start_response: Any) -> Any:
        seen.append(dict(environ))
        start_response("200 OK", [FRESH, TAG])
        return iter([b"a", b"b"]) if streams else [b"ab"]

    cache = CacheMiddleware(app)
    first = get(cache, headers={"If-None-Match": '"v1"', "If-Modified-Since": format_date(NOW)})
    assert not {"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"} & seen[0].keys()
    assert (first.status[:3], first.body) in (("304", b""), ("200", b"ab"))
    second = get(cache)
    assert (second.body, came_from_store(second)) == (b"ab", True)
    third = get(cache, headers={"If-None-Match": '"v1"'})
    assert (third.status[:3], third.body, came_from_store(third)) == ("304", b"", True)


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        pytest.param({"If-None-Match": '"v1"'}, "304", id="same-tag"),
        pytest.param({"If-None-Match": 'W/"v1"'}, "304", id="weak"),
        pytest.param({"If-None-Match": "*"}, "304", id="star"),
        pytest.param({"If-None-Match": '"v0", "v1"'}, "304", id="among-others"),
        pytest.param({"If-None-Match": '"v2"'}, "200", id="another"),
        pytest.param({"If-None-Match": "v1"}, "200", id="unquoted"),
        pytest.param({"If-None-Match": ""}, "200", id="empty"),
        pytest.param({"If-Modified-Since": format_date(NOW)}, "304", id="date"),
        pytest.param({"If-Modified-Since": format_date(NOW - 200_000)}, "200", id="earlier"),
        pytest.param({"If-Modified-Since": "tomorrow"}, "200", id="no-date"),
        pytest.param({"If-None-Match": '"v2"', "If-Modified-Since": format_date(NOW)}, "200", id="tag-first"),
        pytest.param({"If-Match": '"v1"'}, "200", id="if-match"),
        pytest.param({"If-Unmodified-Since": format_date(NOW)}, "200", id="if-unmodified-since"),
    ],
)
@pytest.mark.parametrize("first", [True, False], ids=["miss", "hit"])
def test_conditions_are_answered_with_and_without_a_stored_response(
    condition: dict[str, str], status: str, first: bool
) -> None:
    cache = CacheMiddleware(Origin(FRESH, TAG, OLD, ("Date", format_date(NOW))))
    if not first:
        get(cache)
    answer = get(cache, headers=condition)
    assert answer.status[:3] == status
    assert (answer.body == b"") == (status == "304")
    assert answer["ETag"] == '"v1"'
    if status == "304":
        assert answer["Content-Length"] is None
        assert answer["Content-Type"] is None


def test_preconditions_go_to_the_application() -> None:
    origin = Origin(FRESH, TAG)
    cache = stored(origin)
    get(cache, headers={"If-Match": '"v0"'})
    assert origin.seen[1]["HTTP_IF_MATCH"] == '"v0"'


def written(status: str, *fields: tuple[str, str]) -> Callable[..., list[bytes]]:
    """An application that pushes its body by `write()`."""

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        start_response(status, list(fields))(b"pushed")
        return []

    return app


def test_a_body_that_was_pushed_stays_with_its_head(clock: Clock) -> None:
    """Neither a 304 nor another status may stand before bytes that are on their way."""
    pushing = written("200 OK", FRESH, TAG)
    cache = CacheMiddleware(pushing)
    for _ in range(2):
        answer = get(cache, headers={"If-None-Match": '"v1"'})
        assert (answer.status, answer.body) == ("200 OK", b"pushed")


def test_a_304_with_a_write_stays_one(clock: Clock) -> None:
    """Its empty body is the server's already: the stored one can't follow."""
    apps: list[Any] = [Origin(FRESH, TAG)]
    cache = stored(lambda *request: apps[-1](*request))
    clock.forward(70)

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("304 Not Modified", [TAG])(b"")
        return []

    apps.append(app)
    answer = get(cache)
    assert answer["Content-Length"] in (None, str(len(answer.body)))
    answer = get(cache, headers={"If-None-Match": '"v1"'})
    assert (answer.status[:3], answer.body, answer["Content-Length"]) == ("304", b"", None)


def test_a_pushed_error_is_not_covered_up(clock: Clock) -> None:
    apps: list[Any] = [Origin(FRESH)]
    cache = stored(lambda *request: apps[-1](*request), stale_if_error=600.0)
    clock.forward(70)
    apps.append(written("500 Internal Server Error"))
    answer = get(cache)
    assert (answer.status[:3], answer.body) in (("500", b"pushed"), ("200", b"call 1"))


# -- validation


def revalidated(clock: Clock, *fields: tuple[str, str], stored_as: Any = (FRESH, TAG), **request: Any) -> Any:
    """The cache and the answer, where the application says 304 with these fields."""
    origin = Origin(*stored_as)
    cache = stored(origin)
    clock.forward(70)

    def app_says_304(environ: Environ) -> bytes:
        return b""

    origin.status, origin.fields, origin.body = "304 Not Modified", list(fields), app_says_304
    return origin, cache, get(cache, **request)


def test_a_304_renews_the_entry(clock: Clock) -> None:
    origin, cache, answer = revalidated(clock, FRESH, TAG, ("X-New", "1"))
    assert (answer.status, answer.body, answer["X-New"]) == ("200 OK", b"call 1", "1")
    assert origin.seen[1]["HTTP_IF_NONE_MATCH"] == '"v1"'
    again = get(cache)
    assert (again.body, again["X-New"], came_from_store(again)) == (b"call 1", "1", True)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([TAG, ("Cache-Control", "private")], id="private"),
        pytest.param([TAG, ("Cache-Control", "no-store")], id="no-store"),
        pytest.param([TAG, FRESH, ("Vary", "*")], id="vary-star"),
    ],
)
def test_a_304_that_forbids_it_ends_the_storing(fields: list[tuple[str, str]], clock: Clock) -> None:
    origin, cache, answer = revalidated(clock, *fields)
    assert (answer.status, answer.body) == ("200 OK", b"call 1")
    origin.status, origin.fields, origin.body = "200 OK", [FRESH], None
    assert get(cache).body == b"call 3"
    assert "HTTP_IF_NONE_MATCH" not in origin.seen[2]


def test_a_304_to_somebody_does_not_change_what_others_get(clock: Clock) -> None:
    """RFC 9111 section 3.5: a response to a request with Authorization, of which a 304 is one."""
    origin, cache, answer = revalidated(clock, FRESH, TAG, ("X-User", "alice"), headers=PASSWORD)
    assert (answer.body, answer["X-User"]) == (b"call 1", "alice")
    origin.fields = [FRESH, TAG]
    assert get(cache)["X-User"] is None


def test_a_head_by_somebody_does_not_change_what_others_get(clock: Clock) -> None:
    origin = Origin(FRESH, TAG)
    cache = stored(origin)
    clock.forward(70)
    origin.fields = [FRESH, TAG, ("X-User", "alice")]
    ask(cache, "/", "HEAD", {"Host": HOST, **PASSWORD})
    origin.fields, origin.status, origin.body = [FRESH, TAG], "304 Not Modified", lambda environ: b""
    assert get(cache)["X-User"] is None


def test_a_client_without_conditions_never_gets_a_304(clock: Clock) -> None:
    """Also where the application's 304 is about something else."""
    origin = Origin(FRESH, TAG)
    cache = stored(origin)
    clock.forward(70)

    def app(environ: Environ, start_response: Any) -> Any:
        if "HTTP_IF_NONE_MATCH" in environ:
            start_response("304 Not Modified", [("ETag", '"v9"')])
            return []
        return origin(environ, start_response)

    cache.inner = app
    whole = CacheMiddleware(app)
    whole._storage = cache._storage
    for answer in (get(whole), get(whole)):
        assert (answer.status, answer.body != b"") == ("200 OK", True)


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone", "200 OK"])
def test_what_was_replaced_is_not_served_stale(status: str, clock: Clock) -> None:
    """By something that isn't stored: the page is gone, or has become private."""
    origin = Origin(("Cache-Control", "max-age=60"))
    cache = stored(origin, stale_while_revalidate=600.0)
    clock.forward(70)
    origin.status, origin.fields = status, [("Cache-Control", "private")]
    assert get(cache, headers={"Cache-Control": "no-cache"}).body == b"call 2"
    assert get(cache).body == b"call 3"


def test_an_error_does_not_replace_what_is_stored(clock: Clock) -> None:
    origin = Origin(FRESH)
    cache = stored(origin, stale_if_error=600.0)
    clock.forward(70)
    origin.status, origin.fields = "503 Service Unavailable", []
    answer = get(cache)
    assert (answer.status, answer.body) == ("200 OK", b"call 1")
    clock.forward(600)
    assert get(cache).status[:3] == "503"


def test_an_application_that_is_a_generator_replaces_what_is_stored(clock: Clock) -> None:
    """Its head comes with the first block: that is no failure to be covered up."""
    calls = []

    def app(_environ: Any, start_response: Any) -> Any:
        calls.append(1)
        start_response("200 OK", [FRESH])
        yield b"call %d" % len(calls)

    cache = stored(app, stale_if_error=600.0)
    clock.forward(70)
    assert get(cache).body == b"call 2"


# -- HEAD


def test_head_is_answered_from_a_stored_get() -> None:
    origin = Origin(FRESH, TAG, HTML)
    cache = stored(origin)
    answer = ask(cache, "/", "HEAD", {"Host": HOST})
    assert (answer.status, answer.body, answer["Content-Length"], answer["ETag"]) == (
        "200 OK",
        b"",
        "6",
        '"v1"',
    )
    assert came_from_store(answer)
    assert origin.calls == 1


def test_head_is_not_stored_and_asks_nobody_to_wait() -> None:
    origin = Origin(FRESH)
    cache = CacheMiddleware(origin)
    ask(cache, "/", "HEAD", {"Host": HOST})
    assert not came_from_store(get(cache))
    assert origin.seen[0]["REQUEST_METHOD"] == "HEAD"


@pytest.mark.parametrize("shared", [False, True], ids=["memory", "file"])
def test_a_head_that_differs_makes_the_entry_stale(shared: bool, clock: Clock, tmp_path: Path) -> None:
    origin = Origin(FRESH, TAG)
    options: dict[str, Any] = {"store": "file", "directory": str(tmp_path / "store")} if shared else {}
    cache = stored(origin, **options)
    origin.fields = [FRESH, ("ETag", '"v2"')]
    ask(cache, "/", "HEAD", {"Host": HOST, "Cache-Control": "no-cache"})
    other = CacheMiddleware(origin, **options) if shared else cache
    answer = get(other)
    assert (answer.body, came_from_store(answer)) == (b"call 3", False)


# -- ranges


@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        pytest.param("bytes=0-3", "206", b"call", "bytes 0-3/6", id="first"),
        pytest.param("bytes=-1", "206", b"1", "bytes 5-5/6", id="last"),
        pytest.param("bytes=9-", "416", b"", "bytes */6", id="beyond"),
        pytest.param("bytes=3-1", "200", b"call 1", None, id="malformed"),
        pytest.param("lines=1-2", "200", b"call 1", None, id="another-unit"),
    ],
)
def test_ranges_are_cut_from_what_is_stored(
    asked: str, status: str, body: bytes, content_range: str | None
) -> None:
    origin = Origin(FRESH, TAG)
    cache = stored(origin)
    answer = get(cache, headers={"Range": asked})
    assert (answer.status[:3], answer.body, answer["Content-Range"]) == (status, body, content_range)
    assert origin.calls == 1


def test_a_range_of_somebody_s_page_is_not_joined_with_another_s() -> None:
    def app(environ: Environ, start_response: Any) -> list[bytes]:
        who = environ.get("HTTP_COOKIE", "nobody")
        start_response("206 Partial Content", [("Content-Range", "bytes 0-3/8"), ("ETag", f'"{who}"'), HTML])
        return [who[:4].encode()]

    cache = CacheMiddleware(app, rules=[{"ttl": 60}])
    get(cache, headers={"Range": "bytes=0-3", "Cookie": "alice"})
    answer = get(cache, headers={"Range": "bytes=0-3"})
    assert (answer.body, came_from_store(answer)) == (b"nobo", False)
