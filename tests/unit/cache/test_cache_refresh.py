"""Refreshes on nobody's behalf, and requests that an application or a proxy changes on their way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from werkzeug.middleware.proxy_fix import ProxyFix

from tests.unit.cache.site import FRESH, HOST, HTML, Clock, Origin, came_from_store, frozen, get
from tests.unit.client import Environ, ask
from wsgiperf import CacheMiddleware, wrap

STALE_FOR_A_WHILE = ("Cache-Control", "max-age=60, stale-while-revalidate=600")
#: A server with one thread: the refresh runs after the last byte, before `get` returns.
ONE_THREAD = {"wsgi.multithread": False}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    return frozen(monkeypatch, tmp_path)


def test_a_page_keyed_by_a_cookie_is_refreshed_with_that_cookie_alone(clock: Clock) -> None:
    origin = Origin(body=lambda environ: environ.get("HTTP_COOKIE", "nobody").encode())
    cache = CacheMiddleware(origin, rules=[{"ttl": 60, "key_cookies": "s"}], stale_while_revalidate=600.0)
    cookies = {"Cookie": "s=alice; _ga=1"}
    get(cache, headers=cookies)
    clock.forward(70)
    assert came_from_store(get(cache, headers=cookies, **ONE_THREAD))
    assert origin.seen[-1]["HTTP_COOKIE"] == "s=alice"
    again = get(cache, headers=cookies, **ONE_THREAD)
    assert (again["Age"], origin.calls) == ("0", 2)


def test_a_refreshed_page_has_places_for_nonces(clock: Clock) -> None:
    def page(environ: Environ) -> bytes:
        return f'<script nonce="{environ["wsgiperf.csp_nonce"]}">{len(origin.seen)}</script>'.encode()

    origin = Origin(HTML, STALE_FOR_A_WHILE, body=page)
    app = wrap(origin, security="strict")
    get(app)
    clock.forward(70)
    seen = [get(app, **ONE_THREAD) for _ in range(3)]
    assert origin.calls == 2
    assert [b">2<" in answer.body for answer in seen] == [False, True, True]
    nonces = [re.findall(r'nonce="(\w+)"', answer.body.decode()) for answer in seen]
    assert len({*map(tuple, nonces)}) == 3
    for answer, (nonce,) in zip(seen, nonces, strict=True):
        assert f"'nonce-{nonce}'" in answer["Content-Security-Policy"]


def test_what_is_never_fresh_may_stand_in_for_errors(clock: Clock) -> None:
    origin = Origin(("Cache-Control", "max-age=0, stale-if-error=60"), ("ETag", '"v1"'))
    cache = CacheMiddleware(origin)
    get(cache)
    origin.status = "503 Service Unavailable"
    clock.forward(30)
    assert get(cache).status == "200 OK"
    clock.forward(40)
    assert get(cache).status == "503 Service Unavailable"


def test_a_post_behind_a_proxy_invalidates_what_a_get_there_is_stored_under() -> None:
    cache = CacheMiddleware(ProxyFix(Origin(FRESH), x_host=1))  # it puts another Host into environ
    proxied = {"X-Forwarded-Host": "www.example"}
    get(cache, headers=proxied)
    assert came_from_store(get(cache, headers=proxied))
    ask(cache, "/", "POST", {"Host": HOST, **proxied})
    assert not came_from_store(get(cache, headers=proxied))


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_another_method_in_the_clothes_of_get_always_reaches_the_application(name: str) -> None:
    origin = Origin(FRESH)
    cache = CacheMiddleware(origin)
    get(cache)
    for _ in range(2):
        assert not came_from_store(get(cache, headers={name: "DELETE"}))
    assert origin.calls == 3
