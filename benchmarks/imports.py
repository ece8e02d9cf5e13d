"""What `import wsgiperf` costs: time and modules, in fresh interpreters.

Importing is measured against an interpreter that imports nothing, in turns; the least of each counts.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from time import perf_counter

from benchmarks.measure import options, print_table

MOST_MILLISECONDS, MOST_MODULES = 45.0, 60

NOTHING = "pass"
IMPORT = "import wsgiperf"
LIST = "import sys; before = {*sys.modules}; import wsgiperf; print(*{*sys.modules} - before)"


def milliseconds(code: str) -> float:
    started = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (perf_counter() - started) * 1000


def modules() -> tuple[list[str], list[str]]:
    """What an import brings in: modules of the standard library, and packages of others."""
    listed = subprocess.run([sys.executable, "-c", LIST], check=True, capture_output=True, text=True).stdout
    names = [name for name in listed.split() if name.partition(".")[0] != "wsgiperf"]
    ours = [name for name in names if name.partition(".")[0] in sys.stdlib_module_names]
    return ours, sorted({*names} - {*ours})


def dearest(count: int = 12) -> list[tuple[str, float]]:
    """The modules that take longest themselves, without what they import, in milliseconds."""
    report = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", IMPORT], check=True, capture_output=True, text=True
    ).stderr
    own = re.findall(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", report.partition("site\n")[2], re.MULTILINE)
    ranked = sorted(((int(microseconds), name) for microseconds, name in own), reverse=True)
    return [(name, microseconds / 1000) for microseconds, name in ranked[:count]]


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = options(__doc__, arguments)
    pairs = [(milliseconds(NOTHING), milliseconds(IMPORT)) for _ in range(10 if chosen.quick else 60)]
    bare, imported = map(min, zip(*pairs, strict=True))
    library, others = modules()
    held = imported - bare <= MOST_MILLISECONDS and len(library) <= MOST_MODULES and not others
    print_table(
        [
            ("import wsgiperf", "", "limit"),
            ("milliseconds over a bare interpreter", imported - bare, MOST_MILLISECONDS),
            ("modules of the standard library", len(library), MOST_MODULES),
            ("modules of other packages", len(others), 0),
        ]
    )
    print(f"A bare interpreter takes {bare:.1f} ms. Other packages: {', '.join(others) or 'none'}.\n")
    print_table([("the dearest, themselves", "ms"), *dearest()])
    return 1 if chosen.check and not held else 0


if __name__ == "__main__":
    sys.exit(main())
