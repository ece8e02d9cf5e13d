"""`wsgiperf images`: all pictures of a folder, made smaller where they lie."""

from __future__ import annotations

import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import click

from wsgiperf.cli.image_files import Done, Plan, pictures, work_on
from wsgiperf.cli.problem import Problem, require

__all__ = ["images"]

_ORIGINAL = 65_500  # pixels: as large as it is
_FAILED, _INTERRUPTED = 1, 130


def _size_of(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """Width and height."""
    if value is None:
        return None
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", value, re.ASCII)
    if found is None or max(map(int, found.groups())) > _ORIGINAL:
        raise click.BadParameter(f"{value!r} isn't a size such as 1920x1080", context, parameter)
    return int(found[1]), int(found[2])


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Do the work, tell what it saves, and write nothing.")
@click.option(
    "--quality", default=85, show_default=True, type=click.IntRange(1, 100), help="On JPEG's scale."
)
@click.option("--visual", is_flag=True, help="Choose each picture's quality by how it looks; slower.")
@click.option(
    "--max-size",
    metavar="WIDTHxHEIGHT",
    callback=_size_of,
    help="Make larger ones fit.  [default: keep their sizes]",
)
@click.option("--webp", is_flag=True, help="Also write photo.jpg.webp beside photo.jpg, where smaller.")
@click.option("--avif", is_flag=True, help="Also write photo.jpg.avif beside photo.jpg, where smaller.")
@click.option(
    "--backup",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the originals there; one that is there already stays.",
)
@click.option("--jobs", type=click.IntRange(1, 64), help="Pictures at once.  [default: one per processor]")
def images(
    folder: Path,
    dry_run: bool,
    quality: int,
    visual: bool,
    max_size: tuple[int, int] | None,
    webp: bool,
    avif: bool,
    backup: Path | None,
    jobs: int | None,
) -> None:
    """Make all pictures of a folder, and of those in it, smaller: JPEG, PNG, GIF, WebP and AVIF.

    A picture is replaced only by a smaller one that decodes, at once or not at all; it keeps its format and
    name, loses its metadata but colour profile and copyright notice, and stands upright. What would not be
    smaller, and what is damaged, stays as it is. Hidden files and folders are left out, and links are not
    followed. Ctrl-C ends it when the pictures being worked on are done. JPEG, WebP and AVIF lose what nobody
    should see; to have the originals all the same, use --backup.

    With --webp or --avif, BMP and TIFF get such files beside them as well, and stay as they are.

    Exit status: 0 done, 1 some could not be, 2 not understood, 130 interrupted.
    """
    require(["PIL"], "media", "images")
    from wsgiperf.media import Limits

    wide, high = max_size or (_ORIGINAL, _ORIGINAL)
    plan = Plan(
        root=folder,
        options={
            "max_width": wide,
            "max_height": high,
            "quality": quality,
            "target": "visual" if visual else None,
        },
        limits=Limits(),
        siblings=tuple(name for name, chosen in (("webp", webp), ("avif", avif)) if chosen),
        backup=backup,
        write=not dry_run,
    )
    if backup is not None and backup.resolve() == folder.resolve():
        raise Problem("--backup is the folder itself: choose another")
    missed: list[Done] = []
    found = list(
        pictures(
            folder,
            without=backup,
            all_formats=bool(plan.siblings),
            failed=lambda error: missed.append(
                Done(Path(error.filename), "failed", problem=error.strerror or "")
            ),
        )
    )
    done, interrupted = _all(found, plan, jobs or _processors())
    _report(missed + done, dry_run, len(found) - len(done))
    if interrupted:
        sys.exit(_INTERRUPTED)
    if any(one.result == "failed" for one in missed + done):
        sys.exit(_FAILED)


def _all(paths: list[Path], plan: Plan, jobs: int) -> tuple[list[Done], bool]:
    """Those that were worked on, and whether Ctrl-C came before the end."""
    done: list[Done] = []
    bar = click.progressbar(length=len(paths), label="Pictures", file=sys.stderr, show_pos=True)
    pool = ThreadPoolExecutor(jobs, "wsgiperf-images")
    waiting: deque[Future[Done]] = deque()
    try:
        with bar:
            for future in _submitted(paths, lambda path: pool.submit(work_on, path, plan), waiting, 2 * jobs):
                done.append(future.result())
                bar.update(1)
    except KeyboardInterrupt:
        click.echo("Interrupted: finishing what is under way ...", err=True)
        pool.shutdown(cancel_futures=True)
        return done + [future.result() for future in waiting if not future.cancelled()], True
    finally:
        pool.shutdown(cancel_futures=True)
    return done, False


def _submitted(
    paths: list[Path], submit: Callable[[Path], Future[Done]], waiting: deque[Future[Done]], most: int
) -> Iterator[Future[Done]]:
    """Each in its order; what waits for its turn stays in `waiting`."""
    for path in paths:
        waiting.append(submit(path))
        if len(waiting) >= most:
            waiting[0].exception()  # an interruption while it waits leaves it in there
            yield waiting.popleft()
    while waiting:
        waiting[0].exception()
        yield waiting.popleft()


def _processors() -> int:
    # The processors this process may use: in a container often fewer than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _report(done: list[Done], dry_run: bool, left: int) -> None:
    for one in done:
        if one.result == "failed":
            click.echo(f"{_shown(one.path)}: {one.problem}", err=True)
    rows = [("", "files", "before", "after", "saved")]
    for result, words in (("smaller", "would be smaller" if dry_run else "made smaller"), ("kept", "kept")):
        some = [one for one in done if one.result == result]
        rows.append(_row(words, len(some), sum(one.before for one in some), sum(one.after for one in some)))
    for form in ("webp", "avif"):
        some = [one for one in done if one.siblings and form in one.siblings]
        if some:
            after = sum((one.siblings or {})[form] for one in some)
            rows.append(_row(f"{form} beside", len(some), sum(one.before for one in some), after))
    rows.append(("not done", str(sum(one.result == "failed" for one in done)), "", "", ""))
    if left:
        rows.append(("not reached", str(left), "", "", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for first, *others in rows:
        cells = [
            first.ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)),
        ]
        click.echo("  ".join(cells).rstrip())


def _row(words: str, count: int, before: int, after: int) -> tuple[str, str, str, str, str]:
    share = f"{1 - after / before:.0%}" if before else ""
    return words, str(count), _size(before), _size(after), share


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _shown(path: Path) -> str:
    """A name may hold anything, also what a terminal would obey."""
    return "".join(one if one.isprintable() else "?" for one in click.format_filename(path))
