"""The parts of the library: alone, in pairs, all together. A new part is one line."""

from __future__ import annotations

from itertools import permutations

import wsgiperf

PARTS = {
    "monitor": wsgiperf.MonitorMiddleware,
    "request ID": wsgiperf.RequestIdMiddleware,
    "timing": wsgiperf.TimingMiddleware,
    "security headers": wsgiperf.SecurityHeadersMiddleware,
    "compression": wsgiperf.CompressionMiddleware,
    "cache": wsgiperf.CacheMiddleware,
    "media": wsgiperf.MediaMiddleware,
}


def twice(part):
    """A part around itself: one of them has to step aside."""
    return lambda application: part(part(application))


def pair(outer, inner):
    """Two parts, one in the other."""
    return lambda application: outer(inner(application))


WRAPS = {
    **PARTS,
    **{f"{name} twice": twice(part) for name, part in PARTS.items()},
    **{f"{one} > {two}": pair(PARTS[one], PARTS[two]) for one, two in permutations(PARTS, 2)},
    "everything": wsgiperf.wrap,
    "everything twice": twice(wsgiperf.wrap),
}
