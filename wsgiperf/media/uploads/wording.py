"""What to say to whoever sent a file that isn't taken."""

from __future__ import annotations

from collections.abc import Mapping

from wsgiperf.media.errors import MediaError

__all__ = ["SENTENCES", "sentence"]

#: By the reason of the error.
SENTENCES = {
    "empty": "This file is empty.",
    "truncated": "This file is incomplete. Please send it again.",
    "damaged": "This file is damaged.",
    "not_an_image": "This is not a picture of a kind that we can read.",
    "not_a_video": "This is not a video of a kind that we can read.",
    "format_refused": "We don't take files of this kind.",
    "unsupported": "This file uses a feature that we can't read. Please save it in another format.",
    "no_video": "This file has sound, but no pictures.",
    "zero_length": "This video lasts no time at all.",
    "codec_refused": "We don't take videos that are encoded like this one.",
    "too_many_bytes": "This file is too large.",
    "too_many_pixels": "This picture has too many pixels.",
    "too_many_frames": "This animation has too many frames.",
    "too_large": "This picture is too wide or too high.",
    "too_slow": "This file would take us too long.",
    "too_long": "This video is too long.",
    "unreadable": "This file didn't arrive. Please send it again.",
    "unwritable": "We can't store this file at the moment. Please try again later.",
    "cancelled": "This was cancelled.",
}


def sentence(error: MediaError, sentences: Mapping[str, str] = SENTENCES) -> str:
    """A sentence for people, without anything of the file in it.

    :param sentences: by reason, in another language or with the site's own limits; what they lack is said in
        ours.
    """
    return sentences.get(error.reason) or SENTENCES.get(error.reason) or "We can't take this file."
