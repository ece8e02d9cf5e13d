"""Limits of control groups, from trees of files as the kernel writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsgiperf.monitor.sampling.cgroup import Cgroup, CpuLimit, MemoryLimit

V2 = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
GROUPS = "sys/fs/cgroup"


def tree(root: Path, files: dict[str, str]) -> Cgroup:
    """The files, and what is read from them."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Cgroup(root)


def version_2(root: Path, group: str, **levels: dict[str, str]) -> Cgroup:
    files = {
        "proc/self/cgroup": f"0::{group}\n",
        "proc/self/mountinfo": f"22 1 8:1 / / rw - ext4 x rw\n{V2}\n",
    }
    (root / GROUPS / group.lstrip("/")).mkdir(parents=True)
    for level, contents in levels.items():
        files |= {f"{GROUPS}/{level}/{name}": text for name, text in contents.items()}
    return tree(root, files)


MEMORY = {
    "memory.max": "1000000\n",
    "memory.current": "700000\n",
    "memory.stat": "anon 400000\ninactive_anon 1\ninactive_file 200000\nactive_file 100000\n",
}
CPU = {"cpu.max": "50000 100000\n", "cpu.stat": "usage_usec 2500000\nuser_usec 2000000\n"}


def test_version_2(tmp_path: Path) -> None:
    """File pages that can be dropped any time are no use of memory."""
    group = version_2(tmp_path, "/app", app=MEMORY | CPU)
    assert group.memory() == [MemoryLimit(500000, 1000000)]
    assert group.cpu() == [CpuLimit(str(tmp_path / GROUPS / "app"), 2.5, 0.5)]


def test_figures_are_read_anew(tmp_path: Path) -> None:
    """Limits change while a container runs."""
    group = version_2(tmp_path, "/app", app=MEMORY)
    (tmp_path / GROUPS / "app/memory.max").write_text("2000000\n")
    assert group.memory() == [MemoryLimit(500000, 2000000)]
    (tmp_path / GROUPS / "app/memory.max").write_text("max\n")
    assert group.memory() == []


def test_limits_of_groups_above_hold_too(tmp_path: Path) -> None:
    """Innermost first. A pod's limit stands above its containers'."""
    files = {
        "pod": {"memory.max": "900\n", "memory.current": "800\n", "cpu.max": "200000 100000", **CPU},
        "pod/box": {"memory.max": "max\n", "memory.current": "300\n", "cpu.max": "max 100000\n"},
        "pod/box/app": {"memory.max": "500\n", "memory.current": "100\n"},
    }
    group = version_2(tmp_path, "/pod/box/app", **files)
    assert group.memory() == [MemoryLimit(100, 500), MemoryLimit(800, 900)]
    assert [each.cores for each in group.cpu()] == [0.5]


@pytest.mark.parametrize(
    ("group", "top"),
    [
        ("/docker/abc", "/docker/abc"),
        ("/docker/abc/inner", "/docker/abc"),
        ("/", "/"),
        ("/../..", "/"),
        ("/elsewhere", "/docker/abc"),
        ("/gone/from/here", "/"),
    ],
)
def test_the_mounted_part_of_the_hierarchy(tmp_path: Path, group: str, top: str) -> None:
    """In a container the path is the host's, or begins at the namespace's root."""
    files = {f"{GROUPS}/{name}": text for name, text in MEMORY.items()}
    files["proc/self/cgroup"] = f"0::{group}\n"
    files["proc/self/mountinfo"] = V2.replace("0:28 / ", f"0:28 {top} ") + "\n"
    assert tree(tmp_path, files).memory() == [MemoryLimit(500000, 1000000)]


def version_1(root: Path, cpuacct: str = "/docker/abc") -> Cgroup:
    """Memory, and CPU in two hierarchies, seen from inside of a container; one place has a space in it."""
    mounts = [
        f"3{number} 31 0:3{number} /docker/abc /sys/fs/c\\040group/{name} rw - cgroup cgroup rw,{name}"
        for number, name in enumerate(("memory", "cpu", "cpuacct"))
    ]
    files = {
        "proc/self/cgroup": f"4:memory:/docker/abc\n3:cpu:/docker/abc\n2:cpuacct:{cpuacct}\n0::/\n",
        "proc/self/mountinfo": "\n".join(mounts),
        "sys/fs/c group/memory/memory.limit_in_bytes": "1000000\n",
        "sys/fs/c group/memory/memory.usage_in_bytes": "700000\n",
        "sys/fs/c group/memory/memory.stat": "inactive_file 1\ntotal_inactive_file 200000\n",
        "sys/fs/c group/cpu/cpu.cfs_quota_us": "150000\n",
        "sys/fs/c group/cpu/cpu.cfs_period_us": "100000\n",
        "sys/fs/c group/cpuacct/cpuacct.usage": "2500000000\n",
    }
    return tree(root, files)


def test_version_1(tmp_path: Path) -> None:
    """The same by other names and units."""
    group = version_1(tmp_path)
    assert group.memory() == [MemoryLimit(500000, 1000000)]
    assert group.cpu() == [CpuLimit(str(tmp_path / "sys/fs/c group/cpu"), 2.5, 1.5)]
    (tmp_path / "sys/fs/c group/cpu/cpu.cfs_quota_us").write_text("-1\n")
    assert group.cpu() == []


def test_version_1_with_use_counted_for_another_group(tmp_path: Path) -> None:
    """It says nothing about the quota's."""
    assert version_1(tmp_path, "/other").cpu() == []


@pytest.mark.parametrize(
    "changed",
    [
        {"memory.max": "max\n"}, {"memory.max": ""}, {"memory.max": "-1"}, {"memory.max": "0"},
        {"memory.max": "9" * 40}, {"memory.current": "x"}, {"memory.max": "\xff\xfe"},
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_number_limits_nothing(tmp_path: Path, changed: dict[str, str]) -> None:
    """Neither does what isn't there."""
    assert version_2(tmp_path, "/app", app=MEMORY | changed).memory() == []


@pytest.mark.parametrize("text", ["max 100000", "50000", "", "0 100000", "50000 0", "x y"])
def test_what_is_no_quota_limits_nothing(tmp_path: Path, text: str) -> None:
    """Above all it divides by nothing."""
    assert version_2(tmp_path, "/app", app=CPU | {"cpu.max": text}).cpu() == []


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/self/cgroup": "0::/app\n"},
        {"proc/self/mountinfo": V2},
        {"proc/self/cgroup": "\0\n::\n0", "proc/self/mountinfo": "- - -\n 1 2 3 4 5 6 - cgroup2\n" + V2[:40]},
        {"proc/self/cgroup": "0::/\0\n", "proc/self/mountinfo": V2},
    ],
    ids=["nothing", "no mounts", "no membership", "garbage", "null"],
)
def test_without_files_there_is_no_limit(tmp_path: Path, files: dict[str, str]) -> None:
    """Other systems, other kernels."""
    group = tree(tmp_path, files)
    assert (group.memory(), group.cpu()) == ([], [])


def test_this_system() -> None:
    """Whatever it is: figures that make sense, or none."""
    group = Cgroup()
    assert all(each.used >= 0 and each.limit > 0 for each in group.memory())
    assert all(each.used > 0 and each.cores > 0 for each in group.cpu())
