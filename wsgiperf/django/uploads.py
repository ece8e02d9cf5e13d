"""A validator for Django's file fields, of forms and of models.

photo = forms.FileField(validators=[UploadValidator(kinds=["image"], max_bytes=5_000_000)])
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.deconstruct import deconstructible

from wsgiperf.media.errors import MediaError
from wsgiperf.media.uploads import check_upload, sentence
from wsgiperf.media.uploads.kinds import Accepted

__all__ = ["UploadValidator"]


@deconstructible
class UploadValidator:
    """Refuses what `accept_upload` would refuse; the code of the error is its reason.

    :param sentences: what to say, by reason; what they lack is said in our words.
    :param options: of `accept_upload`, of values that a migration can hold.
    :raises SettingsError: as `accept_upload`.
    """

    def __init__(self, *, sentences: Mapping[str, str] | None = None, **options: Any) -> None:
        Accepted.of(options)
        self.sentences, self.options = dict(sentences or {}), options

    def __call__(self, value: Any) -> None:
        """:raises ValidationError: for a file that isn't taken."""
        try:
            # A field file of a model opens its file here.
            check_upload(getattr(value, "file", value), **self.options)
        except MediaError as error:
            raise ValidationError(sentence(error, self.sentences), code=error.reason) from error

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, UploadValidator)
            and self.sentences == other.sentences
            and self.options == other.options
        )

    __hash__ = None  # type: ignore[assignment]  # its options may change, as with Django's own
