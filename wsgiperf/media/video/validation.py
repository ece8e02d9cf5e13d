"""Whether a file is a video, whole, and within limits; by its own content, never by what its header says."""

from __future__ import annotations

from collections.abc import Collection
from struct import error as StructError  # noqa: N812
from typing import TYPE_CHECKING

from wsgiperf.media.errors import DamagedMediaError, MediaError, TooLargeMediaError, UnsupportedMediaError
from wsgiperf.media.video.codecs import codec_name
from wsgiperf.media.video.matroska.reading import is_matroska, read_matroska
from wsgiperf.media.video.mp4.reading import is_mp4, read_mp4
from wsgiperf.media.video.reading import opened
from wsgiperf.media.video.refusals import damaged, too_long
from wsgiperf.media.video.result import CONTENT_TYPES, Video

if TYPE_CHECKING:
    from wsgiperf.media.video.reading import Reader, Source
    from wsgiperf.media.video.tracks import Content, Track

__all__ = ["validate_video"]

_FIRST_READ = 4096


def validate_video(
    source: Source,
    *,
    max_seconds: float | None = None,
    max_bytes: int | None = None,
    max_pixels: int | None = None,
    codecs: Collection[str] | None = None,
    audio_codecs: Collection[str] | None = None,
    containers: Collection[str] | None = None,
) -> Video:
    """Check a video and tell what it is: MP4, MOV, M4V, also fragmented, WebM and Matroska.

    The duration is summed from the samples or blocks themselves. What the header says of it neither helps
    nor harms a file; it is reported as `Video.header_duration`. Edit lists, by which a player may leave parts
    out, don't count. Of a file without lengths, cut exactly between two blocks or fragments, nobody can tell
    that it was cut.

    Only what is needed is read: of MP4 the header, of WebM the heads of clusters, and only where those tell
    no length, as in a browser's recording, the head of each block. Memory is bounded by three times 32 MB,
    whatever the file says; usual headers have less than one.

    Of Matroska files the duration is that of the last cluster. One whose clusters were made to lie about
    their order may last up to 32,767 ticks (33 s) longer than told, but never longer than `max_seconds`.

    :param source: a path, bytes, or a seekable binary file object, whose position is put back and which is
        never closed.
    :param max_seconds: the longest duration.
    :param max_bytes: the largest size of the file.
    :param max_pixels: the most pixels of a frame.
    :param codecs: the codecs of pictures that are taken: h264, hevc, vp8, vp9, av1 or others; any if None.
    :param audio_codecs: the same for sound: aac, opus, vorbis, mp3 or others.
    :param containers: those that are taken: mp4, mov, webm, mkv.
    :raises MediaError: with a reason: empty, truncated, damaged; not_a_video, no_video (it has sound only),
        zero_length, codec_refused, format_refused, unsupported (encrypted, or its content in another file);
        too_many_bytes, too_many_pixels, too_long, too_slow; unreadable.
    :raises ValueError: a limit is negative or no number, or there is no such container.
    :raises TypeError: the source is nothing to read from.
    """
    _check_limits((max_seconds, max_bytes, max_pixels), containers)
    with opened(source) as reader:
        if max_bytes is not None and reader.size > max_bytes:
            raise TooLargeMediaError("too_many_bytes", f"more than {max_bytes:,}")
        content = _content(reader, max_seconds)
        size = reader.size
    if containers is not None and content.container not in _names(containers):
        raise UnsupportedMediaError("format_refused", content.container)
    picture, sound = _main(content)
    _check_codecs(content, True, codecs)
    _check_codecs(content, False, audio_codecs)
    if not content.seconds or not picture.seconds or picture.frames == 0:
        raise UnsupportedMediaError("zero_length")
    if max_seconds is not None and content.seconds > max_seconds:
        raise too_long(max_seconds)
    width, height = _upright(picture, max_pixels)
    return Video(
        content.seconds, width, height, picture.rotation, picture.codecs[0],
        sound.codecs[0] if sound is not None else None, content.container, size, picture.frames,
        content.header_seconds,
    )  # fmt: skip


def _check_limits(limits: tuple[float | None, ...], containers: Collection[str] | None) -> None:
    for limit in limits:
        if limit is not None and not limit >= 0:
            raise ValueError(f"a limit of {limit!r}")
    if containers is not None and not _names(containers) <= CONTENT_TYPES.keys():
        raise ValueError(f"containers are {', '.join(CONTENT_TYPES)}")


def _content(reader: Reader, limit: float | None) -> Content:
    start = reader.read(0, min(_FIRST_READ, reader.size))
    if not start:
        raise DamagedMediaError("empty")
    try:
        if is_mp4(start):
            return read_mp4(reader, start, limit)
        if is_matroska(start):
            return read_matroska(reader, start, limit)
    except MediaError:
        raise
    except (StructError, IndexError, ValueError, OverflowError):
        # A field that lies behind the end of what it is in.
        raise damaged("a field isn't there to its end") from None
    raise UnsupportedMediaError("not_a_video")


def _main(content: Content) -> tuple[Track, Track | None]:
    """The track of pictures and that of sound, which players choose."""
    pictures = [track for track in content.tracks if track.video]
    if not pictures:
        raise UnsupportedMediaError("no_video" if content.tracks else "not_a_video")
    sounds = [track for track in content.tracks if not track.video]
    # Empty tracks last: cameras leave them behind.
    picture = next((track for track in pictures if track.frames != 0), pictures[0])
    sound = next((track for track in sounds if track.frames != 0), None)
    return picture, sound


def _upright(picture: Track, most: int | None) -> tuple[int, int]:
    width, height = picture.width, picture.height
    if not width or not height:
        raise damaged("pictures of no size")
    if most is not None and width * height > most:
        raise TooLargeMediaError("too_many_pixels", f"{width} x {height}")
    return (height, width) if picture.rotation in (90, 270) else (width, height)


def _check_codecs(content: Content, video: bool, codecs: Collection[str] | None) -> None:
    if codecs is None:
        return
    taken = {codec_name(name) for name in _names(codecs)}
    for track in content.tracks:
        if track.video is video:
            for codec in track.codecs:
                if codec not in taken:
                    raise UnsupportedMediaError("codec_refused", codec if _is_plain(codec) else "")


def _is_plain(name: str) -> bool:
    """Whether it may be shown: a name that isn't known is the file's own."""
    return name.isascii() and name.isalnum()


def _names(names: Collection[str]) -> set[str]:
    return {names} if isinstance(names, str) else set(names)
