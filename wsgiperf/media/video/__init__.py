"""Videos: checked without any library; made smaller, and a picture taken of them, by PyAV (extra `video`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsgiperf.media.video.result import Video
from wsgiperf.media.video.validation import validate_video

if TYPE_CHECKING:
    from wsgiperf.media.video.posters import poster
    from wsgiperf.media.video.transcoding import compress_video

__all__ = ["Video", "compress_video", "poster", "validate_video"]


def __getattr__(name: str) -> Any:
    # Late, for those who only validate.
    if name == "compress_video":
        from wsgiperf.media.video.transcoding import compress_video

        return compress_video
    if name == "poster":
        from wsgiperf.media.video.posters import poster

        return poster
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
