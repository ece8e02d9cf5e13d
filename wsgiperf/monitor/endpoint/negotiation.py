"""What a client wants to read: Accept, RFC 9110 section 12.5.1."""

from __future__ import annotations

from typing import NamedTuple

from wsgiperf.http.memo import memoised

__all__ = ["prefers_html", "wants_openmetrics"]


class _Range(NamedTuple):
    media: str  #: in lower case: a type, ``text/*`` or ``*/*``
    parameters: dict[str, str]
    weight: float


@memoised
def prefers_html(accept: str | None) -> bool:
    """Whether HTML is wanted more than JSON: browsers say so, other clients say nothing of the kind."""
    ranges = _ranges(accept)
    return _weight(ranges, "text/html") > _weight(ranges, "application/json")


@memoised
def wants_openmetrics(accept: str | None) -> bool:
    """Whether OpenMetrics 1.0.0 is named, and wanted no less than Prometheus's text format.

    Who leaves the choice to the server gets the text, which everybody reads.
    """
    ranges = _ranges(accept)
    named = [
        one.weight
        for one in ranges
        if one.media == "application/openmetrics-text" and one.parameters.get("version", "1.0.0") == "1.0.0"
    ]
    best = max(named, default=0.0)
    return best > 0 and best >= _weight(ranges, "text/plain")


def _weight(ranges: list[_Range], media: str) -> float:
    """The weight of a type by the ranges that fit it best; 0 where none fits."""
    for pattern in (media, media.partition("/")[0] + "/*", "*/*"):
        weights = [one.weight for one in ranges if one.media == pattern]
        if weights:
            return max(weights)
    return 0.0


def _ranges(accept: str | None) -> list[_Range]:
    """All ranges; parameters that break the grammar are passed over, a weight that does is 0."""
    found = []
    for member in (accept or "").lower().split(","):
        media, *rest = (piece.strip(" \t") for piece in member.split(";"))
        if "/" in media:
            pairs = (parameter.partition("=") for parameter in rest)
            parameters = {name.strip(" \t"): value.strip(' \t"') for name, _, value in pairs}
            found.append(_Range(media, parameters, _quality(parameters.pop("q", "1"))))
    return found


def _quality(value: str) -> float:
    """Section 12.4.2."""
    whole, _, decimals = value.partition(".")
    if (
        whole not in ("0", "1")
        or len(decimals) > 3
        or not (decimals or "0").isdecimal()
        or not value.isascii()
    ):
        return 0.0
    found = float(f"{whole}.{decimals or '0'}")
    return found if found <= 1 else 0.0
