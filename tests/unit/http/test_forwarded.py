"""Whose word is taken, and for what."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.http.forwarded import TrustedProxies, forwarded_scheme

SCHEMES = {
    "https": ("https", "https"),
    "http": ("http", "http"),
    "upper case": ("HTTPS", "https"),
    "spaces": (" https\t", "https"),
    "the last one": ("http, https", "https"),
    "not the first one": ("https,http", "http"),
    "empty last": ("https,", None),
    "another scheme": ("wss", None),
    "empty": ("", None),
    "a trick": ("https://", None),
}


@pytest.mark.parametrize(("value", "scheme"), SCHEMES.values(), ids=SCHEMES)
def test_the_nearest_proxy_names_the_scheme(value: str, scheme: str | None) -> None:
    """http or https, or nothing."""
    assert forwarded_scheme(value) == scheme


PEERS = {
    "nobody": ([], "127.0.0.1", False),
    "nobody, unix": ([], "", False),
    "address": (["10.0.0.1"], "10.0.0.1", True),
    "another address": (["10.0.0.1"], "10.0.0.2", False),
    "network": (["10.0.0.0/8"], "10.200.3.4", True),
    "outside the network": (["10.0.0.0/8"], "11.0.0.1", False),
    "second entry": (["10.0.0.0/8", "192.0.2.1"], "192.0.2.1", True),
    "IPv6": (["::1"], "::1", True),
    "IPv6, other spelling": (["2001:DB8::/32"], "2001:0db8:0:0::1", True),
    "IPv6 with its interface": (["fe80::/10"], "fe80::1%eth0", True),
    "IPv4 seen through IPv6": (["10.0.0.0/8"], "::ffff:10.0.0.1", True),
    "IPv4 seen through IPv6, another": (["10.0.0.0/8"], "::ffff:11.0.0.1", False),
    "mapped network": (["::ffff:0:0/96"], "::ffff:11.0.0.1", True),
    "unix": (["unix"], "", True),
    "unix, not by address": (["unix"], "127.0.0.1", False),
    "unix beside an address": (["127.0.0.1", "unix"], "", True),
    "address, not unix": (["127.0.0.1"], "", False),
    "no address": (["127.0.0.1"], "localhost", False),
    "all": (["0.0.0.0/0", "::/0"], "203.0.113.9", True),
}


@pytest.mark.parametrize(("addresses", "peer", "expected"), PEERS.values(), ids=PEERS)
def test_a_peer_is_trusted_by_its_address(addresses: list[str], peer: str, expected: bool) -> None:
    """And by nothing else; the second answer is the first."""
    proxies = TrustedProxies(addresses)
    assert proxies.trusts(peer) is expected
    assert proxies.trusts(peer) is expected


@pytest.mark.parametrize(
    "entry", ["", "*", "localhost", "10.0.0.1/8", "10.0.0.0/33", "unix:/run/app.sock", "10.0.0"]
)
def test_an_entry_that_is_no_address_is_an_error(entry: str) -> None:
    """A mistake in the settings shows at start, with the entry."""
    with pytest.raises(ValueError, match="trusted proxy") as caught:
        TrustedProxies(["127.0.0.1", entry])
    assert repr(entry) in str(caught.value)


@given(value=st.text())
def test_any_text_is_answered(value: str) -> None:
    """Nothing a client sends raises."""
    assert forwarded_scheme(value) in (None, "http", "https")
    assert TrustedProxies(["127.0.0.1"]).trusts(value) == (value in ("127.0.0.1", "::ffff:127.0.0.1"))


def test_nothing_is_imported_for_nobody() -> None:
    """The module for addresses loads only where there is an address."""
    program = (
        "import sys; sys.modules.pop('ipaddress', None)\n"
        "from wsgiperf.http.forwarded import TrustedProxies\n"
        "TrustedProxies([]).trusts('127.0.0.1'); TrustedProxies(['unix']).trusts('')\n"
        "assert 'ipaddress' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
