"""The options of timing."""

from __future__ import annotations

from dataclasses import dataclass

from wsgiperf.options import flag, number
from wsgiperf.settings.section import Section

__all__ = ["TimingSettings"]


@dataclass(frozen=True, kw_only=True)
class TimingSettings(Section):
    """Options of `TimingMiddleware`."""

    section = "timing"

    server_timing: bool = flag(True, "Send Server-Timing, with the spans the application measured.")
    processing_time: bool = flag(True, "Send X-Processing-Time, the time to the head, such as `0.380s`.")
    slow_seconds: float = number(
        1.0,
        "A request whose first block comes later is logged as slow; 0 logs none.",
        unit="seconds",
        least=0,
        most=86_400,
    )
