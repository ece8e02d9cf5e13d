"""Secondary keys: which variant a request is answered with, and that none can be forged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.cache.site import FRESH, HOST, Clock, Origin, frozen
from tests.unit.client import Environ, environ_of
from wsgiperf import CacheMiddleware
from wsgiperf.cache.key import (
    forwarded,
    keyed_url,
    secondary,
)
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
    ("vary", "one", "other"),
    [
        pytest.param("X-A", {"X-A": "1"}, {"X-A": "2"}, id="value"),
        pytest.param("X-A", {"X-A": ""}, {}, id="empty-is-not-absent"),
        pytest.param("X-A", {"X-A": "-"}, {}, id="a-dash-is-not-absent"),
        pytest.param("X-A", {"X-A": "a\nb"}, {"X-A": "a b"}, id="line-feed-and-space"),
        pytest.param("X-A", {"X-A": "a\nb"}, {"X-A": "!%2Ba%0Ab"}, id="line-feed-as-it-is-written"),
        pytest.param("X-A, X-B", {"X-A": "1\nHTTP_X_B=+2"}, {"X-A": "1", "X-B": "2"}, id="a-field-forged"),
        pytest.param("X-A, X-B", {"X-A": "1", "X-B": "2"}, {"X-A": "2", "X-B": "1"}, id="exchanged"),
        pytest.param("X-A", {"X-A": "a b"}, {"X-A": "ab"}, id="space-within"),
        pytest.param("X-A", {"X-A": "A"}, {"X-A": "a"}, id="case"),
        pytest.param("X-A", {"X-A": "a, b"}, {"X-A": "b, a"}, id="order"),
        pytest.param("X-A", {"X-A": "a" * 9000}, {"X-A": "a" * 8999 + "b"}, id="long"),
        pytest.param("Cookie", {"Cookie": "a=1; b=2"}, {"Cookie": "a=1;b=2"}, id="cookie"),
        pytest.param("Cookie", {"Cookie": "s=" + "a" * 9000}, {"Cookie": "s="}, id="long-cookie"),
        pytest.param("Accept-Language", {"Accept-Language": "e n"}, {"Accept-Language": "en"}, id="split"),
        pytest.param("Accept", {"Accept": "en\n"}, {"Accept": "en"}, id="negotiated-line-feed"),
        pytest.param("Accept-Language", {"Accept-Language": "en"}, {}, id="language-absent"),
        pytest.param("User-Agent", {"User-Agent": "a"}, {"User-Agent": "b"}, id="agent"),
    ],
)  # fmt: skip
def test_variants_are_told_apart(vary: str, one: dict[str, str], other: dict[str, str]) -> None:
    assert not answered_from(request(headers=one), request(headers=other), ("Vary", vary))
    assert not answered_from(request(headers=other), request(headers=one), ("Vary", vary))


@pytest.mark.parametrize(
    ("vary", "one", "other"),
    [
        pytest.param("X-A", {"X-A": "a,b"}, {"X-A": "a , b"}, id="space-around-commas"),
        pytest.param("Accept", {"Accept": "a/b, c/d;q=0.5"}, {"Accept": "c/d ; q=0.5,a/b"}, id="order"),
        pytest.param("Accept-Language", {"Accept-Language": "EN"}, {"Accept-Language": "en"}, id="case"),
        pytest.param("x-a,, X-A", {"X-A": "a", "X-B": "1"}, {"X-A": "a", "X-B": "2"}, id="odd-vary"),
        pytest.param("Accept-Encoding", {"Accept-Encoding": "br"}, {}, id="the-coding-is-decided-outside"),
    ],
)
def test_variants_that_mean_the_same_meet(vary: str, one: dict[str, str], other: dict[str, str]) -> None:
    assert answered_from(request(headers=one), request(headers=other), ("Vary", vary))


def test_an_encoded_response_varies_by_what_the_client_accepts() -> None:
    fields = (("Vary", "Accept-Encoding"), ("Content-Encoding", "br"))
    one, other = request(headers={"Accept-Encoding": "br"}), request(headers={"Accept-Encoding": "gzip"})
    assert not answered_from(one, other, *fields)


_fields = st.dictionaries(
    st.sampled_from(["HTTP_X_A", "HTTP_X_B", "HTTP_ACCEPT", "HTTP_COOKIE"]),
    st.text("ab,;=\n +-!%;#HTP_X", max_size=8),
)


@given(_fields, _fields)
def test_a_secondary_key_cannot_be_forged(one: Environ, other: Environ) -> None:
    names = ("HTTP_COOKIE", "HTTP_X_A", "HTTP_X_B")

    def meaning(environ: Environ) -> list[object]:
        """Equal, as far as spaces around commas go."""
        cookie, *rest = [environ.get(name) for name in names]
        lists = [
            None if value is None else [word.strip(" \t") for word in value.split(",")] for value in rest
        ]
        return [cookie, *lists]

    assert (secondary(one, names) == secondary(other, names)) == (meaning(one) == meaning(other))


@pytest.mark.parametrize("size", [10, 500, 5_000, 500_000])
def test_keys_have_a_bound(size: int) -> None:
    environ = request(headers={"Cookie": "a" * size, "X-Forwarded-Host": "b" * size})
    assert len(secondary(environ, ("HTTP_COOKIE",))) <= 600
    assert len(forwarded(environ, environ.keys())) <= 600
