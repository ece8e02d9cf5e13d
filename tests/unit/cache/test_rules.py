"""Rules: how long silent responses live, for whom, and under which key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.cache.site import Clock, Origin, came_from_store, frozen, get
from tests.unit.client import Environ
from wsgiperf import CacheMiddleware
from wsgiperf.cache.rules import counting_cookies
from wsgiperf.caching_rules import Rule, rules_of
from wsgiperf.exchange import EXCHANGE

HTML = ("Content-Type", "text/html; charset=utf-8")
SESSION = {"Cookie": "session=alice"}
PASSWORD = {"Authorization": "Basic YWxpY2U6cHc="}
ANALYTICS = {"Cookie": "_ga=1; _gid=2"}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    return frozen(monkeypatch, tmp_path)


def cached(origin: Any, *rules: dict[str, Any], **options: Any) -> CacheMiddleware:
    return CacheMiddleware(origin, rules=rules, **options)


def greeting(environ: Environ) -> bytes:
    """A page that is another for everybody."""
    name = environ.get("HTTP_COOKIE") or environ.get("HTTP_AUTHORIZATION") or environ.get("REMOTE_USER")
    return b"for %s" % (name or "anybody").encode()


@pytest.mark.parametrize(
    ("rule", "path", "applies"),
    [
        pytest.param({}, "/any/thing", True, id="all"),
        pytest.param({"path": "/posts/*"}, "/posts/1", True, id="star"),
        pytest.param({"path": "/posts/*"}, "/posts/1/more", True, id="star-and-slashes"),
        pytest.param({"path": "/posts/*"}, "/posts", False, id="shorter"),
        pytest.param({"path": "/posts/*"}, "/Posts/1", False, id="case"),
        pytest.param({"path": "/posts/*"}, "/x/posts/1", False, id="from-the-start"),
        pytest.param({"path": "/posts"}, "/posts/1", False, id="to-the-end"),
        pytest.param({"path": "*.css"}, "/a.css", True, id="suffix"),
        pytest.param({"path": "*.css"}, "/a.css\0", False, id="suffix-and-null"),
        pytest.param({"path": "/a.b"}, "/axb", False, id="a-dot-is-a-dot"),
        pytest.param({"path": "*a*a*a*a*a*a*a*b"}, "/" + "a" * 5000, False, id="stars-take-no-time"),
        pytest.param({"content_type": "text/html"}, "/", True, id="type"),
        pytest.param({"content_type": "text/*"}, "/", True, id="type-star"),
        pytest.param({"content_type": "image/*"}, "/", False, id="another-type"),
        pytest.param({"route": "/posts/<id>"}, "/posts/1", True, id="route"),
        pytest.param({"route": "/posts/<id>"}, "/other", False, id="another-route"),
        pytest.param({"route": "/posts/<id>", "path": "/x*"}, "/posts/1", False, id="route-and-path"),
        pytest.param({"ttl": None}, "/", False, id="no-ttl"),
        pytest.param({"ttl": 0}, "/", False, id="nought"),
    ],
)
def test_a_rule_applies_where_it_says(rule: dict[str, Any], path: str, applies: bool) -> None:
    def app(environ: Environ, start_response: Any) -> list[bytes]:
        if path.startswith("/posts"):
            environ[EXCHANGE].route = "/posts/<id>"
        start_response("200 OK", [HTML])
        return [b"page"]

    cache = cached(app, {"ttl": 60, **rule})
    get(cache, path)
    assert came_from_store(get(cache, path)) == applies


@pytest.mark.parametrize(
    ("status", "fields", "applies"),
    [
        pytest.param("200 OK", [], True, id="silent"),
        pytest.param("404 Not Found", [], True, id="not-found"),
        pytest.param("301 Moved", [("Location", "/")], True, id="moved"),
        pytest.param("302 Found", [("Location", "/")], False, id="found"),
        pytest.param("500 Internal Server Error", [], False, id="error"),
        pytest.param("403 Forbidden", [], False, id="forbidden"),
        pytest.param("200 OK", [("Cache-Control", "no-store")], False, id="no-store"),
        pytest.param("200 OK", [("Cache-Control", "private")], False, id="private"),
        pytest.param("200 OK", [("Cache-Control", "no-transform")], False, id="it-says-something"),
        pytest.param("200 OK", [("Expires", "0")], False, id="expires"),
        pytest.param("200 OK", [("Pragma", "no-cache")], False, id="pragma"),
        pytest.param("200 OK", [("CDN-Cache-Control", "max-age=0")], False, id="targeted"),
        pytest.param("200 OK", [("Set-Cookie", "a=1")], False, id="set-cookie"),
        pytest.param("200 OK", [("Vary", "*")], False, id="vary-star"),
        pytest.param("200 OK", [("ETag", '"a"')], True, id="a-validator-says-nothing"),
    ],
)
def test_a_rule_speaks_for_those_who_are_silent(
    status: str, fields: list[tuple[str, str]], applies: bool
) -> None:
    cache = cached(Origin(*fields, status=status), {"ttl": 60})
    get(cache)
    assert came_from_store(get(cache)) == applies


def test_a_rule_ends(clock: Clock) -> None:
    cache = cached(Origin(), {"ttl": 60})
    get(cache)
    clock.forward(59.5)
    assert came_from_store(get(cache))
    clock.forward(0.5)
    assert not came_from_store(get(cache))


@pytest.mark.parametrize(
    "who",
    [
        pytest.param({"headers": SESSION}, id="cookie"),
        pytest.param({"headers": PASSWORD}, id="authorization"),
        pytest.param({"REMOTE_USER": "alice"}, id="the-server-knows-the-user"),
        pytest.param({"headers": {"Cookie": "_ga=1; session=alice"}}, id="cookie-beside-an-ignored-one"),
        pytest.param({"headers": {"Cookie": "session"}}, id="cookie-without-a-value"),
        pytest.param({"headers": {"Cookie": "\xa0_ga=1; \x85session=alice"}}, id="odd-spaces"),
    ],
)
@pytest.mark.parametrize("path", ["/page", "/account/x.css", "/account/x.css;.js", "/account%2Fx.css"])
def test_who_is_somebody_neither_leaves_a_page_nor_gets_a_stored_one(who: dict[str, Any], path: str) -> None:
    """Also at /account/x.css, which frameworks may answer with the account's page."""
    origin = Origin(HTML, body=greeting)
    cache = cached(origin, {"path": "*.css*", "ttl": 60}, {"ttl": 60})
    assert not came_from_store(get(cache, path, **who))
    anonymous = get(cache, path)
    assert (anonymous.body, came_from_store(anonymous)) == (b"for anybody", False)
    mine = get(cache, path, **who)
    assert (mine.body != b"for anybody", came_from_store(mine)) == (True, False)
    assert came_from_store(get(cache, path)), "the anonymous entry is gone"


