"""What `wsgiperf images` does with one file, and which files there are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from wsgiperf.media.errors import MediaError
from wsgiperf.media.sinks import write
from wsgiperf.media.sources import read

if TYPE_CHECKING:
    from wsgiperf.media.limits import Limits
    from wsgiperf.media.pictures.results import Optimized

__all__ = ["Done", "Plan", "pictures", "work_on"]

_WEB = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif"}
_OTHERS = {".bmp", ".tif", ".tiff"}
_SIBLINGS = (".webp", ".avif")
_TINY = 16  # pixels: the cheapest that still decodes all of a picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do with every picture.

    :param root: the folder.
    :param options: of `optimize`, without a format.
    :param limits: of one picture.
    :param siblings: of `webp` and `avif`: written beside the picture as `photo.jpg.webp`.
    :param backup: where originals are kept, as they lie below the root; None for nowhere.
    :param write: False to change nothing.
    """

    root: Path
    options: dict[str, Any]
    limits: Limits
    siblings: tuple[str, ...] = ()
    backup: Path | None = None
    write: bool = True


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a picture.

    :param result: `smaller`, `kept` or `failed`.
    :param before, after: bytes.
    :param siblings: bytes by format, of those written.
    :param problem: why it failed.
    """

    path: Path
    result: str
    before: int = 0
    after: int = 0
    siblings: dict[str, int] | None = None
    problem: str = ""


def pictures(
    root: Path, *, without: Path | None, all_formats: bool, failed: Callable[[OSError], object]
) -> Iterator[Path]:
    """The pictures below a folder by their extensions, in order; nothing hidden, and no link is followed.

    :param without: a folder to leave out.
    :param all_formats: also those that browsers don't show, which get siblings.
    :param failed: called for a folder that cannot be read.
    """
    suffixes: Set[str] = _WEB | _OTHERS if all_formats else _WEB
    left_out = without and without.resolve()
    for folder, folders, names in os.walk(root, onerror=failed, followlinks=False):
        here = Path(folder)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and (here / name).resolve() != left_out
        )
        siblings = {name + end for name in names if _suffix(name) in _WEB | _OTHERS for end in _SIBLINGS}
        for name in sorted(names):
            if name.startswith(".") or _suffix(name) not in suffixes or name in siblings:
                continue
            if not (here / name).is_symlink():
                yield here / name


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def work_on(path: Path, plan: Plan) -> Done:
    """Make one picture smaller. At any moment its file holds all of the old one or all of the new one."""
    try:
        return _work_on(path, plan)
    except MediaError as error:
        return Done(path, "failed", problem=str(error))
    except OSError as error:
        return Done(path, "failed", problem=error.strerror or type(error).__name__)


def _work_on(path: Path, plan: Plan) -> Done:
    from wsgiperf.media import optimize

    found = os.stat(path, follow_symlinks=False)
    data = read(path, plan.limits.max_bytes)
    made = optimize(data, limits=plan.limits, **plan.options)
    smaller = _suffix(path.name) in _WEB and made.saved > 0
    if smaller:
        _verify(made, plan)
        # Siblings come first: after an interruption the picture is as old as before, and all is done again.
    siblings = _siblings(path, data, made if smaller else None, found.st_mtime, plan)
    if smaller and plan.write:
        _replace(path, data, made.data, found, plan)
        _touch(path, siblings)
    return Done(
        path, "smaller" if smaller else "kept", len(data), made.size if smaller else len(data), siblings
    )


def _verify(made: Optimized, plan: Plan) -> None:
    """That what replaces an original can be decoded, and is of its size."""
    from wsgiperf.media import probe, thumbnails

    about = probe(made.data, limits=plan.limits)
    if (about.format, about.width, about.height) != (made.format, made.width, made.height):
        raise MediaError("unwritable", "the result isn't what it should be")
    thumbnails(made.data, (_TINY,), limits=plan.limits)


def _siblings(path: Path, data: bytes, made: Optimized | None, changed: float, plan: Plan) -> dict[str, int]:
    from wsgiperf.media import optimize

    written = {}
    for form in plan.siblings:
        sibling = path.with_name(f"{path.name}.{form}")
        there = os.path.lexists(sibling)
        if _suffix(path.name) == f".{form}" or (there and _is_current(sibling, changed) and made is None):
            continue
        one = optimize(data, limits=plan.limits, **plan.options, format=form)
        # One that is there already belongs to an older picture.
        if there or one.size < (made.size if made else len(data)):
            if plan.write:
                write(one.data, sibling)
            written[form] = one.size
    return written


def _is_current(sibling: Path, changed: float) -> bool:
    return os.stat(sibling, follow_symlinks=False).st_mtime >= changed


def _touch(path: Path, siblings: dict[str, int]) -> None:
    """Siblings are not older than their picture: by that the next run knows that they are its own."""
    for form in siblings:
        with suppress(OSError):
            os.utime(path.with_name(f"{path.name}.{form}"))


def _replace(path: Path, old: bytes, new: bytes, found: os.stat_result, plan: Plan) -> None:
    if plan.backup is not None:
        _keep(path, old, plan.backup / path.relative_to(plan.root))
    now = os.stat(path, follow_symlinks=False)
    if (now.st_ino, now.st_size, now.st_mtime_ns) != (found.st_ino, found.st_size, found.st_mtime_ns):
        raise MediaError("unwritable", "somebody else has changed it meanwhile")
    write(new, path)


def _keep(path: Path, data: bytes, target: Path) -> None:
    """The first original of all runs."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name[:80]}.{token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        shutil.copystat(path, temporary)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
