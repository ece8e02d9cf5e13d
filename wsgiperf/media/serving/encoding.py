"""From one picture to one variant. The codecs are loaded with the first."""

from __future__ import annotations

from wsgiperf.media.serving.negotiation import PLAIN, is_needed

__all__ = ["encode", "sniffed"]

#: A conversion has to save this part at least, or the original is as good.
_WORTH = 0.05
_LARGEST = 65_500


def encode(
    data: bytes,
    target: str,
    width: int | None,
    quality: int,
    *,
    most_pixels: int = 50_000_000,
    seconds: float = 20.0,
) -> bytes | None:
    """A picture in another format, narrower, or both.

    :param data: the file.
    :param target: a media type, or `PLAIN`.
    :param width: pixels; no picture is made wider.
    :param quality: 1 to 100 on JPEG's scale.
    :returns: None where the original is as good: it moves, or what was made saves too little.
    :raises Exception: for what can't be decoded, or lies beyond the limits.
    """
    from wsgiperf.media.limits import Limits
    from wsgiperf.media.pictures.optimising import optimize
    from wsgiperf.media.pictures.probing import probe

    limits = Limits(max_pixels=most_pixels, max_seconds=seconds)
    probed = probe(data, limits=limits)
    if probed.frames > 1:
        return None
    narrower = width is not None and width < probed.width
    wanted = ("png" if probed.alpha else "jpeg") if target == PLAIN else target.removeprefix("image/")
    if wanted == probed.format and not narrower:
        return None
    made = optimize(
        data,
        format=wanted,
        quality=quality,
        max_width=width if width is not None and narrower else _LARGEST,
        max_height=_LARGEST,
        limits=limits,
    ).data
    # Who can't show the original needs another at any price.
    needed = is_needed(f"image/{probed.format}", target)
    return made if needed or len(made) <= len(data) * (1 - _WORTH) else None


def sniffed(data: bytes) -> str | None:
    """The media type of what an encoder has made, by its first bytes."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "image/avif"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return None