def test_ignored_cookies_make_nobody_somebody() -> None:
    origin = Origin(HTML)
    cache = cached(origin, {"ttl": 60})
    get(cache, headers=ANALYTICS)
    assert came_from_store(get(cache))
    assert came_from_store(get(cache, headers=ANALYTICS))
    assert not came_from_store(get(cache, headers={"Cookie": "_ga=1; theme=dark"}))
    assert origin.calls == 2


def test_a_shared_page_is_everybody_s() -> None:
    origin = Origin(HTML)
    cache = cached(origin, {"ttl": 60, "shared": True})
    get(cache, headers=SESSION)
    assert all(came_from_store(get(cache, headers=headers)) for headers in (SESSION, PASSWORD, {}))
    assert origin.calls == 1


def test_shared_does_not_unlock_an_authenticated_response() -> None:
    """RFC 9111 section 3.5: the response itself has to allow it."""
    cache = cached(Origin(HTML), {"ttl": 60, "shared": True})
    get(cache, headers=PASSWORD)
    assert not came_from_store(get(cache))


@pytest.mark.parametrize(
    ("rule", "alice", "bob"),
    [
        pytest.param({"key_cookies": "session"}, SESSION, {"Cookie": "session=bob"}, id="cookie"),
        pytest.param({"key_cookies": "session"}, SESSION, {"Cookie": "session=-"}, id="dash"),
        pytest.param({"key_cookies": "session"}, {"Cookie": "session=-"}, {}, id="dash-or-nobody"),
        pytest.param({"key_cookies": "session"}, {"Cookie": "session="}, {}, id="empty-or-nobody"),
        pytest.param(
            {"key_cookies": ["a", "b"]}, {"Cookie": "a=1; b=2"}, {"Cookie": "a=2; b=1"}, id="exchanged"
        ),
        pytest.param(
            {"key_cookies": ["a", "b"]}, {"Cookie": "a=1\ncookie:b=+2"}, {"Cookie": "a=1; b=2"}, id="forged"
        ),
        pytest.param({"key_cookies": "a"}, {"Cookie": "a=1; a=2"}, {"Cookie": "a=1"}, id="twice"),
        pytest.param({"key_cookies": "a"}, {"Cookie": "_ga=1, a=1"}, {"Cookie": "_ga=1"}, id="two-lines"),
        pytest.param({"key_cookies": "a"}, {"Cookie": '_ga="; a=1"'}, {"Cookie": "a=1"}, id="in-quotes"),
        pytest.param({"key_headers": "Authorization"}, PASSWORD, {"Authorization": "Basic x"}, id="password"),
        pytest.param({"key_headers": "Authorization"}, PASSWORD, {}, id="password-or-nobody"),
        pytest.param({"key_headers": "Cookie"}, SESSION, {"Cookie": "session=bob"}, id="all-cookies"),
        pytest.param({"key_headers": "X-User"}, {"X-User": "alice"}, {"X-User": "bob"}, id="field"),
        pytest.param(
            {"key_headers": ["X-A", "X-B"]}, {"X-A": "1\nHTTP_X_B=+2"}, {"X-A": "1", "X-B": "2"}, id="lines"
        ),
    ],
)
def test_what_is_in_the_key_has_pages_of_its_own(
    rule: dict[str, Any], alice: dict[str, str], bob: dict[str, str]
) -> None:
    origin = Origin(HTML)
    cache = cached(origin, {"ttl": 60, **rule})
    first, second = get(cache, headers=alice).body, get(cache, headers=bob).body
    assert (first, second) == (b"call 1", b"call 2")
    again = [get(cache, headers=headers) for headers in (alice, bob)]
    assert [(answer.body, came_from_store(answer)) for answer in again] == [(first, True), (second, True)]


