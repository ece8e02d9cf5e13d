"""Vary, RFC 9110 section 12.5.5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.http.vary import merge_vary, varies_by

CASES = {
    "none yet": (None, "Accept-Encoding"),
    "empty": ("", "Accept-Encoding"),
    "commas only": (" , ", "Accept-Encoding"),
    "another": ("Cookie", "Cookie, Accept-Encoding"),
    "several, as spelt": ("cookie,Origin", "cookie,Origin, Accept-Encoding"),
    "trailing comma": ("Cookie,", "Cookie, Accept-Encoding"),
    "already there": ("Accept-Encoding", "Accept-Encoding"),
    "already there, other case": ("Cookie, accept-encoding", "Cookie, accept-encoding"),
    "part of a name": ("X-Accept-Encoding", "X-Accept-Encoding, Accept-Encoding"),
    "star": ("*", "*"),
    "star among names": ("Cookie, *", "Cookie, *"),
}


@pytest.mark.parametrize(("current", "merged"), CASES.values(), ids=CASES)
def test_a_name_is_added_once(current: str | None, merged: str) -> None:
    """After the application's own names, as it spelt them."""
    assert merge_vary(current, "Accept-Encoding") == merged
    assert varies_by("Accept-Encoding")(current) == merged


@given(current=st.text())
def test_merging_twice_changes_nothing_more(current: str) -> None:
    """No text raises, and the name is there afterwards."""
    merged = merge_vary(current, "Accept-Encoding")
    assert merge_vary(merged, "Accept-Encoding") == merged
    assert "*" in merged or "accept-encoding" in merged.lower()
