"""Whether a file would be taken, before anything is stored: for a field of a form."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, BinaryIO, TypeAlias

from wsgiperf.media.errors import DamagedMediaError, MediaError
from wsgiperf.media.sources import read
from wsgiperf.media.uploads.accepting import validated
from wsgiperf.media.uploads.kinds import Accepted
from wsgiperf.media.uploads.receiving import HEAD
from wsgiperf.media.uploads.wording import sentence
from wsgiperf.media.uploads.wtforms import refusal

__all__ = ["Source", "UploadCheck", "check_upload"]

Source: TypeAlias = "bytes | str | os.PathLike[str] | BinaryIO"
_TINY = 16  # pixels: the cheapest that still decodes all of a picture


def check_upload(source: BinaryIO, **options: Any) -> str:
    """Look at a file as `accept_upload` does, and store nothing. Of an animation one frame is decoded.

    :param source: a file object that can seek, which is left where it stood.
    :param options: of `accept_upload`.
    :returns: `image` or `video`.
    :raises MediaError: for a file that isn't taken.
    :raises SettingsError: as `accept_upload`.
    """
    return _check(source, Accepted.of(options))


def _check(source: BinaryIO, accepted: Accepted) -> str:
    try:
        position = source.tell()
        source.seek(0)
        try:
            start = source.read(HEAD)
        finally:
            source.seek(position)
    except (OSError, ValueError, AttributeError) as error:
        raise MediaError("unreadable", "no file that can be read twice") from error
    if not start:
        raise DamagedMediaError("empty")
    if not accepted.is_image(start):
        validated(source, accepted)
        return "video"
    from wsgiperf.media import thumbnails

    data = read(source, accepted.image_bytes)
    thumbnails(data, (_TINY,), limits=accepted.limits, formats=accepted.image.get("formats"))
    return "image"


class UploadCheck:
    """A validator for the field of a form. WTForms calls it with the form and the field.

    :param sentences: what to say, by the reason of the error; what they lack is said in our words.
    :param required: whether a file has to be there.
    :param missing: what to say if there is none.
    :param options: of `accept_upload`.
    :raises SettingsError: as `accept_upload`.
    """

    def __init__(
        self,
        *,
        sentences: Mapping[str, str] | None = None,
        required: bool = True,
        missing: str = "Please choose a file.",
        **options: Any,
    ) -> None:
        self.accepted = Accepted.of(options)
        self._sentences, self._required, self._missing = dict(sentences or {}), required, missing

    def error(self, file: Any) -> str | None:
        """What to tell whoever sent it, or None if it would be taken.

        :param file: a file object or what holds one as its `stream`, as Flask's `request.files` do; one
            without a name is none, for so do browsers send a field that was left alone.
        """
        stream = getattr(file, "stream", file)
        if stream in (None, "") or getattr(file, "filename", None) == "":
            return self._missing if self._required else None
        try:
            _check(stream, self.accepted)
        except MediaError as error:
            return sentence(error, self._sentences)
        return None

    def __call__(self, form: object, field: Any) -> None:
        """:raises ValueError: WTForms' `ValidationError` with the sentence, to be shown beside the field."""
        message = self.error(field.data)
        if message is not None:
            raise refusal(message)
