"""What is kept of an upload, in a form that fits into a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

__all__ = ["StoredFile", "Upload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file in the store.

    :param name: below the store's directory, with a slash: the digest of the file's own bytes and its true
        extension. What has this name never changes, so it may be cached for good.
    :param content_type: by which it has to be served.
    :param size: bytes.
    :param width, height: pixels, upright.
    """

    name: str
    content_type: str
    size: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A picture or a video that was accepted.

    :param kind: `image` or `video`.
    :param file: the optimised picture, or the video as it came.
    :param thumbnails: of a picture, in the order they were asked for, each once.
    :param received: bytes that were sent.
    :param animated: the picture moves; its thumbnails don't.
    :param placeholder: a `data:` URI of a few hundred bytes; a Content-Security-Policy has to allow it.
        None for videos, and for pictures that are transparent: it would stay in sight behind them.
    :param color: the mean colour, such as `#8090a0`, for where `data:` isn't allowed; None as for those.
    :param duration: seconds of a video.
    :param video_codec, audio_codec: of a video.
    """

    kind: Literal["image", "video"]
    file: StoredFile
    thumbnails: tuple[StoredFile, ...] = ()
    received: int
    animated: bool = False
    placeholder: str | None = None
    color: str | None = None
    duration: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None

    @property
    def digest(self) -> str:
        """Of the stored file's bytes: the same for the same file, and a name for the upload."""
        return self.file.name.rpartition("/")[2].partition(".")[0]

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """All of them, the largest first; uploads that look the same can share some."""
        return tuple(dict.fromkeys((self.file, *reversed(self.thumbnails))))

    def srcset(self, url: Callable[[str], str]) -> str:
        """The value of `srcset` of an `img`, not yet escaped; empty for animations and videos, and
        where there is nothing to choose from.

        :param url: makes a file's name into its URL.
        """
        if self.kind != "image" or self.animated:
            return ""
        kept: list[StoredFile] = []
        for file in sorted(self.files, key=lambda one: (-one.width, one.size)):
            # What isn't smaller than a wider one helps nobody: drawings with few colours are often so.
            if not kept or (file.size < kept[-1].size and file.width < kept[-1].width):
                kept.append(file)
        if len(kept) == 1:
            return ""
        # A space would end the URL in the attribute, and a comma the candidate.
        return ", ".join(
            f"{url(file.name).replace(' ', '%20').replace(',', '%2C')} {file.width}w"
            for file in reversed(kept)
        )

    def attributes(self, url: Callable[[str], str], sizes: str = "100vw") -> dict[str, str]:
        """Those of an `img` or a `video`, not yet escaped; `alt` is yours to add.

        :param url: makes a file's name into its URL.
        :param sizes: how wide the picture will be on the page: HTML section 4.8.4.
        """
        found = {"src": url(self.file.name), "width": str(self.file.width), "height": str(self.file.height)}
        candidates = self.srcset(url)
        return found | ({"srcset": candidates, "sizes": sizes} if candidates else {})

    def to_dict(self) -> dict[str, Any]:
        """Strings, numbers, lists and dictionaries, as JSON has them."""
        return asdict(self) | {"thumbnails": [asdict(file) for file in self.thumbnails]}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        """The upload that `to_dict` was of.

        :raises TypeError: it is of something else.
        :raises KeyError: the same.
        """
        files = tuple(StoredFile(**file) for file in kept["thumbnails"])
        return cls(**{**kept, "file": StoredFile(**kept["file"]), "thumbnails": files})
