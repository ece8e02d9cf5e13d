"""Who may see the monitor's pages, and above all who may not."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from wsgiperf.monitor.endpoint.access import Access

TOKEN = "a token of these tests: #1"


def basic(credentials: str, charset: str = "utf-8") -> str:
    return "Basic " + b64encode(credentials.encode(charset)).decode()


def with_token(given: str | None, token: str = TOKEN) -> bool:
    environ = {} if given is None else {"HTTP_AUTHORIZATION": given}
    return Access("token", token).allows(environ)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(f"Bearer {TOKEN}", id="bearer"),
        pytest.param(f"bEARER   {TOKEN} ", id="any case and space"),
        pytest.param(basic(f":{TOKEN}"), id="basic without a user"),
        pytest.param(basic(f"anybody:{TOKEN}"), id="basic with any user"),
        pytest.param(
            basic(f"j\xfcrgen:{TOKEN}").replace("Basic", "basic"), id="basic with a user from elsewhere"
        ),
    ],
)
def test_the_token_opens(given):
    assert with_token(given)
    assert not with_token(given, TOKEN[:-1])
    assert not with_token(given, TOKEN + "x")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(None, id="nothing"),
        pytest.param("", id="empty"),
        pytest.param("Bearer", id="no token"),
        pytest.param("Bearer ", id="an empty token"),
        pytest.param(TOKEN, id="no scheme"),
        pytest.param(f"Digest {TOKEN}", id="another scheme"),
        pytest.param(f"Token {TOKEN}", id="a scheme of others"),
        pytest.param(f"Bearer {TOKEN.upper()}", id="other case"),
        pytest.param(f"Bearer {TOKEN}, Bearer {TOKEN}", id="twice"),
        pytest.param(f"Basic {TOKEN}", id="basic, not encoded"),
        pytest.param(f"Bearer {b64encode(TOKEN.encode()).decode()}", id="bearer, encoded"),
        pytest.param(basic(TOKEN), id="the token as the user"),
        pytest.param(basic(f"{TOKEN}:"), id="the token as the user, no password"),
        pytest.param(basic(f"user:{TOKEN}:more"), id="more behind"),
        pytest.param("Basic ====", id="only padding"),
        pytest.param("Basic \xe9\xff", id="basic latin-1"),
        pytest.param("Bearer \xe9\xff", id="bearer latin-1"),
        pytest.param("Bearer \udcff\u20ac\0", id="what no server sends"),
        pytest.param("Basic \udcff\u20ac\0", id="what no server sends, basic"),
        pytest.param("\udcff \u20ac", id="no scheme at all"),
        pytest.param("Basic " + "A" * 1_000_000, id="a megabyte"),
        pytest.param(basic("user:" + "x" * 100), id="a long password"),
    ],
)
def test_nothing_else_does(given):
    assert not with_token(given)


@pytest.mark.parametrize("given", [None, "", "Bearer ", "Bearer", "Basic Og==", "Basic ", basic("user:")])
def test_an_empty_token_is_nobodys(given):
    access = Access("token", "")
    assert not access.allows({} if given is None else {"HTTP_AUTHORIZATION": given})
    assert not access.asks


@pytest.mark.parametrize("form", ["Bearer {}", "basic"])
def test_a_token_beyond_ascii_is_compared_in_utf_8(form):
    token = "p\xe4ssw\xf6rter \u20ac"
    given = basic(f"user:{token}") if form == "basic" else f"Bearer {token}".encode().decode("latin-1")
    assert with_token(given, token)
    assert not with_token(given, token[:-1])


LOCAL: dict[str, Any] = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8000", "HTTP_ACCEPT": "*/*"}


def locally(**more: Any) -> bool:
    environ = LOCAL | more
    return Access("loopback", TOKEN).allows(
        {name: value for name, value in environ.items() if value is not None}
    )


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({}, id="as curl does"),
        pytest.param({"HTTP_HOST": "LOCALHOST"}, id="no port"),
        pytest.param({"HTTP_HOST": "127.0.0.1:80"}, id="an address"),
        pytest.param({"REMOTE_ADDR": "127.8.9.1", "HTTP_HOST": "127.8.9.1"}, id="another of its addresses"),
        pytest.param({"REMOTE_ADDR": "::1", "HTTP_HOST": "[::1]:8000"}, id="IPv6"),
        pytest.param({"REMOTE_ADDR": "::ffff:127.0.0.1", "HTTP_HOST": "[::1]"}, id="a mapped peer"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "none"}, id="typed in a browser"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "same-origin"}, id="fetched by the page itself"),
    ],
)
def test_loopback_lets_this_machine_in(environ):
    assert locally(**environ)


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"REMOTE_ADDR": "192.0.2.1"}, id="peer elsewhere"),
        pytest.param({"REMOTE_ADDR": "10.0.0.1"}, id="peer in the private network"),
        pytest.param({"REMOTE_ADDR": "::ffff:192.0.2.1"}, id="mapped peer elsewhere"),
        pytest.param({"REMOTE_ADDR": "0.0.0.0"}, id="no address"),
        pytest.param({"REMOTE_ADDR": ""}, id="a unix socket"),
        pytest.param({"REMOTE_ADDR": None}, id="no peer"),
        pytest.param({"REMOTE_ADDR": "localhost"}, id="a name for a peer"),
        pytest.param({"REMOTE_ADDR": "127.0.0.1, 192.0.2.1"}, id="two peers"),
        pytest.param({"REMOTE_ADDR": "127.0.0.1\n"}, id="a line feed"),
        pytest.param({"HTTP_HOST": None}, id="no Host"),
        pytest.param({"HTTP_HOST": ""}, id="empty Host"),
        pytest.param({"HTTP_HOST": "site.example"}, id="the site's Host"),
        pytest.param({"HTTP_HOST": "127.0.0.1.site.example"}, id="rebinding, looks like an address"),
        pytest.param({"HTTP_HOST": "localhost.site.example:8000"}, id="rebinding, looks like the name"),
        pytest.param({"HTTP_HOST": "site.example:8000@localhost"}, id="user information"),
        pytest.param({"HTTP_HOST": "localhost:80:80"}, id="two ports"),
        pytest.param({"HTTP_HOST": "localhost:80x"}, id="no port number"),
        pytest.param({"HTTP_HOST": "::1"}, id="no brackets"),
        pytest.param({"HTTP_HOST": "[127.0.0.1]"}, id="brackets around IPv4"),
        pytest.param({"HTTP_HOST": "[::2]"}, id="another IPv6 address"),
        pytest.param({"HTTP_HOST": "127.1"}, id="an address cut short"),
        pytest.param({"HTTP_HOST": "2130706433"}, id="an address as a number"),
        pytest.param({"HTTP_HOST": "localhost\udcff"}, id="what no server sends"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "cross-site"}, id="a foreign page"),
        pytest.param({"HTTP_SEC_FETCH_SITE": " Cross-Site "}, id="a foreign page, spelt otherwise"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "same-site"}, id="a page on another port"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "what comes next"}, id="something new"),
        *(
            pytest.param({f"HTTP_{name}": value}, id=f"{name}{'' if value else ', empty'}")
            for name in (
                "FORWARDED", "X_FORWARDED_FOR", "X_FORWARDED_PROTO", "X_FORWARDED_HOST", "X_FORWARDED_PORT",
                "X_FORWARDED_PREFIX", "X_FORWARDED", "X_REAL_IP", "VIA", "CF_CONNECTING_IP", "CF_RAY",
                "TRUE_CLIENT_IP", "X_CLIENT_IP", "X_CLUSTER_CLIENT_IP", "FASTLY_CLIENT_IP", "CLIENT_IP",
                "X_REQUEST_START", "X_AMZN_TRACE_ID", "X_ENVOY_EXTERNAL_ADDRESS",
            )
            for value in ("127.0.0.1", "")
        ),
    ],
)  # fmt: skip
def test_loopback_keeps_others_out(environ):
    assert not locally(**environ)


def test_loopback_takes_no_token():
    """One rule holds, not the weaker of two."""
    assert not locally(REMOTE_ADDR="192.0.2.1", HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
    assert not Access("loopback", TOKEN).asks


@pytest.mark.parametrize(("said", "allowed"), [(True, True), (1, True), (False, False), (None, False)])
def test_a_predicate_decides(said, allowed):
    seen = []
    access = Access(lambda environ: seen.append(environ) or said, TOKEN)
    environ = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}", **LOCAL}
    assert access.allows(environ) is allowed
    assert seen == [environ]
    assert not access.asks


def test_a_predicate_that_fails_lets_nobody_in(caplog):
    def fails(environ: dict[str, Any]) -> bool:
        raise RuntimeError("the user database is down")

    assert not Access(fails).allows(LOCAL)
    assert "access predicate failed" in caplog.text
    assert "the user database is down" in caplog.text


def test_another_mode_is_an_error():
    with pytest.raises(ValueError, match="open"):
        Access("open")
