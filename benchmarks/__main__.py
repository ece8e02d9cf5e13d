"""All programs, one after the other: `python -m benchmarks [--quick] [--check]`."""

from __future__ import annotations

import sys

from benchmarks import (
    caching,
    compression,
    imports,
    media,
    media_video,
    monitoring,
    overhead,
    page,
    peers,
    server,
)

failed = []
for program in (
    overhead,
    compression,
    caching,
    monitoring,
    media,
    media_video,
    page,
    peers,
    imports,
    server,
):
    name = program.__name__.partition(".")[2]
    print(f"--- {name}", flush=True)
    if program.main(sys.argv[1:]):
        failed.append(name)
    print(flush=True)
if failed:
    sys.exit(f"over a limit: {', '.join(failed)}")
