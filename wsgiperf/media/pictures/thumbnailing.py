"""Several sizes of one picture from one decode, each computed from the original."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias, Unpack

from wsgiperf.errors import SettingsError
from wsgiperf.media.formats import sniffing
from wsgiperf.media.limits import DEFAULT_LIMITS, Deadline, Limits
from wsgiperf.media.pictures import colour
from wsgiperf.media.pictures.choices import Choices, Options
from wsgiperf.media.pictures.decoding import Picture, decode
from wsgiperf.media.pictures.encoding import Words
from wsgiperf.media.pictures.guarding import decoding
from wsgiperf.media.pictures.optimising import encoded, formats_for, prepare
from wsgiperf.media.pictures.parallel import in_parallel
from wsgiperf.media.pictures.resizing import Box, Size, cover, within
from wsgiperf.media.pictures.results import Optimized
from wsgiperf.media.sources import Source, read

__all__ = ["thumbnails"]

Wanted: TypeAlias = "int | tuple[int, int]"
#: The size of a thumbnail, and the part of the original that it shows; None for all of it.
Place: TypeAlias = "tuple[Size, Box | None]"
_LARGEST, _MOST = 10_000, 50


def thumbnails(
    source: Source, sizes: Iterable[Wanted] = (150, 300, 600), fit: str = "contain", *,
    limits: Limits = DEFAULT_LIMITS, **options: Unpack[Options],
) -> dict[Wanted, Optimized]:  # fmt: skip
    """The picture in each of these sizes; one decode serves all, and threads share the rest of the work.

    :param sizes: pixels, for a square or as a pair of width and height, 50 of them at most.
    :param fit: `contain` for all of the picture inside the size, `cover` for its middle filling the size.
        Never made larger than the original either way.
    :param options: of `optimize`: `quality`, `format`, `background`, `keep`, `formats`; `auto` keeps JPEG,
        PNG, WebP and AVIF, and an animation gives its first frame.
    :returns: by what was asked for, in that order.
    :raises MediaError: as `optimize`.
    :raises SettingsError: as `optimize`.
    """
    choices = Choices.of(options)
    wanted = {one: _pair(one) for one in sizes}
    if fit not in ("contain", "cover"):
        raise SettingsError("fit", "one of contain, cover", value=fit)
    if not 1 <= len(wanted) <= _MOST:
        raise SettingsError("sizes", f"from 1 to {_MOST} sizes", value=len(wanted))
    deadline = Deadline(limits.max_seconds)
    data = read(source, limits.max_bytes)
    header = sniffing.inspect(data, choices.formats)
    picture = decode(data, header, limits, deadline, lambda size: _needed(size, list(wanted.values()), fit))
    with decoding():
        picture = replace(picture, image=colour.standard(picture.image, picture.header))
    # All that are larger than the picture come to its own size.
    placed = {name: _placed(picture.size, pair, fit) for name, pair in wanted.items()}
    distinct = sorted(set(placed.values()), key=_pixels, reverse=True)

    def make(place: Place) -> Optimized:
        return _one(picture, *place, choices, deadline, len(data))

    # At once they hold as much as all their pixels; no more than the picture they are made from.
    together = sum(map(_pixels, distinct)) <= picture.image.width * picture.image.height
    made = in_parallel(make, distinct) if together else [make(place) for place in distinct]
    by_place = dict(zip(distinct, made, strict=True))
    return {name: by_place[place] for name, place in placed.items()}


def _pair(one: object) -> Size:
    pair = (one, one) if isinstance(one, int) else one
    if isinstance(pair, tuple) and len(pair) == 2:
        width, height = pair
        if type(width) is int and type(height) is int and min(pair) >= 1 and max(pair) <= _LARGEST:
            return width, height
    raise SettingsError("sizes", f"pixels from 1 to {_LARGEST}, or pairs of them", value=one)


def _placed(size: Size, wanted: Size, fit: str) -> Place:
    return cover(size, wanted) if fit == "cover" else (within(size, wanted), None)


def _pixels(place: Place) -> int:
    (width, height), _ = place
    return width * height


def _needed(size: Size, wanted: list[Size], fit: str) -> Size:
    """The least size of the whole picture from which no thumbnail has to be made larger."""
    width = height = 1
    for pair in wanted:
        out, box = _placed(size, pair, fit)
        part = (box[2] - box[0], box[3] - box[1]) if box else size
        width = max(width, round(out[0] * size[0] / part[0]))
        height = max(height, round(out[1] * size[1] / part[1]))
    return width, height


def _one(
    picture: Picture, size: Size, box: Box | None, choices: Choices, deadline: Deadline, original: int
) -> Optimized:
    deadline.check()
    header = picture.header
    prepared = prepare(picture.rendered(size, box), picture.icc, choices)
    words = Words(prepared.icc, header.copyright if "copyright" in choices.keep else None)
    source = replace(header, format="tiff") if header.format == "gif" else header
    made = min(
        (encoded(prepared.image, name, choices, words, deadline)
         for name in formats_for(source, choices, prepared.image)),
        key=lambda one: len(one.data),
    )  # fmt: skip
    reason = "smaller" if len(made.data) < original else "fitted"
    return replace(made, original_size=original, reason=reason)
