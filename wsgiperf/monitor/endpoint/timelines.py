"""The JSON's timelines: arrays of a fixed length, a value for each step, oldest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsgiperf.monitor.endpoint.published import number, whole
from wsgiperf.monitor.endpoint.texts import Limits, seconds
from wsgiperf.monitor.histogram import coarse_quantile
from wsgiperf.monitor.snapshot import Second, Snapshot

__all__ = ["CLASSES", "timeline"]

CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")

_SECONDS, _WINDOWS, _WINDOW_STEP = 300, 90, 10
_SAMPLES, _SAMPLE_STEP = 180, 5


def timeline(snapshot: Snapshot, board: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """All three: of requests by the second, of their durations by ten, of CPU and memory by five."""
    return {
        "seconds": _by_second(snapshot),
        "latency": _latency(snapshot),
        "system": _system(snapshot, board, limits),
    }


def _by_second(snapshot: Snapshot) -> dict[str, Any]:
    start = int(snapshot.taken) - _SECONDS + 1
    nothing = Second(0, (0, 0, 0, 0, 0), 0.0, 0, 0, 0, 0, 0.0)
    rows = [nothing] * _SECONDS
    for second in snapshot.seconds:
        if 0 <= second.start - start < _SECONDS:
            rows[second.start - start] = second
    found: dict[str, Any] = {"start": start, "step": 1}
    found |= zip(CLASSES, map(list, zip(*(row.classes for row in rows), strict=True)), strict=True)
    found["hits"] = [row.hits for row in rows]
    found["misses"] = [row.misses for row in rows]
    found["bytes_saved"] = [row.saved for row in rows]
    found["queries"] = [row.queries for row in rows]
    return found


def _latency(snapshot: Snapshot) -> dict[str, Any]:
    step = _WINDOW_STEP
    start = (int(snapshot.taken) // step - _WINDOWS + 1) * step
    by_number = {(window.start - start) // step: window for window in snapshot.windows}
    found: dict[str, Any] = {"start": start, "step": step}
    found |= {name: [] for name in ("requests", "errors", "p50", "p95", "p99")}
    for number_ in range(_WINDOWS):
        window = by_number.get(number_)
        found["requests"].append(window.requests if window else 0)
        found["errors"].append(window.errors if window else 0)
        shares = coarse_quantile(window.cells if window else (), 0.5, 0.95, 0.99)
        for name, value in zip(("p50", "p95", "p99"), shares, strict=True):
            found[name].append(seconds(value))
    return found


def _system(snapshot: Snapshot, board: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    history = board.get("history")
    get = (history if isinstance(history, dict) else {}).get
    step = whole(get("step"))
    step = step if step is not None and 0 < step <= 3600 else _SAMPLE_STEP
    cpu = get("cpu")
    first, samples = number(get("start")), len(cpu) if isinstance(cpu, list) else 0
    end = snapshot.taken if first is None else first + step * samples
    of_workers = get("workers")
    of_workers = of_workers if isinstance(of_workers, dict) else {}
    living = [(worker.pid, of_workers.get(str(worker.pid))) for worker in snapshot.workers]
    lines = [
        {"pid": pid, "cpu": _line(usage.get("cpu"), 2), "memory_bytes": _line(usage.get("memory_bytes"))}
        for pid, usage in living[: limits.charts]
        if isinstance(usage, dict)
    ]
    return {
        "start": round(end - step * _SAMPLES, 3),
        "step": step,
        "cpu": _line(cpu, 2),
        "memory": _line(get("memory"), 2),
        "workers": lines,
    }


def _line(values: object, decimals: int | None = None) -> list[float | None]:
    """The last values, their last one at the end; what came before isn't known."""
    known = [number(value) for value in values[-_SAMPLES:]] if isinstance(values, list) else []
    rounded = [None if value is None else round(value, decimals) for value in known]
    return [None] * (_SAMPLES - len(rounded)) + rounded
