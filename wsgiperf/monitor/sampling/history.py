"""CPU and memory of the last quarter of an hour, of the machine and of each living worker."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

__all__ = ["COLUMNS", "STEP", "VALUES", "History"]

#: Seconds of one value, and how many values.
STEP, VALUES = 5, 180
#: Workers with a history of their own: 64 take some 200 KB of the board.
COLUMNS = 64

_Column = list[float | None]
_SYSTEM = {"cpu": "cpu_percent", "memory": "memory_percent"}
_WORKER = {"cpu": "cpu_percent", "memory_bytes": "memory_bytes"}


class History:
    """Means of five seconds, oldest first; None where nothing was measured.

    A worker that is gone takes its history along, so nothing grows.
    """

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._slot = 0  #: the running one; its samples are not among the values yet
        self._length = 0
        self._system: dict[str, _Column] = {name: [] for name in _SYSTEM}
        self._workers: dict[str, dict[str, _Column]] = {}
        self._samples: dict[tuple[str, str], list[float]] = {}

    def add(self, now: float, system: Mapping[str, Any], workers: Mapping[Any, Mapping[str, Any]]) -> None:
        """A sample.

        :param now: seconds since the epoch.
        :param system: as on the board.
        :param workers: likewise, by pid.
        """
        slot = int(now // STEP)
        if slot != self._slot:
            self._advance(slot)
        living = {str(pid): worker for pid, worker in list(workers.items())[:COLUMNS]}
        for pid in self._workers.keys() - living.keys():
            del self._workers[pid]
        for pid in living.keys() - self._workers.keys():
            self._workers[pid] = {name: [None] * self._length for name in _WORKER}
        self._collect("", system, _SYSTEM)
        for pid, worker in living.items():
            self._collect(pid, worker, _WORKER)

    def _collect(self, pid: str, values: Mapping[str, Any], columns: Mapping[str, str]) -> None:
        for column, name in columns.items():
            value = _number(values.get(name))
            if value is not None:
                self._samples.setdefault((pid, column), []).append(value)

    def _advance(self, slot: int) -> None:
        passed = slot - self._slot
        samples, self._samples = self._samples, {}
        if not 0 < passed <= VALUES:  # the first, or after a long pause, or the clock was set back
            self._forget()
        else:
            # The slot that ends, and those of which nobody has a sample.
            self._append(samples)
            for _ in range(passed - 1):
                self._append({})
        self._slot = slot

    def _append(self, samples: Mapping[tuple[str, str], list[float]]) -> None:
        for pid, columns in (("", self._system), *self._workers.items()):
            for name, column in columns.items():
                found = samples.get((pid, name))
                column.append(_rounded(sum(found) / len(found), name) if found else None)
                del column[:-VALUES]
        self._length = min(self._length + 1, VALUES)

    def state(self) -> dict[str, Any]:
        """For the board; ``start`` is when the first value's five seconds began."""
        return {
            "start": (self._slot - self._length) * STEP,
            "step": STEP,
            **{name: list(column) for name, column in self._system.items()},
            "workers": {
                pid: {name: list(column) for name, column in columns.items()}
                for pid, columns in self._workers.items()
            },
        }

    def restore(self, state: object) -> None:
        """Go on from what `state` told, of whichever process; from nothing where that can't be read."""
        self._forget()
        if not isinstance(state, Mapping) or state.get("step") != STEP:
            return
        start, cpu = _number(state.get("start")), state.get("cpu")
        if start is None or not 0 <= start < 2**40 or not isinstance(cpu, list) or len(cpu) > VALUES:
            return
        self._length = len(cpu)
        self._slot = int(start // STEP) + self._length
        self._system = self._columns(state, _SYSTEM)
        workers = state.get("workers")
        for pid, columns in list(workers.items())[:COLUMNS] if isinstance(workers, Mapping) else ():
            if isinstance(columns, Mapping) and str(pid).isdigit():
                self._workers[str(pid)] = self._columns(columns, _WORKER)

    def _columns(self, given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, _Column]:
        columns: dict[str, _Column] = {}
        for name in names:
            values = given.get(name)
            if isinstance(values, list) and len(values) == self._length:
                columns[name] = [_number(value) for value in values]
            else:
                columns[name] = [None] * self._length
        return columns


def _rounded(value: float, name: str) -> float:
    return round(value) if name == "memory_bytes" else round(value, 1)


def _number(value: object) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value):
        return value
    return None
