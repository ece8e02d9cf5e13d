"""Three thumbnails of one JPEG: ours, the loop that is usually written, and other libraries.

Each way has a process of its own, for a loop that takes 48 MB for each copy is fast or slow by what else the
process has allocated before. pyvips is found as any package is (`pip install pyvips pyvips-binary`), sharp by
node, which also looks in `NODE_PATH`. Each writes JPEG of quality 85 with what is else its default: ours is
progressive, theirs not.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

SIZES = (150, 300, 600)
QUALITY = 85

#: As `_serve`, in JavaScript.
_SHARP = """
const fs = require("fs"), sharp = require("sharp");
const resident = (name) =>
  1024 * fs.readFileSync("/proc/self/status", "utf8").match(name + ":\\\\s+(\\\\d+)")[1];
const made = (data) => Promise.all(SIZES.map((size) =>
  sharp(data).resize(size, size, {fit: "inside"}).jpeg({quality: QUALITY}).toBuffer()));
(async () => {
  for await (const line of require("readline").createInterface({input: process.stdin})) {
    const [path, count] = JSON.parse(line), data = fs.readFileSync(path), before = resident("VmRSS");
    const started = process.hrtime.bigint(), used = process.cpuUsage();
    for (let run = 0; run < count; run++) await made(data);
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    const {user, system} = process.cpuUsage(used);
    console.log(JSON.stringify([seconds, (user + system) / 1e6, resident("VmHWM") - before]));
  }
})();
""".replace("SIZES", str(list(SIZES))).replace("QUALITY", str(QUALITY))


def ours(data: bytes) -> object:
    from wsgiperf.media import thumbnails

    return thumbnails(data, SIZES, quality=QUALITY)


def naive(data: bytes) -> object:
    """One decode of all pixels, and a copy for each size."""
    from PIL import Image

    made = []
    with Image.open(BytesIO(data)) as image:
        for size in SIZES:
            copy = image.copy()
            copy.thumbnail((size, size), Image.Resampling.LANCZOS)
            sink = BytesIO()
            copy.save(sink, "JPEG", quality=QUALITY)
            made.append(sink.getvalue())
    return made


def vips(data: bytes) -> object:
    """Each size from the file, which it decodes in a fraction of its size."""
    import pyvips

    made = []
    for size in SIZES:
        image = pyvips.Image.thumbnail_buffer(data, size, height=size, size="down")
        made.append(image.jpegsave_buffer(Q=QUALITY))
    return made


#: By their names in the tables.
WAYS: dict[str, Callable[[bytes], object]] = {"thumbnails()": ours, "the naive loop": naive, "pyvips": vips}
OURS, NAIVE, SHARP = "thumbnails()", "the naive loop", "sharp"


def commands() -> tuple[dict[str, list[str]], list[str]]:
    """What starts each way's process, and what is missing."""
    found = {name: [sys.executable, "-m", "benchmarks.media_peers", name] for name in WAYS}
    missing = []
    if find_spec("pyvips") is None:
        del found["pyvips"]
        missing.append("not installed: pyvips")
    node = shutil.which("node")
    loads = node and subprocess.run([node, "-e", "require('sharp')"], capture_output=True).returncode == 0
    if node and loads:
        found[SHARP] = [node, "-e", _SHARP]
    else:
        missing.append("node can't load: sharp (NODE_PATH says where else it looks)")
    return found, missing


class Ran(NamedTuple):
    """What some runs took.

    :param processor: seconds of all processors.
    :param memory: bytes at the process's peak, over what it had before these runs.
    """

    seconds: float
    processor: float
    memory: int


class Worker:
    """A process that makes thumbnails when it is asked to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, path: Path, count: int) -> Ran:
        """So many runs, one after the other."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(path), count]) + "\n")
        self._process.stdin.flush()
        return Ran(*json.loads(self._process.stdout.readline()))


@contextmanager
def worker(command: list[str]) -> Iterator[Worker]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Worker(process)
    finally:
        with suppress(OSError):
            process.stdin.close()
        process.wait(10)
        process.stdout.close()


def _serve(way: Callable[[bytes], object]) -> None:
    """Passed a path and a number of runs on each line, answer with what they took."""
    for line in sys.stdin:
        path, count = json.loads(line)
        data = Path(path).read_bytes()
        before = _resident("VmRSS")
        started, used = perf_counter(), process_time()
        for _ in range(count):
            way(data)
        ran = Ran(perf_counter() - started, process_time() - used, _resident("VmHWM") - before)
        print(json.dumps(ran), flush=True)


def _resident(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"no {name}")


if __name__ == "__main__":
    _serve(WAYS[sys.argv[1]])
