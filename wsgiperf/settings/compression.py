"""The options of compression."""

from __future__ import annotations

from dataclasses import dataclass

from wsgiperf.http.media_type import media_types
from wsgiperf.options import integer, names
from wsgiperf.settings.section import Section

__all__ = ["CompressionSettings"]


def _media_type(value: str) -> bool:
    return bool(media_types((value,)))


@dataclass(frozen=True, kw_only=True)
class CompressionSettings(Section):
    """Options of `CompressionMiddleware`."""

    section = "compression"

    codings: tuple[str, ...] = names(
        ("br", "zstd", "gzip"),
        "The content codings offered, the preferred first; one whose package is missing is left out.",
        expected="a list of 'br', 'zstd', 'gzip'",
        accepts=("br", "zstd", "gzip").__contains__,
    )
    minimum_size: int = integer(
        800,
        "A smaller body of known size stays as it is: the saving is less than a packet.",
        unit="bytes",
        least=0,
        most=2**30,
    )
    content_types: tuple[str, ...] = names(
        (
            "text/*",
            "*+json",
            "*+xml",
            "application/javascript",
            "application/json",
            "application/manifest+json",
            "application/wasm",
            "application/x-javascript",
            "application/xml",
            "application/x-ndjson",
            "font/otf",
            "font/ttf",
            "image/bmp",
            "image/svg+xml",
            "image/x-icon",
            "image/vnd.microsoft.icon",
        ),
        "The media types to encode: whole names, `text/*`, or a suffix such as `*+json`.",
        expected="a list of media types",
        accepts=_media_type,
    )
    brotli_level: int = integer(5, "Brotli's quality.", least=0, most=11)
    zstd_level: int = integer(
        3, "Zstandard's level; above 19 its window is larger than browsers take (RFC 9659).", least=1, most=19
    )
    gzip_level: int = integer(6, "Deflate's level; 9 costs much and saves little.", least=1, most=9)
