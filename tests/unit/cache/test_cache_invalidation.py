"""What ends an entry, what makes it anew, and what the cache says of all this."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.cache.site import (
    FRESH,
    HOST,
    TAG,
    Clock,
    Origin,
    came_from_store,
    frozen,
    get,
    post,
    stored,
)
from tests.unit.client import Environ, Exchanged, ask, environ_of
from tests.unit.parts import Seen
from wsgiperf import CacheMiddleware, Stack
from wsgiperf.cache.refresh import run
from wsgiperf.events import Cached


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    return frozen(monkeypatch, tmp_path)


# -- what it says


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        pytest.param(None, "wsgiperf; fwd=uri-miss; stored", id="none"),
        pytest.param("inner; hit", "inner; hit, wsgiperf; fwd=uri-miss; stored", id="one"),
    ],
)
def test_cache_status_comes_after_that_of_the_application(own: str | None, expected: str) -> None:
    cache = CacheMiddleware(Origin(FRESH, *([("Cache-Status", own)] if own else [])))
    assert get(cache)["Cache-Status"] == expected
    hit = get(cache)["Cache-Status"]
    assert hit is not None
    assert hit.startswith("wsgiperf; hit; ttl="), "the application's is about another answer"


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        pytest.param({"method": "POST"}, "fwd=method", id="method"),
        pytest.param({"CONTENT_LENGTH": "1"}, "fwd=bypass", id="body"),
        pytest.param({"HTTP_IF_MATCH": "*"}, "fwd=bypass", id="precondition"),
        pytest.param({"HTTP_CACHE_CONTROL": "no-cache"}, "fwd=request", id="no-cache"),
        pytest.param({"HTTP_CACHE_CONTROL": "max-age=0"}, "hit", id="max-age-0-at-age-0"),
        pytest.param({"path": "/other"}, "fwd=uri-miss", id="uri"),
        pytest.param({"HTTP_ACCEPT_LANGUAGE": "de"}, "fwd=vary-miss", id="vary"),
        pytest.param({"HTTP_HOST": "a b"}, "fwd=bypass", id="no-key"),
    ],
)
def test_cache_status_says_why(request_: dict[str, Any], says: str) -> None:
    cache = CacheMiddleware(Origin(FRESH, ("Vary", "Accept-Language")))
    environ = environ_of("/", headers={"Host": HOST})
    ask_with = {"path": request_.pop("path", "/"), "method": request_.pop("method", "GET")}
    Exchanged(cache, environ).whole()
    answer = ask(cache, ask_with["path"], ask_with["method"], **{"HTTP_HOST": HOST, **request_})
    assert f"; {says}" in str(answer["Cache-Status"])


def test_no_name_no_status() -> None:
    cache = stored(Origin(FRESH), status_name="")
    for answer in (get(cache), get(cache, "/other"), post(cache)):
        assert answer["Cache-Status"] is None


def test_events_tell_what_happened(clock: Clock) -> None:
    origin, seen = Origin(FRESH), Seen(lambda exchange: list(exchange.events))
    stack = Stack(origin, seen, CacheMiddleware(stale_while_revalidate=600.0, refresh_threads=1))
    get(stack)
    get(stack)
    clock.forward(70)
    get(stack, **{"wsgi.multithread": False})
    assert seen.found == [[Cached("miss")], [Cached("hit")], [Cached("stale")]]
    assert origin.calls == 2, "the refresh"


def test_age_and_time_left(clock: Clock) -> None:
    cache = stored(Origin(("Cache-Control", "max-age=60"), ("Age", "10")))
    clock.forward(5)
    answer = get(cache)
    assert (answer["Age"], answer["Cache-Status"]) == ("15", "wsgiperf; hit; ttl=45")
    clock.forward(44.9)
    assert came_from_store(get(cache))
    clock.forward(0.1)
    assert not came_from_store(get(cache))


# -- invalidation and purges


@pytest.mark.parametrize(
    ("status", "fields", "gone"),
    [
        pytest.param("200 OK", [], {"/a"}, id="target"),
        pytest.param("303 See Other", [("Location", "/b")], {"/a", "/b"}, id="location"),
        pytest.param(
            "201 Created", [("Content-Location", f"http://{HOST}/b")], {"/a", "/b"}, id="content-location"
        ),
        pytest.param("200 OK", [("Location", "http://other.example/b")], {"/a"}, id="another-origin"),
        pytest.param("200 OK", [("Location", f"https://{HOST}/b")], {"/a"}, id="another-scheme"),
        pytest.param("200 OK", [("Location", f"//{HOST}:80/b")], {"/a", "/b"}, id="spelt-another-way"),
        pytest.param("200 OK", [("Location", "b#part")], {"/a", "/b"}, id="relative-with-a-fragment"),
        pytest.param("200 OK", [("Location", "/%62")], {"/a", "/b"}, id="encoded"),
        pytest.param("200 OK", [("Location", "/\xc3\xa9")], {"/a", "/\xc3\xa9"}, id="raw-utf-8"),
        pytest.param("200 OK", [("Location", "/%C3%A9")], {"/a", "/\xc3\xa9"}, id="encoded-utf-8"),
        pytest.param("200 OK", [("Location", "http://[::1")], {"/a"}, id="malformed"),
        pytest.param("200 OK", [("Location", "/" + "x" * 5000)], {"/a"}, id="long"),
        pytest.param("400 Bad Request", [("Location", "/b")], set(), id="client-error"),
        pytest.param("500 Internal Server Error", [], set(), id="server-error"),
    ],
)
def test_unsafe_methods_invalidate(status: str, fields: list[tuple[str, str]], gone: set[str]) -> None:
    origin = Origin(FRESH)
    cache = CacheMiddleware(origin)
    paths = ["/a", "/b", "/\xc3\xa9"]
    for path in paths:
        get(cache, path)
    origin.status, origin.fields = status, fields
    post(cache, "/a")
    origin.status, origin.fields = "200 OK", []
    assert {path for path in paths if not came_from_store(get(cache, path))} == gone


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
def test_every_unsafe_method_invalidates_all_variants(method: str) -> None:
    cache = CacheMiddleware(Origin(FRESH, ("Vary", "Accept-Language")))
    languages = [{"Accept-Language": language} for language in ("en", "de")]
    for headers in languages:
        get(cache, headers=headers)
    assert all(came_from_store(get(cache, headers=headers)) for headers in languages)
    ask(cache, "/", method, {"Host": HOST})
    assert not any(came_from_store(get(cache, headers=headers)) for headers in languages)


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "HEAD", "GET"])
def test_safe_methods_do_not(method: str) -> None:
    cache = stored(Origin(FRESH))
    ask(cache, "/", method, {"Host": HOST})
    assert came_from_store(get(cache))


def test_a_stranger_cannot_empty_another_host_s_pages() -> None:
    cache = stored(Origin(FRESH, ("Location", f"http://{HOST}/")))
    ask(cache, "/", "POST", {"Host": "evil.example"})
    assert came_from_store(get(cache))


@pytest.mark.parametrize("store", ["memory", "file"])
@pytest.mark.parametrize(
    ("kind", "value", "gone"),
    [
        pytest.param("url", f"http://{HOST}/posts/1", {"/posts/1"}, id="url"),
        pytest.param("url", "/posts/1", {"/posts/1"}, id="any-host"),
        pytest.param("prefix", "/posts/", {"/posts/1", "/posts/2"}, id="prefix"),
        pytest.param("tag", "two", {"/posts/2", "/about"}, id="tag"),
        pytest.param("all", "", {"/posts/1", "/posts/2", "/about"}, id="all"),
        pytest.param("url", "/posts", set(), id="none"),
    ],
)
@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
def test_purges(store: str, kind: Any, value: str, gone: set[str], soft: bool, tmp_path: Path) -> None:
    def app(environ: Environ, start_response: Any) -> list[bytes]:
        tags = "one" if environ["PATH_INFO"] == "/posts/1" else "one two"
        start_response("200 OK", [FRESH, ("Surrogate-Key", tags), ("Vary", "Accept-Language")])
        return [b"page"]

    cache = CacheMiddleware(app, store=store, directory=str(tmp_path / "store"))
    paths = ["/posts/1", "/posts/2", "/about"]
    for path in paths:
        get(cache, path)
        assert came_from_store(get(cache, path))
    cache.purge(kind, value, soft=soft)
    assert {path for path in paths if not came_from_store(get(cache, path))} == gone


# -- refreshes


def refreshed(clock: Clock, origin: Any, **request: Any) -> CacheMiddleware:
    """A cache whose entry was served stale, and refreshed when the answer was out."""
    cache = CacheMiddleware(origin, stale_while_revalidate=600.0, **request.pop("options", {}))
    get(cache, **request)
    clock.forward(70)
    answer = get(cache, **{"wsgi.multithread": False, **request})
    assert came_from_store(answer)
    return cache


def test_a_refresh_is_nobody_s_request(clock: Clock) -> None:
    origin = Origin(FRESH, TAG)
    headers = {"Cookie": "_ga=1; session=alice", "If-None-Match": '"v1"', "X-Request-ID": "1"}
    cache = refreshed(clock, origin, headers=headers, **{"wsgi.input": None})
    asked = origin.seen[1]
    assert not {"HTTP_COOKIE", "HTTP_X_REQUEST_ID", "HTTP_AUTHORIZATION"} & asked.keys()
    assert asked["wsgi.input"].read() == b""
    assert get(cache).body == b"call 2"


def test_a_refresh_that_fails_leaves_what_is_stored(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    origin = Origin(FRESH)

    def app(environ: Environ, start_response: Any) -> Any:
        if origin.calls:
            raise RuntimeError("fails")
        return origin(environ, start_response)

    cache = refreshed(clock, app)
    assert came_from_store(get(cache, **{"wsgi.multithread": False}))


def test_no_client_can_ask_for_a_refresh() -> None:
    origin = Origin(FRESH)
    cache = stored(origin)
    for name in ("wsgiperf.cache.refresh", "WSGIPERF-CACHE-REFRESH", "wsgiperf_cache_refresh"):
        assert came_from_store(get(cache, headers={name: "1"}))


def test_a_refresh_reaches_only_what_lies_inside(clock: Clock) -> None:
    origin, seen = Origin(FRESH), Seen()
    cache = CacheMiddleware()
    stack = Stack(origin, seen, cache)
    get(stack)
    environ = environ_of("/", headers={"Host": HOST})
    environ["wsgiperf.cache.refresh"] = True
    run(cache, environ)
    assert (origin.calls, len(seen.exchanges)) == (2, 1)
