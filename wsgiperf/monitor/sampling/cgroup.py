"""What the control groups of this process allow it, and how much of that is used. Linux only.

A limit holds for a group and all below it, so the ones of every ancestor that can be seen count. Sources:
kernel documentation, cgroup-v2 (memory.max, memory.current, memory.stat, cpu.max, cpu.stat) and cgroup-v1
(memory, cpuacct; CFS bandwidth control); proc_pid_mountinfo(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from os.path import isdir
from pathlib import Path, PurePosixPath
from typing import NamedTuple

__all__ = ["Cgroup", "CpuLimit", "MemoryLimit"]

#: Files of the kernel's are short; mountinfo of a host with many containers is not.
_MOST = 1 << 20


class MemoryLimit(NamedTuple):
    """One group's memory."""

    used: int  #: bytes, without file pages that the kernel drops first when memory gets short
    limit: int  #: bytes


class CpuLimit(NamedTuple):
    """One group's CPU time."""

    group: str  #: which
    used: float  #: seconds of CPU, all told
    cores: float  #: seconds of CPU it may have per second


class Cgroup:
    """The groups of this process.

    :param root: where /proc and the control groups' file systems stand; for tests.

    Which groups they are is read once, what they allow every time. What can't be read limits nothing.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        mounts = dict(self._mounts())
        memberships = dict(self._memberships())
        self._unified = self._levels("", mounts, memberships)
        self._memory = self._levels("memory", mounts, memberships)
        cpu, usage = (self._levels(name, mounts, memberships) for name in ("cpu", "cpuacct"))
        # The quota and the use stand in one folder or in two hierarchies of one shape.
        same = memberships.get("cpu") == memberships.get("cpuacct") and len(cpu) == len(usage)
        self._cpu = list(zip(cpu, usage, strict=True)) if same else []

    def memory(self) -> list[MemoryLimit]:
        """Of every group that has a limit, be it version 1's default, which is more than any machine has."""
        found = []
        for folder in self._unified:
            limit, used = _integer(folder / "memory.max"), _integer(folder / "memory.current")
            if limit and used is not None:
                found.append(_memory(used, _field(folder / "memory.stat", "inactive_file"), limit))
        for folder in self._memory:
            limit, used = (
                _integer(folder / name) for name in ("memory.limit_in_bytes", "memory.usage_in_bytes")
            )
            if limit and used is not None:
                found.append(_memory(used, _field(folder / "memory.stat", "total_inactive_file"), limit))
        return found

    def cpu(self) -> list[CpuLimit]:
        """Of every group that has a quota."""
        found = []
        for folder in self._unified:
            quota, _, period = _text(folder / "cpu.max").strip().partition(" ")
            used = _field(folder / "cpu.stat", "usage_usec")
            if quota.isdecimal() and period.isdecimal() and int(quota) and int(period) and used is not None:
                found.append(CpuLimit(str(folder), used / 1e6, int(quota) / int(period)))
        for folder, usage in self._cpu:
            budget, cycle = (_integer(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
            spent = _integer(usage / "cpuacct.usage")
            if budget and cycle and spent is not None:
                found.append(CpuLimit(str(folder), spent / 1e9, budget / cycle))
        return found

    def _memberships(self) -> Iterator[tuple[str, str]]:
        """Controller -> the group's path in its hierarchy; "" for version 2."""
        for line in _text(self._root / "proc/self/cgroup").splitlines():
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            for controller in controllers.split(","):
                yield controller, path

    def _mounts(self) -> Iterator[tuple[str, tuple[str, Path]]]:
        """Controller -> what of its hierarchy is mounted, and where; "" for version 2."""
        for line in _text(self._root / "proc/self/mountinfo").splitlines():
            before, _, after = line.partition(" - ")
            words, kind = before.split(" "), after.split(" ")
            if len(words) < 6 or len(kind) < 3 or kind[0] not in ("cgroup", "cgroup2"):
                continue
            # Spaces and the like are written as octal numbers.
            top, point = (_unescaped(word) for word in words[3:5])
            place = top, self._root / point.lstrip("/")
            if kind[0] == "cgroup2":
                yield "", place
            else:
                for controller in kind[2].split(","):
                    yield controller, place

    def _levels(
        self, controller: str, mounts: dict[str, tuple[str, Path]], memberships: dict[str, str]
    ) -> list[Path]:
        """The group's folder and those above it, as far as they are mounted, innermost first."""
        if controller not in mounts or controller not in memberships:
            return []
        top, point = mounts[controller]
        path, above = PurePosixPath(memberships[controller]), PurePosixPath(top)
        # Within a container the path may be the host's, of which only the container's own part is mounted.
        relative = path.relative_to(above) if path.is_relative_to(above) else PurePosixPath()
        if ".." in relative.parts:  # a group outside of the namespace's root
            relative = PurePosixPath()
        return [folder for each in (relative, *relative.parents) if isdir(folder := point / each)]


def _memory(used: int, inactive: int | None, limit: int) -> MemoryLimit:
    return MemoryLimit(max(0, used - (inactive or 0)), limit)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST).decode("utf-8", "replace")
    except OSError:
        return ""


def _integer(path: Path) -> int | None:
    """None where there is none: no file, "max", -1."""
    words = _text(path).strip()
    return int(words) if words.isdecimal() and len(words) < 30 else None


def _field(path: Path, name: str) -> int | None:
    """One of a file of lines of a name and a number."""
    for line in _text(path).splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.isdecimal():
            return int(value)
    return None


def _unescaped(word: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), word)
