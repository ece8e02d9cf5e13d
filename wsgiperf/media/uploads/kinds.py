"""What may be sent: which kinds of files, and within which limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from wsgiperf.errors import SettingsError
from wsgiperf.media.errors import UnsupportedMediaError
from wsgiperf.media.formats.sniffing import sniff
from wsgiperf.media.limits import DEFAULT_LIMITS, Limits

__all__ = ["KINDS", "Accepted"]

KINDS = ("image", "video")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The options of `accept_upload` that decide whether a file is taken.

    :raises SettingsError: for a value that an option doesn't take.
    """

    kinds: Collection[str] = KINDS
    max_bytes: int = 50_000_000
    max_image_bytes: int | None = None
    max_seconds: float | None = None
    max_pixels: int | None = None
    codecs: Collection[str] | None = None
    audio_codecs: Collection[str] | None = None
    containers: Collection[str] | None = None
    limits: Limits = DEFAULT_LIMITS
    image: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Accepted:
        """The known options by name; all others are those of `optimize`."""
        own = {one.name for one in fields(cls)} - {"image"}
        image = {name: value for name, value in options.items() if name not in own}
        return cls(**{name: options[name] for name in own & options.keys()}, image=image)

    def __post_init__(self) -> None:
        chosen = (self.kinds,) if isinstance(self.kinds, str) else tuple(self.kinds)
        if not chosen or not set(chosen) <= set(KINDS):
            raise SettingsError("kinds", f"some of {', '.join(KINDS)}", value=self.kinds)
        object.__setattr__(self, "kinds", chosen)
        for name in ("max_bytes", "max_image_bytes"):
            given = getattr(self, name)
            if given is not None and (type(given) is not int or given < 1):
                raise SettingsError(name, "a number of bytes", value=given)
        if "image" in chosen:
            from wsgiperf.media.pictures.choices import Choices

            Choices.of(self.image)
        elif self.image:
            raise SettingsError(next(iter(self.image)), "an option for videos")

    @property
    def image_bytes(self) -> int:
        """The most that a picture may have."""
        own = self.max_bytes if self.max_image_bytes is None else self.max_image_bytes
        return min(own, self.max_bytes, self.limits.max_bytes)

    def is_image(self, start: bytes) -> bool:
        """Whether a file that begins so is a picture; a video otherwise, if it is anything.

        :raises UnsupportedMediaError: pictures aren't taken, or nothing else is.
        """
        if sniff(start) is None:
            if "video" not in self.kinds:
                raise UnsupportedMediaError("not_an_image")
            return False
        if "image" not in self.kinds:
            raise UnsupportedMediaError("not_a_video")
        return True

    def allowed(self, start: bytes) -> int:
        """How many bytes a file that begins so may have.

        :raises UnsupportedMediaError: none.
        """
        return self.image_bytes if self.is_image(start) else self.max_bytes
