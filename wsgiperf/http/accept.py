"""Which content coding a client wants: Accept-Encoding, RFC 9110 section 12.5.3."""

from __future__ import annotations

from collections.abc import Callable

from .memo import memoised

__all__ = ["Negotiated", "negotiate", "negotiator"]

# RFC 9110 section 8.4.1.3: a recipient takes "x-gzip" for "gzip".
_ALIASES = {"x-gzip": "gzip"}


class Negotiated:
    """What a client accepts of what the server has."""

    __slots__ = ("acceptable", "coding", "identity_allowed")

    #: The coding to use; None for the plain body.
    coding: str | None
    #: Whether the plain body may be sent.
    identity_allowed: bool
    #: Every coding the client would take, the best one first.
    acceptable: tuple[str, ...]

    def __init__(self, coding: str | None, identity_allowed: bool, acceptable: tuple[str, ...]) -> None:
        self.coding = coding
        self.identity_allowed = identity_allowed
        self.acceptable = acceptable

    def __repr__(self) -> str:
        return f"Negotiated({self.coding!r}, {self.identity_allowed!r}, {self.acceptable!r})"


_PLAIN = Negotiated(None, True, ())


def negotiate(accept_encoding: str | None, codings: tuple[str, ...]) -> Negotiated:
    """Choose among `codings`, which stand in the server's order of preference, for use at equal weight.

    Without the field any coding would be allowed, yet who asks for nothing gets the plain body.
    """
    if not accept_encoding:
        return _PLAIN
    weights = _weights(accept_encoding)
    # "*" stands for every coding the field doesn't name, identity among them.
    others = weights.get("*")
    identity = weights.get("identity", others)
    weight_of = {coding: weight for coding in codings if (weight := weights.get(coding, others))}
    acceptable = tuple(sorted(weight_of, key=weight_of.__getitem__, reverse=True))
    best = acceptable[0] if acceptable else None
    # The plain body wins only by a higher weight of its own; unnamed, it is merely allowed.
    if best and identity and identity > weight_of[best]:
        best = None
    return Negotiated(best, identity != 0, acceptable)


def negotiator(codings: tuple[str, ...]) -> Callable[[str | None], Negotiated]:
    """`negotiate` for these codings, remembering its answers."""
    return memoised(lambda accept_encoding: negotiate(accept_encoding, codings))


def _weights(accept_encoding: str) -> dict[str, int]:
    """The weight of each member in thousandths; members that break the grammar are passed over."""
    weights: dict[str, int] = {}
    for member in accept_encoding.lower().split(","):
        name, has_weight, parameter = member.partition(";")
        weight = _weight(parameter.strip(" \t")) if has_weight else 1000
        if weight is not None:
            name = name.strip(" \t")
            name = _ALIASES.get(name, name)
            # Named twice, the lower weight counts: a refusal is never overruled.
            weights[name] = min(weight, weights.get(name, weight))
    return weights


def _weight(parameter: str) -> int | None:
    """``q=0.25`` in thousandths, 250; None where it isn't a weight: RFC 9110 section 12.4.2."""
    name, _, value = parameter.partition("=")
    whole, _, decimals = value.partition(".")
    if name != "q" or whole not in ("0", "1") or len(decimals) > 3:
        return None
    thousandths = decimals.ljust(3, "0")
    if not (thousandths.isascii() and thousandths.isdecimal()):
        return None
    weight = int(whole + thousandths)
    return weight if weight <= 1000 else None