@pytest.mark.parametrize(
    ("rule", "headers", "more"),
    [
        pytest.param({"key_cookies": "theme"}, {"Cookie": "theme=dark; session=alice"}, {}, id="cookie"),
        pytest.param({"key_cookies": "s*"}, SESSION, {}, id="a-name-is-no-pattern"),
        pytest.param({"key_cookies": "theme"}, PASSWORD, {}, id="password"),
        pytest.param({"key_headers": "X-A"}, SESSION, {}, id="field"),
        pytest.param({"key_headers": "Authorization"}, {}, {"REMOTE_USER": "alice"}, id="user-of-the-server"),
    ],
)
def test_what_is_not_in_the_key_still_counts(
    rule: dict[str, Any], headers: dict[str, str], more: dict[str, str]
) -> None:
    cache = cached(Origin(HTML, body=greeting), {"ttl": 60, **rule})
    assert not came_from_store(get(cache, headers=headers, **more))
    assert not came_from_store(get(cache, headers=headers, **more))
    assert get(cache).body == b"for anybody"


def test_the_first_rule_that_matches_the_path_makes_the_key_for_all_that_do() -> None:
    """The type is known too late: what is in the key must not depend on the response."""
    origin = Origin(HTML, body=greeting)
    rules: list[dict[str, Any]] = [
        {"content_type": "image/*", "ttl": 600},
        {"content_type": "text/html", "ttl": 60, "key_cookies": "session"},
    ]
    cache = cached(origin, *rules)
    get(cache, headers=SESSION)
    assert get(cache).body == b"for anybody"
    assert get(cache, headers={"Cookie": "session=bob"}).body == b"for session=bob"


def test_the_rule_that_matches_the_response_gives_the_time(clock: Clock) -> None:
    cache = cached(Origin(HTML), {"content_type": "image/*", "ttl": 600}, {"ttl": 10})
    get(cache)
    clock.forward(11)
    assert not came_from_store(get(cache))


