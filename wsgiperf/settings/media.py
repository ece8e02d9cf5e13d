"""The options of image negotiation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import fspath
from typing import Any

from wsgiperf.options import custom, flag, integer, names, number
from wsgiperf.settings.section import Section

__all__ = ["MediaSettings"]

_WIDEST = 16_383  # WebP's limit
_MOST_WIDTHS = 32


def _path(value: Any) -> str:
    path = fspath(value)
    if not isinstance(path, str) or "\0" in path:
        raise ValueError(value)
    return path


def _widths(value: Any) -> tuple[int, ...]:
    if isinstance(value, str):
        value = [int(word) for word in value.split(",") if word.strip()]
    if isinstance(value, bytes) or not isinstance(value, Iterable):
        raise ValueError(value)
    widths = tuple(value)
    if len(widths) > _MOST_WIDTHS or not all(type(one) is int and 0 < one <= _WIDEST for one in widths):
        raise ValueError(value)
    return widths


@dataclass(frozen=True, kw_only=True)
class MediaSettings(Section):
    """Options of `MediaMiddleware`."""

    section = "media"
    on_by_default = False  # it takes time, room and another library: who wants it says so

    formats: tuple[str, ...] = names(
        ("avif", "webp"),
        "What images are converted to for clients that name it in Accept, the preferred one first.",
        expected="a list of 'avif', 'webp'",
        accepts=("avif", "webp").__contains__,
    )
    auto_webp: bool = flag(True, "Whether WebP is among the formats.")
    quality: int = integer(85, "Of lossy formats, on JPEG's scale whichever it is.", least=1, most=100)
    widths: tuple[int, ...] = custom(
        (),
        "The widths that `?w=` may ask for; any other is ignored.",
        expected=f"a list of up to {_MOST_WIDTHS} whole numbers from 1 to {_WIDEST}",
        read=_widths,
    )
    minimum_size: int = integer(4096, "A smaller image stays as it is.", unit="bytes", least=0, most=2**30)
    maximum_size: int = integer(
        20 * 2**20, "A larger image stays as it is.", unit="bytes", least=1024, most=2**31
    )
    maximum_pixels: int = integer(
        50_000_000, "An image of more pixels stays as it is.", unit="pixels", least=1, most=10**9
    )
    encode_seconds: float = number(
        20.0, "An image that takes longer stays as it is.", unit="seconds", least=0.1, most=600
    )
    wait_seconds: float = number(
        2.0,
        "How long a request waits for a narrower image, or for one in a format that its client can show. No "
        "request waits for a better format.",
        unit="seconds",
        least=0,
        most=60,
    )
    retry_seconds: float = number(
        600.0,
        "How long an image that could not be converted is left alone.",
        unit="seconds",
        least=1,
        most=10**7,
    )
    threads: int = integer(1, "Threads of a process that encode.", least=1, most=64)
    queue_size: int = integer(
        64 * 2**20,
        "What may wait to be encoded, in a process; beyond, images go out as they are stored.",
        unit="bytes",
        least=0,
        most=2**40,
    )
    directory: str = custom(
        "",
        "Where variants are kept, and nothing else; empty: one is found, the same for the same user, working "
        "directory and Python environment.",
        expected="a path",
        read=_path,
    )
    disk_size: int = integer(
        2**29, "What variants may use on the disk.", unit="bytes", least=2**20, most=2**50
    )
    memory_size: int = integer(
        16 * 2**20,
        "What a process may use for the variants asked for most.",
        unit="bytes",
        least=0,
        most=2**40,
    )
    ignored_cookies: tuple[str, ...] = names(
        ("_ga", "_ga_*", "_gid", "_gat*", "_gcl_*", "_fbp", "_fbc", "__utm?", "_pk_*", "_hj*"),
        "Cookies that change nothing, such as analytics': a variant is kept though they were sent.",
        expected="a list of names, `*` standing for any characters and `?` for one",
    )
