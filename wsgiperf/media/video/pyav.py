"""PyAV, which decodes and encodes: the one file that imports it, and only when there is something to do.

What is decoded has been validated before. PyAV gets it as a file object and is told the format: a path could
be taken for an address, and a file could be taken for a list of other files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO

from wsgiperf.media.errors import MediaError
from wsgiperf.media.video.refusals import damaged, unsupported

if TYPE_CHECKING:
    from wsgiperf.media.video.reading import Source
    from wsgiperf.media.video.result import Video

__all__ = ["decoding", "encoding", "errors_of_decoding", "resampler", "upright"]

_FORMATS = {"mp4": "mp4", "mov": "mov", "webm": "webm", "mkv": "matroska"}
_TURNS = {90: ["clock"], 180: ["clock", "clock"], 270: ["cclock"]}


def _load() -> Any:
    try:
        import av
        import av.filter
    except ImportError as error:
        raise ImportError('videos are decoded by PyAV: pip install "wsgiperf[video]"') from error
    return av


@contextmanager
def _file(source: Source) -> Iterator[BinaryIO]:
    if isinstance(source, bytes | bytearray | memoryview):
        yield BytesIO(source)
    elif isinstance(source, str | PathLike):
        try:
            file = open(source, "rb")  # noqa: SIM115 - an error of the caller's isn't one of opening
        except OSError as error:
            raise MediaError("unreadable", error.strerror or "") from None
        with file:
            yield file
    else:
        position = source.tell()
        try:
            source.seek(0)
            yield source
        finally:
            with suppress(ValueError):  # somebody closed it meanwhile
                source.seek(position)


@contextmanager
def decoding(source: Source, video: Video, *, max_pixels: int, threads: int) -> Iterator[Any]:
    """The container, open; its streams decode with so many threads.

    :param video: what validation found; it decides the format.
    :param max_pixels: larger frames aren't decoded, whatever the header says of their size.
    :raises MediaError: damaged; it can't be opened.
    """
    av = _load()
    with _file(source) as file:
        with errors_of_decoding():
            # The options here as well: opening decodes frames.
            container = av.open(
                file, mode="r", format=_FORMATS[video.container], metadata_errors="replace",
                options={"enable_drefs": "0", "max_pixels": str(max_pixels)},
            )  # fmt: skip
        with container:
            if not container.streams.video:
                raise damaged("no pictures can be decoded")
            for stream in (*container.streams.video[:1], *container.streams.audio[:1]):
                # Streams of codecs that this build doesn't know have no context.
                if stream.codec_context is None:
                    raise unsupported("its codec can't be decoded")
                stream.codec_context.thread_count = threads
                stream.codec_context.thread_type = "AUTO"
                stream.codec_context.options = {"max_pixels": str(max_pixels)}
            yield container


@contextmanager
def errors_of_decoding() -> Iterator[None]:
    """What PyAV raises of content that it can't decode becomes `MediaError`."""
    av = _load()
    try:
        yield
    except av.error.DecoderNotFoundError:
        raise unsupported("its codec can't be decoded") from None
    except (av.FFmpegError, EOFError) as error:
        raise damaged("the content can't be decoded") from error


@contextmanager
def encoding(path: str) -> Iterator[Any]:
    """An MP4 to be written, its header in front of the content.

    :param path: absolute.
    :raises MediaError: unwritable.
    """
    av = _load()
    try:
        # The prefix: or a colon in a folder's name would make it an address.
        with av.open(f"file:{path}", mode="w", format="mp4", options={"movflags": "+faststart"}) as container:
            yield container
    except av.FFmpegError as error:
        raise MediaError("unwritable", error.strerror or "") from error


def upright(stream: Any, video: Video, width: int, height: int, pixels: str) -> Any:
    """A filter that frames are pushed through: turned upright, and of that size.

    :param pixels: the format of its pixels, as FFmpeg names them.
    """
    graph = _load().filter.Graph()
    chain = [graph.add_buffer(template=stream)]
    chain += [graph.add("transpose", turn) for turn in _TURNS.get(video.rotation, [])]
    chain += [
        graph.add("scale", f"{width}:{height}:flags=lanczos"),
        graph.add("setsar", "1"),
        graph.add("format", pixels),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*chain).configure()
    return graph


def resampler(rate: int, layout: str, frame_size: int) -> Any:
    """Turns sound into what the encoder of AAC takes."""
    return _load().AudioResampler(format="fltp", layout=layout, rate=rate, frame_size=frame_size)
