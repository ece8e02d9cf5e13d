"""Prometheus's text format 0.0.4, and OpenMetrics 1.0.0: families of samples as text.

They differ in counters' metadata, which OpenMetrics has without ``_total``, in units and in the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import accumulate

from wsgiperf.monitor.histogram import BOUNDS

__all__ = ["OPENMETRICS_TYPE", "TEXT_TYPE", "Exposition", "labels"]

TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_UNITS = ("seconds", "bytes", "ratio")
# Both formats: backslash, quote and line feed have escapes. Other control characters have none; parsers of
# either language stumble over some of them, so they are shown.
_special = re.compile(r'[\x00-\x1f\x7f\\"\ud800-\udfff]').sub
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}

_BUCKETS = tuple(f'le="{bound}"}} ' for bound in (*map(repr, BOUNDS), "+Inf"))


def labels(**values: str) -> str:
    """Labels as they stand between braces."""
    return ",".join([f'{name}="{_escaped(value)}"' for name, value in values.items()])


def _escaped(value: str) -> str:
    return _special(_escape, value)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return _ESCAPES.get(character) or f"\\\\u{ord(character):04x}"


class Exposition:
    """A text in the making.

    :param openmetrics: in that format, else in Prometheus's own.
    """

    def __init__(self, *, openmetrics: bool) -> None:
        self._openmetrics = openmetrics
        self._pieces: list[str] = []

    def gauge(self, name: str, help_text: str, samples: Mapping[str, float | None]) -> None:
        """What goes up and down.

        :param samples: by `labels`, ``""`` for none. What isn't known has no sample, and a family without
            samples isn't mentioned.
        """
        known = {key: value for key, value in samples.items() if value is not None}
        if known:
            self._metadata(name, "gauge", help_text)
            self._pieces += [_line(name, key, value) for key, value in known.items()]

    def counter(self, name: str, help_text: str, samples: Mapping[str, float]) -> None:
        """What only grows; its name ends with ``_total``."""
        if samples:
            self._metadata(name.removesuffix("_total") if self._openmetrics else name, "counter", help_text)
            self._pieces += [_line(name, key, value) for key, value in samples.items()]

    def summary(self, name: str, help_text: str, count: int, total: float) -> None:
        """How many, and their sum."""
        self._metadata(name, "summary", help_text)
        self._pieces += [_line(f"{name}_sum", "", total), _line(f"{name}_count", "", count)]

    def histogram(
        self, name: str, help_text: str, samples: Iterable[tuple[str, tuple[int, ...], float]]
    ) -> None:
        """Durations by `BOUNDS`.

        :param samples: labels, how many are in each bucket and above all, and the sum of all.
        """
        self._metadata(name, "histogram", help_text)
        for key, buckets, total in samples:
            before = f"{name}_bucket{{{key}," if key else f"{name}_bucket{{"
            running = [*accumulate(buckets)]
            self._pieces += [
                f"{before}{bucket}{count}\n" for bucket, count in zip(_BUCKETS, running, strict=True)
            ]
            # The count is the last bucket: counted apart, the two could differ in a reader's eyes.
            self._pieces += [_line(f"{name}_sum", key, total), _line(f"{name}_count", key, running[-1])]

    def encoded(self) -> bytes:
        """All of it."""
        end = ["# EOF\n"] if self._openmetrics else []
        return "".join(self._pieces + end).encode()

    def _metadata(self, name: str, kind: str, help_text: str) -> None:
        self._pieces.append(f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n")
        if self._openmetrics:
            unit = name.rpartition("_")[2]
            if unit in _UNITS:
                self._pieces.append(f"# UNIT {name} {unit}\n")


def _line(name: str, key: str, value: float) -> str:
    text = repr(value) if type(value) is float else str(int(value))
    return f"{name}{{{key}}} {text}\n" if key else f"{name} {text}\n"
