"""What thumbnails take beside other ways to make them, and what encoding anew saves of photographs.

Ratios and shares have limits, and so have memory and AVIF's time: "ok" where one holds, "OVER" where not.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from PIL import Image

from benchmarks import media_peers as peers
from benchmarks import media_photos as photos
from benchmarks.measure import Batch, measure, options, print_table
from wsgiperf.media import Optimized, optimize, to_avif, to_webp
from wsgiperf.media.pictures.visual import similarity

#: How many times as fast as the naive loop, for a baseline and for a progressive JPEG.
LEAST_RATIOS = {"baseline": 2.8, "progressive": 1.3}
MOST_MEMORY = 20 * 10**6  # bytes, for the baseline one
LEAST_PHOTOS = 12
MOST_MILLISECONDS = 200.0  # a megapixel, of AVIF
TOLERANCE = 0.002  # of likeness, below what JPEG has at quality 85


@dataclass
class Way:
    """One way to encode a photograph.

    :param least: the share of all bytes that it must save.
    """

    name: str
    run: Callable[[bytes], Optimized]
    least: float
    visual: bool = False
    shares: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    likeness: list[float] = field(default_factory=list)
    seconds: float = 0.0


def ways() -> list[Way]:
    return [
        Way("JPEG, quality 85", optimize, 0.50),
        Way("WebP, quality 85", to_webp, 0.72),
        Way("AVIF, quality 85", to_avif, 0.75),
        Way("JPEG, target='visual'", lambda data: optimize(data, target="visual"), 0.55, visual=True),
        Way("AVIF, target='visual'", lambda data: to_avif(data, target="visual"), 0.62, visual=True),
    ]


# -- thumbnails


def thumbnails(folder: Path, quick: bool) -> bool:
    """Print what three thumbnails of 12 megapixels take; whether every limit holds."""
    image, shows = photos.camera(photos.found()[0])
    first = folder / "first.jpg"
    first.write_bytes(photos.jpeg(image.resize((40, 30))))
    commands, missing = peers.commands()
    held = []
    for kind, least in LEAST_RATIOS.items():
        path = folder / f"{kind}.jpg"
        path.write_bytes(photos.jpeg(image, quality=95, progressive=kind == "progressive"))
        held.append(
            _report(f"{kind}, {shows}", path, _measured(commands, path, first, 5 if quick else 15), least)
        )
        print()
    for why in missing:
        print(why)
    return all(held)


@dataclass(frozen=True)
class Taken:
    """What one way takes.

    :param least: microseconds.
    :param processor: microseconds of all processors, the least as well.
    :param memory: bytes that the first run takes.
    """

    least: float
    processor: float
    memory: int


def _measured(commands: dict[str, list[str]], path: Path, first: Path, rounds: int) -> dict[str, Taken]:
    """Each way by turns.

    :param first: a small picture, for whatever is loaded when it is first needed.
    """
    used: dict[str, list[float]] = {name: [] for name in commands}
    with ExitStack() as stack:
        workers = {name: stack.enter_context(peers.worker(one)) for name, one in commands.items()}
        for one in workers.values():
            one.run(first, 1)
        memory = {name: one.run(path, 1).memory for name, one in workers.items()}
        took = measure({name: _batch(one, path, used[name]) for name, one in workers.items()}, rounds)
    return {name: Taken(took[name].least, min(used[name]) * 1e6, memory[name]) for name in commands}


def _batch(worker: peers.Worker, path: Path, used: list[float]) -> Batch:
    def batch(count: int) -> float:
        ran = worker.run(path, count)
        used.append(ran.processor / count)
        return ran.seconds

    return batch


def _report(kind: str, path: Path, took: dict[str, Taken], least: float) -> bool:
    mine = took[peers.OURS].least
    baseline, limited = kind.startswith("baseline"), kind.endswith(photos.PHOTOGRAPHS)
    other = 1.0 if baseline else None  # of a baseline JPEG the other libraries have to be slower
    wide, high = photos.CAMERA
    head = f"{wide} x {high} {kind}, {path.stat().st_size / 1e6:.1f} MB"
    rows: list[Sequence[object]] = [
        (head, "ms", "times ours", "limit", "", "processor ms", "peak MB", "limit", "")
    ]
    for name, one in sorted(took.items(), key=lambda pair: pair[1].least):
        ratio = one.least / mine
        limit = None if name == peers.OURS or not limited else least if name == peers.NAIVE else other
        most = MOST_MEMORY if baseline and name == peers.OURS else None
        rows.append(
            (
                name, one.least / 1e3, ratio, limit, _verdict(limit is None or ratio >= limit, limit),
                one.processor / 1e3, f"{one.memory / 1e6:.1f}", most and f"{most / 1e6:.0f}",
                _verdict(most is None or one.memory <= most, most),
            )
        )  # fmt: skip
    print_table(rows)
    return not any("OVER" in row for row in rows)


def _verdict(holds: bool, limit: object) -> str | None:
    if limit is None:
        return None
    return "ok" if holds else "OVER"


# -- savings


def savings(quick: bool) -> bool:
    """Print what is saved of photographs; whether every limit holds."""
    paths, missing = photos.found()
    for why in missing:
        print(why)
    if len(paths) < LEAST_PHOTOS:
        print(
            f"Only {len(paths)} photographs, and {LEAST_PHOTOS} are needed for figures that mean something."
        )
        return False
    if quick:
        paths = paths[:: len(paths) // 6]
    sources = [photos.source(path) for path in paths]
    tried = ways()
    pixels, standards = 0, []
    for data in sources:
        original = _pixels(data)
        pixels += original.width * original.height
        for way in tried:
            made, seconds = _timed(way, data, 1 if quick else 2)
            way.seconds += seconds
            way.shares.append(made.saved_share)
            way.sizes.append(made.size)
            way.likeness.append(similarity(original, _pixels(made.data)))
        standards.append(tried[0].likeness[-1])
    print(
        f"{len(sources)} photographs as JPEG of quality 95, {sum(map(len, sources)) / 1e6:.1f} MB,", end=" "
    )
    print(f"{pixels / 1e6:.1f} megapixels:")
    return _report_savings(tried, sum(map(len, sources)), pixels, standards)


def _pixels(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data)) as image:
        return image.convert("RGB")


def _timed(way: Way, data: bytes, times: int) -> tuple[Optimized, float]:
    least = float("inf")
    for _ in range(times):
        started = perf_counter()
        made = way.run(data)
        least = min(least, perf_counter() - started)
    return made, least


def _report_savings(tried: list[Way], before: int, pixels: int, standards: list[float]) -> bool:
    rows: list[Sequence[object]] = [
        ("", "saved %", "limit", "", "mean %", "least %", "ms/MP", "limit", "", "SSIM", "worst to q85")
    ]  # fmt: skip
    held = []
    for way in tried:
        saved = 1 - sum(way.sizes) / before
        speed = way.seconds * 1e9 / pixels
        most = MOST_MILLISECONDS if way.name.startswith("AVIF, quality") else None
        worst = min(one - other for one, other in zip(way.likeness, standards, strict=True))
        alike = not way.visual or worst >= -TOLERANCE
        rows.append(
            (
                way.name, _percent(saved), _percent(way.least), _verdict(saved >= way.least, way.least),
                _percent(statistics.fmean(way.shares)), _percent(min(way.shares)), f"{speed:.0f}",
                most and f"{most:.0f}", _verdict(most is None or speed <= most, most),
                f"{statistics.fmean(way.likeness):.4f}",
                f"{worst:+.4f}" + ((" ok" if alike else " OVER") if way.visual else ""),
            )
        )  # fmt: skip
        held.append(saved >= way.least and (most is None or speed <= most) and alike)
    print_table(rows)
    print(f"Visual targets may lose {TOLERANCE} of likeness to what JPEG has at quality 85.")
    return all(held)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def main(arguments: Sequence[str] | None = None) -> int:
    chosen: Any = options(__doc__, arguments)
    with TemporaryDirectory() as name:
        held = [thumbnails(Path(name), chosen.quick)]
    held.append(savings(chosen.quick))
    return 1 if chosen.check and not all(held) else 0


if __name__ == "__main__":
    sys.exit(main())
