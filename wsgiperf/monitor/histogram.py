"""Histograms of durations: which cell a duration falls into, and what quantiles cells tell.

The fine one grows by 2% a cell from 10 microseconds to 100 seconds, so a quantile is off by 1% at most; the
coarse one joins five of its cells. The usual 14 bounds of the OpenTelemetry semantic conventions for
`http.server.request.duration` stand beside them, for Prometheus: their counts are exact.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import ceil, exp, log

__all__ = ["BOUNDS", "CELLS", "COARSE_CELLS", "bucket_of", "cell_of", "coarse_quantile", "merged", "quantile"]

#: Upper bounds in seconds, inclusive.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

GROWTH = 1.02
LEAST, MOST = 1e-5, 100.0
#: Cells of a fine histogram. The first is for what is quicker than `LEAST`, the last for what is slower than
#: `MOST`.
CELLS = ceil(log(MOST / LEAST) / log(GROWTH)) + 2
_JOINED = 5
COARSE_CELLS = (CELLS + _JOINED - 1) // _JOINED

_SCALE = 1 / log(GROWTH)
_SHIFT = 1 - log(LEAST) * _SCALE


def cell_of(seconds: float) -> int:
    """The fine cell of a duration; `// 5` of it is the coarse one."""
    if seconds <= LEAST:
        return 0
    cell = int(log(seconds) * _SCALE + _SHIFT)
    return cell if cell < CELLS else CELLS - 1


def bucket_of(seconds: float) -> int:
    """The number of the usual bound that a duration is within; 14 above all."""
    return bisect_left(BOUNDS, seconds)


def merged(histograms: Iterable[Sequence[int]], cells: int = CELLS) -> list[int]:
    """The sum of histograms of one kind."""
    columns = list(histograms)
    return list(map(sum, zip(*columns, strict=True))) if columns else [0] * cells


def quantile(cells: Sequence[int], *shares: float) -> list[float | None]:
    """The durations below which these shares of all lie, in seconds; None of an empty histogram.

    :param cells: of a fine histogram.
    :param shares: between 0 and 1, such as 0.95.
    """
    return _quantiles(cells, shares, 1)


def coarse_quantile(cells: Sequence[int], *shares: float) -> list[float | None]:
    """The same of a coarse histogram: off by 5% at most."""
    return _quantiles(cells, shares, _JOINED)


def _quantiles(cells: Sequence[int], shares: Sequence[float], joined: int) -> list[float | None]:
    running = list(accumulate(cells))
    total = running[-1] if running else 0
    if not total:
        return [None for _ in shares]
    # Nearest rank: the least duration that at least this share of all does not exceed.
    return [_middle(bisect_left(running, max(1, ceil(share * total))), joined) for share in shares]


def _middle(cell: int, joined: int) -> float:
    """The geometric middle of a cell, which is the least wrong by ratio."""
    first = cell * joined
    if first == 0 and joined == 1:
        return LEAST
    last = min(first + joined, CELLS - 1)
    return min(MOST, exp(((first + last) / 2 - _SHIFT) / _SCALE))
