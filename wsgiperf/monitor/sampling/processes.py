"""CPU and memory of the system and of the workers, by psutil: the one file that imports it."""

from __future__ import annotations

from collections.abc import Iterable
from logging import getLogger
from typing import TYPE_CHECKING, Any

from wsgiperf.monitor.sampling.cgroup import Cgroup

if TYPE_CHECKING:
    import psutil

__all__ = ["Processes"]

#: Seconds below which CPU time, counted in ticks of 10 ms, says nothing.
_SHORTEST = 0.1

logger = getLogger(__name__)


class _Usage:
    """A sum of CPU seconds, and how fast it grows."""

    def __init__(self) -> None:
        self._used: float | None = None
        self._at = 0.0
        self._rate: float | None = None

    def rate(self, used: float, now: float) -> float | None:
        """CPU seconds per second since the last time; None the first time, or where the sum has shrunk."""
        if self._used is not None and 0 <= now - self._at < _SHORTEST:
            return self._rate
        if self._used is None or now < self._at or used < self._used:
            self._rate = None
        else:
            self._rate = (used - self._used) / (now - self._at)
        self._used, self._at = used, now
        return self._rate


class _Worker:
    def __init__(self, handle: psutil.Process) -> None:
        self.handle, self.usage = handle, _Usage()


class Processes:
    """Samples the system and processes.

    :param cgroup: what limits this process; that of the running system if left out.

    One thread uses it. Where psutil is missing or a figure can't be had, it is None.
    """

    def __init__(self, cgroup: Cgroup | None = None) -> None:
        self._workers: dict[int, _Worker] = {}
        self._busy, self._groups = _Usage(), dict[str, _Usage]()
        self._cgroup, self._failed = cgroup, set[str]()

    def sample(self, pids: Iterable[int], now: float) -> dict[str, Any]:
        """Figures since the last sample. Raises nothing.

        :param pids: of the workers; those that are dead or zombies are left out of what returns.
        :param now: seconds of a clock that never steps, `time.monotonic`.
        :returns: "system": "cpu_percent" of what may be used (all cores, or a control group's quota where
            that is less), "memory_percent" likewise, "memory_used_bytes", "memory_total_bytes",
            "memory_limited_by" ("system" or "cgroup"); "workers": per pid "cpu_percent", where 100 is one
            core, and "memory_bytes", the resident set size. CPU is None the first time.
        """
        system: dict[str, Any] = dict.fromkeys(
            ("cpu_percent", "memory_percent", "memory_used_bytes", "memory_total_bytes", "memory_limited_by")
        )
        workers: dict[str, dict[str, Any]] = {}
        try:
            import psutil
        except ImportError as error:
            self._complain("psutil", error)
            return {"system": system, "workers": workers}
        for name, figures in (("CPU", self._cpu), ("memory", self._memory)):
            try:
                system |= figures(psutil, now)
            except Exception as error:  # of a kernel that psutil or this file doesn't know
                self._complain(name, error)
        kept = {}
        for pid in pids:
            try:
                worker = self._worker(psutil, pid)
                workers[str(pid)] = _figures(psutil, worker, now)
            except psutil.NoSuchProcess:
                continue
            except Exception as error:
                self._complain(f"process {pid}", error)
                continue
            kept[pid] = worker
        self._workers = kept
        return {"system": system, "workers": workers}

    def _worker(self, psutil: Any, pid: int) -> _Worker:
        worker = self._workers.get(pid)
        # Another process may have got a dead one's number: its figures are no continuation.
        if worker is None or not worker.handle.is_running():
            worker = _Worker(psutil.Process(pid))
        return worker

    def _cpu(self, psutil: Any, now: float) -> dict[str, Any]:
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        # Linux counts guests' time as the user's as well.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        share = self._busy.rate(total - idle, total)
        groups = {}
        shares = []
        for group in self._limits().cpu():
            if group.cores >= (psutil.cpu_count() or 1):
                continue
            usage = groups[group.group] = self._groups.get(group.group) or _Usage()
            cores = usage.rate(group.used, now)
            shares.append(None if cores is None else cores / group.cores)
        self._groups = groups
        if shares:
            share = max((each for each in shares if each is not None), default=None)
        return {"cpu_percent": None if share is None else min(100.0, 100 * share)}

    def _memory(self, psutil: Any, now: float) -> dict[str, Any]:
        memory = psutil.virtual_memory()
        used, total, by = memory.total - memory.available, memory.total, "system"
        limits = [each for each in self._limits().memory() if each.limit < memory.total]
        if limits:
            # That of the group which is fullest: there memory runs out first.
            (used, total), by = max(limits, key=lambda each: each.used / each.limit), "cgroup"
        return {
            "memory_percent": min(100.0, 100 * used / total),
            "memory_used_bytes": used,
            "memory_total_bytes": total,
            "memory_limited_by": by,
        }

    def _limits(self) -> Cgroup:
        if self._cgroup is None:
            self._cgroup = Cgroup()
        return self._cgroup

    def _complain(self, name: str, error: Exception) -> None:
        """Once, and no more of it than this: it is asked for every second."""
        if name not in self._failed and len(self._failed) < 10:
            self._failed.add(name)
            logger.warning("no figures of %s: %s", name, error)


def _figures(psutil: Any, worker: _Worker, now: float) -> dict[str, Any]:
    with worker.handle.oneshot():
        if worker.handle.status() == psutil.STATUS_ZOMBIE:
            raise psutil.NoSuchProcess(worker.handle.pid)
        times, memory = worker.handle.cpu_times(), worker.handle.memory_info()
    cores = worker.usage.rate(times.user + times.system, now)
    return {"cpu_percent": None if cores is None else 100 * cores, "memory_bytes": memory.rss}
