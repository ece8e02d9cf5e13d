"""One picture in several widths and formats, with the HTML that lets a browser choose.

Source: HTML section 4.8.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from html import escape
from typing import Unpack

from wsgiperf.errors import SettingsError
from wsgiperf.media.formats import sniffing
from wsgiperf.media.formats.header import CONTENT_TYPES
from wsgiperf.media.limits import DEFAULT_LIMITS, Deadline, Limits
from wsgiperf.media.pictures.choices import Choices, Look
from wsgiperf.media.pictures.decoding import decode
from wsgiperf.media.pictures.encoding import Words
from wsgiperf.media.pictures.optimising import encoded, formats_for, prepare
from wsgiperf.media.pictures.resizing import within
from wsgiperf.media.pictures.results import Optimized
from wsgiperf.media.sources import Source, read

__all__ = ["SrcSet", "srcset"]

_MOST = 20


@dataclass(frozen=True, slots=True)
class SrcSet:
    """The files and what refers to them.

    :param files: by their URLs.
    :param width, height: of the largest, to keep its place on the page.
    """

    files: dict[str, Optimized]
    sizes: str
    width: int
    height: int

    def candidates(self, format: str | None = None) -> str:  # noqa: A002
        """The value of `srcset` for one format, the last one by default."""
        chosen = format or self._formats()[-1]
        return ", ".join(f"{url} {file.width}w" for url, file in self.files.items() if file.format == chosen)

    @property
    def attributes(self) -> dict[str, str]:
        """Of an `img`, not yet escaped; in the last of the formats, which all browsers should know."""
        last = self._formats()[-1]
        src = [url for url, file in self.files.items() if file.format == last][-1]
        return {
            "src": src,
            "srcset": self.candidates(),
            "sizes": self.sizes,
            "width": str(self.width),
            "height": str(self.height),
        }

    def html(self, alt: str, **attributes: str) -> str:
        """An `img`, or a `picture` where there are several formats.

        :param attributes: more of the `img`, such as `loading="lazy"`.
        """
        pairs = {**self.attributes, "alt": alt, **attributes}
        image = "<img " + " ".join(f'{name}="{escape(value)}"' for name, value in pairs.items()) + ">"
        formats = self._formats()
        if len(formats) == 1:
            return image
        sources = [
            f'<source type="{CONTENT_TYPES[name]}" srcset="{escape(self.candidates(name))}"'
            f' sizes="{escape(self.sizes)}">'
            for name in formats[:-1]
        ]
        return f"<picture>{''.join(sources)}{image}</picture>"

    def _formats(self) -> list[str]:
        return list(dict.fromkeys(file.format for file in self.files.values()))


def srcset(
    source: Source, url: str = "{digest}-{width}.{format}", *,
    widths: Iterable[int] = (320, 640, 960, 1280, 1920), formats: Iterable[str] = ("auto",),
    sizes: str = "100vw", limits: Limits = DEFAULT_LIMITS, **options: Unpack[Look],
) -> SrcSet:  # fmt: skip
    """The picture in each width it has pixels for, and in each format; one decode serves all.

    :param url: where each will be found, with `{width}`, `{height}`, `{format}` and `{digest}`, of the
        file's content, filled in.
    :param widths: pixels; the original's own is used instead of wider ones.
    :param formats: in the order of preference, the last for all browsers; `auto` as for `optimize`.
    :param sizes: the attribute: how wide the picture will be on the page.
    :param options: of `optimize`: `quality`, `background`, `keep`.
    :raises MediaError: as `optimize`.
    :raises SettingsError: as `optimize`.
    """
    chosen = [Choices.of({**options, "format": name}) for name in formats]
    asked = sorted(set(widths))
    if (
        not chosen
        or not asked
        or len(asked) > _MOST
        or not all(type(one) is int and one > 0 for one in asked)
    ):
        raise SettingsError("widths", f"from 1 to {_MOST} widths in pixels, and a format", value=asked)
    deadline = Deadline(limits.max_seconds)
    data = read(source, limits.max_bytes)
    header = sniffing.inspect(data)
    tall = 65_500
    picture = decode(data, header, limits, deadline, lambda size: within(size, (asked[-1], tall)))
    own = [*(one for one in asked if one < picture.size[0]), min(asked[-1], picture.size[0])]
    files: dict[str, Optimized] = {}
    for choices in chosen:
        decided: tuple[str, ...] | None = None
        for width in dict.fromkeys(own):
            deadline.check()
            size = within(picture.size, (width, tall))
            prepared = prepare(picture.rendered(size), picture.icc, choices)
            notice = picture.header.copyright if "copyright" in choices.keep else None
            decided = decided or formats_for(replace(header, frames=1), choices, prepared.image)
            made = [
                encoded(prepared.image, one, choices, Words(prepared.icc, notice), deadline)
                for one in decided
            ]
            best = min(made, key=lambda one: len(one.data))
            decided = (best.format,)  # one format for all widths
            files[_url(url, best)] = replace(best, original_size=len(data), reason="fitted")
    largest = list(files.values())[-1]
    return SrcSet(files, sizes, largest.width, largest.height)


def _url(template: str, made: Optimized) -> str:
    filled = template.format(
        width=made.width, height=made.height, format={"jpeg": "jpg"}.get(made.format, made.format),
        digest=sha256(made.data).hexdigest()[:16],
    )  # fmt: skip
    # A space would end the URL in the attribute, and a comma the candidate.
    return filled.replace(" ", "%20").replace(",", "%2C")
