"""Videos as every browser plays them: H.264 and AAC in an MP4 that starts at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING, Any

from wsgiperf.media.errors import MediaError, TooLargeMediaError
from wsgiperf.media.video import pyav
from wsgiperf.media.video.refusals import damaged
from wsgiperf.media.video.result import Video
from wsgiperf.media.video.validation import validate_video

if TYPE_CHECKING:
    from wsgiperf.media.video.reading import Source

__all__ = ["compress_video", "fitted"]

#: Pixels of a frame that is decoded at all: 8K.
MOST_PIXELS = 7680 * 4320
_AUDIO_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)  # that AAC has
_STEP = 0.01  # of the whole, from one call of progress to the next


def compress_video(
    source: Source,
    sink: str | os.PathLike[str],
    *,
    max_width: int = 1280,
    max_height: int = 1280,
    crf: int = 23,
    bitrate: int | None = None,
    audio_bitrate: int = 128_000,
    preset: str = "veryfast",
    max_seconds: float | None = None,
    max_bytes: int | None = None,
    max_pixels: int = MOST_PIXELS,
    time_limit: float | None = None,
    threads: int = 0,
    progress: Callable[[float], object] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Video:
    """Encode a video anew, upright and never larger than it was in pixels. Needs PyAV (extra `video`).

    The result appears under its name when it is complete; until then, after an error and when cancelled, what
    was there before stays there, and nothing else is left behind. A result may be larger in bytes than a
    source that was lean: compare `Video.size`.

    :param source: as for `validate_video`, which it has to pass.
    :param sink: the path of the result; its folder is there.
    :param max_width: pixels of the result at most, for its shape is kept; even numbers.
    :param max_height: the same.
    :param crf: x264's constant rate factor: 0 to 51, smaller is better.
    :param bitrate: bits a second of the pictures, in place of `crf`.
    :param audio_bitrate: bits a second of the sound.
    :param preset: x264's: ultrafast to veryslow.
    :param max_seconds: as for `validate_video`.
    :param max_bytes: the same.
    :param max_pixels: the same; also of frames whose size the header doesn't tell.
    :param time_limit: seconds that it may take.
    :param threads: for decoding and encoding, each; 0 is one for each processor.
    :param progress: called with the part that is done, 0 to 1, about a hundred times.
    :param cancelled: asked between packets; once it says True, no more is done.
    :returns: the result, validated as well.
    :raises MediaError: what `validate_video` raises; cancelled; too_slow, where the time is up; unwritable.
    :raises ImportError: PyAV isn't installed.
    :raises ValueError: an argument is out of its range.
    """
    if min(max_width, max_height) < 2 or not 0 <= crf <= 51 or (bitrate is not None and bitrate < 1):
        raise ValueError("max_width and max_height begin at 2, crf goes from 0 to 51, bitrate begins at 1")
    until = None if time_limit is None else monotonic() + time_limit
    video = validate_video(source, max_seconds=max_seconds, max_bytes=max_bytes, max_pixels=max_pixels)
    width, height = fitted(video.width, video.height, max_width, max_height)
    watch = _Watch(video.duration, until, progress, cancelled)
    quality = {"preset": preset} | ({"crf": str(crf)} if bitrate is None else {})
    with _atomic(os.fspath(sink)) as path:
        with (
            pyav.decoding(source, video, max_pixels=max_pixels, threads=threads) as incoming,
            pyav.encoding(path) as outgoing,
        ):
            streams: list[_Pictures | _Sound] = [
                _Pictures(incoming, outgoing, video, (width, height), quality, bitrate, threads)
            ]
            if incoming.streams.audio:
                streams.append(_Sound(incoming, outgoing, audio_bitrate))
            _transcode(incoming, outgoing, {one.index: one for one in streams}, watch)
        result = validate_video(path)
    watch.finished()
    return result


def fitted(width: int, height: int, max_width: int, max_height: int) -> tuple[int, int]:
    """The largest size of that shape within the limits and the original, in even numbers, as H.264 needs."""
    factor = min(1.0, max_width / width, max_height / height)
    return max(2, int(width * factor / 2 + 0.5) * 2), max(2, int(height * factor / 2 + 0.5) * 2)


class _Watch:
    """When to tell, and when to stop."""

    def __init__(
        self,
        seconds: float,
        until: float | None,
        progress: Callable[[float], object] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._seconds, self._until, self._progress, self._cancelled = seconds, until, progress, cancelled
        self._told = 0.0

    def passed(self, second: float) -> None:
        """So far in the source."""
        if self._cancelled is not None and self._cancelled():
            raise MediaError("cancelled")
        if self._until is not None and monotonic() > self._until:
            raise TooLargeMediaError("too_slow", "the time is up")
        part = min(1.0, second / self._seconds)
        if self._progress is not None and part >= self._told + _STEP:
            self._told = part
            self._progress(part)

    def finished(self) -> None:
        if self._progress is not None and self._told < 1.0:
            self._progress(1.0)


class _Pictures:
    """From the first track of pictures to H.264."""

    def __init__(
        self, incoming: Any, outgoing: Any, video: Video, size: tuple[int, int], quality: dict[str, str],
        bitrate: int | None, threads: int,
    ) -> None:  # fmt: skip
        self._stream = incoming.streams.video[0]
        self.index: int = self._stream.index
        self._video, self._size = video, size
        self._graph: Any = None
        self._shape: tuple[int, int, str] | None = None
        self._last = -1
        rate = self._stream.average_rate or Fraction(30)
        self._out = outgoing.add_stream("libx264", rate=rate, options=quality)
        context = self._out.codec_context
        context.width, context.height = size
        context.pix_fmt = "yuv420p"
        context.thread_count = threads
        # Frames keep their own times: recordings of browsers and phones have no constant rate.
        context.time_base = Fraction(1, 90_000)
        if bitrate is not None:
            context.bit_rate = bitrate

    def decoded(self, packet: Any) -> Iterator[Any]:
        """Frames as the encoder takes them."""
        for frame in packet.decode():
            shape = (frame.width, frame.height, frame.format.name)
            if shape != self._shape:  # it may change on the way
                self._graph = pyav.upright(
                    frame_template(self._stream, frame), self._video, *self._size, "yuv420p"
                )
                self._shape = shape
            self._graph.push(frame)
            yield self._graph.pull()

    def encoded(self, frame: Any | None) -> Any:
        """Packets; those that remain, of None."""
        if frame is not None:
            if frame.pts is None:
                raise damaged("a picture without a time")
            # The encoder takes no time twice.
            frame.pts = max(self._last + 1, round(frame.pts * frame.time_base * 90_000))
            frame.time_base = Fraction(1, 90_000)
            frame.pict_type = 0
            self._last = frame.pts
        return self._out.encode(frame)


def frame_template(stream: Any, frame: Any) -> Any:
    """What the filter has to know of frames: theirs, for a header may tell another size."""
    return stream if (stream.width, stream.height) == (frame.width, frame.height) else frame


class _Sound:
    """From the first track of sound to AAC, in stereo at most."""

    def __init__(self, incoming: Any, outgoing: Any, bitrate: int) -> None:
        stream = incoming.streams.audio[0]
        self.index: int = stream.index
        rate = next((rate for rate in _AUDIO_RATES if rate <= stream.codec_context.sample_rate), 8000)
        layout = "mono" if stream.codec_context.layout.nb_channels == 1 else "stereo"
        self._out = outgoing.add_stream("aac", rate=rate, layout=layout)
        self._out.codec_context.bit_rate = bitrate
        self._resampler = pyav.resampler(rate, layout, 1024)

    def decoded(self, packet: Any) -> Iterator[Any]:
        for frame in packet.decode():
            yield from self._resampler.resample(frame)

    def encoded(self, frame: Any | None) -> Any:
        if frame is not None:
            return self._out.encode(frame)
        packets = []
        for rest in self._resampler.resample(None):
            packets += self._out.encode(rest)
        return packets + self._out.encode(None)


def _transcode(incoming: Any, outgoing: Any, streams: dict[int, Any], watch: _Watch) -> None:
    chosen = [incoming.streams[index] for index in streams]
    packets = incoming.demux(chosen)
    while True:
        with pyav.errors_of_decoding():
            packet = next(packets, None)
        if packet is None:
            break
        stream = streams[packet.stream.index]
        with pyav.errors_of_decoding():
            frames = list(stream.decoded(packet))
        for frame in frames:
            outgoing.mux(stream.encoded(frame))
        watch.passed(float(packet.dts * packet.time_base) if packet.dts is not None else 0.0)
    for stream in streams.values():
        outgoing.mux(stream.encoded(None))


@contextmanager
def _atomic(path: str) -> Iterator[str]:
    """A path to write to, which takes the other's place at the end, or is gone."""
    folder, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(folder, f".{name[:80]}.{token_hex(8)}.part")
    try:
        # By ourselves: so that its mode is as the process's mask says, and it is nobody else's.
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except OSError as error:
        raise MediaError("unwritable", error.strerror or "") from None
    try:
        yield temporary
        with suppress(FileNotFoundError):
            os.chmod(temporary, os.stat(path).st_mode & 0o777)
        try:
            os.replace(temporary, path)
        except OSError as error:
            raise MediaError("unwritable", error.strerror or "") from None
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
