"""The cache around one application: what is stored, and who is answered from it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
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
    SESSION,
    TAG,
    Clock,
    Origin,
    came_from_store,
    frozen,
    get,
    in_thread,
    stored,
    until,
    waiting,
    warmed,
)
from tests.unit.client import Environ, Exchanged, ask, environ_of
from wsgiperf import CacheMiddleware
from wsgiperf.cache.entry import Entry
from wsgiperf.exchange import OPTIONS

#: The answer may be stored, its cookie may not.
KEPT_OUT = ("Cache-Control", 'max-age=60, no-cache="Set-Cookie"')


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    return frozen(monkeypatch, tmp_path)


# -- whose answers are stored, and who gets them


@pytest.mark.parametrize(
    ("fields", "headers", "kept"),
    [
        pytest.param([FRESH], {}, True, id="max-age"),
        pytest.param([FRESH], SESSION, True, id="max-age-and-a-cookie"),
        pytest.param([FRESH], PASSWORD, False, id="max-age-and-a-password"),
        pytest.param([("Cache-Control", "public, max-age=60")], PASSWORD, True, id="public"),
        pytest.param([("Cache-Control", "s-maxage=60")], PASSWORD, True, id="s-maxage"),
        pytest.param([("Cache-Control", "max-age=60, must-revalidate")], PASSWORD, True, id="must"),
        pytest.param([OLD], {}, True, id="last-modified"),
        pytest.param([OLD], SESSION, False, id="last-modified-and-a-cookie"),
        pytest.param([OLD], {"Cookie": "_ga=1"}, True, id="last-modified-and-an-ignored-cookie"),
        pytest.param([OLD], PASSWORD, False, id="last-modified-and-a-password"),
        pytest.param([], {}, False, id="silent"),
        pytest.param([FRESH, ("Set-Cookie", "a=1")], {}, False, id="set-cookie"),
        pytest.param([KEPT_OUT, ("Set-Cookie", "a=1")], {}, True, id="set-cookie-kept-out"),
        pytest.param([("Cache-Control", "private, max-age=60")], {}, False, id="private"),
        pytest.param([("Cache-Control", "no-store, max-age=60")], {}, False, id="no-store"),
        pytest.param([FRESH, ("Vary", "*")], {}, False, id="vary-star"),
        pytest.param([FRESH], {"Cache-Control": "no-store"}, False, id="no-store-asked"),
    ],
)  # fmt: skip
def test_who_else_is_answered_from_it(
    fields: list[tuple[str, str]], headers: dict[str, str], kept: bool
) -> None:
    cache = CacheMiddleware(Origin(*fields))
    get(cache, headers=headers)
    assert came_from_store(get(cache)) == kept


def test_a_user_the_server_named_counts_as_a_password() -> None:
    cache = CacheMiddleware(Origin(FRESH))
    get(cache, REMOTE_USER="alice")
    assert not came_from_store(get(cache))
    assert came_from_store(get(cache, REMOTE_USER=""))


def anonymous(clock: Clock, *fields: tuple[str, str], **options: Any) -> tuple[Origin, CacheMiddleware]:
    """A page that is stored for those who are nobody."""
    origin = Origin(HTML, TAG, *fields)
    return origin, stored(origin, rules=[{"ttl": 60}], **options)


SOMEBODY = [
    pytest.param({"headers": SESSION}, id="cookie"),
    pytest.param({"headers": PASSWORD}, id="password"),
    pytest.param({"REMOTE_USER": "alice"}, id="user"),
]


@pytest.mark.parametrize("who", SOMEBODY)
@pytest.mark.parametrize(
    "way",
    [
        pytest.param({}, id="plain"),
        pytest.param({"method": "HEAD"}, id="head"),
        pytest.param({"HTTP_RANGE": "bytes=0-1"}, id="range"),
        pytest.param({"HTTP_IF_NONE_MATCH": '"v1"'}, id="condition"),
        pytest.param({"HTTP_CACHE_CONTROL": "max-stale"}, id="max-stale"),
        pytest.param({"HTTP_CACHE_CONTROL": "only-if-cached"}, id="only-if-cached"),
    ],
)
@pytest.mark.parametrize("age", [pytest.param(0, id="fresh"), pytest.param(70, id="stale")])
def test_an_anonymous_page_never_reaches_somebody(
    who: dict[str, Any], way: dict[str, Any], age: float, clock: Clock
) -> None:
    origin, cache = anonymous(clock, stale_while_revalidate=600.0, stale_if_error=600.0)
    clock.forward(age)
    headers = {"Host": HOST, **who.get("headers", {})}
    more = {name: value for name, value in {**who, **way}.items() if name not in ("headers", "method")}
    answer = ask(cache, "/", way.get("method", "GET"), headers, **more)
    assert not came_from_store(answer)
    assert b"call 1" not in answer.body
    if "only-if-cached" in way.values():
        assert answer.status[:3] == "504"
    else:
        assert origin.calls == 2
        assert origin.seen[1].get("HTTP_IF_NONE_MATCH") == way.get("HTTP_IF_NONE_MATCH"), (
            "our validator was sent"
        )


@pytest.mark.parametrize("who", SOMEBODY)
def test_an_anonymous_page_is_not_shown_to_somebody_instead_of_an_error(
    who: dict[str, Any], clock: Clock
) -> None:
    origin, cache = anonymous(clock, stale_if_error=600.0)
    clock.forward(70)
    origin.status = "503 Service Unavailable"
    assert get(cache, **who).status[:3] == "503"
    assert get(cache).body == b"call 1"


@pytest.mark.parametrize("who", SOMEBODY)
@pytest.mark.parametrize("vary", [[], [("Vary", "Accept-Language")]], ids=["plain", "varying"])
@pytest.mark.parametrize("streams", [False, True], ids=["list", "stream"])
def test_who_waits_for_an_anonymous_page_gets_one_of_their_own(
    who: dict[str, Any], vary: list[tuple[str, str]], streams: bool
) -> None:
    release, calls = threading.Event(), []

    def app(environ: Environ, start_response: Any) -> Any:
        calls.append(dict(environ))
        number = len(calls)
        if number == 1:
            assert release.wait(20)
        start_response("200 OK", [HTML, TAG, *vary])
        blocks = [b"call %d" % number]
        return iter(blocks) if streams else blocks

    cache = warmed(CacheMiddleware(app, rules=[{"ttl": 60}]))
    leader = in_thread(lambda: get(cache).body)
    until(lambda: bool(calls))
    other = in_thread(lambda: get(cache, **who))
    until(lambda: waiting(cache) > 0 or len(calls) > 1)
    release.set()
    assert leader() == b"call 1"
    answer = other()
    assert answer.body == b"call 2"
    assert "HTTP_IF_NONE_MATCH" not in calls[1]
    assert came_from_store(get(cache))


def test_somebody_does_not_push_the_anonymous_page_out() -> None:
    origin = Origin(HTML)
    cache = stored(origin, rules=[{"ttl": 60}])
    for _ in range(3):
        get(cache, headers=SESSION)
        assert came_from_store(get(cache))


def test_a_refusal_of_one_variant_does_not_forget_the_others() -> None:
    def app(environ: Environ, start_response: Any) -> list[bytes]:
        language = environ.get("HTTP_ACCEPT_LANGUAGE", "en")
        store = "no-store" if language == "xx" else "max-age=60"
        start_response("200 OK", [("Vary", "Accept-Language"), ("Cache-Control", store)])
        return [language.encode()]

    cache = CacheMiddleware(app)
    get(cache, headers={"Accept-Language": "en"})
    for _ in range(2):
        assert not came_from_store(get(cache, headers={"Accept-Language": "xx"}))
        assert came_from_store(get(cache, headers={"Accept-Language": "en"}))


# -- cookies that a response sets


def test_set_cookie_is_never_replayed_by_default() -> None:
    origin = Origin(FRESH, ("Set-Cookie", "session=alice"))
    cache = CacheMiddleware(origin)
    assert [get(cache)["Set-Cookie"] for _ in range(3)] == ["session=alice"] * 3
    assert origin.calls == 3


def test_set_cookie_is_replayed_where_that_is_wanted() -> None:
    cache = stored(Origin(FRESH, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")), set_cookie=True)
    answer = get(cache)
    assert (answer.all("Set-Cookie"), came_from_store(answer)) == (["a=1", "b=2"], True)


def test_a_cookie_kept_out_of_the_store_reaches_the_first_alone() -> None:
    cache = CacheMiddleware(Origin(KEPT_OUT, ("Set-Cookie", "a=1")))
    assert get(cache)["Set-Cookie"] == "a=1"
    answer = get(cache)
    assert (answer["Set-Cookie"], came_from_store(answer)) == (None, True)


def test_a_cookie_of_a_304_reaches_the_one_who_asked(clock: Clock) -> None:
    origin = Origin(FRESH, TAG)
    cache = stored(origin)
    clock.forward(70)
    origin.status, origin.body = "304 Not Modified", lambda environ: b""
    origin.fields = [FRESH, TAG, ("Set-Cookie", "session=rolled")]
    answer = get(cache, headers=SESSION)
    assert (answer.status, answer.body, answer["Set-Cookie"]) == ("200 OK", b"call 1", "session=rolled")
    assert get(cache)["Set-Cookie"] is None


def test_a_cookie_of_a_200_is_kept_when_the_client_gets_a_304() -> None:
    cache = CacheMiddleware(Origin(FRESH, TAG, ("Set-Cookie", "session=new")))
    answer = get(cache, headers={"If-None-Match": '"v1"'})
    assert (answer.status[:3], answer["Set-Cookie"]) == ("304", "session=new")


# -- what the application says of its response


@pytest.mark.parametrize(
    ("hook", "fields", "headers", "who_may_have_it"),
    [
        pytest.param({"ttl": 60}, [], {}, {"nobody"}, id="ttl"),
        pytest.param({"ttl": 60}, [], SESSION, set(), id="ttl-for-a-cookie"),
        pytest.param({"ttl": 60}, [FRESH], SESSION, set(), id="ttl-for-a-cookie-whatever-the-fields-say"),
        pytest.param({"ttl": 60}, [], PASSWORD, set(), id="ttl-for-a-password"),
        pytest.param({"ttl": 60, "shared": True}, [], SESSION, {"nobody", "cookie", "password"}, id="shared"),
        pytest.param(
            {"ttl": 60, "shared": True}, [], PASSWORD, {"nobody", "cookie", "password"}, id="for-all"
        ),
        pytest.param({"ttl": 60}, [("Cache-Control", "max-age=0")], {}, {"nobody"}, id="over-max-age"),
        pytest.param({"ttl": 60}, [("Cache-Control", "private")], {}, set(), id="not-over-private"),
        pytest.param({"ttl": 60}, [("Cache-Control", "no-store")], {}, set(), id="not-over-no-store"),
        pytest.param({"ttl": 60}, [("Set-Cookie", "a=1")], {}, set(), id="not-over-set-cookie"),
        pytest.param({"ttl": 0}, [], {}, set(), id="nought"),
        pytest.param({"ttl": None}, [], {}, set(), id="none"),
        pytest.param({"tags": ["a"]}, [], {}, set(), id="tags-alone"),
        pytest.param({"tags": ["a"]}, [FRESH], {}, {"nobody", "cookie", "password"}, id="tags-and-max-age"),
        pytest.param(False, [FRESH], {}, set(), id="false"),
        pytest.param(True, [], {}, set(), id="true"),
        pytest.param("ttl", [], {}, set(), id="nonsense"),
        pytest.param(None, [FRESH], {}, {"nobody", "cookie", "password"}, id="nothing"),
    ],
)
def test_the_application_s_own_word(
    hook: object, fields: list[tuple[str, str]], headers: dict[str, str], who_may_have_it: set[str]
) -> None:
    origin = Origin(*fields)

    def app(environ: Environ, start_response: Any) -> Any:
        environ[OPTIONS] = {"cache": hook}
        return origin(environ, start_response)

    cache = CacheMiddleware(app)
    get(cache, headers=headers)
    others = {"nobody": {}, "cookie": {"Cookie": "session=bob"}, "password": {"Authorization": "Basic eA=="}}
    only = {"Cache-Control": "only-if-cached"}
    served = {who for who, sent in others.items() if get(cache, headers={**sent, **only}).status[:3] == "200"}
    assert served == who_may_have_it


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        pytest.param(["a", "b"], {"a", "b"}, id="two"),
        pytest.param("ab", {"ab"}, id="a-word-is-one"),
        pytest.param(("a", 1, None, "b\n", "\u20ac", "", "x" * 300), {"a"}, id="nonsense-among-them"),
        pytest.param(None, set(), id="none"),
    ],
)
def test_tags_of_the_application(tags: object, found: set[str], tmp_path: Path) -> None:
    origin = Origin(FRESH)

    def app(environ: Environ, start_response: Any) -> Any:
        environ[OPTIONS] = {"cache": {"tags": tags}}
        return origin(environ, start_response)

    for tag in ["a", "b", "ab", "c"]:
        cache = CacheMiddleware(app, store="file", directory=str(tmp_path / tag))
        get(cache)
        assert came_from_store(get(cache))
        assert cache.purge("tag", tag) == (tag in found)
        assert came_from_store(get(cache)) == (tag not in found)


def test_false_keeps_nobody_waiting() -> None:
    """An endless stream of which the cache was told to keep away."""
    release, calls = threading.Event(), []

    def app(environ: Environ, start_response: Any) -> Iterator[bytes]:
        calls.append(1)
        environ[OPTIONS] = {"cache": False}
        start_response("200 OK", [FRESH])
        yield b"first"
        assert release.wait(20)
        yield b"last"

    cache = CacheMiddleware(app, coalesce_timeout=600.0)
    leader = Exchanged(cache, environ_of("/", headers={"Host": HOST}))
    assert leader.read() == b"first"
    other = Exchanged(cache, environ_of("/", headers={"Host": HOST}))
    assert other.read() == b"first"
    release.set()
    assert (leader.whole().body, other.whole().body) == (b"firstlast", b"firstlast")


# -- entries


def test_an_entry_tells_what_it_weighs() -> None:
    made = Entry("http://a/", "200 OK", [("A", "b")], b"x" * 1000, requested=NOW, born=NOW, lifetime=60)
    before = made.size
    made.variants["br"] = b"y" * 500
    assert made.size - before >= 500
    assert made.kept_until == NOW + 60


@pytest.mark.parametrize(
    ("fields", "calls"),
    [
        pytest.param([FRESH], 3, id="storable"),
        pytest.param([FRESH, ("Set-Cookie", "a=1")], 9, id="sets-a-cookie"),
        pytest.param([("Cache-Control", "no-store")], 9, id="no-store"),
        pytest.param([("Last-Modified", "yesterday")], 9, id="no-freshness"),
        pytest.param([FRESH, ("Content-Length", str(2**30))], 9, id="too-large"),
    ],
)
def test_what_may_be_stored_after_all_is_stored_from_the_next_request_on(
    fields: list[tuple[str, str]], calls: int
) -> None:
    origin = Origin(("Cache-Control", "private"))
    cache = CacheMiddleware(origin)
    get(cache)
    origin.fields = fields
    for _ in range(8):
        get(cache)
    assert origin.calls == calls


def test_after_all_nothing_is_stored_of_a_request_that_the_application_changed() -> None:
    """It takes the cookie away, so that nothing is left that tells whom the page is for."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        visitor = environ.pop("HTTP_COOKIE", "nobody")
        start_response("200 OK", [("Cache-Control", "private") if visitor == "nobody" else OLD])
        return [visitor.encode()]

    cache = CacheMiddleware(application)
    visitors = [{}, {"Cookie": "ann"}, {}, {"Cookie": "bob"}, {}]
    assert [get(cache, headers=cookie).body for cookie in visitors] == [
        b"nobody", b"ann", b"nobody", b"bob", b"nobody",
    ]  # fmt: skip
