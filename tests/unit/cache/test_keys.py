"""Cache keys: what shares an entry, what must not, and that nobody can write into another's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.cache.site import FRESH, HOST, Clock, Origin, came_from_store, frozen, get
from tests.unit.client import Environ, ask, environ_of
from wsgiperf import CacheMiddleware
from wsgiperf.cache.key import (
    FORWARDING,
    LONGEST_REMEMBERED,
    MOST_REMEMBERED,
    Keys,
    canonical_origin,
    keyed_url,
    path_of,
)
from wsgiperf.cache.rules import ignoring
from wsgiperf.exchange import Exchange


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    return frozen(monkeypatch, tmp_path)


def request(path: str = "/page", headers: dict[str, str] | None = None, **more: Any) -> Environ:
    return environ_of(path, headers={"Host": HOST, **(headers or {})}, **more)


def key(environ: Environ) -> str | None:
    return keyed_url(Exchange(environ, frozenset()), None)


def answered_from(first: Environ, second: Environ, *fields: tuple[str, str], **options: Any) -> bool:
    """Whether the second request is answered with what the first one left."""
    origin = Origin(FRESH, *fields)
    cache = CacheMiddleware(origin, **options)
    send(cache, first)
    send(cache, second)
    return origin.calls == 1


def send(cache: CacheMiddleware, environ: Environ) -> bytes:
    body: Any = cache(environ, lambda status, fields, exc_info=None: lambda data: None)
    try:
        return b"".join(body)
    finally:
        getattr(body, "close", lambda: None)()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(request(), request(), id="itself"),
        pytest.param(request(headers={"Host": "SITE.example"}), request(), id="host-in-capitals"),
        pytest.param(request(headers={"Host": f"{HOST}:80"}), request(), id="the-scheme-s-port"),
        pytest.param(request(headers={"Host": f"{HOST}:"}), request(), id="an-empty-port"),
        pytest.param(
            request(headers={"Host": f"{HOST}:443"}, scheme="https"), request(scheme="https"), id="https-port"
        ),
        pytest.param(request(QUERY_STRING=""), request(), id="an-empty-query"),
        pytest.param(
            request(headers={"User-Agent": "one"}), request(headers={"User-Agent": "two"}), id="agent"
        ),
        pytest.param(request(peer="192.0.2.7"), request(peer="192.0.2.8"), id="another-client"),
        pytest.param(request(headers={"X-Forwarded-For": "192.0.2.7"}), request(), id="a-forwarded-client"),
        pytest.param(
            request(headers={"Forwarded": "for=192.0.2.7;host=a"}),
            request(headers={"Forwarded": "for=192.0.2.8;host=a"}),
            id="forwarded-for-others",
        ),
        pytest.param(request("/é", headers={}), request("/é"), id="latin-1-path"),
        pytest.param(request("/é".encode().decode("latin-1")), request("/Ã©"), id="utf-8-path"),
        pytest.param(
            environ_of("/page", SERVER_NAME=HOST), request(), id="without-a-host-by-the-server-s-name"
        ),
        pytest.param(request("/b", mount="/a"), request("/b", mount="/a"), id="mounted"),
    ],
)
def test_who_asks_for_the_same_thing_shares_it(one: Environ, other: Environ) -> None:
    assert answered_from(one, other)


@pytest.mark.parametrize(
    ("forged", "victim"),
    [
        pytest.param(request("/other"), request(), id="path"),
        pytest.param(request("/Page"), request(), id="path-in-another-case"),
        pytest.param(request("//page"), request(), id="two-slashes"),
        pytest.param(request("/page/"), request(), id="a-slash-at-the-end"),
        pytest.param(request("/./page"), request(), id="a-dot-segment"),
        pytest.param(request("/x/../page"), request(), id="two-dots"),
        pytest.param(request("/%2e/page"), request("/./page"), id="an-encoded-dot-encoded-twice"),
        pytest.param(request("/%70age"), request(), id="encoded-twice"),
        pytest.param(request("/page%00"), request("/page\0"), id="null-encoded-twice"),
        pytest.param(request("/page\0"), request(), id="null-at-the-end"),
        pytest.param(request("/page\0.css"), request("/page"), id="null-amid"),
        pytest.param(request("/page\r"), request(), id="carriage-return"),
        pytest.param(request("/page\t"), request("/page"), id="tab"),
        pytest.param(request("/page\x7f"), request("/page%7F"), id="delete"),
        pytest.param(request("/page#x"), request(), id="fragment-in-the-path"),
        pytest.param(request("/page?a=1"), request(QUERY_STRING="a=1"), id="question-mark-in-the-path"),
        pytest.param(request("/page%3Fa=1"), request("/page?a=1"), id="%3F-encoded-twice"),
        pytest.param(request("/page", QUERY_STRING="a=1?"), request(QUERY_STRING="a=1"), id="mark-in-query"),
        pytest.param(request(QUERY_STRING="a=1"), request(), id="query"),
        pytest.param(request(QUERY_STRING="a=1&b=2"), request(QUERY_STRING="b=2&a=1"), id="query-order"),
        pytest.param(request(QUERY_STRING="a=%41"), request(QUERY_STRING="a=A"), id="query-encoding"),
        pytest.param(request(QUERY_STRING="A=1"), request(QUERY_STRING="a=1"), id="query-case"),
        pytest.param(request("/é"), request("/e"), id="accent"),
        pytest.param(request("/é"), request("/Ã©"), id="latin-1-is-not-utf-8"),
        pytest.param(request("/\u20ac"), request("/?"), id="what-no-server-sends"),
        pytest.param(request("/\u20ac"), request("/\u20ad"), id="two-that-no-server-sends"),
        pytest.param(request(headers={"Host": "evil.example"}), request(), id="host"),
        pytest.param(request(headers={"Host": f"{HOST}:8080"}), request(), id="port"),
        pytest.param(request(headers={"Host": f"{HOST}:443"}), request(), id="the-other-scheme-s-port"),
        pytest.param(request(scheme="https"), request(), id="scheme"),
        pytest.param(request(headers={"Host": f"{HOST}:8080:80"}), request(headers={"Host": f"{HOST}:8080"}),
                     id="two-ports"),
        pytest.param(request(headers={"Host": f"{HOST}::80"}), request(), id="two-colons"),
        pytest.param(request(headers={"Host": f"{HOST}."}), request(), id="a-dot-at-the-end"),
        pytest.param(request(headers={"Host": f"user@{HOST}"}), request(), id="user"),
        pytest.param(request(headers={"Host": f"{HOST}/page"}, path="/"), request(), id="path-in-the-host"),
        pytest.param(request(headers={"Host": f"{HOST}/page?"}, path="/"), request(), id="query-in-the-host"),
        pytest.param(request(headers={"Host": f"{HOST}\n"}), request(), id="line-feed-in-the-host"),
        pytest.param(request(headers={"Host": ""}, SERVER_NAME=HOST), request(), id="empty-host"),
        pytest.param(request("mple/page", {"Host": "site.exa"}), request(), id="path-that-goes-on-the-host"),
        pytest.param(request(":8080/page"), request(headers={"Host": f"{HOST}:8080"}), id="port-in-the-path"),
        pytest.param(request("/page", mount=".evil"), request(headers={"Host": f"{HOST}.evil"}), id="mount"),
        pytest.param(request("*"), request(), id="asterisk"),
        pytest.param(request("/page\n"), request(), id="line-feed-in-the-path"),
        pytest.param(request(QUERY_STRING="a=1\n"), request(QUERY_STRING="a=1"), id="line-feed-in-the-query"),
    ],
)  # fmt: skip
def test_one_cannot_write_what_another_is_answered_with(forged: Environ, victim: Environ) -> None:
    assert not answered_from(forged, victim)


@pytest.mark.parametrize("name", FORWARDING)
def test_a_forged_forwarding_header_reaches_its_forger_alone(name: str) -> None:
    forged = request(**{name: "host=evil.example"})
    assert not answered_from(forged, request())
    assert not answered_from(request(), forged | {})
    assert not answered_from(forged, request(**{name: "host=other.example"}))
    again = answered_from(request(**{name: "host=evil.example"}), request(**{name: "host=evil.example"}))
    assert again == ("METHOD" not in name), "what stands for another method is never stored"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            {"X-Forwarded-Host": "a&x_host=b"}, {"X-Forwarded-Host": "a", "X-Host": "b"}, id="ampersand"
        ),
        pytest.param({"X-Forwarded-Host": "a%26"}, {"X-Forwarded-Host": "a&"}, id="percent"),
        pytest.param({"X-Forwarded-Host": "a\nb"}, {"X-Forwarded-Host": "a%0Ab"}, id="line-feed"),
        pytest.param({"X-Forwarded-Host": "a"}, {"X-Host": "a"}, id="another-field"),
        pytest.param({"X-Forwarded-Host": ""}, {}, id="empty-is-not-absent"),
        pytest.param({"Forwarded": "host=a,proto=b"}, {"Forwarded": "host=a;proto=b"}, id="elements"),
        pytest.param({"Forwarded": "host=a, for=b"}, {"Forwarded": "host=a;for=b"}, id="forwarded-elements"),
        pytest.param({"Forwarded": 'for="x;host=a"'}, {"Forwarded": "for=x"}, id="forwarded-quoted"),
        pytest.param({"Forwarded": "proto=https"}, {"Forwarded": "proto=http"}, id="forwarded-proto"),
        pytest.param({"X-Forwarded-Host": "a" * 9000}, {"X-Forwarded-Host": "a" * 9001}, id="very-long"),
    ],
)
def test_forwarding_headers_are_told_apart(one: dict[str, str], other: dict[str, str]) -> None:
    assert not answered_from(request(headers=one), request(headers=other))
    assert not answered_from(request(headers=other), request(headers=one))


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"CONTENT_LENGTH": "5"}, id="content-length"),
        pytest.param({"CONTENT_LENGTH": "00"}, id="an-odd-nought"),
        pytest.param({"CONTENT_LENGTH": "-1"}, id="negative"),
        pytest.param({"HTTP_TRANSFER_ENCODING": "chunked"}, id="chunked"),
        pytest.param({"HTTP_TRANSFER_ENCODING": ""}, id="an-empty-transfer-encoding"),
    ],
)
def test_a_get_with_a_body_neither_writes_nor_reads(more: Environ) -> None:
    assert not answered_from(request(**more), request())
    assert not answered_from(request(), request(**more))


@pytest.mark.parametrize("length", ["", "0"])
def test_a_get_with_an_empty_body_is_a_get(length: str) -> None:
    assert answered_from(request(CONTENT_LENGTH=length), request())


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param(request("/" + "a" * 2048), id="path"),
        pytest.param(request(QUERY_STRING="a" * 2048), id="query"),
        pytest.param(request(headers={"Host": "a" * 256}), id="host"),
        pytest.param(request("/" + "\xff" * 700), id="grows-by-encoding"),
        pytest.param(request("/" + "a" * 10_000_000), id="enormous"),
    ],
)
def test_what_is_too_long_passes_unstored(environ: Environ) -> None:
    assert key(environ) is None
    assert not answered_from(environ, dict(environ))


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        pytest.param("http://a", "http://a", id="plain"),
        pytest.param("HTTP://A.B:80", "http://a.b", id="capitals"),
        pytest.param("https://a:443", "https://a", id="https"),
        pytest.param("https://a:80", "https://a:80", id="https-on-80"),
        pytest.param("http://[::1]", "http://[::1]", id="ipv6"),
        pytest.param("http://[::1]:80", "http://[::1]", id="ipv6-port"),
        pytest.param("http://[::1]:81", "http://[::1]:81", id="ipv6-other-port"),
        pytest.param("http://[::1]x", None, id="ipv6-and-more"),
        pytest.param("http://[::1", None, id="ipv6-open"),
        pytest.param("http://::1", None, id="ipv6-bare"),
        pytest.param("http://a:b", None, id="port-of-letters"),
        pytest.param("http://a:²", None, id="port-of-superscripts"),
        pytest.param("http://a:1:2", None, id="two-ports"),
        pytest.param("http://:80", None, id="no-name"),
        pytest.param("http://", None, id="nothing"),
        pytest.param("http://\u212a", None, id="kelvin"),
        pytest.param("http://a b", None, id="space"),
        pytest.param("http://a,b", None, id="comma"),
        pytest.param("http://a\0", None, id="null"),
        pytest.param("http://bücher", None, id="umlaut"),
    ],
)
def test_an_origin_has_one_spelling(origin: str, expected: str | None) -> None:
    assert canonical_origin(origin) == expected


@given(
    st.text(st.characters(max_codepoint=255), max_size=60),
    st.text(st.characters(max_codepoint=255), max_size=60),
)
def test_two_paths_never_have_one_key(one: str, other: str) -> None:
    keys = [path_of("/" + path) for path in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)
    assert all("?" not in made and "\n" not in made and "#" not in made and made.isascii() for made in keys)


_parts = st.text(st.characters(max_codepoint=255), max_size=12)


@given(
    st.tuples(st.sampled_from([HOST, "a", "a:1", "", "a:1:80", "[::1]"]) | _parts, _parts, _parts, _parts),
    st.tuples(st.sampled_from([HOST, "a", "a:1", "", "a:1:80", "[::1]"]) | _parts, _parts, _parts, _parts),
)
def test_two_requests_with_one_key_have_one_host_path_and_query(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    keys, meant = [], []
    for host, mount, path, query in (one, other):
        environ = environ_of(
            "/" + path, headers={"Host": host}, mount=mount and "/" + mount, QUERY_STRING=query
        )
        keys.append(key(environ))
        meant.append(
            (host.lower().removesuffix(":").removesuffix(":80"), environ["SCRIPT_NAME"] + "/" + path, query)
        )
    assert keys[0] is None or "\n" not in keys[0]
    if keys[0] is not None and keys[0] == keys[1]:
        assert meant[0] == meant[1]


# -- what is remembered


def test_what_is_remembered_of_requests_is_bounded() -> None:
    keys = Keys(ignoring(["utm_*"]))
    for number in range(3 * MOST_REMEMBERED):
        made = keys.of(Exchange(request(f"/{number}"), frozenset()))
        assert made == f"http://{HOST}/{number}"
    assert len(keys._known) <= MOST_REMEMBERED
    known = len(keys._known)
    long = request(QUERY_STRING="utm_source=" + "a" * 60_000)
    assert keys.of(Exchange(long, frozenset())) == f"http://{HOST}/page"
    assert len(keys._known) == known, f"more than {LONGEST_REMEMBERED} characters are remembered"


def test_the_server_s_name_is_not_taken_from_another_request() -> None:
    keys = Keys(None)
    for name in ("one", "two"):
        made = keys.of(Exchange(environ_of("/page", SERVER_NAME=name), frozenset()))
        assert made == f"http://{name}/page"


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        pytest.param("utm_source=x", "", id="all"),
        pytest.param("utm_source=x&a=1&utm_id=2", "a=1", id="some"),
        pytest.param("a=1", "a=1", id="none"),
        pytest.param("utm_source", "", id="without-a-value"),
        pytest.param("utm%5Fsource=x", "utm%5Fsource=x", id="encoded"),
        pytest.param("utm_source=x;id=2", "utm_source=x;id=2", id="another-separator"),
        pytest.param("autm_source=x", "autm_source=x", id="not-from-the-start"),
        pytest.param("&&", "&&", id="nothing-between"),
        pytest.param("utm_\n=1", "", id="line-feed"),
    ],
)
def test_parameters_that_change_nothing_are_left_out(query: str, kept: str) -> None:
    without = ignoring(["utm_*"])
    assert without is not None
    assert without(query) == kept


def test_an_ignored_parameter_does_not_hide_one_that_counts() -> None:
    options = {"ignored_query": ["utm_*"]}
    assert answered_from(request(QUERY_STRING="utm_id=1"), request(), **options)
    assert not answered_from(request(QUERY_STRING="utm_id=1;id=2"), request(), **options)


def test_the_key_is_that_of_the_request_not_of_what_the_application_made_of_it() -> None:
    """ProxyFix, dispatchers and the like change environ."""

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        cookie = environ.pop("HTTP_COOKIE", "nobody")
        environ["HTTP_X_A"] = "changed"
        start_response("200 OK", [FRESH, ("Vary", "Cookie, X-A")])
        return [cookie.encode()]

    cache = CacheMiddleware(app)
    assert get(cache, headers={"Cookie": "alice"}).body == b"alice"
    assert get(cache).body == b"nobody"
    again = get(cache, headers={"Cookie": "alice"})
    assert (again.body, came_from_store(again)) == (b"alice", True)


def test_nor_after_the_application_has_said_that_nothing_is_to_be_stored() -> None:
    """Nothing is noted of the request that finds it out, and the application may have changed environ."""
    fields = [("Cache-Control", "no-store")]

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        cookie = environ.pop("HTTP_COOKIE", "nobody")
        environ["HTTP_HOST"] = "inner.example"
        start_response("200 OK", [*fields, ("Vary", "Cookie")])
        return [cookie.encode()]

    cache = CacheMiddleware(app)
    get(cache)
    fields[:] = [FRESH]
    get(cache, headers={"Cookie": "alice"})
    assert not came_from_store(get(cache, headers={"Cookie": "alice"}))
    answer = get(cache)
    assert (answer.body, came_from_store(answer)) == (b"nobody", False)
    assert came_from_store(get(cache, headers={"Cookie": "alice"}))


def test_a_request_without_a_host_is_told_from_one_with() -> None:
    origin = Origin(FRESH)
    cache = CacheMiddleware(origin)
    ask(cache, "/page")
    assert not came_from_store(get(cache, "/page"))
