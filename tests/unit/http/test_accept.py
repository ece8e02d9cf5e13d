"""Accept-Encoding, RFC 9110 section 12.5.3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.http.accept import negotiate, negotiator

CODINGS = ("br", "zstd", "gzip")

# name: field, the coding chosen, whether the plain body may be sent, all that would do
CASES = {
    "no field": (None, None, True, ()),
    "empty": ("", None, True, ()),
    "commas only": (" , ,", None, True, ()),
    "one coding": ("gzip", "gzip", True, ("gzip",)),
    "a browser": ("gzip, deflate, br, zstd", "br", True, ("br", "zstd", "gzip")),
    "none of ours": ("deflate, compress", None, True, ()),
    "upper case": ("GZIP;Q=0.5", "gzip", True, ("gzip",)),
    "old name": ("x-gzip", "gzip", True, ("gzip",)),
    "tabs and spaces": ("\tgzip\t;\tq=1.0 ,br ; q=0.1", "gzip", True, ("gzip", "br")),
    "no spaces": ("br;q=0.1,gzip;q=0.2", "gzip", True, ("gzip", "br")),
    "by weight": ("br;q=0.8, gzip;q=0.9, zstd;q=0.85", "gzip", True, ("gzip", "zstd", "br")),
    "by thousandths": ("br;q=0.998, gzip;q=0.999", "gzip", True, ("gzip", "br")),
    "equal weights": ("gzip;q=0.5, br;q=0.50, zstd;q=0.500", "br", True, ("br", "zstd", "gzip")),
    "refused": ("br;q=0, gzip", "gzip", True, ("gzip",)),
    "refused with decimals": ("br;q=0.000, gzip", "gzip", True, ("gzip",)),
    "point without decimals": ("br;q=0., gzip;q=1.", "gzip", True, ("gzip",)),
    "star": ("*", "br", True, ("br", "zstd", "gzip")),
    "star for the others": ("br;q=0.1, *;q=0.5", "zstd", True, ("zstd", "gzip", "br")),
    "star but one": ("br;q=0, *", "zstd", True, ("zstd", "gzip")),
    "star refused": ("*;q=0", None, False, ()),
    "one and no other": ("gzip, *;q=0", "gzip", False, ("gzip",)),
    "plain refused": ("identity;q=0", None, False, ()),
    "plain refused, one left": ("gzip;q=0.1, identity;q=0", "gzip", False, ("gzip",)),
    "plain excepted from the star": ("identity, *;q=0", None, True, ()),
    "plain preferred": ("identity, br;q=0.5", None, True, ("br",)),
    "plain preferred by star": ("br;q=0, zstd;q=0, gzip;q=0.5, *", None, True, ("gzip",)),
    "plain as good": ("identity;q=0.5, br;q=0.5", "br", True, ("br",)),
    "plain liked less": ("identity;q=0.5, br;q=0.6", "br", True, ("br",)),
    "named twice": ("gzip;q=0, gzip", None, True, ()),
    "named twice, both names": ("gzip;q=0.9, x-gzip;q=0.1, br;q=0.5", "br", True, ("br", "gzip")),
    "weight above one": ("br;q=1.001, gzip", "gzip", True, ("gzip",)),
    "weight of two": ("br;q=2, gzip", "gzip", True, ("gzip",)),
    "weight negative": ("br;q=-1, gzip", "gzip", True, ("gzip",)),
    "weight empty": ("br;q=, gzip", "gzip", True, ("gzip",)),
    "weight a word": ("br;q=high, gzip", "gzip", True, ("gzip",)),
    "weight too exact": ("br;q=0.1234, gzip", "gzip", True, ("gzip",)),
    "weight in other digits": ("br;q=0.\N{SUPERSCRIPT TWO}, gzip", "gzip", True, ("gzip",)),
    "weight with a space": ("br;q= 1, gzip", "gzip", True, ("gzip",)),
    "other parameter": ("br;level=5, gzip", "gzip", True, ("gzip",)),
    "semicolon only": ("br;, gzip", "gzip", True, ("gzip",)),
    "one bad member": ('gzip, "b,r", ;q=1, =', "gzip", True, ("gzip",)),
    "bad refusal of plain": ("identity;q=zero", None, True, ()),
}


@pytest.mark.parametrize(("field", "coding", "identity_allowed", "acceptable"), CASES.values(), ids=CASES)
def test_negotiation(
    field: str | None, coding: str | None, identity_allowed: bool, acceptable: tuple[str, ...]
) -> None:
    """The field decides; at equal weight the server's order does."""
    negotiated = negotiate(field, CODINGS)
    assert negotiated.coding == coding
    assert negotiated.identity_allowed == identity_allowed
    assert negotiated.acceptable == acceptable


def test_the_order_of_the_codings_is_the_servers_preference() -> None:
    """Another order, another choice."""
    assert negotiate("gzip, br", ("gzip", "br")).coding == "gzip"


def test_only_codings_the_server_has_are_chosen() -> None:
    """What isn't offered isn't answered, nor matched by the star."""
    assert negotiate("br, *;q=0.5", ("gzip",)).acceptable == ("gzip",)
    assert negotiate("br, *", ()).coding is None


@given(
    field=st.text()
    | st.lists(st.sampled_from(["br", "gzip", "*", "identity", ";q=0", ";q=1", ",", " "])).map("".join)
)
def test_any_text_is_answered(field: str) -> None:
    """No field raises, and the answer agrees with itself."""
    negotiated = negotiate(field, CODINGS)
    assert set(negotiated.acceptable) <= set(CODINGS)
    assert len(set(negotiated.acceptable)) == len(negotiated.acceptable)
    if negotiated.coding is not None:
        assert negotiated.coding == negotiated.acceptable[0]
    elif negotiated.acceptable:
        assert negotiated.identity_allowed


@given(weights=st.dictionaries(st.sampled_from([*CODINGS, "identity"]), st.integers(0, 1000)))
def test_the_heaviest_is_chosen(weights: dict[str, int]) -> None:
    """Nothing acceptable weighs more than what is sent."""
    field = ", ".join(f"{coding};q={weight / 1000:.3f}" for coding, weight in weights.items())
    negotiated = negotiate(field, CODINGS)
    most = max(weights.values(), default=0)
    assert weights.get(negotiated.coding or "identity", 0) == most or not negotiated.acceptable


def test_a_negotiator_remembers() -> None:
    """The same field, the same answer, the same object."""
    ask = negotiator(CODINGS)
    assert ask("br").coding == "br"
    assert ask("br") is ask("br")
    assert ask(None).coding is None
