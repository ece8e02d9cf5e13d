"""A file that somebody sent, into the store: one call for a view."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

from wsgiperf.media.errors import MediaError, UnsupportedMediaError
from wsgiperf.media.uploads.kinds import Accepted
from wsgiperf.media.uploads.receiving import blocks, from_beginning
from wsgiperf.media.uploads.result import StoredFile, Upload
from wsgiperf.media.uploads.storing import Staging

if TYPE_CHECKING:
    from wsgiperf.media.pictures.results import Optimized
    from wsgiperf.media.uploads.checking import Source
    from wsgiperf.media.video.result import Video

__all__ = ["accept_upload", "validated"]

_EXTENSIONS = {"jpeg": "jpg"}


def accept_upload(
    stream: BinaryIO,
    directory: str | os.PathLike[str],
    *,
    thumbnails: Iterable[int | tuple[int, int]] = (150, 300, 600),
    placeholder: bool = True,
    **options: Any,
) -> Upload:
    """Take a picture or a video in, optimised or validated, under names of our own.

    The stream is read from its beginning, where it can seek, and is left where it stood; never more than one
    byte beyond the limit is read. What it is, its content decides: no name and no type that came with it is
    looked at. Files appear in the directory when all of them are complete; after an error there is nothing
    of them. The same file gives the same names, and is stored once.

    :param stream: a file object, such as `request.files["photo"].stream` or `request.FILES["photo"]`.
    :param directory: of the store. It may be served as it is, with the files' true types and `nosniff`.
    :param thumbnails: sizes of a picture as for `wsgiperf.media.thumbnails`; none if empty.
    :param placeholder: whether to make the tiny preview and the mean colour, of a picture that hides them.
    :param options: what is taken, and how it is stored:

        * `kinds`: `image`, `video` or both, which is the default.
        * `max_bytes`: of any file, 50,000,000; `max_image_bytes`: of a picture, if that is less.
        * `max_seconds`, `max_pixels`, `codecs`, `audio_codecs`, `containers`: of a video, as for
          `validate_video`.
        * `limits`: what a picture may cost, a `wsgiperf.media.Limits`.
        * all others: of `optimize`, such as `max_width`, `quality`, `format`, `formats`.
    :returns: what was stored.
    :raises MediaError: for a file that isn't taken, `unreadable` where the stream fails, `unwritable` where
        the store does; `sentence(error)` says it to people.
    :raises SettingsError: for an option that doesn't exist, or a value that it doesn't take.
    :raises ValueError: a limit for videos is negative.
    """
    accepted, sizes = Accepted.of(options), list(thumbnails)
    with from_beginning(stream) as source, Staging(directory) as staging:
        part = staging.receive(blocks(source, accepted.allowed, accepted.max_bytes))
        path, size, digest = part
        with open(path, "rb") as file:
            start = file.read(256)
        if accepted.is_image(start):
            upload = _picture(path, size, staging, accepted, sizes, placeholder)
        else:
            video = validated(path, accepted)
            name = staging.name(path, size, digest, video.container)
            upload = _video(video, name, size)
        staging.commit()
        return upload


def validated(source: Source, accepted: Accepted) -> Video:
    """:raises MediaError: for a video that isn't taken, and for anything else."""
    from wsgiperf.media.video import validate_video

    try:
        return validate_video(
            source, max_seconds=accepted.max_seconds, max_pixels=accepted.max_pixels, codecs=accepted.codecs,
            audio_codecs=accepted.audio_codecs, containers=accepted.containers, max_bytes=accepted.max_bytes,
        )  # fmt: skip
    except MediaError as error:
        if error.reason == "not_a_video" and "image" in accepted.kinds:
            raise UnsupportedMediaError("format_refused", "neither picture nor video") from None
        raise


def _video(video: Video, name: str, size: int) -> Upload:
    file = StoredFile(
        name=name, content_type=video.content_type, size=size, width=video.width, height=video.height
    )
    return Upload(
        kind="video", file=file, received=size, duration=video.duration,
        video_codec=video.video_codec, audio_codec=video.audio_codec,
    )  # fmt: skip


def _picture(
    path: str, size: int, staging: Staging, accepted: Accepted, sizes: list[Any], preview: bool
) -> Upload:
    from wsgiperf.media import optimize, placeholder, probe, thumbnails

    limits, options = accepted.limits, accepted.image
    best = optimize(path, limits=limits, **options)
    file = _stored(best, staging)
    small: dict[StoredFile, None] = {}
    if sizes:
        # An animation's thumbnails stand still: as GIF they would be the largest that they can be.
        form = best.format if best.frames == 1 and best.format != "gif" else "auto"
        made = thumbnails(path, sizes, limits=limits, **{**options, "format": form})
        small = dict.fromkeys(_stored(one, staging) for one in made.values())
    # Behind a transparent picture it would stay in sight.
    shown = placeholder(path, limits=limits) if preview and not probe(best.data).alpha else None
    return Upload(
        kind="image", file=file, thumbnails=tuple(small), received=size, animated=best.frames > 1,
        placeholder=shown.uri if shown else None, color=shown.color if shown else None,
    )  # fmt: skip


def _stored(made: Optimized, staging: Staging) -> StoredFile:
    name = staging.add(made.data, _EXTENSIONS.get(made.format, made.format))
    return StoredFile(
        name=name, content_type=made.content_type, size=made.size, width=made.width, height=made.height
    )
