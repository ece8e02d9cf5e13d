"""What a caller may ask for, checked before any file is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, fields
from typing import TypedDict

from PIL import ImageColor

from wsgiperf.errors import SettingsError
from wsgiperf.media.formats.header import CONTENT_TYPES

__all__ = ["OUTPUTS", "Choices", "Look", "Options"]

OUTPUTS = ("jpeg", "png", "gif", "webp", "avif")
_NAMES = {"jpg": "jpeg"}
_KEPT = ("icc", "copyright")
_LARGEST = 65_500


class Look(TypedDict, total=False):
    """Those of `optimize`'s options that are of use for every size and format."""

    quality: int
    target: str | int | None
    background: str | None
    keep: Iterable[str]


class Options(Look, total=False):
    """The options of `optimize`, as keyword arguments."""

    max_width: int
    max_height: int
    format: str
    animation: str
    formats: Iterable[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The options of `optimize`.

    :raises SettingsError: for a value that an option doesn't take.
    """

    max_width: int = 1920
    max_height: int = 1080
    quality: int = 85
    format: str = "auto"
    target: str | int | None = None
    background: str | None = None
    keep: Set[str] = frozenset(_KEPT)
    animation: str = "keep"
    formats: Set[str] | None = None

    @classmethod
    def of(cls, options: Mapping[str, object]) -> Choices:
        """:raises SettingsError: for an option that doesn't exist."""
        known = [field.name for field in fields(cls)]
        for name, value in options.items():
            if name not in known:
                raise SettingsError(name, f"one of the options {', '.join(known)}", value=value)
        return cls(**options)  # type: ignore[arg-type]  # each is checked below

    def __post_init__(self) -> None:
        if not isinstance(self.format, str):
            raise SettingsError("format", "a name", value=self.format)
        object.__setattr__(self, "format", _NAMES.get(self.format.lower(), self.format.lower()))
        _whole("max_width", self.max_width, _LARGEST)
        _whole("max_height", self.max_height, _LARGEST)
        _whole("quality", self.quality, 100)
        if self.target is not None and self.target != "visual":
            _whole("target", self.target, 2**40)
        _one_of("format", self.format, ("auto", *OUTPUTS))
        _one_of("animation", self.animation, ("keep", "first"))
        for name in ("keep", "formats"):
            given = getattr(self, name)
            if isinstance(given, str):
                raise SettingsError(name, "a tuple of names", value=given)
            object.__setattr__(self, name, None if given is None else frozenset(given))
        for name in self.keep:
            _one_of("keep", name, _KEPT)
        for name in self.formats or ():
            _one_of("formats", name, tuple(CONTENT_TYPES))
        if self.background is not None:
            try:
                ImageColor.getrgb(self.background)
            except (ValueError, AttributeError):
                raise SettingsError("background", "a colour such as #ffffff", value=self.background) from None


def _whole(name: str, value: object, most: int) -> None:
    if type(value) is not int or not 1 <= value <= most:
        raise SettingsError(name, f"a whole number from 1 to {most}", value=value)


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(name, f"one of {', '.join(allowed)}", value=value)
