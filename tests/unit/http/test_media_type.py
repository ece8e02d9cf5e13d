"""Media types and patterns of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.http.media_type import media_type, media_types

FIELDS = {
    "bare": ("text/html", "text/html"),
    "parameter": ("text/html; charset=utf-8", "text/html"),
    "no space": ("text/html;charset=utf-8", "text/html"),
    "space before": (" text/html ;charset=utf-8", "text/html"),
    "case": ("Application/JSON", "application/json"),
    "empty": ("", ""),
    "parameter only": (";charset=utf-8", ""),
}


@pytest.mark.parametrize(("field", "essence"), FIELDS.values(), ids=FIELDS)
def test_the_type_without_its_parameters(field: str, essence: str) -> None:
    """Lower case, nothing around it."""
    assert media_type(field) == essence


PATTERNS = ["application/json", "text/*", "*+xml", "application/*+json"]
MATCHES = {
    "exact": ("application/json", True),
    "exact, with a parameter": ("Application/JSON; charset=utf-8", True),
    "beginning": ("text/css", True),
    "suffix": ("image/svg+xml", True),
    "beginning and suffix": ("application/problem+json", True),
    "suffix under another type": ("model/gltf+json", False),
    "longer than exact": ("application/json-seq", False),
    "suffix without its plus": ("application/xml", False),
    "suffix in a parameter": ("image/png; a=b+xml", False),
    "other": ("image/png", False),
    "no type": ("", False),
    "beginning without slash": ("textual/plain", False),
}


@pytest.mark.parametrize(("field", "expected"), MATCHES.values(), ids=MATCHES)
def test_patterns(field: str, expected: bool) -> None:
    """A type matches as a whole, by its beginning, or by its structured suffix."""
    assert media_types(PATTERNS)(field) is expected


def test_a_star_does_not_match_an_overlap() -> None:
    """Beginning and end of a pattern are different parts of the type."""
    assert not media_types(["application/x+*+json"])("application/x+json")


def test_any_stated_type() -> None:
    """``*/*`` is every type; no type is none."""
    any_type = media_types(["*/*"])
    assert any_type("image/png")
    assert not any_type("")


@pytest.mark.parametrize("pattern", ["", "json", "*", "*json", "text/html;q=1", "*/*+json", "te*t/*"])
def test_a_pattern_that_cannot_match_is_an_error(pattern: str) -> None:
    """A mistake in the settings shows at start."""
    with pytest.raises(ValueError, match="media type"):
        media_types([pattern])


@given(field=st.text())
def test_any_text_is_answered(field: str) -> None:
    """No field raises."""
    assert media_types(PATTERNS)(field) in (True, False)


@given(field=st.text(), patterns=st.sampled_from(PATTERNS))
def test_parameters_never_matter(field: str, patterns: str) -> None:
    """Whatever follows the semicolon."""
    matches = media_types([patterns])
    assert matches(field) == matches(f"{field};charset=x")
