"""What a proxy says about the client's side of the connection, and which proxies may say it.

X-Forwarded-Proto is older than any standard; it carries what RFC 7239 section 5.4 calls ``proto``. Anyone can
send it, so it counts only where the connection comes from an address that was named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .memo import memoised

__all__ = ["TrustedProxies", "forwarded_scheme"]


def forwarded_scheme(value: str) -> str | None:
    """``"https"`` or ``"http"`` by the last member, which the nearest proxy wrote; None for anything else."""
    scheme = value.rpartition(",")[2].strip(" \t").lower()
    return scheme if scheme in ("https", "http") else None


class TrustedProxies:
    """The proxies whose word is taken.

    :param addresses: addresses, networks such as ``10.0.0.0/8``, or ``unix`` for a connection by unix socket.
    :raises ValueError: for anything else.
    """

    __slots__ = ("trusts",)

    #: ``trusts(peer)``: whether the other end of the connection (REMOTE_ADDR) is one of them.
    trusts: Callable[[str], bool]

    def __init__(self, addresses: Sequence[str]) -> None:
        networks = [address for address in addresses if address != "unix"]
        trusts_unix = len(networks) < len(addresses)
        if networks:
            self.trusts = memoised(_within(networks, trusts_unix))
        else:
            # Every client is a peer here: more than a memo is for, and nothing to work out.
            self.trusts = _is_unix if trusts_unix else _never


def _never(_peer: str) -> bool:
    return False


def _is_unix(peer: str) -> bool:
    return not peer


def _within(addresses: Sequence[str], trusts_unix: bool) -> Callable[[str], bool]:
    from ipaddress import ip_address, ip_network

    networks = []
    for address in addresses:
        try:
            networks.append(ip_network(address))
        except ValueError as error:
            raise ValueError(
                f"{address!r} is no trusted proxy: expected an address, a network such as 10.0.0.0/8, or unix"
                f" ({error})"
            ) from None

    def trusts(peer: str) -> bool:
        if not peer:
            return trusts_unix
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        # A server that listens on IPv6 for both sees an IPv4 peer as ::ffff:10.0.0.1.
        mapped = address.ipv4_mapped if address.version == 6 else None
        return any(address in network or (mapped and mapped in network) for network in networks)

    return trusts
