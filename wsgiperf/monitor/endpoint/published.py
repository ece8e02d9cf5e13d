"""What the sampler published on the board, checked: pages of one worker show what another one wrote.

That other one may run another release, or have been killed. Whatever isn't as expected counts as unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

__all__ = [
    "SEVERITIES", "STATUSES", "System", "Usage", "active_alerts", "entries", "hundredths", "journal",
    "number", "services", "system", "whole", "word", "workers",
]  # fmt: skip

#: Most severe first.
SEVERITIES = ("critical", "warning", "info")
#: What a health check may have come to.
STATUSES = ("ok", "failing", "hung", "unknown")

#: Beyond any figure, and so are infinities and what isn't a number.
_MOST = 1e300


class System(NamedTuple):
    """The machine, or the part of it that these processes may use."""

    cpu_percent: float | None
    memory_percent: float | None
    memory_used_bytes: int | None
    memory_total_bytes: int | None
    memory_limited_by: str | None
    sampled: float | None
    sampler_pid: int | None


class Usage(NamedTuple):
    """What one process uses."""

    cpu_percent: float | None
    memory_bytes: int | None


def number(value: object) -> float | None:
    """A finite number, None for anything else."""
    if type(value) is float or type(value) is int:
        return value if -_MOST < value < _MOST else None
    return None


def hundredths(value: object) -> float | None:
    """A finite number to the second decimal, None for anything else."""
    found = number(value)
    return None if found is None else round(found, 2)


def whole(value: object) -> int | None:
    """A whole number, None for anything else."""
    found = number(value)
    return None if found is None else int(found)


def word(value: object) -> str | None:
    """Text, None for anything else."""
    return value if type(value) is str else None


def entries(document: object, *names: str) -> Iterator[dict[str, Any]]:
    """The dicts of the list that stands under these names."""
    for name in names:
        document = document.get(name) if isinstance(document, Mapping) else None
    return (
        (entry for entry in document if isinstance(entry, dict)) if isinstance(document, list) else iter(())
    )


def system(board: Mapping[str, Any]) -> System:
    """CPU and memory."""
    found = board.get("system")
    get = (found if isinstance(found, dict) else {}).get
    limited_by = get("memory_limited_by")
    return System(
        hundredths(get("cpu_percent")),
        hundredths(get("memory_percent")),
        whole(get("memory_used_bytes")),
        whole(get("memory_total_bytes")),
        limited_by if limited_by in ("system", "cgroup") else None,
        number(board.get("at")),
        whole(board.get("pid")),
    )


def workers(board: Mapping[str, Any]) -> dict[int, Usage]:
    """By process ID."""
    found = board.get("workers")
    return {
        int(pid): Usage(hundredths(usage.get("cpu_percent")), whole(usage.get("memory_bytes")))
        for pid, usage in (found.items() if isinstance(found, dict) else ())
        if isinstance(usage, dict)
        and isinstance(pid, str)
        and pid.isascii()
        and pid.isdigit()
        and len(pid) < 12
    }


def services(board: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The health checks' results: name, kind, region and status as they should be, all else as it came."""
    found = []
    for entry in entries(board, "health"):
        name, status = word(entry.get("name")), entry.get("status")
        if name:
            found.append(
                {
                    **entry,
                    "name": name,
                    "kind": word(entry.get("kind")) or "",
                    "region": word(entry.get("region")) or "",
                    "status": status if status in STATUSES else "unknown",
                }
            )
    return found


def active_alerts(board: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The alerts that are firing, most severe first; metric and severity are text of their kind."""
    found = [entry for entry in entries(board, "alerts", "active") if _is_alert(entry)]
    return sorted(found, key=lambda entry: SEVERITIES.index(entry["severity"]))


def journal(board: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What fired and cleared, newest first."""
    found = [entry for entry in entries(board, "alerts", "journal") if _is_alert(entry)]
    found = [entry for entry in found if entry.get("event") in ("fired", "cleared")]
    return sorted(found, key=lambda entry: number(entry.get("at")) or 0.0, reverse=True)


def _is_alert(entry: dict[str, Any]) -> bool:
    return word(entry.get("metric")) is not None and entry.get("severity") in SEVERITIES
