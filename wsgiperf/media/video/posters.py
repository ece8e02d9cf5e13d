"""One picture of a video, to be shown until it plays."""

from __future__ import annotations

from io import BytesIO
from time import monotonic
from typing import TYPE_CHECKING, Any

from wsgiperf.media.errors import TooLargeMediaError
from wsgiperf.media.video import pyav
from wsgiperf.media.video.refusals import damaged
from wsgiperf.media.video.transcoding import MOST_PIXELS, fitted, frame_template
from wsgiperf.media.video.validation import validate_video

if TYPE_CHECKING:
    from wsgiperf.media.video.reading import Source

__all__ = ["poster"]

_FORMATS: dict[str, dict[str, Any]] = {"jpeg": {"progressive": True, "optimize": True}, "webp": {"method": 4}}


def poster(
    source: Source,
    *,
    at: float | None = None,
    max_width: int = 1280,
    max_height: int = 1280,
    format: str = "jpeg",  # noqa: A002
    quality: int = 85,
    max_seconds: float | None = None,
    max_bytes: int | None = None,
    max_pixels: int = MOST_PIXELS,
    time_limit: float = 10.0,
) -> bytes:
    """A frame as an image, upright and never enlarged. Needs PyAV (extra `video`) and Pillow.

    :param source: as for `validate_video`, which it has to pass.
    :param at: seconds from the begin; behind the end it is the last frame. If None, a tenth of the whole but
        no more than one second: what comes first is often black.
    :param max_width: pixels at most, for its shape is kept.
    :param max_height: the same.
    :param format: jpeg or webp.
    :param quality: 1 to 95.
    :param max_seconds: as for `validate_video`.
    :param max_bytes: the same.
    :param max_pixels: the same.
    :param time_limit: seconds that it may take.
    :returns: the image.
    :raises MediaError: what `validate_video` raises; too_slow, where the time is up.
    :raises ImportError: PyAV or Pillow isn't installed.
    :raises ValueError: an argument is out of its range.
    """
    if format not in _FORMATS or not 1 <= quality <= 95 or min(max_width, max_height) < 2:
        raise ValueError("the format is jpeg or webp, quality goes from 1 to 95, sizes begin at 2")
    if at is not None and not at >= 0:
        raise ValueError(f"no moment of a video: {at!r}")
    until = monotonic() + time_limit
    video = validate_video(source, max_seconds=max_seconds, max_bytes=max_bytes, max_pixels=max_pixels)
    second = min(1.0, video.duration / 10) if at is None else min(at, video.duration)
    with pyav.decoding(source, video, max_pixels=max_pixels, threads=1) as container:
        stream = container.streams.video[0]
        with pyav.errors_of_decoding():
            frame = _frame(container, stream, second, until)
            size = fitted(video.width, video.height, max_width, max_height)
            graph = pyav.upright(frame_template(stream, frame), video, *size, "rgb24")
            graph.push(frame)
            image = graph.pull().to_image()
    data = BytesIO()
    image.save(data, format.upper(), quality=quality, **_FORMATS[format])
    return data.getvalue()


def _frame(container: Any, stream: Any, second: float, until: float) -> Any:
    """The frame that is shown at that second, the last one if there is none so late."""
    begin = float(stream.start_time * stream.time_base) if stream.start_time is not None else 0.0
    if second > 0:
        # Between the key frame before it and itself, frames have to be decoded.
        container.seek(int((begin + second) / stream.time_base), stream=stream)
    found = None
    for frame in container.decode(stream):
        if monotonic() > until:
            raise TooLargeMediaError("too_slow", "the time is up")
        if found is not None and frame.time is not None and frame.time - begin > second:
            break
        found = frame
    if found is None:
        raise damaged("no picture can be decoded")
    return found