def test_a_rule_s_tags_are_purged() -> None:
    cache = cached(Origin(HTML), {"path": "/a*", "ttl": 60, "tags": ["one", "two"]}, {"ttl": 60})
    get(cache, "/a")
    get(cache, "/b")
    assert cache.purge("tag", "two") == 1
    assert not came_from_store(get(cache, "/a"))
    assert came_from_store(get(cache, "/b"))


class File:
    """A server's own wrapper of a file."""

    def __init__(self, file: Any, size: int = 8192) -> None:
        self.blocks = [b"from ", b"a file"]

    def __iter__(self) -> Any:
        return iter(self.blocks)


@pytest.mark.parametrize("files", [True, False])
def test_a_file_is_stored_only_where_a_rule_says_so(files: bool) -> None:
    def app(environ: Environ, start_response: Any) -> Any:
        start_response("200 OK", [HTML])
        return environ["wsgi.file_wrapper"](None)

    cache = cached(app, {"ttl": 60, "files": files})
    more = {"wsgi.file_wrapper": File}
    assert get(cache, **more).body == b"from a file"
    again = get(cache, **more)
    assert (again.body, came_from_store(again)) == (b"from a file", files)


@pytest.mark.parametrize(
    ("field", "counts"),
    [
        pytest.param("session=1", True, id="one"),
        pytest.param("_ga=1", False, id="ignored"),
        pytest.param("_ga_X1=1; _gid=2", False, id="ignored-both"),
        pytest.param("_ga=1; a=1", True, id="one-of-two"),
        pytest.param("x_ga=1", True, id="not-from-the-start"),
        pytest.param("_GA=1", True, id="case"),
        pytest.param("", False, id="empty"),
        pytest.param(";;  ; ", False, id="nothing-between"),
        pytest.param("=nameless", False, id="nameless"),
        pytest.param("a", True, id="no-value"),
        pytest.param("_ga=1;session=2", True, id="no-space"),
        pytest.param("_ga=1, session=2", True, id="two-lines-joined"),
        pytest.param('_ga="1; session=2"', True, id="quotes-hide-nothing"),
        pytest.param("_ga\n=1", False, id="line-feed"),
        pytest.param("named=1", False, id="named"),
        pytest.param("named2=1", True, id="a-name-that-goes-on"),
        pytest.param("a=" + "x" * 100_000, True, id="long"),
    ],
)
def test_a_cookie_counts_unless_it_is_ignored(field: str, counts: bool) -> None:
    assert counting_cookies(["_ga", "_ga_*", "_gid"], ["named"])(field) == counts


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([{"ttl": -1}], id="negative"),
        pytest.param([{"ttl": float("nan")}], id="no-number"),
        pytest.param([{"ttl": "60"}], id="text"),
        pytest.param([{"ttl": True}], id="bool"),
        pytest.param([{"path": ""}], id="empty-path"),
        pytest.param([{"path": 1}], id="path"),
        pytest.param([{"path": "posts/*"}], id="no-slash"),
        pytest.param([{"pth": "/"}], id="unknown"),
        pytest.param([{"shared": 1}], id="shared"),
        pytest.param([{"content_type": "html"}], id="type"),
        pytest.param([{"key_headers": ["X A"]}], id="header"),
        pytest.param([{"key_headers": [""]}], id="empty-header"),
        pytest.param([{"key_cookies": ["a\nb"]}], id="cookie"),
        pytest.param([{"key_cookies": ["a;b"]}], id="cookie-with-a-semicolon"),
        pytest.param([{"tags": 1}], id="tags"),
        pytest.param(["/posts"], id="no-dictionary"),
        pytest.param({"ttl": 1}, id="no-list"),
        pytest.param("{", id="no-json"),
        pytest.param('{"ttl": 1}', id="json-no-list"),
        pytest.param(None, id="nothing"),
    ],
)
def test_a_bad_rule_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        rules_of(value)


def test_rules_are_read_from_dictionaries_and_json() -> None:
    expected = (Rule(ttl=60, path="/posts/*", key_cookies=("session",)), Rule(tags=("a",)))
    given = [{"ttl": 60, "path": "/posts/*", "key_cookies": "session"}, {"tags": ["a"]}]
    assert rules_of(given) == expected
    assert (
        rules_of('[{"ttl": 60, "path": "/posts/*", "key_cookies": "session"}, {"tags": ["a"]}]') == expected
    )
    assert rules_of(expected) == expected
